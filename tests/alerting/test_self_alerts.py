"""The monitor's own self_alerts: told once at their beginning, once at their end."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from monitor.alerting.monitor_messages import MonitorMessages
from monitor.alerting.self_alerts import INTERVAL_S, SelfAlerts
from monitor.core.alerting.alerting_state import AlertingState
from monitor.core.alerting.model import EventKind, OutboxRow
from monitor.core.alerting.self_checks import OUTBOX_INCIDENT, SelfCheck
from monitor.core.alerting.settings import AlertSettings
from monitor.core.errors import LedgerError
from monitor.core.progress import DaemonProgress
from tests.core.alerting.scenario import ALERTS, NET
from tests.dispatcher_rig import run_inline
from tests.fakes.clock import ManualClock
from tests.fakes.ledger import MemoryLedger

FULL = "the disk of the journal is full"


class House:
    """A plight keeper on a ledger in memory; `looks` lets time pass."""

    def __init__(self, alerts: AlertSettings = ALERTS) -> None:
        self.clock = ManualClock()
        self.ledger = MemoryLedger()
        self.progress = DaemonProgress()
        self.share = 0.0
        self.queued = 0
        self.alerting_state = AlertingState(alerts, NET)
        self.restart()

    def restart(self) -> None:
        self.self_alerts = SelfAlerts(
            MonitorMessages(self.ledger, self.clock, self.alerting_state, run_inline, self._queue),
            lambda: self.progress,
            lambda: self.share,
        )

    def _queue(self) -> None:
        self.queued += 1

    async def looks(self, for_s: float) -> None:
        for _ in range(int(for_s / INTERVAL_S)):
            self.clock.advance(INTERVAL_S)
            await self.self_alerts.check()

    def rows(self, plight: SelfCheck = SelfCheck.JOURNAL) -> list[OutboxRow]:
        return self.ledger.outbox(incident=OUTBOX_INCIDENT[plight])

    def said(self, plight: SelfCheck = SelfCheck.JOURNAL) -> list[tuple[str, EventKind]]:
        return [(row.recipient, row.event) for row in self.rows(plight)]

    def titles(self, plight: SelfCheck = SelfCheck.JOURNAL) -> list[str]:
        return [json.loads(row.body)["title"].partition(",")[0] for row in self.rows(plight)]


BOTH = [("ani", EventKind.OPENED), ("channel:hook", EventKind.OPENED)]
BOTH_OVER = [("ani", EventKind.RESOLVED), ("channel:hook", EventKind.RESOLVED)]


async def test_a_failing_journal_is_notified_once_and_its_end_once() -> None:
    house = House()
    await house.looks(60)
    house.progress.journal.error, house.progress.journal.is_full = FULL, True
    await house.looks(110)
    assert house.said() == BOTH
    await house.looks(3600)
    assert house.said() == BOTH, "once"
    house.progress.journal.error = None
    await house.looks(120)
    assert house.said() == BOTH + BOTH_OVER
    await house.looks(600)
    assert house.said() == BOTH + BOTH_OVER
    assert house.titles() == [
        *["DISK PEMANTAU PENUH: sampel tidak disimpan"] * 2,
        *["PULIH: pemantau menyimpan sampel lagi"] * 2,
    ]
    assert house.queued == 2


async def test_a_short_failure_is_not_notified() -> None:
    house = House()
    house.progress.journal.error = "locked"
    await house.looks(20)
    house.progress.journal.error = None
    await house.looks(600)
    assert house.said() == []


async def test_a_journal_that_fails_on_and_off_is_one_failure() -> None:
    house = House()
    for _ in range(10):
        house.progress.journal.error = "the disk is odd"
        await house.looks(50)
        house.progress.journal.error = None
        await house.looks(30)
    assert house.said() == BOTH


async def test_the_quota_is_notified_once_at_80_percent_with_hysteresis() -> None:
    house = House()
    for share in (0.5, 0.79, 0.81, 0.79, 0.82, 0.78, 0.9):
        house.share = share
        await house.looks(60)
    assert house.said(SelfCheck.QUOTA) == BOTH
    assert house.titles(SelfCheck.QUOTA)[0].startswith("PENYIMPANAN PEMANTAU 81 % PENUH")
    house.share = 0.7
    await house.looks(60)
    assert house.said(SelfCheck.QUOTA) == BOTH + BOTH_OVER
    assert house.said(SelfCheck.JOURNAL) == []


async def test_a_restart_repeats_nothing_and_the_end_is_still_notified() -> None:
    house = House()
    house.progress.journal.error = FULL
    await house.looks(60)
    house.restart()
    await house.looks(600)
    assert house.said() == BOTH
    house.restart()
    house.progress.journal.error = None
    await house.looks(120)
    assert house.said() == BOTH + BOTH_OVER
    house.restart()
    await house.looks(120)
    assert house.said() == BOTH + BOTH_OVER


async def test_messages_wait_while_the_ledger_cannot_be_written(
    caplog: pytest.LogCaptureFixture,
) -> None:
    house = House()
    house.progress.journal.error = FULL
    house.ledger.trouble = LedgerError("the disk is full")
    await house.looks(120)
    assert len(caplog.messages) == 1
    house.ledger.trouble = None
    await house.looks(60)
    assert house.said() == BOTH


async def test_without_a_route_nobody_is_notified_and_one_line_is_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    house = House(replace(ALERTS, routes=()))
    house.progress.journal.error = FULL
    await house.looks(600)
    house.progress.journal.error = None
    await house.looks(600)
    assert house.said() == []
    assert ["no route" in line for line in caplog.messages] == [True]


async def test_the_message_is_in_the_language_of_the_recipient() -> None:
    house = House(replace(ALERTS, people=(replace(ALERTS.people[0], language="en"),)))
    house.progress.journal.error = "the journal is damaged"
    await house.looks(60)
    text = json.loads(house.rows()[0].body)["text"]
    assert text.startswith("THE MONITOR CANNOT KEEP SAMPLES, since")
    assert "outages are still told" in text
    assert "the journal is damaged" in text
