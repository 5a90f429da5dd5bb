"""Start, end, kill, reload, and a second instance."""

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
def made_up(tmp_path: Path) -> Iterator[SimulatedDaemon]:
    with SimulatedDaemon(tmp_path) as house:
        house.start()
        eventually(house.all_up, 20)
        yield house


def buckets(house: SimulatedDaemon, target: str) -> list[LatencyBucket]:
    newest_s = house.journal().newest_s()
    assert newest_s is not None
    return house.journal().latency(target, newest_s - 600, newest_s + 1, RECORD_S)


def of_link(house: SimulatedDaemon) -> dict[int, bool]:
    """The incidents of the link, and whether each is over."""
    return {i.id: i.ended_s is not None for i in house.incidents() if i.target == LINK}


@pytest.mark.parametrize("kills", [2, pytest.param(50, marks=pytest.mark.full)])
@pytest.mark.timeout(3600)
def test_open_incidents_survive_a_kill_without_duplicates(
    made_up: SimulatedDaemon, kills: int
) -> None:
    made_up.simulation.control.cut(LINK)
    eventually(lambda: of_link(made_up), 20)
    opened = set(of_link(made_up))
    assert len(opened) == 1
    for _ in range(kills):
        made_up.kill(signal.SIGKILL)
        made_up.start()
        eventually(lambda: made_up.states()["bongas/utama"] == "up", 20)
        eventually(lambda: made_up.states()[LINK] == "down", 20)
        assert set(of_link(made_up)) == opened
        assert intact(made_up.data / "ledger.db")
    made_up.simulation.control.restore(LINK)
    eventually(lambda: made_up.states()[LINK] == "up", 20)
    eventually(lambda: all(over for over in of_link(made_up).values()), 10)
    assert set(of_link(made_up)) == opened


def test_a_kill_loses_at_most_one_period_of_samples(made_up: SimulatedDaemon) -> None:
    eventually(lambda: len(buckets(made_up, LINK)) >= 2, 40)
    killed_s = time.time()
    made_up.kill(signal.SIGKILL)
    kept = {b.start_s for b in buckets(made_up, LINK)}
    # A row bears the end of its period: at most the period under way is missing.
    assert killed_s - max(kept) <= 2 * RECORD_S
    made_up.start()
    eventually(lambda: len(buckets(made_up, LINK)) >= len(kept) + 2, 60)
    starts = [b.start_s for b in buckets(made_up, LINK)]
    assert kept <= set(starts)
    assert len(starts) == len(set(starts))
    before_s = [start for start in starts if start <= killed_s]
    assert {b - a for a, b in pairwise(before_s)} == {RECORD_S}


def test_a_second_daemon_is_refused_with_exit_code_3(made_up: SimulatedDaemon) -> None:
    second = subprocess.run(
        made_up.command("run"), capture_output=True, text=True, check=False, env=made_up.environ
    )
    assert second.returncode == 3
    assert "another daemon" in second.stderr
    assert made_up.answers()


def test_sigterm_ends_cleanly_and_leaves_no_socket(made_up: SimulatedDaemon) -> None:
    assert made_up.kill(signal.SIGTERM) == 0
    assert not (made_up.data / "pantau.sock").exists()
    assert "Traceback" not in made_up.log()
    assert intact(made_up.data / "ledger.db")
    first, *_ = made_up.log().splitlines()
    assert re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z INFO ", first), "UTC, and says so"


def test_a_reload_removes_a_site_and_an_invalid_one_changes_nothing(
    made_up: SimulatedDaemon,
) -> None:
    assert made_up.daemon is not None
    site = made_up.config / "sites" / "bongas.toml"
    text = site.read_text()
    site.write_text(text + "\nsalah = 1\n")
    made_up.daemon.send_signal(signal.SIGHUP)
    eventually(lambda: "reload refused" in made_up.log(), 10)
    assert "bongas/utama" in made_up.states()
    monitor = made_up.status()["monitor"]
    assert isinstance(monitor, dict)
    assert any("bongas.toml" in warning for warning in monitor["warnings"])
    site.unlink()
    made_up.daemon.send_signal(signal.SIGHUP)
    eventually(lambda: "bongas/utama" not in made_up.states(), 10)
    assert made_up.states()[LINK] == "up"


def test_a_reload_reports_settings_that_need_a_restart(made_up: SimulatedDaemon) -> None:
    def warned() -> bool:
        monitor = made_up.status()["monitor"]
        assert isinstance(monitor, dict)
        return any("it is used after a restart" in warning for warning in monitor["warnings"])

    assert made_up.daemon is not None
    file = made_up.config / "monitor.toml"
    text = file.read_text()
    file.write_text(text + '\n[storage.influxdb]\nurl = "http://127.0.0.1:9"\nbucket = "pantau"\n')
    made_up.daemon.send_signal(signal.SIGHUP)
    eventually(warned, 10)
    file.write_text(text)
    made_up.daemon.send_signal(signal.SIGHUP)
    eventually(lambda: not warned(), 10)
