"""What the store costs: a day of 62 links and 4 nodes at 10 s, in the journal and in InfluxDB.

Prints; asserts only that InfluxDB got what the journal has.
"""

from __future__ import annotations

import asyncio
import random
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

from monitor.adapters.influx import InfluxReader, InfluxWriter
from monitor.adapters.journal import JournalReader, SqliteJournal
from monitor.adapters.system.clock import SystemClock
from monitor.adapters.system.dead_letters import DeadLetterFiles
from monitor.adapters.system.resend_file import ResendFile
from monitor.core.ports import SampleSource
from monitor.core.samples.samples import Sample
from monitor.storage.influx_shipper import InfluxShipper
from tests.bench.timing import ms_of
from tests.influx_server import InfluxServer
from tests.sample_builders import MIDNIGHT_S, ping
from tests.waiting import eventually_async

pytestmark = [pytest.mark.bench, pytest.mark.timeout(1200)]

PROGRAM = """
import re
from pathlib import Path
def rss_kb():
    return int(re.search(r"VmRSS:\\s+(\\d+)", Path("/proc/self/status").read_text())[1])
before = rss_kb()
import {module}
print(rss_kb() - before)
"""

START_S = MIDNIGHT_S - 43_200.0
END_S = START_S + 86_400.0
TARGETS = [f"site-{n // 2}/{'utama' if n % 2 else 'cadangan'}" for n in range(62)] + [
    f"pop-{n}" for n in range(4)
]


def day(rng: random.Random) -> list[list[Sample]]:
    rounds: list[list[Sample]] = []
    for number in range(8640):
        at_s = START_S + 10 * number
        rounds.append(
            [
                ping(at_s, name, rtt=sorted(round(rng.uniform(2, 60), 3) for _ in range(4)))
                for name in TARGETS
            ]
        )
    return rounds


def reads(name: str, source: SampleSource) -> None:
    one, hour = TARGETS[7], (END_S - 3600, END_S)
    whole = (START_S, END_S)
    for what, question, times in (
        ("24 h of one link, 1 min", lambda: source.latency(one, *whole, 60), 7),
        ("1 h of one link, 20 s", lambda: source.latency(one, *hour, 20), 7),
        ("1 h of all, 1 min", lambda: source.latency_all(*hour, 60), 7),
        ("24 h of all, 15 min", lambda: source.latency_all(*whole, 900), 3),
    ):
        print(f"{name}: {what}: {ms_of(question, times)}")


async def test_a_day_of_samples_is_written_read_and_shipped(tmp_path: Path) -> None:
    rounds = day(random.Random(5))
    journal = SqliteJournal(tmp_path / "journal")
    took, began_s = [], time.process_time()
    for batch in rounds:
        begin = time.perf_counter()
        journal.append(batch)
        took.append((time.perf_counter() - begin) * 1000)
    used_ms = (time.process_time() - began_s) / len(rounds) * 1000
    count = len(rounds) * len(TARGETS)
    took.sort()
    print(
        f"\njournal: append of {len(TARGETS)} rows: median {took[len(took) // 2]:.2f} ms,", end=" "
    )
    print(f"p99 {took[len(took) * 99 // 100]:.2f} ms, CPU {used_ms:.2f} ms")
    journal.close()
    size = sum(path.stat().st_size for path in (tmp_path / "journal").glob("*.db"))
    print(f"journal: {size / count:.1f} bytes a row")
    reads("journal", JournalReader(tmp_path / "journal"))
    double = SqliteJournal(tmp_path / "double")
    batch = [*rounds[0], *rounds[1][:58]]
    print(f"journal: append of {len(batch)} rows:", ms_of(lambda: double.append(batch), 200))
    double.close()

    with InfluxServer(tmp_path / "influx") as server:
        settings = server.bucket("pantau")
        shipper = InfluxShipper(
            journal,
            InfluxWriter(settings, None),
            SystemClock(),
            DeadLetterFiles(tmp_path / "quarantine"),
            ResendFile(tmp_path / "resend.json"),
        )
        begin, began_s = time.perf_counter(), time.process_time()
        task = asyncio.create_task(shipper.run())
        await eventually_async(lambda: journal.lag(journal.load_cursor("influxdb")) == 0, 600)
        wall_s, used_s = time.perf_counter() - begin, time.process_time() - began_s
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        print(f"shipper: {count / wall_s:,.0f} points a second,", end=" ")
        print(f"{used_s / count * 1e6:.1f} CPU-s of ours a million points")
        reads("influxd 1.6.7", InfluxReader(settings, None))
        [found] = server.query('SELECT count("sent") FROM "ping"', "pantau")
        assert found["values"][0][1] == count
    journal.close()


@pytest.mark.parametrize(
    "module",
    ["monitor.adapters.journal", "monitor.adapters.influx", "monitor.storage.influx_shipper"],
)
def test_what_an_import_costs(module: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(module=module)],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=True,
    )
    print(f"\nimport {module}: {int(done.stdout) / 1024:.1f} MB")
