"""The journal's files: a day each, small, shared, pruned, and what is done when they are ill."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from monitor.adapters.journal import JournalReader, PruneResult, SqliteJournal
from tests.adapters.journal_process import GROUP
from tests.sample_builders import LINK, MIDNIGHT_S, interface, one_of_each, ping

ROOT = Path(__file__).parents[2]
DAY_S = 86_400.0
DAY = (MIDNIGHT_S, MIDNIGHT_S + DAY_S, 60.0)


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[SqliteJournal]:
    made = SqliteJournal(tmp_path)
    yield made
    made.close()


def files(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.glob("*.db"))


def days(journal: SqliteJournal, count: int) -> None:
    for day in range(count):
        journal.append([ping(MIDNIGHT_S + day * DAY_S), ping(MIDNIGHT_S + day * DAY_S + 10)])


def ship(journal: SqliteJournal, lines: int) -> None:
    journal.save_cursor("influxdb", journal.read_after(None, lines).cursor)


def test_each_day_has_a_file(journal: SqliteJournal, tmp_path: Path) -> None:
    days(journal, 3)
    assert files(tmp_path) == [
        "samples-20251125.db",
        "samples-20251126.db",
        "samples-20251127.db",
    ]


def test_a_batch_over_midnight_is_one_transaction_in_one_file(
    journal: SqliteJournal, tmp_path: Path
) -> None:
    journal.append([ping(MIDNIGHT_S - 10), ping(MIDNIGHT_S)])
    assert files(tmp_path) == ["samples-20251125.db"]
    assert len(JournalReader(tmp_path).latency(LINK, MIDNIGHT_S - 60, MIDNIGHT_S, 10.0)) == 1


def test_files_are_for_the_group_and_nobody_else(journal: SqliteJournal, tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        journal.append([ping(MIDNIGHT_S)])
        journal.append([ping(MIDNIGHT_S + DAY_S)])
    finally:
        os.umask(before)
    found = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    assert {name for name in found if name.endswith("-shm")}
    assert set(found.values()) == {0o660}


def test_a_new_directory_is_for_the_group_too(tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        SqliteJournal(tmp_path / "data" / "journal").close()
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "data" / "journal").stat().st_mode) == 0o2770


def test_another_user_of_the_group_reads_while_the_daemon_writes(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    for parent in list(tmp_path.parents)[:3]:  # the run's own, with and without workers
        parent.chmod(parent.stat().st_mode | 0o055)
    directory = tmp_path / "journal"
    made = SqliteJournal(directory)
    if os.geteuid() == 0:
        os.chown(directory, 0, GROUP)
    directory.chmod(0o2770)
    made.append([ping(MIDNIGHT_S)])
    made.append([ping(MIDNIGHT_S + DAY_S / 2)])
    done = subprocess.run(
        [sys.executable, "-m", "tests.adapters.journal_process", "ask", str(directory)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    made.close()
    assert done.stdout == "2\n", done.stderr


def test_a_row_takes_less_than_fifty_bytes(journal: SqliteJournal, tmp_path: Path) -> None:
    count = 0
    for place in range(200):
        rtt = (3.456 + place % 50, 12.345 + place % 50, 70.123, 99.987)
        journal.append([ping(MIDNIGHT_S + 10 * place, f"s{n}/u", rtt=rtt) for n in range(62)])
        count += 62
    journal.close()
    assert sum(path.stat().st_size for path in tmp_path.glob("samples-*")) / count < 50


def test_everything_is_there_after_a_new_start(journal: SqliteJournal, tmp_path: Path) -> None:
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


class TestPrune:
    """Retention is whole files, and never one that is not shipped yet."""

    AT_S = MIDNIGHT_S + 5 * DAY_S + 3600

    def test_days_older_than_asked_go(self, journal: SqliteJournal, tmp_path: Path) -> None:
        days(journal, 6)
        assert journal.prune(self.AT_S, 3, 1000) == PruneResult(("20251125", "20251126"))
        assert [name[8:16] for name in files(tmp_path)] == [
            "20251127",
            "20251128",
            "20251129",
            "20251130",
        ]
        assert not list(tmp_path.glob("samples-20251125*"))
        assert journal.lag(None) == 8

    def test_a_day_that_is_not_shipped_stays(self, journal: SqliteJournal) -> None:
        days(journal, 6)
        ship(journal, 3)
        assert journal.prune(self.AT_S, 3, 1000, "influxdb") == PruneResult(
            ("20251125",), ("20251126",)
        )
        ship(journal, 4)
        assert journal.prune(self.AT_S, 3, 1000, "influxdb") == PruneResult(("20251126",))

    def test_with_a_shipper_that_never_shipped_everything_stays_up_to_the_quota(
        self, journal: SqliteJournal
    ) -> None:
        days(journal, 6)
        assert journal.prune(self.AT_S, 1, 1000, "influxdb").removed == ()

    def test_over_the_quota_the_oldest_day_goes_and_what_was_not_shipped_is_counted(
        self, journal: SqliteJournal
    ) -> None:
        days(journal, 6)
        ship(journal, 3)
        pruned = journal.prune(self.AT_S, 100, 0, "influxdb")
        assert pruned.removed == ("20251125", "20251126", "20251127", "20251128", "20251129")
        assert pruned.lost == 7

    def test_how_full_it_is_with_what_is_not_shipped(self, journal: SqliteJournal) -> None:
        days(journal, 6)
        usage = journal.usage(1, "influxdb")
        assert usage.quota == 1_000_000
        assert usage.share_unshipped == pytest.approx(usage.sizes["samples"] / 1e6)
        ship(journal, 12)
        assert journal.usage(1, "influxdb").share_unshipped == 0.0
        assert journal.usage(1).share_unshipped == 0.0

    def test_a_cursor_goes_on_after_its_oldest_day_is_gone(self, journal: SqliteJournal) -> None:
        days(journal, 6)
        ship(journal, 5)
        cursor = journal.load_cursor("influxdb")
        journal.prune(self.AT_S, 3, 1000, "influxdb")
        assert journal.lag(cursor) == 7
        assert len(journal.read_after(cursor, 100).samples) == 7

    def test_too_many_megabytes_cost_the_oldest_days_but_never_today(
        self, journal: SqliteJournal
    ) -> None:
        days(journal, 6)
        pruned = journal.prune(self.AT_S, 100, 0)
        assert pruned.removed == ("20251125", "20251126", "20251127", "20251128", "20251129")
        journal.append([ping(self.AT_S)])
        assert journal.lag(None) == 3

    def test_within_its_limits_nothing_goes(self, journal: SqliteJournal) -> None:
        days(journal, 6)
        assert journal.prune(self.AT_S, 100, 1000) == PruneResult()


def test_a_reader_without_a_journal_finds_it_empty(tmp_path: Path) -> None:
    reader = JournalReader(tmp_path / "none")
    assert reader.newest_s() is None
    assert reader.latency(LINK, *DAY) == []
    assert not (tmp_path / "none").exists()


def test_a_count_that_no_store_can_hold_is_not_known(journal: SqliteJournal) -> None:
    journal.append([replace(interface(MIDNIGHT_S), speed_bps=2**70), ping(MIDNIGHT_S)])
    [read, _] = journal.read_after(None, 10).samples
    assert read == replace(interface(MIDNIGHT_S), speed_bps=None)
