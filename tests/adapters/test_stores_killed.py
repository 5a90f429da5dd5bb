"""kill -9 of a writer loses nothing that it reported as stored, in the ledger and in the journal.

A real process writes in a loop and prints each number after it is stored. This proves the
transactions, not the disk: only a power cut could prove that synced bytes are on the platter.
"""

from __future__ import annotations

import random
import threading
from pathlib import Path

import pytest

from monitor.adapters.journal import JournalReader, SqliteJournal
from monitor.adapters.ledger import SqlLedgerReader
from monitor.adapters.ledger.writer import SqlLedger
from tests.adapters.child_process import last_number_before_kill, start_child
from tests.adapters.journal_process import TARGETS, batch_of
from tests.adapters.ledger_process import decisions
from tests.adapters.sqlite_rows import rows
from tests.sample_builders import MIDNIGHT_S
from tests.waiting import eventually

LEDGER, JOURNAL = "tests.adapters.ledger_process", "tests.adapters.journal_process"
MANY = (pytest.mark.full, pytest.mark.timeout(3_600))
ALL_TIME = (MIDNIGHT_S - 86_400, MIDNIGHT_S + 365 * 86_400, 10.0)

STORED = """
    SELECT i.id,
        (SELECT count(*) FROM transitions t WHERE t.at_us = i.started_us),
        (SELECT count(*) FROM incident_affected a WHERE a.incident = i.id),
        (SELECT group_concat(e.sequence || e.change, ' ') FROM incident_events e
            WHERE e.incident = i.id),
        i.ended_us
    FROM incidents i ORDER BY i.id
"""


@pytest.mark.parametrize("kills", [3, pytest.param(200, marks=MANY)])
def test_each_batch_of_decisions_is_whole_or_absent(tmp_path: Path, kills: int) -> None:
    path = tmp_path / "ledger.db"
    rng = random.Random(kills)
    for _ in range(kills):
        reported = last_number_before_kill(start_child(LEDGER, "record", str(path)), rng)
        assert rows(path, "PRAGMA integrity_check", "PRAGMA foreign_key_check") == [("ok",)]
        found = rows(path, STORED)
        last = len(found)
        assert reported <= last <= reported + 1
        closed = [(n, 5, 5, "1opened 2closed", _us(n + 1)) for n in range(1, last)]
        assert found == [*closed, (last, 5, 5, "1opened", None)]
        assert rows(path, "SELECT count(*) FROM transitions") == [(5 * last,)]
        assert rows(path, "SELECT DISTINCT state, since_us FROM states") == [
            ("down" if last % 2 else "up", _us(last))
        ]


def _us(number: int) -> int:
    return (1_764_000_000 + number) * 1_000_000


@pytest.mark.parametrize("kills", [2, pytest.param(100, marks=MANY)])
def test_a_ledger_whose_creation_was_killed_is_completed_by_the_next_start(
    tmp_path: Path, kills: int
) -> None:
    rng = random.Random(kills)
    for number in range(kills):
        path = tmp_path / f"{number}.db"
        with start_child(LEDGER, "record", str(path)) as process:
            eventually(path.exists, within_s=30, every_s=0.0005)
            threading.Event().wait(rng.uniform(0.0, 0.025))
            process.kill()
        ledger = SqlLedger.open(path)
        assert rows(path, "PRAGMA integrity_check") == [("ok",)]
        next_id = ledger.load_snapshot().next_incident_id
        ledger.record(decisions(next_id))
        assert len(ledger.incidents()) == next_id
        ledger.close()


@pytest.mark.parametrize("kills", [3, pytest.param(200, marks=MANY)])
def test_no_acknowledged_row_is_lost_and_a_batch_is_whole_or_absent(
    tmp_path: Path, kills: int
) -> None:
    rng = random.Random(kills)
    for kill in range(kills):
        directory = tmp_path / f"journal-{kill // 10}"
        reported = last_number_before_kill(start_child(JOURNAL, "append", str(directory)), rng)
        for path in directory.glob("*.db"):
            assert rows(path, "PRAGMA integrity_check") == [("ok",)]
        journal = SqliteJournal(directory)
        assert journal.problems == ()
        stored = list(journal.read_after(None, 10_000_000).samples)
        journal.close()
        number, rest = divmod(len(stored), TARGETS + 1)
        assert rest == 0
        assert reported <= number <= reported + 1
        assert stored == [sample for each in range(number) for sample in batch_of(each)]


def test_readers_in_another_process_see_what_is_written_at_once(tmp_path: Path) -> None:
    path, directory = tmp_path / "ledger.db", tmp_path / "journal"
    ledger, journal = SqlLedgerReader.open(path), JournalReader(directory)
    with (
        start_child(LEDGER, "record", str(path)) as recorder,
        start_child(JOURNAL, "append", str(directory)) as appender,
    ):
        assert recorder.stdout is not None
        assert appender.stdout is not None
        for _ in range(30):
            recorded = int(recorder.stdout.readline())
            assert ledger.load_snapshot().next_incident_id > recorded
            number = int(appender.stdout.readline())
            assert len(journal.latency("site-7/utama", *ALL_TIME)) >= number
            assert (journal.newest_s() or 0.0) >= batch_of(number - 1)[0].at_s
        recorder.kill()
        appender.kill()
    # What a killed writer leaves behind is read, and continued by the next one.
    before = len(journal.latency("site-7/utama", *ALL_TIME))
    writer = SqliteJournal(directory)
    writer.append(batch_of(before))
    assert len(journal.latency("site-7/utama", *ALL_TIME)) == before + 1
    writer.close()
