"""What long ranges cost: 30 days of 124 links at 10 s, and a year of their hours.

A day is written and summed up for real; its files are copied to the other days (times in a file
count from its own beginning), and its hours to the other days of a year. Prints; asserts only that
the answers have every row.
"""

from __future__ import annotations

import random
import shutil
import statistics
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from influxdb_client.client.influxdb_client import InfluxDBClient
from influxdb_client.client.write_api import WriteOptions

from monitor.adapters.influx import InfluxReader, InfluxWriter
from monitor.adapters.influx.setup import BucketSpec, InfluxSetup
from monitor.adapters.journal import JournalReader, SqliteJournal
from monitor.adapters.journal.day_files import HOURS, day_of
from monitor.adapters.journal.rollup_files import write_rollups
from monitor.core.model import Outcome, Reply
from monitor.core.samples.line_protocol import line_of
from monitor.core.samples.packed_requests import RecordedRequests
from monitor.core.samples.samples import PingHour, PingSample, Sample
from monitor.core.samples.schema import point_of
from tests.bench.timing import ms_of
from tests.influx_server import InfluxServer
from tests.sample_builders import ping

pytestmark = [pytest.mark.bench, pytest.mark.timeout(1800)]

LINKS = [f"site-{n // 2}/{'utama' if n % 2 else 'cadangan'}" for n in range(124)]
DAY_S = 86_400.0
DAYS = 30
MIDNIGHT_S = time.time() // DAY_S * DAY_S - DAY_S
"""Yesterday: a server looks for its newest rows in the last days, and forgets old ones."""
END_S = MIDNIGHT_S + DAY_S
MONTH = (END_S - DAYS * DAY_S, END_S)
YEAR = (END_S - 365 * DAY_S, END_S)
SOON = 'cache-snapshot-write-cold-duration = "5s"\ncompact-full-write-cold-duration = "10s"'
SETTLES_S = 30.0
"""A million points were written in a minute: as Debian sets it 1.6 has them in files after ten
minutes, and those in order after four hours. Here that is asked for at once, and waited for."""

LATER_S = END_S + 7200


def row(rng: random.Random, at_s: float, name: str) -> PingSample:
    rtts = [max(0.2, rng.gauss(12.0, 0.8)) for _ in range(10)]
    ordered = sorted(rtts)
    outcomes: list[Outcome] = [
        Reply(name, at_s - 10 + n + rng.uniform(0, 0.004), at_s, rtt) for n, rtt in enumerate(rtts)
    ]
    made = ping(at_s, name, rtt=(ordered[0], ordered[5], ordered[9], ordered[9]))
    return replace(made, requests=RecordedRequests(at_s, 0.0, outcomes))


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    where = tmp_path_factory.mktemp("journal")
    rng = random.Random(9)
    pool = [row(rng, MIDNIGHT_S, LINKS[0]).requests for _ in range(200)]
    assert all(requests is not None and requests.packed() for requests in pool)
    journal = SqliteJournal(where)
    for hour in range(24):
        batch: list[Sample] = []
        for place in range(360):
            at_s = MIDNIGHT_S + hour * 3600 + place * 10
            batch += [
                replace(ping(at_s, name, rtt=(11.0, 12.0, 13.0, 14.0)), requests=rng.choice(pool))
                for name in LINKS
            ]
        journal.append(batch)
    count = 24 * 360 * len(LINKS)
    journal.close()
    for kind in ("samples", "evidence"):
        size = sum(path.stat().st_size for path in where.glob(f"{kind}-*"))
        print(f"\n{kind}: {size / count:.1f} bytes a row")
    begin, used = time.perf_counter(), time.process_time()
    journal.roll_up(LATER_S)
    wall, used = time.perf_counter() - begin, time.process_time() - used
    print(f"24 hours summed up: {wall:.1f} s, CPU {used / 24:.2f} s an hour of {len(LINKS)} links")
    for kind, rows in (("minutes", 1440 * len(LINKS)), ("hours", 24 * len(LINKS))):
        size = sum(path.stat().st_size for path in where.glob(f"{kind}-*"))
        print(f"{kind}: {size / rows:.1f} bytes a row")
    hours = [
        each for each in journal.hours.read_after(None, 10**6).samples if isinstance(each, PingHour)
    ]
    for back in range(364, 0, -1):
        write_rollups(where, HOURS, [replace(e, at_s=e.at_s - back * DAY_S) for e in hours])
    journal.close()
    today = day_of(round(MIDNIGHT_S * 1000))
    for back in range(1, DAYS):
        other = day_of(round((MIDNIGHT_S - back * DAY_S) * 1000))
        for kind in ("samples", "minutes"):
            shutil.copy(where / f"{kind}-{today}.db", where / f"{kind}-{other}.db")
    yield where
    shutil.rmtree(where)


