"""A data directory of the version before is opened and continued.

tests/data/data_dir_0_1.tar.xz was written by version 0.1.0 (commit 76afc14), whose process was
killed: the write-ahead logs are still beside the files. It holds two hours of samples from
2025-11-25T00:00Z, of which the first is summed up, an incident that is over and an open one.
"""

from __future__ import annotations

import tarfile
from collections.abc import Iterator
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest

from monitor.adapters.journal import JournalReader, SqliteJournal
from monitor.adapters.journal.inspection import check_journal
from monitor.adapters.ledger import SqlLedgerReader
from monitor.adapters.ledger.writer import SqlLedger
from monitor.adapters.system.users_file import UsersFile
from monitor.core.access import UserRole
from monitor.core.alerting.model import ActionKind, OutboxStatus
from monitor.core.alerting.outbox import row_key
from monitor.core.ledger_identity import is_identity
from monitor.core.model import ChangeKind, IncidentChange, State
from monitor.core.samples.packed_requests import requests_in_order
from tests.sample_builders import LINK, MIDNIGHT_S, ping

ARCHIVE = Path(__file__).parent.parent / "data" / "data_dir_0_1.tar.xz"
HOUR_S = 3600.0
END_S = MIDNIGHT_S + 2 * HOUR_S


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    with tarfile.open(ARCHIVE) as archive:
        archive.extractall(tmp_path, filter="data")
    return tmp_path


@pytest.fixture
def ledger(data_dir: Path) -> Iterator[SqlLedger]:
    opened = SqlLedger.open(data_dir / "ledger.db")
    yield opened
    opened.close()


@pytest.fixture
def journal(data_dir: Path) -> Iterator[SqliteJournal]:
    opened = SqliteJournal(data_dir / "journal")
    yield opened
    opened.close()


def test_incidents_alerts_and_windows_are_read(ledger: SqlLedger, data_dir: Path) -> None:
    for reader in (ledger, SqlLedgerReader.open(data_dir / "ledger.db")):
        snapshot = reader.load_snapshot()
        assert {each.target: each.state for each in snapshot.states} == {
            LINK: State.UP,
            "bongas/utama": State.UNREACHABLE,
            "pop-jatibarang": State.DOWN,
        }
        assert (snapshot.next_incident_id, snapshot.last_alive_s) == (3, END_S)
        ended, still_open = reader.incidents()
        assert (ended.ended_s, ended.end_reason) == (MIDNIGHT_S + 1500, "answers")
        assert snapshot.open_incidents == (still_open,)
        assert (still_open.target, still_open.affected) == ("pop-jatibarang", ("bongas/utama",))
        assert still_open.evidence.lost_in_row == 22
        assert [row.status for row in reader.outbox()] == [
            OutboxStatus.SENT,
            OutboxStatus.SENT,
            OutboxStatus.PENDING,
            OutboxStatus.DEAD,
        ]
        assert [(each.incident, each.recipient) for each in reader.policy_decisions()] == [
            (1, "ani"),
            (1, "ani"),
            (2, "ani"),
        ]
        assert [each.kind for each in reader.actions([2])] == [
            ActionKind.ACKNOWLEDGE,
            ActionKind.SNOOZE,
        ]
        [early] = reader.windows(MIDNIGHT_S, END_S)
        assert (early.ended_s, early.ended_by) == (MIDNIGHT_S + 300, "budi")
        assert len(reader.transitions(MIDNIGHT_S, END_S)) == 7


def test_links_buttons_and_keys_sent_by_the_old_version_go_on_working(ledger: SqlLedger) -> None:
    identity = ledger.identity()
    assert is_identity(identity.value)
    assert [identity.includes("", incident) for incident in (1, 2, 3)] == [True, True, False]
    waiting = next(row for row in ledger.outbox() if row.status is OutboxStatus.PENDING)
    old_key = f"{waiting.incident}|{waiting.sequence}|{waiting.channel}|{waiting.recipient}"
    assert row_key(waiting) == sha256(old_key.encode()).hexdigest()


def test_the_ledger_goes_on_where_it_stood(ledger: SqlLedger) -> None:
    [still_open] = ledger.load_snapshot().open_incidents
    over = replace(still_open, ended_s=END_S, end_reason="answers")
    ledger.record([IncidentChange(ChangeKind.CLOSED, over, END_S + 2)])
    assert ledger.load_snapshot().open_incidents == ()
    [batch] = ledger.lease("chat", END_S, 60, 10)
    assert (batch.row.incident, batch.row.attempts) == (2, 2)


def test_samples_rollups_evidence_and_cursors_are_read(
    journal: SqliteJournal, data_dir: Path
) -> None:
    assert all(fault is None for _, fault in check_journal(data_dir / "journal"))
    assert journal.problems == ()
    reader = JournalReader(data_dir / "journal")
    buckets = reader.latency(LINK, MIDNIGHT_S, END_S + 60, HOUR_S)
    assert [(each.sent, each.received) for each in buckets] == [
        (3590, 2690),
        (3600, 3600),
        (10, 10),
    ]
    assert reader.totals(MIDNIGHT_S, END_S)[LINK].down_s == 900.0
    assert len(reader.throughput("anjatan", "ether1", MIDNIGHT_S, END_S, 600.0)) == 12
    requests = list(requests_in_order(reader.evidence(MIDNIGHT_S, END_S + 60)))
    assert len(requests) == 2 * 7200
    assert journal.lag(journal.load_cursor("influxdb")) == 1064
    assert journal.minutes.lag(journal.minutes.load_cursor("influxdb_1m")) == 130
    assert (journal.minutes.lag(None), journal.hours.lag(None)) == (180, 3)


def test_the_journal_goes_on_where_it_stood(journal: SqliteJournal) -> None:
    journal.append([ping(END_S + 20)])
    assert journal.lag(journal.load_cursor("influxdb")) == 1065
    assert journal.roll_up(END_S + HOUR_S + 300) == 2
    assert journal.totals(MIDNIGHT_S, END_S + HOUR_S)[LINK].sent == 7210


def test_users_are_read(data_dir: Path) -> None:
    user = UsersFile(data_dir).read().find("ani")
    assert user is not None
    assert user.role is UserRole.OPERATOR
    assert (user.password_hash or "").startswith("$argon2id$")
