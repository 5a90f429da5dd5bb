"""What the journal does when its files are ill: damaged, cut short, another version, no space."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from monitor.adapters.journal import JournalReader, SqliteJournal
from monitor.core.errors import JournalError
from monitor.core.samples.samples import MonitorSample
from tests.adapters.journal_process import TARGETS
from tests.sample_builders import LINK, MIDNIGHT_S, interface, ping

ROOT = Path(__file__).parents[2]
DAY_S = 86_400.0
DAY = (MIDNIGHT_S, MIDNIGHT_S + DAY_S, 60.0)


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[SqliteJournal]:
    made = SqliteJournal(tmp_path)
    yield made
    made.close()


def days(journal: SqliteJournal, count: int) -> None:
    for day in range(count):
        journal.append([ping(MIDNIGHT_S + day * DAY_S), ping(MIDNIGHT_S + day * DAY_S + 10)])


def ship(journal: SqliteJournal, lines: int) -> None:
    journal.save_cursor("influxdb", journal.read_after(None, lines).cursor)


def alter(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for statement in statements:
            connection.execute(statement)


def test_a_cursor_that_is_ahead_of_its_file_is_taken_back(
    journal: SqliteJournal, tmp_path: Path
) -> None:
    """A power cut, or a copy put back, may leave less than was shipped: what is new must go out."""
    journal.append([ping(MIDNIGHT_S + 10 * place) for place in range(5)])
    ship(journal, 5)
    journal.close()
    alter(
        tmp_path / "samples-20251125.db",
        "DELETE FROM ping WHERE seq > 2",
        "UPDATE batch SET last_seq = 2",
    )
    again = SqliteJournal(tmp_path)
    again.append([ping(MIDNIGHT_S + 100)])
    cursor = again.load_cursor("influxdb")
    assert again.read_after(cursor, 10).samples == (ping(MIDNIGHT_S + 100),)
    again.close()


def test_rows_that_someone_took_out_hold_nothing_up(journal: SqliteJournal, tmp_path: Path) -> None:
    journal.append([ping(MIDNIGHT_S + 10 * place) for place in range(30)])
    alter(tmp_path / "samples-20251125.db", "DELETE FROM ping WHERE seq BETWEEN 5 AND 25")
    cursor, found = None, 0
    for _ in range(4):
        batch = journal.read_after(cursor, 8)
        cursor, found = batch.cursor, found + len(batch.samples)
    assert (found, journal.lag(cursor)) == (9, 0)


def test_cursors_that_cannot_be_read_mean_that_everything_is_shipped_once_more(
    journal: SqliteJournal, tmp_path: Path
) -> None:
    days(journal, 2)
    ship(journal, 4)
    journal.close()
    for text in ("{", "[]", '{"influxdb": 5}', '{"influxdb": "yesterday"}'):
        (tmp_path / "cursors.json").write_text(text)
        again = SqliteJournal(tmp_path)
        assert again.load_cursor("influxdb") is None
        assert len(again.problems) == 1
        again.close()


def test_a_damaged_day_is_said_and_keeps_no_other_day_from_being_used(
    journal: SqliteJournal, tmp_path: Path
) -> None:
    days(journal, 2)
    journal.close()
    path = tmp_path / "samples-20251125.db"
    path.write_bytes(b"this is no database at all" * 500)
    again = SqliteJournal(tmp_path)
    assert again.problems == (
        f"the journal {path} is damaged (file is not a database): move it away, a new one is begun",
    )
    again.append([ping(MIDNIGHT_S + DAY_S + 20)])
    assert len(again.read_after(None, 10).samples) == 3
    with pytest.raises(JournalError, match="is damaged"):
        JournalReader(tmp_path).latency(LINK, *DAY)
    with pytest.raises(JournalError, match="is damaged"):
        again.append([ping(MIDNIGHT_S + 20)])
    again.close()


def test_a_file_of_an_older_version_gets_the_new_columns_and_is_read_without_them(
    journal: SqliteJournal, tmp_path: Path
) -> None:
    old = MonitorSample(MIDNIGHT_S, "pemantau", round_lag_s=0.5, odd_packets=3)
    journal.append([old])
    journal.close()
    alter(tmp_path / "samples-20251125.db", "ALTER TABLE monitor DROP COLUMN odd_packets")
    again = SqliteJournal(tmp_path)
    [read] = again.read_after(None, 10).samples
    assert read == MonitorSample(MIDNIGHT_S, "pemantau", round_lag_s=0.5, odd_packets=None)
    new = MonitorSample(MIDNIGHT_S + 10, "pemantau", odd_packets=4)
    again.append([new])
    assert again.read_after(None, 10).samples == (read, new)
    again.close()


def test_a_file_of_a_newer_version_is_left_alone(journal: SqliteJournal, tmp_path: Path) -> None:
    journal.append([ping(MIDNIGHT_S)])
    journal.close()
    path = tmp_path / "samples-20251125.db"
    alter(path, "PRAGMA user_version = 99")
    again = SqliteJournal(tmp_path)
    for what in (
        lambda: again.append([ping(MIDNIGHT_S)]),
        lambda: JournalReader(tmp_path).latency(LINK, *DAY),
    ):
        with pytest.raises(JournalError, match="was written by a newer pantau"):
            what()
    again.close()


def test_what_no_journal_wrote_is_no_cursor(journal: SqliteJournal) -> None:
    with pytest.raises(JournalError, match="no place in the journal"):
        journal.read_after("20251125", 10)


def test_a_directory_that_cannot_be_made_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(JournalError, match="cannot be made: Not a directory"):
        SqliteJournal(tmp_path / "file" / "journal")


def test_a_file_that_was_never_finished_holds_nothing_and_is_finished_later(
    journal: SqliteJournal, tmp_path: Path
) -> None:
    (tmp_path / "samples-20251125.db").touch()
    reader = JournalReader(tmp_path)
    assert reader.newest_s() is None
    assert reader.latency(LINK, *DAY) == []
    journal.append([ping(MIDNIGHT_S), interface(MIDNIGHT_S)])
    assert len(reader.latency(LINK, *DAY)) == 1


def test_a_full_disk_is_said_loses_nothing_that_was_kept_and_passes(tmp_path: Path) -> None:
    rights = () if os.geteuid() == 0 else ("--user", "--map-root-user")
    done = subprocess.run(
        [
            *("unshare", "--mount", *rights),
            *(sys.executable, "-m", "tests.adapters.journal_process", "fill", str(tmp_path)),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"needs a mount namespace and tmpfs: {done.stderr}"
    told = json.loads(done.stdout)
    assert told["written"] > 0
    assert told["kept"] == told["written"] * (TARGETS + 1)
    assert told["kept_after"] == told["kept"] + TARGETS + 1
    assert told["newcomers_came"]
    assert all("is full: samples are not kept until there is space" in w for w in told["refusals"])
    assert "cannot be written: No space left on device" in told["cursor"]