def test_long_ranges_out_of_the_journal(directory: Path) -> None:
    reader = JournalReader(directory)
    one = LINKS[7]
    day = (END_S - DAY_S, END_S)
    print("\n24 h of a link at 1 minute:", ms_of(lambda: reader.latency(one, *day, 60.0)))
    print("30 days of all links, totals:", ms_of(lambda: reader.totals(*MONTH)))
    print("1 year of a link, by the day:", ms_of(lambda: reader.latency(one, *YEAR, DAY_S)))
    print("30 days of a link, by the hour:", ms_of(lambda: reader.latency(one, *MONTH, 3600.0)))
    print("1 year of all links, totals:", ms_of(lambda: reader.totals(*YEAR), 3))
    assert sum(each.sent for each in reader.totals(*MONTH).values()) == DAYS * 8640 * 10 * 124
    assert sum(each.sent for each in reader.latency(one, *YEAR, DAY_S)) == 365 * 86_400
    # A width that is no whole number of minutes is answered by raw rows.
    print("raw: 24 h of a link:", ms_of(lambda: reader.latency(one, *day, 61.0), 3))
    print("raw: 30 days of all links:", ms_of(lambda: reader.latency_all(*MONTH, 2592000.5), 1))


def test_the_same_out_of_influxdb(directory: Path, tmp_path: Path) -> None:
    journal = SqliteJournal(directory)
    with InfluxServer(tmp_path, data=SOON) as server:
        settings = server.bucket("pantau")
        setup = InfluxSetup(settings, None)
        setup.prepare([BucketSpec("pantau_1m", 180), BucketSpec("pantau_1h", 1826, 90)])
        setup.close()
        for suffix, log in (("_1m", journal.minutes), ("_1h", journal.hours)):
            sink = InfluxWriter(replace(settings, bucket=f"pantau{suffix}"), None)
            cursor = log.head(1440 * len(LINKS)) if suffix == "_1m" else None
            while (batch := log.read_after(cursor, 5000)).samples:
                sink.write(batch.samples)
                cursor = batch.cursor
            sink.close()
        time.sleep(SETTLES_S)
        source = InfluxReader(settings, None)
        one, day = LINKS[7], (END_S - DAY_S, END_S - 3600)
        print("\n23 h of a link at 1 minute:", ms_of(lambda: source.latency(one, *day, 60.0)))
        print("30 days of all links, totals:", ms_of(lambda: source.totals(*MONTH)))
        year = (YEAR[0], END_S - 3600)
        print(
            "1 year of a link, by the day:",
            ms_of(lambda: source.latency(one, *year, DAY_S), 3),
        )
        total = sum(each.sent for each in source.totals(*MONTH).values())
        assert total == DAYS * 8640 * 10 * 124
        source.close()
    journal.close()


def test_ten_thousand_targets_every_ten_seconds(tmp_path: Path) -> None:
    rng = random.Random(3)
    journal = SqliteJournal(tmp_path)
    names = [f"site-{n}/utama" for n in range(10_000)]
    took, used = [], []
    for place in range(6):
        batch = [row(rng, MIDNIGHT_S + 10 * place, name) for name in names]
        begin, cpu = time.perf_counter(), time.process_time()
        journal.append(batch)
        took.append(time.perf_counter() - begin)
        used.append(time.process_time() - cpu)
    journal.close()
    print(
        f"\n10,000 rows with their requests: {statistics.median(took) * 1000:.0f} ms a commit,"
        f" CPU {statistics.median(used) / 10:.1%} of a core"
    )


def test_draining_beside_the_batching_of_the_library(tmp_path: Path) -> None:
    rows: list[Sample] = [
        ping(MIDNIGHT_S + 10 * (n // 100), f"site-{n % 100}/utama") for n in range(100_000)
    ]
    journal = SqliteJournal(tmp_path / "journal")
    journal.append(rows)
    with InfluxServer(tmp_path / "influx") as server:
        sink = InfluxWriter(server.bucket("ours"), None)
        begin, cpu, cursor = time.perf_counter(), time.process_time(), None
        while (batch := journal.read_after(cursor, 5000)).samples:
            sink.write(batch.samples)
            cursor = batch.cursor
            journal.save_cursor("influxdb", cursor)
        _say("journal to InfluxDB", begin, cpu, len(rows))
        server.bucket("theirs")
        client = InfluxDBClient(url=server.url, token="", org="", enable_gzip=True)
        begin, cpu = time.perf_counter(), time.process_time()
        with client.write_api(WriteOptions(batch_size=5000, flush_interval=1000)) as api:
            for start in range(0, len(rows), 5000):
                points = [point_of(each) for each in rows[start : start + 5000]]
                lines = [line_of(point) for point in points if point is not None]
                api.write(bucket="theirs", record=lines, write_precision="ms")
        _say("WriteApi, from memory", begin, cpu, len(rows))
        client.api_client.rest_client.pool_manager.clear()
        for bucket in ("ours", "theirs"):
            [found] = server.query('SELECT count("sent") FROM "ping"', bucket)
            assert found["values"][0][1] == len(rows)
    journal.close()


def _say(what: str, begin: float, cpu: float, count: int) -> None:
    wall, used = time.perf_counter() - begin, time.process_time() - cpu
    print(
        f"\n{what}: {count / wall:,.0f} points a second, {used / count * 1e6:.1f} CPU-s a million"
    )
