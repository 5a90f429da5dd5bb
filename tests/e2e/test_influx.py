"""The daemon with a real InfluxDB that goes away, is killed and comes back."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from monitor.adapters.journal import SqliteJournal
from tests.e2e.simulated_daemon import SimulatedDaemon
from tests.influx_server import InfluxServer
from tests.sample_builders import interface
from tests.waiting import eventually

Rows = Counter[tuple[str, int]]
RECORD_S = 2.0


@contextmanager
def bridged(simulated: SimulatedDaemon, port: int) -> Iterator[None]:
    """Make the server's port reachable inside the simulated network."""
    path = str(simulated.work / "influx.sock")
    bridge = [sys.executable, "-m", "tests.e2e.tcp_bridge"]
    commands = (
        [*bridge, "unix", path, "tcp", str(port)],
        simulated.simulation.inside([*bridge, "tcp", str(port), "unix", path]),
    )
    processes = [subprocess.Popen(command) for command in commands]
    try:
        yield
    finally:
        for process in processes:
            process.kill()
            process.wait()


def in_influx(server: InfluxServer, bucket: str) -> Rows:
    found: Rows = Counter()
    for series in server.query('SELECT "sent" FROM "ping" GROUP BY *', bucket):
        tags = series["tags"]
        name = tags.get("node") or f"{tags['site']}/{tags['link']}"
        found.update((name, row[0]) for row in series["values"])
    return found


def in_journal(simulated: SimulatedDaemon) -> set[tuple[str, int]]:
    newest_s = simulated.journal().newest_s()
    assert newest_s is not None
    every = simulated.journal().latency_all(newest_s - 3600, newest_s + 1, RECORD_S)
    return {
        (target, round(bucket.start_s * 1000))
        for target, found in every.items()
        for bucket in found
    }


@pytest.mark.parametrize("away_s", [6.0, pytest.param(120.0, marks=pytest.mark.full)])
@pytest.mark.timeout(600)
def test_every_sample_is_stored_once_after_an_outage_of_influxdb(
    tmp_path: Path, away_s: float
) -> None:
    with InfluxServer(tmp_path / "influx") as server:
        settings = server.bucket("pantau")
        section = f'\n[storage.influxdb]\nurl = "{settings.url}"\nbucket = "pantau"\n'
        port = urlsplit(settings.url).port
        assert port is not None
        work = tmp_path / "w"
        work.mkdir()
        with SimulatedDaemon(work, extra=section) as simulated, bridged(simulated, port):
            simulated.start()
            eventually(lambda: in_influx(server, "pantau"), 30)
            # Wait while the server is away.
            pause = threading.Event()
            server.stop()
            pause.wait(away_s / 2)
            server.start()
            server.kill()
            pause.wait(away_s / 2)
            server.start()
            written = in_journal(simulated)
            eventually(lambda: written <= in_influx(server, "pantau").keys(), 90)
            assert set(in_influx(server, "pantau").values()) == {1}
            targets = {target.name for target in simulated.simulation.network.targets()}
            stamps = sorted({at_ms for _, at_ms in written})
            missing = [
                (target, at_ms)
                for target in targets
                for at_ms in stamps[1:]
                if (target, at_ms) not in written
            ]
            assert missing == []
            assert {b - a for a, b in pairwise(stamps)} == {RECORD_S * 1000}


def corrupt_rows(simulated: SimulatedDaemon, server: InfluxServer) -> None:
    """Two samples of weeks ago in the journal, where InfluxDB has a text in place of the number.

    The daemon is dead meanwhile: the journal has one writer.
    """
    journal = SqliteJournal(simulated.data / "journal")
    now_s = journal.newest_s()
    assert now_s is not None
    for weeks in (10, 20):
        at_s = now_s - weeks * 7 * 86_400
        server.write(f'interface,ifname=x in_bps="text" {at_s:.0f}000', "pantau")
        journal.append([interface(at_s, 1e6, 1e6), interface(at_s + 60, None, 2e6)])
    journal.close()


def dead_letters(simulated: SimulatedDaemon) -> list[str]:
    return [
        json.loads(line)["line"]
        for path in (simulated.data / "quarantine").glob("*")
        for line in path.read_text().splitlines()
    ]


@pytest.mark.parametrize("away_s", [4.0, pytest.param(600.0, marks=pytest.mark.full)])
@pytest.mark.timeout(1200)
def test_every_sample_is_stored_once_after_kills_and_rejected_lines(
    tmp_path: Path, away_s: float
) -> None:
    with InfluxServer(tmp_path / "influx") as server:
        settings = server.bucket("pantau")
        section = f'\n[storage.influxdb]\nurl = "{settings.url}"\nbucket = "pantau"\n'
        port = urlsplit(settings.url).port
        assert port is not None
        work = tmp_path / "w"
        work.mkdir()
        with SimulatedDaemon(work, extra=section) as simulated, bridged(simulated, port):
            simulated.start()
            eventually(lambda: in_influx(server, "pantau"), 30)
            pause = threading.Event()
            simulated.kill()
            corrupt_rows(simulated, server)
            server.stop()
            simulated.start()
            pause.wait(away_s)
            simulated.kill()
            simulated.start()
            server.start()
            server.kill()
            pause.wait(2.0)
            server.start()
            eventually(lambda: len(dead_letters(simulated)) >= 2, 90)
            written = in_journal(simulated)
            eventually(lambda: written <= in_influx(server, "pantau").keys(), 90)
            assert set(in_influx(server, "pantau").values()) == {1}
            refused = dead_letters(simulated)
            monitor = simulated.status()["monitor"]
    assert [line.partition(",")[0] for line in refused] == ["interface", "interface"]
    assert all(" in_bps=1000000" in line for line in refused)
    assert isinstance(monitor, dict)
    assert monitor["influxdb"]["quarantined"] == 2
    kinds = [remark["kind"] for remark in monitor["remarks"]]
    assert "influx_quarantine" in kinds
