"""The journal's files: one a day, small, shared, pruned; damaged, truncated, of other versions."""

from __future__ import annotations

import os
import re
import shutil
import sqlite3
import stat
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from monitor.adapters.journal import JournalReader, PruneResult, RetentionPolicy, SqliteJournal
from monitor.adapters.journal.evidence_files import evidence_between
from monitor.core.errors import JournalError
from monitor.core.model import Lost
from monitor.core.samples.packed_requests import RecordedRequests
from monitor.core.samples.samples import MonitorSample, PingSample
from tests.adapters.child_process import run_child
from tests.adapters.journal_process import GROUP
from tests.sample_builders import LINK, MIDNIGHT_S, interface, one_of_each, ping

DAY_S = 86_400.0
DAY = (MIDNIGHT_S, MIDNIGHT_S + DAY_S, 60.0)
FIRST_FILE = "samples-20251125.db"


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[SqliteJournal]:
    opened = SqliteJournal(tmp_path)
    yield opened
    opened.close()


def files(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.glob("*.db"))


def append_days(journal: SqliteJournal, count: int) -> None:
    for day in range(count):
        journal.append([ping(MIDNIGHT_S + day * DAY_S), ping(MIDNIGHT_S + day * DAY_S + 10)])


def ship(journal: SqliteJournal, lines: int) -> None:
    journal.save_cursor("influxdb", journal.read_after(None, lines).cursor)


def alter(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for statement in statements:
            connection.execute(statement)


def test_each_day_has_a_file_and_a_batch_over_midnight_is_in_the_later_one(
    journal: SqliteJournal, tmp_path: Path
) -> None:
    journal.append([ping(MIDNIGHT_S - 10), ping(MIDNIGHT_S)])
    assert files(tmp_path) == [FIRST_FILE]
    assert len(JournalReader(tmp_path).latency(LINK, MIDNIGHT_S - 60, MIDNIGHT_S, 10.0)) == 1
    append_days(journal, 3)
    assert files(tmp_path) == [FIRST_FILE, "samples-20251126.db", "samples-20251127.db"]


def test_the_group_may_read_directory_and_files_and_others_nothing(tmp_path: Path) -> None:
    directory = tmp_path / "data" / "journal"
    before = os.umask(0o077)
    try:
        journal = SqliteJournal(directory)
        append_days(journal, 2)
    finally:
        os.umask(before)
    assert stat.S_IMODE(directory.stat().st_mode) == 0o750
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in directory.iterdir()}
    assert {name for name in modes if name.endswith("-shm")}
    assert set(modes.values()) == {0o640}
    journal.close()


