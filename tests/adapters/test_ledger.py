"""The ledger as a file: its rights, what readers see, and what an operator is told."""

from __future__ import annotations

import json
import os
import sqlite3
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from monitor.adapters.ledger import SqlLedgerReader
from monitor.adapters.ledger.writer import SqlLedger
from monitor.core.errors import LedgerError
from monitor.core.model import ChangeKind, IncidentChange, IncidentEvidence, State, Transition
from tests.adapters.ledger_process import NOON_S, incident, judgement
from tests.adapters.sqlite_rows import rows

ROOT = Path(__file__).parents[2]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ledger.db"


@pytest.fixture
def ledger(path: Path) -> Iterator[SqlLedger]:
    ledger = SqlLedger.open(path)
    yield ledger
    ledger.close()


def in_a_process(*what: str, timeout_s: float = 60.0) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "tests.adapters.ledger_process", *what],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=timeout_s,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_daemon_and_group_may_read_and_write_and_nobody_else(path: Path) -> None:
    before = os.umask(0o077)
    try:
        ledger = SqlLedger.open(path)
        ledger.record(judgement(1))
        for name in ("ledger.db", "ledger.db-wal", "ledger.db-shm"):
            mode = stat.S_IMODE((path.parent / name).stat().st_mode)
            assert mode == 0o660, name
        ledger.close()
    finally:
        os.umask(before)


def test_every_write_is_synced_into_a_log_that_others_can_read_beside(ledger: SqlLedger) -> None:
    with ledger._engine.connect() as connection:
        facts = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }
    assert facts == {
        "journal_mode": "wal",
        "synchronous": 2,
        "foreign_keys": 1,
        "busy_timeout": 2000,
    }


def test_a_url_names_the_same_file_as_a_path(path: Path) -> None:
    ledger = SqlLedger.open(f"sqlite:///{path}")
    ledger.record(judgement(1))
    assert len(SqlLedgerReader.open(str(path)).incidents()) == 1
    assert len(SqlLedgerReader.open(f"sqlite:///{path}").incidents()) == 1
    ledger.close()


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:"])
def test_a_ledger_that_would_not_outlive_the_daemon_is_refused(url: str) -> None:
    with pytest.raises(LedgerError, match="names no file"):
        SqlLedger.open(url)


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("postgresql://kept-secret:word@host/pantau", r"needs a driver that is not installed"),
        ("paper://desk/ledger", r"needs a driver that is not installed"),
        ("://", r"neither a path nor the URL of a database"),
    ],
)
def test_a_url_that_leads_nowhere_is_one_sentence(url: str, words: str) -> None:
    with pytest.raises(LedgerError, match=words) as caught:
        SqlLedger.open(url)
    assert "word@" not in str(caught.value)


def test_a_reader_in_another_process_sees_a_judgement_as_soon_as_it_is_recorded(
    path: Path,
) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "tests.adapters.ledger_process", "record", str(path)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        reader = SqlLedgerReader.open(path)
        try:
            for _ in range(50):
                recorded = int(process.stdout.readline())
                assert reader.load_snapshot().next_incident_id > recorded
        finally:
            process.kill()


def test_a_reader_that_was_there_first_answers_once_the_daemon_has_run(path: Path) -> None:
    reader = SqlLedgerReader.open(path)
    with pytest.raises(LedgerError, match="the daemon has not run here yet"):
        reader.load_snapshot()
    path.touch()
    with pytest.raises(LedgerError, match="not finished its first start"):
        reader.load_snapshot()
    ledger = SqlLedger.open(path)
    ledger.record(judgement(1))
    assert len(reader.incidents()) == 1
    ledger.close()


def test_a_reader_cannot_write_and_leaves_no_file_behind(path: Path) -> None:
    ledger = SqlLedger.open(path)
    ledger.record(judgement(1))
    reader = SqlLedgerReader.open(path)
    with (
        reader._engine.connect() as connection,
        pytest.raises(Exception, match="readonly database"),
    ):
        connection.exec_driver_sql("DELETE FROM transitions")
    ledger.close()
    assert len(reader.incidents()) == 1
    assert [each.name for each in path.parent.iterdir()] == ["ledger.db"]


