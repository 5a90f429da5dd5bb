"""InfluxDB 1.6.7 and a backlog older than it keeps, a type conflict for a day, a month read twice.

    pytest -m bench -s tests/bench/test_influx_faults.py

Prints; asserts that nothing inside the retention is lost, that everything is there once, and that
both stores give the same numbers.
"""

from __future__ import annotations

import asyncio
import random
import shutil
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from monitor.adapters.influx import InfluxReader, InfluxWriter
from monitor.adapters.journal import JournalReader, SqliteJournal
from monitor.adapters.system.clock import SystemClock
from monitor.adapters.system.dead_letters import DeadLetterFiles
from monitor.adapters.system.resend_file import ResendFile
from monitor.core.samples.samples import Sample
from monitor.settings.model import InfluxSettings
from monitor.storage.influx_shipper import InfluxShipper
from tests.bench.timing import ms_of
from tests.influx_server import InfluxServer
from tests.sample_builders import interface, ping
from tests.waiting import eventually_async

pytestmark = [pytest.mark.bench, pytest.mark.timeout(1800)]

LINKS = [f"site-{n // 2}/{'utama' if n % 2 else 'cadangan'}" for n in range(62)]
RECORD_S = 10
DAY_S = 86_400
NOW_S = time.time() // RECORD_S * RECORD_S


def rows_of(moment_s: float) -> list[Sample]:
    return [ping(moment_s, name, rtt=(11.0, 12.0, 13.0, 14.0)) for name in LINKS]


