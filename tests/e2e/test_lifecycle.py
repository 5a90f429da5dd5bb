"""Start, stop, kill and reload of the daemon, and a second instance."""

from __future__ import annotations

import re
import signal
import subprocess
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from monitor.core.samples.samples import LatencyBucket
from tests.e2e.simulated_daemon import SimulatedDaemon, intact
from tests.waiting import eventually

LINK = "anjatan/utama"
RECORD_S = 2.0


@pytest.fixture
def simulated(tmp_path: Path) -> Iterator[SimulatedDaemon]:
    with SimulatedDaemon(tmp_path) as simulated:
        simulated.start()
        eventually(simulated.all_up, 20)
        yield simulated


def buckets(simulated: SimulatedDaemon, target: str) -> list[LatencyBucket]:
    newest_s = simulated.journal().newest_s()
    assert newest_s is not None
    return simulated.journal().latency(target, newest_s - 600, newest_s + 1, RECORD_S)


def of_link(simulated: SimulatedDaemon) -> dict[int, bool]:
    """The incidents of the link, and whether each is over."""
    return {i.id: i.ended_s is not None for i in simulated.incidents() if i.target == LINK}


@pytest.mark.parametrize("kills", [2, pytest.param(50, marks=pytest.mark.full)])
@pytest.mark.timeout(3600)
def test_open_incidents_survive_a_kill_without_duplicates(
    simulated: SimulatedDaemon, kills: int
) -> None:
    simulated.simulation.control.cut(LINK)
    eventually(lambda: of_link(simulated), 20)
    opened = set(of_link(simulated))
    assert len(opened) == 1
    for _ in range(kills):
        simulated.kill(signal.SIGKILL)
        simulated.start()
        eventually(lambda: simulated.states()["bongas/utama"] == "up", 20)
        eventually(lambda: simulated.states()[LINK] == "down", 20)
        assert set(of_link(simulated)) == opened
        assert intact(simulated.data / "ledger.db")
    simulated.simulation.control.restore(LINK)
    eventually(lambda: simulated.states()[LINK] == "up", 20)
    eventually(lambda: all(over for over in of_link(simulated).values()), 10)
    assert set(of_link(simulated)) == opened


def test_a_kill_loses_at_most_one_period_of_samples(simulated: SimulatedDaemon) -> None:
    eventually(lambda: len(buckets(simulated, LINK)) >= 2, 40)
    killed_s = time.time()
    simulated.kill(signal.SIGKILL)
    kept = {b.start_s for b in buckets(simulated, LINK)}
    # A row bears the end of its period: at most the period under way is missing.
    assert killed_s - max(kept) <= 2 * RECORD_S
    simulated.start()
    eventually(lambda: len(buckets(simulated, LINK)) >= len(kept) + 2, 60)
    starts = [b.start_s for b in buckets(simulated, LINK)]
    assert kept <= set(starts)
    assert len(starts) == len(set(starts))
    before_s = [start for start in starts if start <= killed_s]
    assert {b - a for a, b in pairwise(before_s)} == {RECORD_S}


def test_a_second_daemon_is_refused_with_exit_code_3(simulated: SimulatedDaemon) -> None:
    second = subprocess.run(
        simulated.command("run"), capture_output=True, text=True, check=False, env=simulated.environ
    )
    assert second.returncode == 3
    assert "another daemon" in second.stderr
    assert simulated.answers()


def test_sigterm_ends_cleanly_and_leaves_no_socket(simulated: SimulatedDaemon) -> None:
    assert simulated.kill(signal.SIGTERM) == 0
    assert not (simulated.data / "pantau.sock").exists()
    assert "Traceback" not in simulated.log()
    assert intact(simulated.data / "ledger.db")
    first, *_ = simulated.log().splitlines()
    assert re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z INFO ", first), "UTC, and says so"


def test_a_reload_removes_a_site_and_an_invalid_one_changes_nothing(
    simulated: SimulatedDaemon,
) -> None:
    assert simulated.daemon is not None
    site = simulated.config / "sites" / "bongas.toml"
    text = site.read_text()
    site.write_text(text + "\nsalah = 1\n")
    simulated.daemon.send_signal(signal.SIGHUP)
    eventually(lambda: "reload refused" in simulated.log(), 10)
    assert "bongas/utama" in simulated.states()
    monitor = simulated.status()["monitor"]
    assert isinstance(monitor, dict)
    assert any("bongas.toml" in warning for warning in monitor["warnings"])
    site.unlink()
    simulated.daemon.send_signal(signal.SIGHUP)
    eventually(lambda: "bongas/utama" not in simulated.states(), 10)
    assert simulated.states()[LINK] == "up"


def test_a_reload_reports_settings_that_need_a_restart(simulated: SimulatedDaemon) -> None:
    def warned() -> bool:
        monitor = simulated.status()["monitor"]
        assert isinstance(monitor, dict)
        return any("after a restart" in warning for warning in monitor["warnings"])

    assert simulated.daemon is not None
    file = simulated.config / "monitor.toml"
    text = file.read_text()
    file.write_text(text + '\n[storage.influxdb]\nurl = "http://127.0.0.1:9"\nbucket = "pantau"\n')
    simulated.daemon.send_signal(signal.SIGHUP)
    eventually(warned, 10)
    file.write_text(text)
    simulated.daemon.send_signal(signal.SIGHUP)
    eventually(lambda: not warned(), 10)
