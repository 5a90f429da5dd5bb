"""The ledger as a file: its rights, its errors, and what readers see."""

from __future__ import annotations

import json
import os
import re
import shutil
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from monitor.adapters.ledger import SqlLedgerReader
from monitor.adapters.ledger.writer import SqlLedger
from monitor.core.errors import LedgerError
from monitor.core.model import ChangeKind, IncidentChange, IncidentEvidence, State, Transition
from tests.adapters.child_process import run_child
from tests.adapters.ledger_process import NOON_S, decisions, incident
from tests.adapters.sqlite_rows import rows


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ledger.db"


@pytest.fixture
def ledger(path: Path) -> Iterator[SqlLedger]:
    ledger = SqlLedger.open(path)
    yield ledger
    ledger.close()


def test_the_daemon_may_write_its_group_may_read_and_others_nothing(path: Path) -> None:
    before = os.umask(0o077)
    try:
        ledger = SqlLedger.open(path)
        ledger.record(decisions(1))
        modes = {each.name: stat.S_IMODE(each.stat().st_mode) for each in path.parent.iterdir()}
        ledger.close()
    finally:
        os.umask(before)
    assert modes == dict.fromkeys(
        ("ledger.db", "ledger.db-wal", "ledger.db-shm", "ledger.reserve"), 0o640
    )


def test_every_write_is_synced_into_a_log_that_others_can_read(ledger: SqlLedger) -> None:
    expected = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 2000}
    with ledger._engine.connect() as connection:
        found = {name: connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in expected}
    assert found == expected


def test_a_url_names_the_same_file_as_a_path(path: Path) -> None:
    ledger = SqlLedger.open(f"sqlite:///{path}")
    ledger.record(decisions(1))
    assert len(SqlLedgerReader.open(str(path)).incidents()) == 1
    assert len(SqlLedgerReader.open(f"sqlite:///{path}").incidents()) == 1
    ledger.close()


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("sqlite://", "names no file"),
        ("sqlite:///:memory:", "names no file"),
        ("postgresql://kept-secret:word@host/pantau", "needs a driver that is not installed"),
        ("paper://desk/ledger", "needs a driver that is not installed"),
        ("://", "neither a path nor the URL of a database"),
    ],
)
def test_a_url_that_names_no_ledger_is_refused_in_one_sentence(url: str, message: str) -> None:
    with pytest.raises(LedgerError, match=message) as caught:
        SqlLedger.open(url)
    assert "word@" not in str(caught.value)


def test_a_reader_opened_before_the_daemon_works_once_it_has_run(path: Path) -> None:
    reader = SqlLedgerReader.open(path)
    with pytest.raises(LedgerError, match="the daemon has not run here yet"):
        reader.load_snapshot()
    path.touch()
    with pytest.raises(LedgerError, match="not finished its first start"):
        reader.load_snapshot()
    ledger = SqlLedger.open(path)
    ledger.record(decisions(1))
    assert len(reader.incidents()) == 1
    ledger.close()


def test_a_reader_cannot_write_and_leaves_no_file_behind(path: Path) -> None:
    ledger = SqlLedger.open(path)
    ledger.record(decisions(1))
    reader = SqlLedgerReader.open(path)
    with (
        reader._engine.connect() as connection,
        pytest.raises(Exception, match="readonly database"),
    ):
        connection.exec_driver_sql("DELETE FROM transitions")
    ledger.close()
    assert len(reader.incidents()) == 1
    assert {each.name for each in path.parent.iterdir()} == {"ledger.db", "ledger.reserve"}


