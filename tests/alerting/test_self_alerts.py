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


class SelfAlertsRig:
    """A check keeper on a ledger in memory; `looks` lets time pass."""

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

    def rows(self, check: SelfCheck = SelfCheck.JOURNAL) -> list[OutboxRow]:
        return self.ledger.outbox(incident=OUTBOX_INCIDENT[check])

    def messages(self, check: SelfCheck = SelfCheck.JOURNAL) -> list[tuple[str, EventKind]]:
        return [(row.recipient, row.event) for row in self.rows(check)]

    def titles(self, check: SelfCheck = SelfCheck.JOURNAL) -> list[str]:
        return [json.loads(row.body)["title"].partition(",")[0] for row in self.rows(check)]


BOTH = [("ani", EventKind.OPENED), ("channel:hook", EventKind.OPENED)]
BOTH_OVER = [("ani", EventKind.RESOLVED), ("channel:hook", EventKind.RESOLVED)]


async def test_a_failing_journal_is_notified_once_and_its_end_once() -> None:
    rig = SelfAlertsRig()
    await rig.looks(60)
    rig.progress.journal.error, rig.progress.journal.is_full = FULL, True
    await rig.looks(110)
    assert rig.messages() == BOTH
    await rig.looks(3600)
    assert rig.messages() == BOTH, "once"
    rig.progress.journal.error = None
    await rig.looks(120)
    assert rig.messages() == BOTH + BOTH_OVER
    await rig.looks(600)
    assert rig.messages() == BOTH + BOTH_OVER
    assert rig.titles() == [
        *["DISK PEMANTAU PENUH: sampel tidak disimpan"] * 2,
        *["PULIH: pemantau menyimpan sampel lagi"] * 2,
    ]
    assert rig.queued == 2


async def test_a_short_failure_is_not_notified() -> None:
    rig = SelfAlertsRig()
    rig.progress.journal.error = "locked"
    await rig.looks(20)
    rig.progress.journal.error = None
    await rig.looks(600)
    assert rig.messages() == []


async def test_a_journal_that_fails_on_and_off_is_one_failure() -> None:
    rig = SelfAlertsRig()
    for _ in range(10):
        rig.progress.journal.error = "the disk is odd"
        await rig.looks(50)
        rig.progress.journal.error = None
        await rig.looks(30)
    assert rig.messages() == BOTH


async def test_the_quota_is_notified_once_at_80_percent_with_hysteresis() -> None:
    rig = SelfAlertsRig()
    for share in (0.5, 0.79, 0.81, 0.79, 0.82, 0.78, 0.9):
        rig.share = share
        await rig.looks(60)
    assert rig.messages(SelfCheck.QUOTA) == BOTH
    assert rig.titles(SelfCheck.QUOTA)[0].startswith("PENYIMPANAN PEMANTAU 81 % PENUH")
    rig.share = 0.7
    await rig.looks(60)
    assert rig.messages(SelfCheck.QUOTA) == BOTH + BOTH_OVER
    assert rig.messages(SelfCheck.JOURNAL) == []


async def test_a_restart_repeats_nothing_and_the_end_is_still_notified() -> None:
    rig = SelfAlertsRig()
    rig.progress.journal.error = FULL
    await rig.looks(60)
    rig.restart()
    await rig.looks(600)
    assert rig.messages() == BOTH
    rig.restart()
    rig.progress.journal.error = None
    await rig.looks(120)
    assert rig.messages() == BOTH + BOTH_OVER
    rig.restart()
    await rig.looks(120)
    assert rig.messages() == BOTH + BOTH_OVER


async def test_messages_wait_while_the_ledger_cannot_be_written(
    caplog: pytest.LogCaptureFixture,
) -> None:
    rig = SelfAlertsRig()
    rig.progress.journal.error = FULL
    rig.ledger.trouble = LedgerError("the disk is full")
    await rig.looks(120)
    assert len(caplog.messages) == 1
    rig.ledger.trouble = None
    await rig.looks(60)
    assert rig.messages() == BOTH


async def test_without_a_route_nobody_is_notified_and_one_line_is_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    rig = SelfAlertsRig(replace(ALERTS, routes=()))
    rig.progress.journal.error = FULL
    await rig.looks(600)
    rig.progress.journal.error = None
    await rig.looks(600)
    assert rig.messages() == []
    assert ["no route" in line for line in caplog.messages] == [True]


async def test_the_message_is_in_the_language_of_the_recipient() -> None:
    rig = SelfAlertsRig(replace(ALERTS, people=(replace(ALERTS.people[0], language="en"),)))
    rig.progress.journal.error = "the journal is damaged"
    await rig.looks(60)
    text = json.loads(rig.rows()[0].body)["text"]
    assert text.startswith("THE MONITOR CANNOT KEEP SAMPLES, since")
    assert "outages are still told" in text
    assert "the journal is damaged" in text
