"""Ledger and journal of a running daemon are taken away: seen, said, put back, nothing lost."""

from __future__ import annotations

import shutil
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from tests.e2e.daemon_observer import DaemonObserver
from tests.e2e.simulated_daemon import SimulatedDaemon
from tests.waiting import eventually

LINK = "anjatan/utama"
SEEN_WITHIN_S = 15.0


def remove_ledger(data: Path) -> None:
    for path in data.glob("ledger.db*"):
        path.unlink()


def move_ledger(data: Path) -> None:
    (data / "ledger.db").rename(data / "moved.db")


def replace_ledger(data: Path) -> None:
    shutil.copy(data / "ledger.db", data / "copy")
    (data / "copy").rename(data / "ledger.db")


def remove_journal(data: Path) -> None:
    shutil.rmtree(data / "journal")


def move_journal(data: Path) -> None:
    (data / "journal").rename(data / "moved")


def samples_of(data: Path) -> int:
    (path,) = (data / "journal").glob("samples-*.db")
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as connection:
        return int(connection.execute("SELECT count(*) FROM ping").fetchone()[0])


@pytest.mark.full
@pytest.mark.timeout(240)
def test_stores_taken_away_under_the_daemon_are_put_back_and_everything_goes_on(
    tmp_path: Path,
) -> None:
    harms: list[tuple[Callable[[Path], None], str]] = [
        (remove_ledger, "ledger.db was taken away"),
        (move_ledger, "ledger.db was taken away"),
        (replace_ledger, "ledger.db was replaced"),
        (remove_journal, "journal was taken away"),
        (move_journal, "journal was taken away"),
    ]
    with SimulatedDaemon(tmp_path) as simulated:
        simulated.start()
        observer = DaemonObserver(simulated)
        eventually(lambda: observer.all_are("up"), 40)
        eventually(simulated.settled, 40)
        simulated.simulation.control.cut(LINK)
        eventually(simulated.incidents, 30)
        identity = simulated.ledger().identity()
        for number, (harm, said) in enumerate(harms, 1):
            before = len(simulated.ledger().transitions(0.0, 4e9))
            rows = samples_of(simulated.data)
            times = simulated.log().count(said)
            began_s = time.monotonic()
            harm(simulated.data)
            eventually(lambda s=said, t=times: simulated.log().count(s) > t, SEEN_WITHIN_S)  # type: ignore[misc]
            seen_s = time.monotonic() - began_s
            assert said in observer.warnings()
            assert simulated.ledger().identity() == identity
            assert len(simulated.ledger().transitions(0.0, 4e9)) >= before
            eventually(lambda r=rows: samples_of(simulated.data) > r, 15)  # type: ignore[misc]
            print(f"{harm.__name__}: seen and put back after {seen_s:.1f} s, lost: nothing")
            assert len(simulated.incidents()) == 1, number
        simulated.simulation.control.restore(LINK)
        eventually(lambda: simulated.incidents()[0].ended_s is not None, 30)
        assert simulated.daemon is not None
        assert simulated.daemon.poll() is None