@pytest.mark.parametrize("daemon", ["runs", "was ended", "was killed"])
def test_a_user_with_read_access_gets_an_answer_when_the_daemon(daemon: str) -> None:
    with TemporaryDirectory() as name:
        folder, path = Path(name), Path(name) / "ledger.db"
        ledger = SqlLedger.open(path)
        ledger.record(decisions(1))
        files = [path.with_name(f"ledger.db{end}") for end in ("", "-wal", "-shm")]
        contents = {each: each.read_bytes() for each in files}
        if daemon != "runs":
            ledger.close()
        if daemon == "was killed":
            for each, content in contents.items():
                each.write_bytes(content)
        for each in files:
            if each.exists():
                each.chmod(0o444)
        folder.chmod(0o555)
        answer = run_child("tests.adapters.ledger_process", "query", str(path))
        assert json.loads(answer) == {"states": 5}
        ledger.close()
        folder.chmod(0o755)


def test_a_user_without_read_access_is_told_how_to_get_it() -> None:
    with TemporaryDirectory() as name:
        path = Path(name) / "ledger.db"
        Path(name).chmod(0o755)
        SqlLedger.open(path).close()
        path.chmod(0o000)
        answer = run_child("tests.adapters.ledger_process", "query", str(path))
        refused = json.loads(answer)["refused"]
        assert str(path) in refused
        assert "this user needs access" in refused


def test_any_thread_may_write_and_another_may_close(path: Path) -> None:
    ledger = SqlLedger.open(path)
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda number: ledger.record(decisions(number)), range(1, 21)))
        assert len(threads.submit(ledger.incidents).result()) == 20
    ledger.close()
    assert rows(path, "PRAGMA integrity_check") == [("ok",)]


def test_every_change_of_an_incident_is_stored_as_it_was(path: Path, ledger: SqlLedger) -> None:
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
    assert rows(
        path, "SELECT incident, position FROM incident_affected WHERE target = 'site-9/utama'"
    ) == [(7, 0)]


def test_a_number_that_json_does_not_have_is_stored_as_not_known(ledger: SqlLedger) -> None:
    evidence = IncidentEvidence(rtt_ms=float("nan"), limit=50.0)
    ledger.record([Transition("a/x", NOON_S, NOON_S, State.UP, State.DEGRADED, "slow", evidence)])
    (stored,) = ledger.transitions(0.0, NOON_S + 9)
    assert (stored.evidence.rtt_ms, stored.evidence.limit) == (None, 50.0)


def test_the_lock_of_another_program_is_reported_and_the_next_write_succeeds(
    path: Path, ledger: SqlLedger
) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as intruder:
        intruder.execute("BEGIN IMMEDIATE")
        with pytest.raises(LedgerError, match="another program keeps the ledger"):
            ledger.record(decisions(1))
        intruder.execute("ROLLBACK")
    ledger.record(decisions(1))
    assert len(ledger.incidents()) == 1


def move_away(path: Path) -> None:
    path.rename(path.with_name("moved.db"))


def move_away_and_back(path: Path) -> None:
    move_away(path)
    path.with_name("moved.db").rename(path)


def remove_all(path: Path) -> None:
    for suffix in ("", "-wal", "-shm"):
        path.with_name(path.name + suffix).unlink()


def remove_log(path: Path) -> None:
    path.with_name("ledger.db-wal").unlink()


def put_older_copy(path: Path) -> None:
    shutil.copy(path, path.with_name("older"))  # without what is in the log
    path.with_name("older").rename(path)


def put_a_letter(path: Path) -> None:
    path.unlink()
    path.write_text("this is a letter\n" * 500)


@pytest.mark.parametrize(
    ("harm", "remark", "kept"),
    [
        (move_away, "was taken away .* written anew, with all that it held", "moved.db"),
        (move_away_and_back, None, None),
        (remove_all, "was taken away .* written anew, with all that it held", None),
        (remove_log, "the log ledger.db-wal was taken away .* written anew", None),
        (put_older_copy, "was replaced .* in its place again", "ledger.db.replaced-*"),
        (put_a_letter, "was replaced .* in its place again", "ledger.db.replaced-*"),
    ],
)
def test_a_ledger_whose_file_is_harmed_under_the_daemon_is_put_back_whole(
    path: Path, ledger: SqlLedger, harm: Callable[[Path], None], remark: str | None, kept: str
) -> None:
    ledger.record(decisions(1))
    identity = ledger.identity()
    harm(path)
    ledger.check()
    ledger.record(decisions(2))
    ledger.record_alive(NOON_S)
    for each in (ledger, SqlLedgerReader.open(path)):
        assert len(each.incidents()) == 2
        assert each.identity() == identity
    assert (remark is None) == (ledger.remarks == ())
    assert all(re.search(remark or "", each) for each in ledger.remarks)
    assert kept is None or list(path.parent.glob(kept))
    ledger.close()
    opened = SqlLedger.open(path)
    assert len(opened.incidents()) == 2
    opened.close()


