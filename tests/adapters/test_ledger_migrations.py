"""Migrations of older, newer and broken ledgers."""

from __future__ import annotations

import logging
import shutil
import sqlite3
import stat
from contextlib import closing
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine

from monitor.adapters.ledger import SqlLedgerReader
from monitor.adapters.ledger.migrate import MIGRATIONS
from monitor.adapters.ledger.tables import METADATA, REVISION
from monitor.adapters.ledger.writer import SqlLedger
from monitor.core.errors import LedgerError
from monitor.core.ledger_identity import is_identity
from tests.adapters.ledger_process import decisions
from tests.adapters.sqlite_rows import rows

FIRST = Path(__file__).parent / "ledger_0001.sql"
"""A ledger as the first version left it, two decisionss long; never made anew."""

NEXT = '''
"""A column more, and a table that SQLite has to build anew."""

import sqlalchemy as sa
from alembic import op

revision = "9001"
down_revision = "{down}"


def upgrade() -> None:
    with op.batch_alter_table("incidents") as table:
        table.add_column(sa.Column("severity", sa.Text, nullable=False, server_default="high"))
        table.alter_column("reason", new_column_name="why")
    {also}
'''


@pytest.fixture
def path(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    return folder / "ledger.db"


@pytest.fixture
def recorded(path: Path) -> Path:
    """A ledger of this version with one open incident, closed."""
    ledger = SqlLedger.open(path)
    ledger.record(decisions(1))
    ledger.close()
    return path


def revision(path: Path) -> list[tuple[object, ...]]:
    return rows(path, "SELECT version_num FROM alembic_version")


def names_beside(path: Path) -> set[str]:
    return {each.name for each in path.parent.iterdir()} - {"ledger.reserve"}


def migrations_with_a_next_one(tmp_path: Path, also: str = "pass") -> Path:
    migrations = tmp_path / "migrations"
    shutil.copytree(MIGRATIONS, migrations)
    (migrations / "versions" / "r9001_next.py").write_text(NEXT.format(down=REVISION, also=also))
    return migrations


def test_the_migrations_create_the_tables_of_the_code(path: Path) -> None:
    SqlLedger.open(path).close()
    engine = create_engine(f"sqlite:///{path}")
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), METADATA) == []
    engine.dispose()


def test_the_newest_migration_is_the_one_that_readers_expect() -> None:
    assert ScriptDirectory(str(MIGRATIONS)).get_current_head() == REVISION