@pytest.mark.parametrize("daemon", ["runs", "was ended", "was killed"])
def test_a_user_who_may_only_read_gets_an_answer_when_the_daemon(daemon: str) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder, path = Path(name), Path(name) / "ledger.db"
        ledger = SqlLedger.open(path)
        ledger.record(judgement(1))
        kept = [path.with_name(f"ledger.db{end}") for end in ("", "-wal", "-shm")]
        if daemon == "was killed":
            crashed = {each: each.read_bytes() for each in kept}
            ledger.close()
            for each, content in crashed.items():
                each.write_bytes(content)
        elif daemon == "was ended":
            ledger.close()
        for each in kept:
            if each.exists():
                each.chmod(0o444)
        folder.chmod(0o555)
        assert json.loads(in_a_process("ask", str(path))) == {"states": 5}
        if daemon == "runs":
            ledger.close()
        folder.chmod(0o755)


def test_who_may_not_even_read_is_told_what_to_mend() -> None:
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "ledger.db"
        Path(name).chmod(0o755)
        SqlLedger.open(path).close()
        path.chmod(0o000)
        refused = json.loads(in_a_process("ask", str(path)))["refused"]
        assert str(path) in refused
        assert "this user needs access" in refused


def test_any_thread_may_write_and_another_may_close(path: Path) -> None:
    ledger = SqlLedger.open(path)
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda number: ledger.record(judgement(number)), range(1, 21)))
        assert len(threads.submit(ledger.incidents).result()) == 20
    ledger.close()
    assert rows(path, "PRAGMA integrity_check") == [("ok",)]


def test_every_change_of_an_incident_stays_as_it_was_told(path: Path, ledger: SqlLedger) -> None:
    first = replace(incident(7), started_earliest_s=NOON_S - 0.001)
    second = replace(first, affected=("site-9/utama",))
    third = replace(second, ended_s=NOON_S + 60.123456, end_reason="answers")
    ledger.record([IncidentChange(ChangeKind.OPENED, first, NOON_S + 7)])
    ledger.record([IncidentChange(ChangeKind.UPDATED, second, NOON_S + 8)])
    ledger.record([IncidentChange(ChangeKind.CLOSED, third, NOON_S + 62.25)])
    events = rows(path, "SELECT sequence, change, at_us, body FROM incident_events ORDER BY 1")
    bodies = [json.loads(str(body)) for *_, body in events]
    assert [event[:3] for event in events] == [
        (1, "opened", 1_764_000_007_000_000),
        (2, "updated", 1_764_000_008_000_000),
        (3, "closed", 1_764_000_062_250_000),
    ]
    assert bodies[0] == {
        "id": 7,
        "scope": "node",
        "target": "node-7",
        "state": "down",
        "started": "2025-11-24T16:00:07.000000Z",
        "started_earliest": "2025-11-24T15:59:59.999000Z",
        "detected": "2025-11-24T16:00:07.000000Z",
        "ended": None,
        "ended_earliest": None,
        "reason": "silence",
        "end_reason": None,
        "parent": None,
        "affected": [f"site-{number}/utama" for number in range(5)],
        "suspected_cause": None,
        "evidence": {},
    }
    assert bodies[1]["affected"] == ["site-9/utama"]
    assert bodies[2]["ended"] == "2025-11-24T16:01:00.123456Z"


def test_what_hides_behind_a_node_can_be_asked_from_either_side(
    path: Path, ledger: SqlLedger
) -> None:
    ledger.record(judgement(1))
    assert rows(
        path, "SELECT incident, position FROM incident_affected WHERE target = 'site-3/utama'"
    ) == [(1, 3)]


def test_a_number_that_is_none_is_stored_as_not_known(ledger: SqlLedger) -> None:
    proof = IncidentEvidence(rtt_ms=float("nan"), limit=50.0)
    odd = Transition("a/x", NOON_S, NOON_S, State.UP, State.DEGRADED, "slow", proof)
    ledger.record([odd])
    (stored,) = ledger.transitions(0.0, NOON_S + 9)
    assert stored.evidence.rtt_ms is None
    assert stored.evidence.limit == 50.0


def test_another_program_that_holds_the_lock_is_named_and_waited_out(
    path: Path, ledger: SqlLedger
) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as intruder:
        intruder.execute("BEGIN IMMEDIATE")
        with pytest.raises(LedgerError, match="another program keeps the ledger"):
            ledger.record(judgement(1))
        intruder.execute("ROLLBACK")
    ledger.record(judgement(1))
    assert len(ledger.incidents()) == 1