def test_a_ledger_whose_directory_is_gone_goes_on_when_it_is_back(
    path: Path, ledger: SqlLedger
) -> None:
    ledger.record(decisions(1))
    elsewhere = path.parent.with_name("elsewhere")
    path.parent.rename(elsewhere)
    with pytest.raises(LedgerError, match="gone with its directory: put the directory back"):
        ledger.check()
    elsewhere.rename(path.parent)
    ledger.record(decisions(2))
    assert (len(ledger.incidents()), ledger.remarks) == (2, ())


def test_a_missing_directory_is_reported(tmp_path: Path) -> None:
    with pytest.raises(LedgerError, match=r"nowhere/ledger\.db cannot be used: No such file"):
        SqlLedger.open(tmp_path / "nowhere" / "ledger.db")


def test_a_file_that_is_no_ledger_is_refused_and_left_alone(path: Path) -> None:
    path.write_text("this is a letter\n" * 500)
    with pytest.raises(LedgerError, match=r"is damaged .*not a database") as caught:
        SqlLedger.open(path)
    assert "move ledger.db, ledger.db-wal and ledger.db-shm away" in str(caught.value)
    assert path.read_text() == "this is a letter\n" * 500
    path.unlink()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE letters (text)")
    with pytest.raises(LedgerError, match="not a ledger of pantau"):
        SqlLedger.open(path)
    assert rows(path, "SELECT name FROM sqlite_master") == [("letters",)]


def test_a_damaged_file_is_found_at_the_start_and_by_readers(path: Path) -> None:
    ledger = SqlLedger.open(path)
    for number in range(1, 40):
        ledger.record(decisions(number))
    ledger.close()
    whole = path.read_bytes()
    path.with_name("ledger.db.before-0002").write_bytes(whole)
    middle = len(whole) // 2 // 4096 * 4096
    path.write_bytes(whole[:middle] + os.urandom(8192) + whole[middle + 8192 :])
    with pytest.raises(LedgerError, match=r"is damaged .*ledger\.db\.before-0002") as caught:
        SqlLedger.open(path)
    assert "\n" not in str(caught.value)
    path.write_bytes(whole[:4096] + os.urandom(len(whole) - 4096))
    with pytest.raises(LedgerError, match="damaged") as caught:
        SqlLedgerReader.open(path).load_snapshot()
    assert "\n" not in str(caught.value)


def test_a_value_that_this_version_does_not_know_is_one_sentence(
    path: Path, ledger: SqlLedger
) -> None:
    ledger.record(decisions(1))
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE states SET state = 'sleepy' WHERE target = 'site-1/utama'")
    with pytest.raises(LedgerError, match="sleepy"):
        SqlLedgerReader.open(path).load_snapshot()


def test_the_daemon_finds_its_snapshot_after_a_restart(path: Path) -> None:
    first = SqlLedger.open(path)
    first.record(decisions(1))
    first.record_alive(NOON_S + 3.5)
    before = first.load_snapshot()
    first.close()
    second = SqlLedger.open(path)
    assert second.load_snapshot() == before
    assert before.last_alive_s == NOON_S + 3.5
    assert {each.state for each in before.states} == {State.DOWN}
    second.close()


def test_the_reader_does_not_import_alembic() -> None:
    code = "import sys, monitor.adapters.ledger; print('alembic' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