def test_a_ledger_of_the_first_version_is_migrated(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(FIRST.read_text("utf-8"))
    ledger = SqlLedger.open(path)
    (first, second) = ledger.incidents()
    assert (first.target, first.ended_s, len(first.affected)) == ("node-1", 1_764_000_002.0, 5)
    assert (second.target, second.ended_s) == ("node-2", None)
    assert len(ledger.transitions(0.0, 2e9)) == 10
    assert len(ledger.load_snapshot().states) == 5
    for number in (1, 2, 3):
        ledger.record(decisions(number))
    assert len(ledger.incidents()) == 3
    ledger.close()


def test_each_new_ledger_has_an_identity_of_its_own_and_keeps_it(tmp_path: Path) -> None:
    identities = []
    for name in ("a.db", "b.db", "b.db"):
        ledger = SqlLedger.open(tmp_path / name)
        identities.append(ledger.identity())
        ledger.close()
    first, second, again = identities
    assert is_identity(first.value)
    assert first.value != second.value
    assert second == again == SqlLedgerReader.open(tmp_path / "b.db").identity()
    assert first.last_old_incident == 0


def test_before_an_upgrade_the_file_is_copied_with_what_is_still_in_its_log(
    path: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    ledger = SqlLedger.open(path)
    for number in range(1, 4):
        ledger.record(decisions(number))
    crashed = {
        each: each.read_bytes() for each in path.parent.iterdir() if not each.name.endswith("-shm")
    }
    ledger.close()
    for each, content in crashed.items():
        each.write_bytes(content)
    log = path.with_name("ledger.db-wal")
    assert log.stat().st_size > 0

    with caplog.at_level(logging.INFO):
        upgraded = SqlLedger.open(path, migrations=migrations_with_a_next_one(tmp_path))
    copy = path.with_name("ledger.db.before-9001")
    assert stat.S_IMODE(copy.stat().st_mode) == 0o640
    assert revision(copy) == [(REVISION,)]
    assert rows(copy, "SELECT count(*) FROM incidents") == [(3,)]
    assert rows(copy, "PRAGMA integrity_check") == [("ok",)]
    assert revision(path) == [("9001",)]
    assert rows(path, "SELECT id, why, severity FROM incidents") == [
        (number, "silence", "high") for number in (1, 2, 3)
    ]
    assert rows(path, "SELECT count(*) FROM incident_events") == [(5,)]
    assert rows(path, "SELECT count(*) FROM incident_affected") == [(15,)]
    assert "copied to ledger.db.before-9001 before its tables change" in caplog.text
    assert names_beside(path) == {
        *("ledger.db", "ledger.db-wal", "ledger.db-shm", "ledger.db.before-9001")
    }
    upgraded.close()


def test_a_ledger_that_is_new_or_up_to_date_is_not_copied(path: Path, tmp_path: Path) -> None:
    migrations = migrations_with_a_next_one(tmp_path)
    for _ in range(2):
        SqlLedger.open(path, migrations=migrations).close()
    assert names_beside(path) == {"ledger.db"}


@pytest.mark.parametrize(
    ("also", "message"),
    [
        ('op.execute("SELECT 1 FROM nowhere")', "no such table: nowhere"),
        ('op.execute("DELETE FROM incidents")', "without the ones that they belong to"),
    ],
)
def test_an_upgrade_that_fails_changes_nothing(
    recorded: Path, tmp_path: Path, also: str, message: str
) -> None:
    before = SqlLedgerReader.open(recorded).load_snapshot()
    with pytest.raises(LedgerError, match=message):
        SqlLedger.open(recorded, migrations=migrations_with_a_next_one(tmp_path, also))
    assert SqlLedgerReader.open(recorded).load_snapshot() == before
    assert revision(recorded) == [(REVISION,)]


def test_without_a_copy_there_is_no_upgrade(recorded: Path, tmp_path: Path) -> None:
    recorded.with_name("ledger.db.before-9001").mkdir()
    with pytest.raises(LedgerError, match="no copy of the ledger can be made"):
        SqlLedger.open(recorded, migrations=migrations_with_a_next_one(tmp_path))
    assert revision(recorded) == [(REVISION,)]
    assert names_beside(recorded) == {"ledger.db", "ledger.db.before-9001"}


def test_a_ledger_of_a_newer_version_is_refused_unchanged_and_the_copy_is_named(
    recorded: Path, tmp_path: Path
) -> None:
    SqlLedger.open(recorded, migrations=migrations_with_a_next_one(tmp_path)).close()
    content = recorded.read_bytes()
    with pytest.raises(LedgerError) as caught:
        SqlLedger.open(recorded)
    assert str(caught.value) == (
        f"the ledger {recorded} was written by a newer pantau (its tables are at 9001, this"
        f" version knows up to {REVISION}): install that version again, or put"
        " ledger.db.before-9001 in its place and lose what came later"
    )
    assert recorded.read_bytes() == content
    recorded.with_name("ledger.db.before-9001").replace(recorded)
    assert len(SqlLedgerReader.open(recorded).incidents()) == 1


def test_a_reader_refuses_tables_of_another_version(path: Path, tmp_path: Path) -> None:
    ledger = SqlLedger.open(path, migrations=migrations_with_a_next_one(tmp_path))
    with pytest.raises(LedgerError, match=f"are at 9001, and this program reads {REVISION}"):
        SqlLedgerReader.open(path).incidents()
    ledger.close()


def test_an_installation_without_migrations_is_an_error(path: Path, tmp_path: Path) -> None:
    with pytest.raises(LedgerError, match="cannot be used"):
        SqlLedger.open(path, migrations=tmp_path / "nowhere")
