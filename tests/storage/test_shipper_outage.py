"""Journal files, the shipper and a real InfluxDB that is stopped, killed and started again.

By default time is compressed: a second of the shipper's waits takes 10 ms, a batch of samples comes
every 20 ms. The long variant takes two real minutes.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from monitor.adapters.influx import InfluxWriter
from monitor.adapters.journal import SqliteJournal
from monitor.adapters.system.clock import SystemClock
from monitor.adapters.system.dead_letters import DeadLetterFiles
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


async def test_exactly_the_refused_lines_become_dead_letters_with_the_reason(
    influx_server: InfluxServer,
    new_bucket: Callable[[], InfluxSettings],
    journal: SqliteJournal,
    tmp_path: Path,
) -> None:
    """Another program wrote a text to our numeric field: two rows cannot be stored beside it."""
    settings = new_bucket()
    influx_server.write(
        f'interface,ifname=x in_bps="text" {MIDNIGHT_S - 300:.0f}000', settings.bucket
    )
    refused = [interface(MIDNIGHT_S - 250), interface(MIDNIGHT_S + 100, device="sukra")]
    for number in range(60):
        journal.append(batch_of(number))
    journal.append(refused)
    for number in range(60, 120):
        journal.append(batch_of(number))
    shipper = shipper_to(settings, journal, tmp_path, 0.01)
    task = asyncio.create_task(shipper.run())
    await eventually_async(lambda: journal.lag(journal.load_cursor("influxdb")) == 0, 30)
    await eventually_async(lambda: shipper.state.lag_lines == 0)
    await end(task)
    entries = [
        json.loads(line)
        for path in (tmp_path / "quarantine").iterdir()
        for line in path.read_text().splitlines()
    ]
    assert [entry["line"].split(" ")[0] for entry in entries] == [
        "interface,device=anjatan,ifname=ether1,link=utama,site=anjatan",
        "interface,device=sukra,ifname=ether1,link=utama,site=sukra",
    ]
    assert all("field type conflict" in entry["words"] for entry in entries)
    assert shipper.state.quarantined == 2
    [count] = influx_server.query('SELECT count("sent") FROM "ping"', settings.bucket)
    assert count["values"][0][1] == 120 * len(TARGETS)
