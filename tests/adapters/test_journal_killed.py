"""kill -9 under write load takes no acknowledged row, and a reader beside sees rows at once.

A real process appends in a loop and tells each round after it is kept. This proves the
transaction, not the disk: only a power cut could prove that synced bytes are on the platter.
"""

from __future__ import annotations

import random
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from monitor.adapters.journal import JournalReader, SqliteJournal
from monitor.core.samples.samples import Sample
from tests.adapters.journal_process import TARGETS, round_of
from tests.adapters.sqlite_rows import rows
from tests.sample_builders import MIDNIGHT_S
from tests.waiting import eventually

ROOT = Path(__file__).parents[2]
EVER = (MIDNIGHT_S - 86_400, MIDNIGHT_S + 365 * 86_400)


def appender(directory: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "tests.adapters.journal_process", "append", str(directory)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )


def append_until_killed(directory: Path, chance: random.Random) -> int:
    """Start an appender, kill it somewhere in its work; how many rounds it told of."""
    process = appender(directory)
    assert process.stdout is not None
    told = [process.stdout.readline() for _ in range(chance.randint(1, 60))]
    threading.Event().wait(chance.uniform(0.0, 0.004))
    process.kill()
    told += process.stdout.readlines()
    process.wait()
    process.stdout.close()
    return max(int(line) for line in told if line.endswith("\n"))


def everything(directory: Path) -> list[Sample]:
    journal = SqliteJournal(directory)
    try:
        assert journal.problems == ()
        return list(journal.read_after(None, 10_000_000).samples)
    finally:
        journal.close()


@pytest.mark.parametrize(
    "kills", [4, pytest.param(200, marks=(pytest.mark.full, pytest.mark.timeout(3_600)))]
)
def test_kill_9_under_write_load_takes_no_acknowledged_row(tmp_path: Path, kills: int) -> None:
    chance = random.Random(kills)
    for kill in range(kills):
        directory = tmp_path / f"journal-{kill // 10}"
        told = append_until_killed(directory, chance)
        for path in directory.glob("*.db"):
            assert rows(path, "PRAGMA integrity_check") == [("ok",)]
        kept = everything(directory)
        number, rest = divmod(len(kept), TARGETS + 1)
        assert rest == 0, "a round is whole or not there"
        assert told <= number <= told + 1
        assert kept == [sample for each in range(number) for sample in round_of(each)]


def test_another_process_sees_rows_as_soon_as_they_are_kept(tmp_path: Path) -> None:
    reader = JournalReader(tmp_path)
    process = appender(tmp_path)
    assert process.stdout is not None
    try:
        for _ in range(50):
            told = int(process.stdout.readline())
            found = reader.latency("site-7/utama", *EVER, 10.0)
            assert len(found) >= told
            newest_s = reader.newest_s()
            assert newest_s is not None
            assert newest_s >= round_of(told - 1)[0].at_s
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
    # What a killed writer leaves behind is read, too, and written on by the next.
    before = len(reader.latency("site-7/utama", *EVER, 10.0))
    journal = SqliteJournal(tmp_path)
    journal.append(round_of(before))
    assert eventually(lambda: len(reader.latency("site-7/utama", *EVER, 10.0)) == before + 1)
    journal.close()