def test_another_user_of_the_group_reads_while_the_daemon_writes(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    for parent in list(tmp_path.parents)[:3]:  # the run's own, with and without workers
        parent.chmod(parent.stat().st_mode | 0o055)
    directory = tmp_path / "journal"
    journal = SqliteJournal(directory)
    if os.geteuid() == 0:
        os.chown(directory, 0, GROUP)
    directory.chmod(0o2750)  # files made from here on belong to that group, too
    journal.append([ping(MIDNIGHT_S)])
    journal.append([ping(MIDNIGHT_S + DAY_S / 2)])
    assert run_child("tests.adapters.journal_process", "query", str(directory)) == "2\n"
    journal.close()


def test_a_row_takes_less_than_fifty_bytes(journal: SqliteJournal, tmp_path: Path) -> None:
    for place in range(200):
        rtt = (3.456 + place % 50, 12.345 + place % 50, 70.123, 99.987)
        journal.append([ping(MIDNIGHT_S + 10 * place, f"s{n}/u", rtt=rtt) for n in range(62)])
    count = journal.lag(None)
    journal.close()
    assert sum(path.stat().st_size for path in tmp_path.glob("samples-*")) / count < 50


def test_rows_and_cursors_are_there_after_a_restart(journal: SqliteJournal, tmp_path: Path) -> None:
    journal.append(one_of_each())
    cursor = journal.read_after(None, 3).cursor
    journal.save_cursor("influxdb", cursor)
    journal.close()
    again = SqliteJournal(tmp_path)
    assert again.load_cursor("influxdb") == cursor
    assert again.lag(cursor) == len(one_of_each()) - 3
    again.append(one_of_each(MIDNIGHT_S + 10))
    assert again.read_after(cursor, 100).samples == (
        *one_of_each()[3:],
        *one_of_each(MIDNIGHT_S + 10),
    )
    again.close()


def test_one_thread_reads_what_another_writes(journal: SqliteJournal) -> None:
    found: list[float] = []

    def follow() -> None:
        cursor = None
        while len(found) < 150:
            batch = journal.read_after(cursor, 7)
            found.extend(sample.at_s for sample in batch.samples)
            cursor = batch.cursor

    follower = threading.Thread(target=follow)
    follower.start()
    for place in range(150):
        journal.append([ping(MIDNIGHT_S - 2000 + 10.0 * place)])
    follower.join(60)
    assert found == [MIDNIGHT_S - 2000 + 10.0 * place for place in range(150)]


def test_a_reader_without_a_journal_finds_it_empty(tmp_path: Path) -> None:
    reader = JournalReader(tmp_path / "none")
    assert reader.newest_s() is None
    assert reader.latency(LINK, *DAY) == []
    assert not (tmp_path / "none").exists()


def test_a_count_of_over_64_bits_is_stored_as_not_known(journal: SqliteJournal) -> None:
    journal.append([replace(interface(MIDNIGHT_S), speed_bps=2**70), ping(MIDNIGHT_S)])
    [read, _] = journal.read_after(None, 10).samples
    assert read == replace(interface(MIDNIGHT_S), speed_bps=None)


class TestPrune:
    """Retention removes whole files of six days, and no day that is not shipped yet."""

    AT_S = MIDNIGHT_S + 5 * DAY_S + 3600
    ALL_BUT_TODAY = ("20251125", "20251126", "20251127", "20251128", "20251129")

    @pytest.mark.parametrize(
        ("keep_days", "max_mb", "shipped", "expected"),
        [
            (100, 1000, None, PruneResult()),
            (3, 1000, None, PruneResult(("20251125", "20251126"))),
            (3, 1000, 3, PruneResult(("20251125",), ("20251126",))),
            (3, 1000, 4, PruneResult(("20251125", "20251126"))),
            (1, 1000, 0, PruneResult((), ("20251125", "20251126", "20251127", "20251128"))),
            (100, 0, None, PruneResult(ALL_BUT_TODAY)),
            (100, 0, 3, PruneResult(ALL_BUT_TODAY, lost=7)),
        ],
        ids=[
            "within all limits",
            "by age",
            "a day that is not shipped is held",
            "shipped days are removed",
            "nothing was ever shipped",
            "over the quota all but today",
            "over the quota, unshipped rows are counted",
        ],
    )
    def test_days_are_removed(
        self,
        journal: SqliteJournal,
        tmp_path: Path,
        keep_days: int,
        max_mb: int,
        shipped: int | None,
        expected: PruneResult,
    ) -> None:
        append_days(journal, 6)
        if shipped:
            ship(journal, shipped)
        shipper = None if shipped is None else "influxdb"
        policy = RetentionPolicy(raw_days=keep_days, max_mb=max_mb)
        assert journal.prune(self.AT_S, policy, shipper) == expected
        assert not any(list(tmp_path.glob(f"samples-{day}*")) for day in expected.removed)
        assert journal.lag(None) == 12 - 2 * len(expected.removed)
        journal.append([ping(self.AT_S)])
        assert journal.lag(None) == 13 - 2 * len(expected.removed)

    def test_usage_is_the_share_of_the_quota_that_is_not_shipped(
        self, journal: SqliteJournal
    ) -> None:
        append_days(journal, 6)
        usage = journal.usage(1, "influxdb")
        assert usage.quota == 1_000_000
        assert usage.share_unshipped == pytest.approx(usage.sizes["samples"] / 1e6)
        ship(journal, 12)
        assert journal.usage(1, "influxdb").share_unshipped == 0.0
        assert journal.usage(1).share_unshipped == 0.0

    def test_a_cursor_goes_on_after_its_oldest_day_is_removed(self, journal: SqliteJournal) -> None:
        append_days(journal, 6)
        ship(journal, 5)
        cursor = journal.load_cursor("influxdb")
        journal.prune(self.AT_S, RetentionPolicy(raw_days=3), "influxdb")
        assert journal.lag(cursor) == 7
        assert len(journal.read_after(cursor, 100).samples) == 7


def test_a_cursor_past_the_end_of_its_file_is_moved_back(
    journal: SqliteJournal, tmp_path: Path
) -> None:
    """A power cut, or a restored copy, may leave less than was shipped: new rows must be sent."""
    journal.append([ping(MIDNIGHT_S + 10 * place) for place in range(5)])
    ship(journal, 5)
    journal.close()
    alter(tmp_path / FIRST_FILE, "DELETE FROM ping WHERE seq > 2", "UPDATE batch SET last_seq = 2")
    again = SqliteJournal(tmp_path)
    again.append([ping(MIDNIGHT_S + 100)])
    cursor = again.load_cursor("influxdb")
    assert again.read_after(cursor, 10).samples == (ping(MIDNIGHT_S + 100),)
    again.close()


def test_rows_that_were_deleted_hold_nothing_up(journal: SqliteJournal, tmp_path: Path) -> None:
    journal.append([ping(MIDNIGHT_S + 10 * place) for place in range(30)])
    alter(tmp_path / FIRST_FILE, "DELETE FROM ping WHERE seq BETWEEN 5 AND 25")
    cursor, found = None, 0
    for _ in range(4):
        batch = journal.read_after(cursor, 8)
        cursor, found = batch.cursor, found + len(batch.samples)
    assert (found, journal.lag(cursor)) == (9, 0)


@pytest.mark.parametrize("text", ["{", "[]", '{"influxdb": 5}', '{"influxdb": "yesterday"}'])
def test_cursors_that_cannot_be_read_are_a_problem_and_everything_is_sent_again(
    journal: SqliteJournal, tmp_path: Path, text: str
) -> None:
    append_days(journal, 2)
    ship(journal, 4)
    journal.close()
    (tmp_path / "cursors.json").write_text(text)
    again = SqliteJournal(tmp_path)
    assert again.load_cursor("influxdb") is None
    assert len(again.problems) == 1
    again.close()


def remove_file(path: Path) -> None:
    path.unlink()


def remove_log(path: Path) -> None:
    path.with_name(f"{path.name}-wal").unlink()


def move_directory(path: Path) -> None:
    path.parent.rename(path.parent.with_name("moved"))


def put_garbage(path: Path) -> None:
    path.unlink()
    path.write_bytes(b"garbage" * 3000)


@pytest.mark.parametrize("first", [FIRST_FILE, "evidence-20251125.db"])
@pytest.mark.parametrize(
    ("harm", "remark"),
    [
        (remove_file, "was taken away .* written anew, with all its rows"),
        (remove_log, "was taken away .* written anew, with all its rows"),
        (move_directory, "was taken away .* written anew, with all its rows"),
        (put_garbage, "was replaced .* the other file is .*replaced-"),
    ],
)
def test_files_harmed_under_the_daemon_are_put_back_with_all_their_rows(
    tmp_path: Path, first: str, harm: Callable[[Path], None], remark: str
) -> None:
    journal = SqliteJournal(tmp_path / "journal")
    rows = [
        replace(ping(at_s), requests=RecordedRequests(at_s, 0.0, [Lost(LINK, at_s - 5, at_s)]))
        for at_s in (MIDNIGHT_S, MIDNIGHT_S + 10)
    ]
    journal.append(rows[:1])
    harm(tmp_path / "journal" / first)
    journal.check()
    journal.append(rows[1:])
    assert any(re.search(remark, each) for each in journal.problems)
    found = JournalReader(tmp_path / "journal")
    assert sum(bucket.sent for bucket in found.latency(LINK, *DAY)) == sum(r.sent for r in rows)
    assert (
        len(
            list(
                evidence_between(
                    tmp_path / "journal", int(MIDNIGHT_S) * 1000, int(MIDNIGHT_S + DAY_S) * 1000
                )
            )
        )
        == 2
    )
    assert len(journal.read_after(None, 10).samples) == 2
    journal.close()


def test_a_past_day_that_is_taken_away_is_said_and_no_longer_counted(
    journal: SqliteJournal, tmp_path: Path
) -> None:
    append_days(journal, 3)
    (tmp_path / FIRST_FILE).unlink()
    journal.check()
    assert journal.problems == (
        f"files of the journal {tmp_path} were taken away, and their history with them: "
        f"{FIRST_FILE}",
    )
    assert journal.lag(None) == 4


def truncate(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def fill_with_garbage(path: Path) -> None:
    path.write_bytes(b"this is no database at all" * 500)


def empty(path: Path) -> None:
    os.truncate(path, 0)


def put_a_directory(path: Path) -> None:
    path.unlink()
    (path / "within").mkdir(parents=True)


def put_a_loose_link(path: Path) -> None:
    path.unlink()
    path.symlink_to("nowhere")


def put_other_tables(path: Path) -> None:
    path.unlink()
    alter(path, "CREATE TABLE letters (text)", "PRAGMA user_version = 1")


def drop_the_rows(path: Path) -> None:
    table = {"samples": "batch", "evidence": "requests"}.get(path.name.partition("-")[0], "rolled")
    alter(path, f"DROP TABLE {table}")


FILES = [FIRST_FILE, "evidence-20251125.db", "minutes-20251125.db", "hours-202511.db"]
HARMS = [
    truncate,
    fill_with_garbage,
    empty,
    put_a_directory,
    put_a_loose_link,
    put_other_tables,
    drop_the_rows,
]


def with_requests(at_s: float) -> PingSample:
    return replace(ping(at_s), requests=RecordedRequests(at_s, 0.0, [Lost(LINK, at_s - 5, at_s)]))


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A closed journal with a file of each kind."""
    directory = tmp_path_factory.mktemp("whole")
    journal = SqliteJournal(directory)
    journal.append([with_requests(MIDNIGHT_S + at_s) for at_s in range(0, 3600, 10)])
    assert journal.roll_up(MIDNIGHT_S + 7200) == 1
    journal.close()
    return directory


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("harm", HARMS)
def test_a_file_that_cannot_be_read_is_set_aside_and_the_journal_goes_on(
    whole: Path, tmp_path: Path, name: str, harm: Callable[[Path], None]
) -> None:
    directory = tmp_path / "journal"
    shutil.copytree(whole, directory, ignore=shutil.ignore_patterns("ballast"))
    harm(directory / name)
    journal = SqliteJournal(directory)
    assert len(journal.problems) == 1
    assert re.search(
        rf"{name} cannot be read \(.*kept as {name}\.unreadable-1", journal.problems[0]
    )
    assert os.path.lexists(directory / f"{name}.unreadable-1")
    journal.append([with_requests(MIDNIGHT_S + 3600 + at_s) for at_s in range(0, 3600, 10)])
    assert journal.roll_up(MIDNIGHT_S + 10800) == 1
    assert sorted(files(directory)) == sorted(FILES)
    assert len(JournalReader(directory).latency(LINK, *DAY)) >= 60
    assert journal.read_after(None, 1000).samples
    journal.close()
    again = SqliteJournal(directory)
    assert again.problems == ()
    again.close()


def test_a_file_that_the_daemon_may_not_read_is_set_aside(whole: Path, tmp_path: Path) -> None:
    for parent in [tmp_path, *list(tmp_path.parents)[:3]]:
        parent.chmod(parent.stat().st_mode | 0o055)
    directory = tmp_path / "journal"
    shutil.copytree(whole, directory, ignore=shutil.ignore_patterns("ballast"))
    for name in FILES:
        (directory / name).chmod(0)
    said = run_child("tests.adapters.journal_process", "forbidden", str(directory)).splitlines()
    assert len(said) == len(FILES)
    for name in FILES:
        assert f"{name} cannot be read (this user may not read it): it is kept" in "".join(said)


def test_a_name_that_is_no_date_is_set_aside(tmp_path: Path) -> None:
    for name in ("minutes-20251399.db", "hours-20251125.db"):
        (tmp_path / name).write_bytes(b"")
    journal = SqliteJournal(tmp_path)
    assert [re.findall(r"\((.*?)\)", each) for each in journal.problems] == [
        ["its name is no date"],
        ["its name is of another kind"],
    ]
    journal.close()


@pytest.mark.parametrize("name", FILES)
def test_damage_inside_that_is_found_in_writing_sets_the_file_aside(
    whole: Path, tmp_path: Path, name: str
) -> None:
    directory = tmp_path / "journal"
    shutil.copytree(whole, directory, ignore=shutil.ignore_patterns("ballast"))
    path = directory / name
    with closing(sqlite3.connect(path)) as connection:
        tables = {"samples": "ping", "evidence": "requests", "minutes": "ping_1m"}
        table = tables.get(name.partition("-")[0], "ping_1h")
        (page,) = connection.execute(
            "SELECT rootpage FROM sqlite_master WHERE name = ?", (table,)
        ).fetchone()
    with path.open("r+b") as file:
        file.seek((page - 1) * 4096)
        file.write(b"\xff" * 4096)
    journal = SqliteJournal(directory)
    journal.append([with_requests(MIDNIGHT_S + 3600 + at_s) for at_s in range(0, 3600, 10)])
    journal.append([with_requests(MIDNIGHT_S + 7200)])
    for _ in range(2):  # an hour whose rollups could not be written is summed up again
        journal.roll_up(MIDNIGHT_S + 10800)
    assert any(f"kept as {name}.unreadable-1" in each for each in journal.problems)
    assert (
        len(JournalReader(directory).latency(LINK, MIDNIGHT_S + 3600, MIDNIGHT_S + 7200, 60)) == 60
    )
    journal.close()


def test_a_file_of_an_older_version_is_read_and_gets_the_new_columns(
    journal: SqliteJournal, tmp_path: Path
) -> None:
    journal.append([MonitorSample(MIDNIGHT_S, "pemantau", round_lag_s=0.5, odd_packets=3)])
    journal.close()
    alter(tmp_path / FIRST_FILE, "ALTER TABLE monitor DROP COLUMN odd_packets")
    again = SqliteJournal(tmp_path)
    [read] = again.read_after(None, 10).samples
    assert read == MonitorSample(MIDNIGHT_S, "pemantau", round_lag_s=0.5, odd_packets=None)
    new = MonitorSample(MIDNIGHT_S + 10, "pemantau", odd_packets=4)
    again.append([new])
    assert again.read_after(None, 10).samples == (read, new)
    again.close()


def test_a_file_of_a_newer_version_is_refused(journal: SqliteJournal, tmp_path: Path) -> None:
    journal.append([ping(MIDNIGHT_S)])
    journal.close()
    alter(tmp_path / FIRST_FILE, "PRAGMA user_version = 99")
    again = SqliteJournal(tmp_path)
    with pytest.raises(JournalError, match="was written by a newer pantau"):
        again.append([ping(MIDNIGHT_S)])
    with pytest.raises(JournalError, match="was written by a newer pantau"):
        JournalReader(tmp_path).latency(LINK, *DAY)
    again.close()


def test_a_text_that_is_no_cursor_and_a_directory_that_cannot_be_created_are_refused(
    journal: SqliteJournal, tmp_path: Path
) -> None:
    with pytest.raises(JournalError, match="no place in the journal"):
        journal.read_after("20251125", 10)
    (tmp_path / "file").write_text("")
    with pytest.raises(JournalError, match="cannot be made: Not a directory"):
        SqliteJournal(tmp_path / "file" / "journal")


def test_a_file_whose_creation_was_cut_off_is_empty_and_completed_later(
    journal: SqliteJournal, tmp_path: Path
) -> None:
    (tmp_path / FIRST_FILE).touch()
    reader = JournalReader(tmp_path)
    assert reader.newest_s() is None
    assert reader.latency(LINK, *DAY) == []
    journal.append([ping(MIDNIGHT_S), interface(MIDNIGHT_S)])
    assert len(reader.latency(LINK, *DAY)) == 1