def test_a_ledger_that_is_taken_away_under_the_daemon_is_noticed(
    path: Path, ledger: SqlLedger
) -> None:
    ledger.record(judgement(1))
    elsewhere = path.with_name("taken.db")
    path.rename(elsewhere)
    with pytest.raises(LedgerError, match="taken away or replaced"):
        ledger.record(judgement(2))
    elsewhere.rename(path)
    ledger.record(judgement(2))
    assert len(ledger.incidents()) == 2


def test_a_missing_folder_is_said(tmp_path: Path) -> None:
    with pytest.raises(LedgerError, match=r"nowhere/ledger\.db cannot be used: No such file"):
        SqlLedger.open(tmp_path / "nowhere" / "ledger.db")


def test_a_file_that_is_no_database_is_said_and_left_alone(path: Path) -> None:
    path.write_text("this is a letter\n" * 500)
    with pytest.raises(LedgerError, match=r"is damaged .*not a database") as caught:
        SqlLedger.open(path)
    assert "move ledger.db, ledger.db-wal and ledger.db-shm away" in str(caught.value)
    assert path.read_text() == "this is a letter\n" * 500


def test_another_programs_database_is_said_and_left_alone(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE letters (text)")
    with pytest.raises(LedgerError, match="not a ledger of pantau"):
        SqlLedger.open(path)
    assert rows(path, "SELECT name FROM sqlite_master") == [("letters",)]


def test_a_damaged_file_is_found_at_the_start_and_a_copy_is_named(path: Path) -> None:
    ledger = SqlLedger.open(path)
    for number in range(1, 40):
        ledger.record(judgement(number))
    ledger.close()
    path.with_name("ledger.db.before-0002").write_bytes(path.read_bytes())
    whole = path.read_bytes()
    middle = len(whole) // 2 // 4096 * 4096
    path.write_bytes(whole[:middle] + os.urandom(8192) + whole[middle + 8192 :])
    with pytest.raises(LedgerError, match="is damaged") as caught:
        SqlLedger.open(path)
    assert "ledger.db.before-0002" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_damage_that_a_reader_meets_is_one_sentence(path: Path) -> None:
    SqlLedger.open(path).close()
    path.write_bytes(path.read_bytes()[:4096] + os.urandom(path.stat().st_size - 4096))
    with pytest.raises(LedgerError, match="damaged") as caught:
        SqlLedgerReader.open(path).load_snapshot()
    assert "\n" not in str(caught.value)


def test_a_value_that_this_version_does_not_know_is_one_sentence(
    path: Path, ledger: SqlLedger
) -> None:
    ledger.record(judgement(1))
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE states SET state = 'sleepy' WHERE target = 'site-1/utama'")
    with pytest.raises(LedgerError, match="sleepy"):
        SqlLedgerReader.open(path).load_snapshot()


def test_the_daemon_finds_after_a_restart_what_it_left(path: Path) -> None:
    first = SqlLedger.open(path)
    first.record(judgement(1))
    first.record_alive(NOON_S + 3.5)
    before = first.load_snapshot()
    first.close()
    second = SqlLedger.open(path)
    assert second.load_snapshot() == before
    assert before.last_alive_s == NOON_S + 3.5
    assert {each.state for each in before.states} == {State.DOWN}
    second.close()


def test_to_ask_a_question_alembic_is_not_imported() -> None:
    words = "import sys, monitor.adapters.ledger; print('alembic' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", words], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout == "False\n"


def test_a_full_disk_refuses_in_one_sentence_and_goes_on_when_there_is_room(
    tmp_path: Path,
) -> None:
    """On a disk of 1 MB in memory, in a mount namespace of its own: a real ENOSPC."""
    rights = [] if os.geteuid() == 0 else ["--map-root-user"]
    done = subprocess.run(
        [
            *("unshare", "--mount", *rights),
            *(sys.executable, "-m", "tests.adapters.ledger_process", "fill", str(tmp_path)),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"needs a mount namespace and tmpfs: {done.stderr}"
    told = json.loads(done.stdout)
    refusals = told.pop("refusals")
    assert len(refusals) == 3
    assert set(refusals) == {
        f"the disk that holds the ledger {tmp_path}/ledger.db is full: free some space, and a"
        " running daemon goes on by itself"
    }
    stored = told["stored"]
    assert stored > 0
    assert told == {
        "stored": stored,
        "asked_when_full": stored,
        "read_when_full": stored,
        "read_after": stored + 1,
        "remembered_again": stored + 1,
    }
