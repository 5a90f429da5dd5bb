"""Journal files, the shipper and a real InfluxDB that is stopped, killed and started again.

By default time is compressed: a second of the shipper's waits takes 10 ms, a batch of samples comes
every 20 ms. The long variant takes two real minutes.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from monitor.adapters.influx import InfluxWriter
from monitor.adapters.journal import SqliteJournal
from monitor.adapters.system.clock import SystemClock
from monitor.adapters.system.dead_letters import DeadLetterFiles, read_dead_letters
from monitor.adapters.system.resend_file import ResendFile
from monitor.core.samples.samples import Sample
from monitor.settings.model import InfluxSettings
from monitor.storage.influx_shipper import InfluxShipper
from tests.influx_server import InfluxServer
from tests.sample_builders import MIDNIGHT_S, interface, ping
from tests.waiting import eventually_async

TARGETS = [f"site-{place}/utama" for place in range(30)]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[InfluxServer]:
    with InfluxServer(tmp_path / "influx") as running:
        yield running


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[SqliteJournal]:
    opened = SqliteJournal(tmp_path / "journal")
    yield opened
    opened.close()


def compressed(factor: float) -> Callable[[float], Awaitable[None]]:
    """A sleep that takes `factor` of its length."""

    async def sleep(length_s: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(length_s * factor):
                await asyncio.Event().wait()

    return sleep


def shipper_to(
    settings: InfluxSettings, journal: SqliteJournal, directory: Path, factor: float
) -> InfluxShipper:
    return InfluxShipper(
        journal,
        InfluxWriter(settings, None),
        SystemClock(),
        DeadLetterFiles(directory / "quarantine"),
        ResendFile(directory / "resend.json"),
        sleep=compressed(factor),
    )


def batch_of(number: int) -> list[Sample]:
    """One row a target; `sent` is the number of the batch."""
    at_s = MIDNIGHT_S - 300 + 10 * number
    return [ping(at_s, target, sent=number + 1, received=0) for target in TARGETS]


async def end(task: asyncio.Task[None]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


LONG = (pytest.mark.full, pytest.mark.timeout(600))


@pytest.mark.parametrize(
    ("factor", "batch_s", "away"),
    [
        (0.01, 0.02, 30),
        pytest.param(1.0, 10.0, 12, marks=LONG, id="two minutes away"),
    ],
)
async def test_after_an_outage_with_a_kill_every_sample_of_every_target_is_there_once(
    server: InfluxServer,
    journal: SqliteJournal,
    tmp_path: Path,
    factor: float,
    batch_s: float,
    away: int,
) -> None:
    settings = server.bucket("pantau")
    shipper = shipper_to(settings, journal, tmp_path, factor)
    task = asyncio.create_task(shipper.run())
    rest = compressed(1.0)
    written = 0

    async def batches(count: int) -> None:
        nonlocal written
        for _ in range(count):
            await asyncio.to_thread(journal.append, batch_of(written))
            written += 1
            await rest(batch_s)

    await batches(5)
    await eventually_async(lambda: shipper.state.last_ok_s)
    await asyncio.to_thread(server.stop)
    await batches(away)
    assert shipper.state.last_error is not None
    assert shipper.state.lag_lines > 0
    await asyncio.gather(asyncio.to_thread(server.start), batches(5))
    await asyncio.to_thread(server.kill)
    await batches(5)
    await asyncio.gather(asyncio.to_thread(server.start), batches(5))
    await eventually_async(lambda: journal.lag(journal.load_cursor("influxdb")) == 0, 90)
    await eventually_async(lambda: shipper.state.last_error is None)
    await end(task)

    found = server.query('SELECT "sent" FROM "ping" GROUP BY "site", "link"', "pantau")
    assert {f"{each['tags']['site']}/{each['tags']['link']}" for each in found} == set(TARGETS)
    expected = [[round(1000 * batch_of(n)[0].at_s), n + 1] for n in range(written)]
    assert all(each["values"] == expected for each in found)
    assert shipper.state.quarantined == 0


async def test_a_shipper_that_is_cancelled_anywhere_is_continued_without_loss_or_duplicates(
    influx_server: InfluxServer,
    new_bucket: Callable[[], InfluxSettings],
    journal: SqliteJournal,
    tmp_path: Path,
) -> None:
    settings = new_bucket()
    for number in range(200):
        journal.append(batch_of(number))
    for later in range(1, 16):
        task = asyncio.create_task(shipper_to(settings, journal, tmp_path, 0.01).run())
        await compressed(0.004)(later)
        await end(task)
    task = asyncio.create_task(shipper_to(settings, journal, tmp_path, 0.01).run())
    await eventually_async(lambda: journal.lag(journal.load_cursor("influxdb")) == 0, 60)
    await end(task)
    found = influx_server.query(
        'SELECT count("sent"), sum("sent") FROM "ping" GROUP BY "site"', settings.bucket
    )
    assert len(found) == len(TARGETS)
    assert all(each["values"][0][1:] == [200, 200 * 201 // 2] for each in found)


async def test_only_a_line_beside_which_others_are_accepted_becomes_a_dead_letter(
    influx_server: InfluxServer,
    new_bucket: Callable[[], InfluxSettings],
    journal: SqliteJournal,
    tmp_path: Path,
) -> None:
    """Another program wrote a text to our numeric field, three weeks ago: in that shard no number
    can be stored beside it, in later ones it can."""
    settings = new_bucket()
    old_s = MIDNIGHT_S - 21 * 86_400
    influx_server.write(f'interface,ifname=x in_bps="text" {old_s:.0f}000', settings.bucket)
    refused = interface(old_s + 50)
    journal.append([*batch_of(0), refused, *batch_of(1), interface(MIDNIGHT_S)])
    shipper = shipper_to(settings, journal, tmp_path, 0.01)
    task = asyncio.create_task(shipper.run())
    await eventually_async(lambda: shipper.state.quarantined == 1, 30)
    await eventually_async(lambda: journal.lag(journal.load_cursor("influxdb")) == 0, 30)
    await end(task)
    [letter] = read_dead_letters(tmp_path / "quarantine")
    assert letter.line.startswith("interface,device=anjatan,ifname=ether1")
    assert "field type conflict" in letter.words
    [count] = influx_server.query('SELECT count("in_bps") FROM "interface"', settings.bucket)
    assert count["values"][0][1] == 1
    [count] = influx_server.query('SELECT count("sent") FROM "ping"', settings.bucket)
    assert count["values"][0][1] == 2 * len(TARGETS)


async def test_a_measurement_in_conflict_is_blocked_and_shipped_once_it_is_mended(
    influx_server: InfluxServer,
    new_bucket: Callable[[], InfluxSettings],
    journal: SqliteJournal,
    tmp_path: Path,
) -> None:
    settings = new_bucket()
    influx_server.write(
        f'interface,ifname=x in_bps="text" {MIDNIGHT_S - 300:.0f}000', settings.bucket
    )
    for number in range(60):
        journal.append([*batch_of(number), interface(MIDNIGHT_S + 10 * number)])
    shipper = shipper_to(settings, journal, tmp_path, 0.01)
    task = asyncio.create_task(shipper.run())
    await eventually_async(lambda: journal.lag(journal.load_cursor("influxdb")) == 0, 30)
    [blocked] = shipper.state.blocked
    assert blocked.name == "interface"
    assert "field type conflict" in blocked.why
    assert shipper.state.quarantined == 0
    influx_server.query('DROP MEASUREMENT "interface"', settings.bucket)
    shipper.retry_blocked()
    journal.append([interface(MIDNIGHT_S + 600)])
    await eventually_async(lambda: not shipper.state.blocked, 30)
    await eventually_async(lambda: shipper.state.resend_lines == 0, 30)
    await end(task)
    [count] = influx_server.query('SELECT count("in_bps") FROM "interface"', settings.bucket)
    assert count["values"][0][1] == 61
    [count] = influx_server.query('SELECT count("sent") FROM "ping"', settings.bucket)
    assert count["values"][0][1] == 60 * len(TARGETS)


@pytest.mark.parametrize("keeps_h", [1, 24])
async def test_a_backlog_older_than_the_bucket_keeps_is_skipped_and_the_rest_is_stored(
    influx_server: InfluxServer,
    new_bucket: Callable[[], InfluxSettings],
    journal: SqliteJournal,
    tmp_path: Path,
    keeps_h: int,
) -> None:
    settings = new_bucket()
    influx_server.query(
        f'ALTER RETENTION POLICY "autogen" ON "{settings.bucket}" DURATION {keeps_h}h'
        " SHARD DURATION 1h"
    )
    now_s = float(int(time.time()) // 60 * 60)
    for minute in range(3 * 1440):
        journal.append([ping(now_s - 60 * (3 * 1440 - minute))])
    shipper = shipper_to(settings, journal, tmp_path, 0.01)
    task = asyncio.create_task(shipper.run())
    await eventually_async(lambda: journal.lag(journal.load_cursor("influxdb")) == 0, 30)
    await end(task)
    [count] = influx_server.query('SELECT count("sent") FROM "ping"', settings.bucket)
    assert 60 * keeps_h - 2 <= count["values"][0][1] <= 60 * keeps_h + 61, "by whole shards"
    assert shipper.state.outside_retention == 3 * 1440 - count["values"][0][1]
    assert shipper.state.quarantined == 0
    assert not (tmp_path / "quarantine").exists()
