"""The jobs of rollups and retention: what they do, and the warnings about their failures."""

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


class FailingLedger(MemoryLedger):
    """Raises until `works`."""

    works = False

    def transitions(
        self, start_s: float, end_s: float, target: str | None = None
    ) -> list[Transition]:
        if not self.works:
            raise LedgerError("the ledger is away")
        return super().transitions(start_s, end_s, target)


def texts_of(job: RollupJob | RetentionJob) -> list[str]:
    return [warning.text for warning in job.warnings()]


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[SqliteJournal]:
    opened = SqliteJournal(tmp_path)
    yield opened
    opened.close()


async def test_an_hour_has_the_seconds_down_of_the_ledger(journal: SqliteJournal) -> None:
    ledger = MemoryLedger()
    ledger.record(
        [
            Transition(LINK, MIDNIGHT_S, MIDNIGHT_S, State.UNKNOWN, State.UP, "replies"),
            Transition(LINK, MIDNIGHT_S + 600, MIDNIGHT_S + 605, State.UP, State.DOWN, "silence"),
        ]
    )
    journal.append([ping(MIDNIGHT_S + 10.0 * place) for place in range(360)])
    job = RollupJob(journal, ledger, ManualClock(MIDNIGHT_S + 4000))
    await job.roll_up()
    assert journal.totals(MIDNIGHT_S, MIDNIGHT_S + 3600)[LINK].down_s == 3000.0
    assert texts_of(job) == []


async def test_hours_wait_while_the_ledger_fails_and_that_is_a_warning(
    journal: SqliteJournal,
) -> None:
    ledger = FailingLedger()
    journal.append([ping(MIDNIGHT_S + 10)])
    job = RollupJob(journal, ledger, ManualClock(MIDNIGHT_S + 4000))
    await job.roll_up()
    assert texts_of(job) == ["rollups: the ledger is away"]
    ledger.works = True
    await job.roll_up()
    assert texts_of(job) == []
    assert journal.totals(MIDNIGHT_S, MIDNIGHT_S + 3600)[LINK].sent == 10


async def test_a_journal_that_cannot_be_read_is_a_warning_until_it_can(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    directory = tmp_path / "journal"
    with contextlib.closing(SqliteJournal(directory)) as journal:
        clock = ManualClock(MIDNIGHT_S + 4000)
        job = RetentionJob(journal, clock, None, JournalSettings())
        moved = directory.rename(tmp_path / "moved")
        directory.write_text("no directory")
        for _ in range(2):
            await job.check_usage()
            await job.prune()
        warnings = job.warnings()
        directory.unlink()
        moved.rename(directory)
        await job.check_usage()
        await job.prune()
        assert job.warnings() == []
    assert [each.text.partition(":")[0] for each in warnings] == [
        "how full the journal is",
        "prune",
    ]
    assert all(each.text.endswith("cannot be read: Not a directory") for each in warnings)
    assert [r.exc_info for r in caplog.records if r.levelname == "ERROR"] == [None, None]


async def test_unshipped_samples_are_warned_of_at_50_and_80_percent_of_the_quota(
    journal: SqliteJournal,
) -> None:
    settings = JournalSettings(max_mb=1)
    clock = ManualClock(MIDNIGHT_S + DAY_S)
    job = RetentionJob(journal, clock, "influxdb", settings)
    seen: list[str] = []
    for place in range(25):
        journal.append(
            [
                ping(MIDNIGHT_S + place * 600 + second / 10, f"site-{second}/utama")
                for second in range(1000)
            ]
        )
        await job.check_usage()
        seen += [each for each in texts_of(job) if each not in seen]
    shares = [int(each.partition("%")[0]) for each in seen]
    assert shares == sorted(shares)
    assert 50 <= shares[0] < 80 <= shares[-1]
    clock.advance(2 * DAY_S)
    journal.append([ping(clock.steady_s())])
    await job.prune()
    assert job.lost == 25_000
    await job.check_usage()
    [text] = texts_of(job)
    assert text.startswith("25000 samples were thrown away before InfluxDB had them")


async def test_a_reload_changes_the_retention_times(journal: SqliteJournal, tmp_path: Path) -> None:
    clock = ManualClock(MIDNIGHT_S)
    job = RetentionJob(journal, clock, None, JournalSettings())
    for day in range(6):
        at_s = MIDNIGHT_S + day * DAY_S + 60
        journal.append([replace(ping(at_s), requests=RecordedRequests(at_s, 0.0, [LOST]))])
    clock.advance(6 * DAY_S)
    await job.prune()
    assert (len(days_in(tmp_path)), len(days_in(tmp_path, EVIDENCE))) == (6, 6)
    job.reconfigure(JournalSettings(raw_days=2, evidence_days=0))
    await job.prune()
    assert len(days_in(tmp_path)) < 6
    assert days_in(tmp_path, EVIDENCE) == []
    at_s = clock.steady_s()
    journal.append([replace(ping(at_s), requests=RecordedRequests(at_s, 0.0, [LOST]))])
    assert days_in(tmp_path, EVIDENCE) == [], "no evidence is written any more"
