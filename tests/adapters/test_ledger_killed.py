"""kill -9 at any moment leaves each judgement whole or not there at all.

A real process records in a loop and tells each number after it is recorded. This proves the
transaction, not the disk: only a power cut could prove that synced bytes are on the platter.
"""

from __future__ import annotations

import random
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from monitor.adapters.ledger.writer import SqlLedger
from tests.adapters.ledger_process import judgement
from tests.adapters.sqlite_rows import rows
from tests.waiting import eventually

ROOT = Path(__file__).parents[2]

WHOLE = """
    SELECT i.id,
        (SELECT count(*) FROM transitions t WHERE t.at_us = i.started_us),
        (SELECT count(*) FROM incident_affected a WHERE a.incident = i.id),
        (SELECT group_concat(e.sequence || e.change, ' ') FROM incident_events e
            WHERE e.incident = i.id),
        i.ended_us
    FROM incidents i ORDER BY i.id
"""


def recorder(path: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "tests.adapters.ledger_process", "record", str(path)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )


def record_until_killed(path: Path, chance: random.Random) -> int:
    """Start a recorder, kill it somewhere in its work; the last number it told."""
    process = recorder(path)
    assert process.stdout is not None
    told = [process.stdout.readline() for _ in range(chance.randint(1, 40))]
    threading.Event().wait(chance.uniform(0.0, 0.004))
    process.kill()
    told += process.stdout.readlines()
    process.wait()
    process.stdout.close()
    # The last line may be cut in the middle; a number without its end was not told.
    return max(int(line) for line in told if line.endswith("\n"))


def see_that_all_is_whole(path: Path, told: int) -> None:
    assert rows(path, "PRAGMA integrity_check", "PRAGMA foreign_key_check") == [("ok",)]
    found = rows(path, WHOLE)
    transitions = rows(path, "SELECT count(*) FROM transitions")
    states = rows(path, "SELECT DISTINCT state, since_us FROM states")
    last = len(found)
    assert told <= last <= told + 1
    closed = [(number, 5, 5, "1opened 2closed", _us(number + 1)) for number in range(1, last)]
    assert found == [*closed, (last, 5, 5, "1opened", None)]
    assert transitions == [(5 * last,)]
    assert states == [("down" if last % 2 else "up", _us(last))]


def _us(number: int) -> int:
    return (1_764_000_000 + number) * 1_000_000


LONG = (pytest.mark.full, pytest.mark.timeout(1_800))


@pytest.mark.parametrize("kills", [4, pytest.param(200, marks=LONG)])
def test_each_judgement_is_whole_or_not_there(tmp_path: Path, kills: int) -> None:
    path = tmp_path / "ledger.db"
    chance = random.Random(kills)
    for _ in range(kills):
        told = record_until_killed(path, chance)
        see_that_all_is_whole(path, told)


@pytest.mark.parametrize("kills", [4, pytest.param(100, marks=LONG)])
def test_a_first_start_that_is_killed_is_made_up_for_by_the_next(
    tmp_path: Path, kills: int
) -> None:
    chance = random.Random(kills)
    for number in range(kills):
        path = tmp_path / f"{number}.db"
        with recorder(path) as process:
            eventually(path.exists, within_s=30, every_s=0.0005)
            threading.Event().wait(chance.uniform(0.0, 0.025))
            process.kill()
        ledger = SqlLedger.open(path)
        assert rows(path, "PRAGMA integrity_check") == [("ok",)]
        next_id = ledger.load_snapshot().next_incident_id
        ledger.record(judgement(next_id))
        assert len(ledger.incidents()) == next_id
        ledger.close()
