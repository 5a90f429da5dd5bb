"""The store's jobs: hours are summed up by the ledger, old files go, and somebody is told."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from monitor.adapters.journal import SqliteJournal
from monitor.core.errors import LedgerError
from monitor.core.model import State, Transition
from monitor.settings.model import JournalSettings
from monitor.storekeeping import Storekeeping
from tests.fakes.clock import ManualClock
from tests.fakes.ledger import MemoryLedger
from tests.harbour import Harbour
from tests.making import LINK, MIDNIGHT_S, ping

DAY_S = 86_400.0


class Silent(MemoryLedger):
    """Answers when it is mended."""

    mended = False

    def transitions(
        self, start_s: float, end_s: float, target: str | None = None
    ) -> list[Transition]:
        if not self.mended:
            raise LedgerError("the ledger is away")
        return super().transitions(start_s, end_s, target)


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
    store = Storekeeping(journal, ledger, ManualClock(MIDNIGHT_S + 4000), [], JournalSettings())
    await store.roll()
    assert journal.totals(MIDNIGHT_S, MIDNIGHT_S + 3600)[LINK].down_s == 3000.0
    assert store.warnings() == []


async def test_while_the_ledger_is_silent_hours_wait_and_that_is_said(
    journal: SqliteJournal,
) -> None:
    ledger = Silent()
    journal.append([ping(MIDNIGHT_S + 10)])
    store = Storekeeping(journal, ledger, ManualClock(MIDNIGHT_S + 4000), [], JournalSettings())
    await store.roll()
    assert store.warnings() == ["rollups: the ledger is away"]
    ledger.mended = True
    await store.roll()
    assert store.warnings() == []
    assert journal.totals(MIDNIGHT_S, MIDNIGHT_S + 3600)[LINK].sent == 10


async def test_a_backlog_is_told_at_half_and_at_four_fifths_of_the_quota(
    journal: SqliteJournal,
) -> None:
    keep = JournalSettings(max_mb=1)
    clock = ManualClock(MIDNIGHT_S + DAY_S)
    shipper = Harbour().shipper
    store = Storekeeping(journal, MemoryLedger(), clock, [shipper], keep)
    told: list[str] = []
    for place in range(25):
        journal.append(
            [
                ping(MIDNIGHT_S + place * 600 + second / 10, f"site-{second}/utama")
                for second in range(1000)
            ]
        )
        await store.look()
        told += [each for each in store.warnings() if each not in told]
    shares = [int(each.partition("%")[0]) for each in told]
    assert shares == sorted(shares)
    assert 50 <= shares[0] < 80 <= shares[-1]
    clock.advance(2 * DAY_S)
    journal.append([ping(clock.steady_s())])
    await store.prune()
    assert store.lost == 25_000
    await store.look()
    [said] = store.warnings()
    assert said.startswith("25000 samples were thrown away before InfluxDB had them")
