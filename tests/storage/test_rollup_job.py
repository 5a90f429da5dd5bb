"""The store's jobs: hours are summed up by the ledger, old files go, and somebody is told."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from monitor.adapters.journal import SqliteJournal
from monitor.adapters.journal.day_files import EVIDENCE, days_in
from monitor.core.errors import LedgerError
from monitor.core.model import Lost, State, Transition
from monitor.core.samples.packed_requests import RecordedRequests
from monitor.settings.model import JournalSettings
from monitor.storage.retention import RetentionJob
from monitor.storage.rollup_job import RollupJob
from tests.fakes.clock import ManualClock
from tests.fakes.ledger import MemoryLedger
from tests.sample_builders import LINK, MIDNIGHT_S, ping

DAY_S = 86_400.0
LOST = Lost(LINK, MIDNIGHT_S, MIDNIGHT_S + 1.0)


class Silent(MemoryLedger):
    """Answers when it is mended."""

    mended = False

    def transitions(
        self, start_s: float, end_s: float, target: str | None = None
    ) -> list[Transition]:
        if not self.mended:
            raise LedgerError("the ledger is away")
        return super().transitions(start_s, end_s, target)


def texts_of(job: RollupJob | RetentionJob) -> list[str]:
    return [warning.text for warning in job.warnings()]


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[SqliteJournal]:
    made = SqliteJournal(tmp_path)
    yield made
    made.close()


async def test_an_hour_has_the_seconds_that_the_ledger_knows(journal: SqliteJournal) -> None:
    ledger = MemoryLedger()
    ledger.record(
        [
            Transition(LINK, MIDNIGHT_S, MIDNIGHT_S, State.UNKNOWN, State.UP, "replies"),
            Transition(LINK, MIDNIGHT_S + 600, MIDNIGHT_S + 605, State.UP, State.DOWN, "silence"),
        ]
    )
    journal.append([ping(MIDNIGHT_S + 10.0 * place) for place in range(360)])
    store = RollupJob(journal, ledger, ManualClock(MIDNIGHT_S + 4000))
    await store.roll_up()
    assert journal.totals(MIDNIGHT_S, MIDNIGHT_S + 3600)[LINK].down_s == 3000.0
    assert texts_of(store) == []


async def test_while_the_ledger_is_silent_hours_wait_and_that_is_said(
    journal: SqliteJournal,
) -> None:
    ledger = Silent()
    journal.append([ping(MIDNIGHT_S + 10)])
    store = RollupJob(journal, ledger, ManualClock(MIDNIGHT_S + 4000))
    await store.roll_up()
    assert texts_of(store) == ["rollups: the ledger is away"]
    ledger.mended = True
    await store.roll_up()
    assert texts_of(store) == []
    assert journal.totals(MIDNIGHT_S, MIDNIGHT_S + 3600)[LINK].sent == 10


async def test_a_journal_that_cannot_be_looked_at_is_a_sentence_and_is_looked_at_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    directory = tmp_path / "journal"
    with contextlib.closing(SqliteJournal(directory)) as journal:
        clock = ManualClock(MIDNIGHT_S + 4000)
        store = RetentionJob(journal, clock, None, JournalSettings())
        aside = directory.rename(tmp_path / "aside")
        directory.write_text("no directory")
        for _ in range(2):
            await store.check_usage()
            await store.prune()
        said = store.warnings()
        directory.unlink()
        aside.rename(directory)
        await store.check_usage()
        await store.prune()
        assert store.warnings() == []
    assert [each.text.partition(":")[0] for each in said] == ["how full the journal is", "prune"]
    assert all(each.text.endswith("cannot be read: Not a directory") for each in said)
    assert [r.exc_info for r in caplog.records if r.levelname == "ERROR"] == [None, None]


async def test_a_backlog_is_told_at_half_and_at_four_fifths_of_the_quota(
    journal: SqliteJournal,
) -> None:
    keep = JournalSettings(max_mb=1)
    clock = ManualClock(MIDNIGHT_S + DAY_S)
    store = RetentionJob(journal, clock, "influxdb", keep)
    told: list[str] = []
    for place in range(25):
        journal.append(
            [
                ping(MIDNIGHT_S + place * 600 + second / 10, f"site-{second}/utama")
                for second in range(1000)
            ]
        )
        await store.check_usage()
        told += [each for each in texts_of(store) if each not in told]
    shares = [int(each.partition("%")[0]) for each in told]
    assert shares == sorted(shares)
    assert 50 <= shares[0] < 80 <= shares[-1]
    clock.advance(2 * DAY_S)
    journal.append([ping(clock.steady_s())])
    await store.prune()
    assert store.lost == 25_000
    await store.check_usage()
    [said] = texts_of(store)
    assert said.startswith("25000 samples were thrown away before InfluxDB had them")


async def test_a_reload_keeps_for_as_long_as_it_says_from_then_on(
    journal: SqliteJournal, tmp_path: Path
) -> None:
    clock = ManualClock(MIDNIGHT_S)
    store = RetentionJob(journal, clock, None, JournalSettings())
    for day in range(6):
        at_s = MIDNIGHT_S + day * DAY_S + 60
        journal.append([replace(ping(at_s), requests=RecordedRequests(at_s, 0.0, [LOST]))])
    clock.advance(6 * DAY_S)
    await store.prune()
    assert (len(days_in(tmp_path)), len(days_in(tmp_path, EVIDENCE))) == (6, 6)
    store.reconfigure(JournalSettings(raw_days=2, evidence_days=0))
    await store.prune()
    assert len(days_in(tmp_path)) < 6
    assert days_in(tmp_path, EVIDENCE) == []
    at_s = clock.steady_s()
    journal.append([replace(ping(at_s), requests=RecordedRequests(at_s, 0.0, [LOST]))])
    assert days_in(tmp_path, EVIDENCE) == [], "nor is any kept from then on"