@pytest.fixture(scope="module")
def backlog(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Three days of 62 links, up to now."""
    where = tmp_path_factory.mktemp("backlog") / "journal"
    journal = SqliteJournal(where, evidence=False)
    for hour in range(72, 0, -1):
        begin_s = NOW_S - 3600 * hour
        journal.append(
            [row for place in range(0, 3600, RECORD_S) for row in rows_of(begin_s + place)]
        )
    journal.close()
    yield where
    shutil.rmtree(where)


class Run:
    """A shipper on a journal, and what its run cost."""

    def __init__(self, journal: SqliteJournal, settings: InfluxSettings, work: Path) -> None:
        self.journal = journal
        self.quarantine = work / "quarantine"
        self.shipper = InfluxShipper(
            journal,
            InfluxWriter(settings, None),
            SystemClock(),
            DeadLetterFiles(self.quarantine),
            ResendFile(work / "resend.json"),
        )

    async def __aenter__(self) -> Run:
        self._began = time.perf_counter(), time.process_time()
        self._task = asyncio.create_task(self.shipper.run())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._task.cancel()
        with suppress(asyncio.CancelledError):
            await self._task

    async def shipped(self) -> tuple[float, float]:
        """Wait until the cursor is at the end; wall and CPU seconds since the start."""
        await eventually_async(
            lambda: (
                self.journal.lag(self.journal.load_cursor("influxdb")) == 0
                and self.shipper.state.resend_lines == 0
                and not self.shipper.state.backfilling
            ),
            900,
        )
        return time.perf_counter() - self._began[0], time.process_time() - self._began[1]


@pytest.mark.parametrize("keeps", ["1h", "1d", "INF"])
async def test_a_backlog_of_three_days(
    backlog: Path, tmp_path: Path, keeps: str, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(backlog, tmp_path / "journal")
    journal = SqliteJournal(tmp_path / "journal", evidence=False)
    count = 3 * DAY_S // RECORD_S * len(LINKS)
    with InfluxServer(tmp_path / "influx") as server:
        settings = server.bucket("pantau")
        server.query(
            f'ALTER RETENTION POLICY "autogen" ON "pantau" DURATION {keeps} SHARD DURATION 1h'
        )
        async with Run(journal, settings, tmp_path) as run:
            wall_s, cpu_s = await run.shipped()
            skipped, ended_s = run.shipper.state.outside_retention, time.time()
        [found] = server.query('SELECT count("sent") FROM "ping"', "pantau")
        stored = found["values"][0][1]
    with capsys.disabled():
        print(
            f"\nbucket keeps {keeps}: {count:,} samples, {wall_s:.1f} s ({count / wall_s:,.0f}/s),"
            f" CPU {cpu_s:.1f} s; stored {stored:,}, skipped {skipped:,}"
        )
    kept_s = {"1h": 3600.0, "1d": float(DAY_S), "INF": 3.0 * DAY_S}[keeps]
    begin_s = NOW_S - 3 * DAY_S if keeps == "INF" else ended_s - kept_s
    inside = int((NOW_S - begin_s) // RECORD_S) * len(LINKS)
    assert stored >= inside, "what is inside the retention at the end is there"
    assert stored + skipped == count
    assert not (tmp_path / "quarantine").exists()
    journal.close()


async def test_a_type_conflict_for_a_day(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    journal = SqliteJournal(tmp_path / "journal", evidence=False)
    begin_s = NOW_S - DAY_S
    for hour in range(24):
        batch: list[Sample] = []
        for place in range(0, 3600, RECORD_S):
            at_s = begin_s + 3600 * hour + place
            batch += rows_of(at_s)
            if place % 60 == 0:
                batch += [interface(at_s, device=name.partition("/")[0]) for name in LINKS[::2]]
        journal.append(batch)
    pings = DAY_S // RECORD_S * len(LINKS)
    ports = DAY_S // 60 * len(LINKS[::2])
    with InfluxServer(tmp_path / "influx") as server:
        settings = server.bucket("pantau")
        for day in range(-7, 8, 7):  # in each shard that the day may lie in
            server.write(f'ping,site=x sent="text" {NOW_S + day * DAY_S:.0f}000', "pantau")
        async with Run(journal, settings, tmp_path) as run:
            wall_s, cpu_s = await run.shipped()
            state = run.shipper.state
            assert [each.name for each in state.blocked] == ["ping"]
            assert state.quarantined == 0
            with capsys.disabled():
                print(
                    f"\nping refused for a day: the rest ({ports:,}) was shipped in {wall_s:.1f} s,"
                    f" CPU {cpu_s:.1f} s; quarantine: nothing; said: {state.blocked[0].why}"
                )
            server.query('DROP MEASUREMENT "ping"', "pantau")
            journal.append(rows_of(NOW_S))
            began = time.perf_counter(), time.process_time()
            run.shipper.retry_blocked()
            await eventually_async(lambda: not run.shipper.state.blocked, 60)
            await run.shipped()
            wall_s = time.perf_counter() - began[0]
            cpu_s = time.process_time() - began[1]
        for name, column, expected in (
            ("ping", "sent", pings + len(LINKS)),
            ("interface", "in_bps", ports),
        ):
            question = f'SELECT count("{column}") FROM "{name}"'  # noqa: S608 - names of ours
            [found] = server.query(question, "pantau")
            assert found["values"][0][1] == expected
    with capsys.disabled():
        print(f"after mending: {pings:,} samples sent in {wall_s:.1f} s, CPU {cpu_s:.1f} s, once")
    journal.close()


def test_a_month_gives_the_same_numbers_from_both_stores(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rng = random.Random(13)
    names = LINKS[:4]
    begin_s = (NOW_S - 31 * DAY_S) // DAY_S * DAY_S
    journal = SqliteJournal(tmp_path / "journal", evidence=False)
    for day in range(30):
        batch: list[Sample] = []
        for minute in range(1440):
            at_s = begin_s + day * DAY_S + 60 * minute
            for name in names:
                received = rng.choice((60, 60, 60, 59, 57, 0))
                low = rng.uniform(3.0, 40.0)
                rtt = (low, low * 1.1, low * 1.4, low * 2.0) if received else None
                batch.append(replace(ping(at_s, name, rtt=rtt, sent=60), received=received))
        journal.append(batch)
    journal.roll_up(begin_s + 31 * DAY_S)
    with InfluxServer(tmp_path / "influx") as server:
        settings = server.bucket("pantau")
        for suffix, log in (("", journal), ("_1m", journal.minutes), ("_1h", journal.hours)):
            if suffix:
                server.bucket(f"pantau{suffix}")
            sink = InfluxWriter(replace(settings, bucket=f"pantau{suffix}"), None)
            cursor = None
            while (batch_read := log.read_after(cursor, 5000)).samples:
                sink.write(batch_read.samples)
                cursor = batch_read.cursor
            sink.close()
        reader, source = JournalReader(tmp_path / "journal"), InfluxReader(settings, None)
        with capsys.disabled():
            print("\nsame numbers from both:            journal     InfluxDB 1.6.7")
        for what, days, width_s in (
            ("a day, by the minute", 1, 60.0),
            ("a week, by 15 minutes", 7, 900.0),
            ("a month, by the hour", 30, 3600.0),
            ("a month, by the day", 30, float(DAY_S)),
        ):
            end_s = begin_s + 29 * DAY_S
            span = (max(begin_s, end_s - days * DAY_S), end_s, width_s)
            here, there = reader.latency_all(*span), source.latency_all(*span)
            assert here == there
            times = [
                ms_of(lambda store=store, span=span: store.latency(names[0], *span), 5)  # type: ignore[misc]
                for store in (reader, source)
            ]
            with capsys.disabled():
                print(f"  {what:30} {times[0]:>12} {times[1]:>12}")
        assert reader.totals(begin_s, begin_s + 29 * DAY_S) == source.totals(
            begin_s, begin_s + 29 * DAY_S
        )
        source.close()
    journal.close()
