"""Self-alerts: notifies people when a check of the monitor itself fails, and when it is well again.

The outbox rows are the memory: whoever was notified of the failure is notified of its end, after a
restart too. The route that matches `scope = "monitor"` gives the recipients.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

from monitor.alerting.monitor_messages import MonitorMessages
from monitor.core.alerting.model import EventKind, Recipient
from monitor.core.alerting.self_checks import (
    FAILURE_HOLD_S,
    OUTBOX_INCIDENT,
    RECOVERY_HOLD_S,
    SelfCheck,
    SelfCheckReport,
    failed_checks,
)
from monitor.core.errors import LedgerError
from monitor.core.job import Job
from monitor.core.model import Incident, Scope, State
from monitor.core.progress import DaemonProgress

log = logging.getLogger("monitor.alerting.self_alerts")

INTERVAL_S = 10.0


class SelfAlerts:
    """progress: of the daemon. quota_share: of max_mb that waits for InfluxDB, 0 to 1."""

    def __init__(
        self,
        messages: MonitorMessages,
        progress: Callable[[], DaemonProgress],
        quota_share: Callable[[], float],
    ) -> None:
        self._messages = messages
        self._progress = progress
        self._quota_share = quota_share
        self._notified: dict[SelfCheck, SelfCheckReport] | None = None
        self._changed_s: dict[SelfCheck, float] = {}
        self._ledger_error: str | None = None

    def jobs(self) -> list[Job]:
        """The checks, every ten seconds."""
        return [Job("self-alerts", INTERVAL_S, self.check, deadline_s=60)]

    async def check(self) -> None:
        """Notify what began or ended; waits while the ledger cannot be written."""
        try:
            if self._notified is None:
                self._notified = await self._read_notified()
            await self._compare(self._notified)
        except LedgerError as error:
            if self._ledger_error is None:
                log.error("messages about the monitor itself wait for the ledger: %s", error)
            self._ledger_error = str(error)
        else:
            self._ledger_error = None

    async def _compare(self, notified: dict[SelfCheck, SelfCheckReport]) -> None:
        now_s = self._messages.steady_s()
        failed = failed_checks(self._progress(), self._quota_share(), frozenset(notified))
        for check in SelfCheck:
            if (check in failed) == (check in notified):
                self._changed_s.pop(check, None)
                continue
            since_s = self._changed_s.setdefault(check, now_s)
            hold_s = (FAILURE_HOLD_S if check in failed else RECOVERY_HOLD_S)[check]
            if now_s - since_s < hold_s:
                continue
            if check in failed:
                notified[check] = await self._notify_failure(check, since_s)
            else:
                await self._notify_end(notified[check], since_s)
                del notified[check]
            del self._changed_s[check]

    async def _notify_failure(self, check: SelfCheck, since_s: float) -> SelfCheckReport:
        journal = self._progress().journal
        is_journal = check is SelfCheck.JOURNAL
        report = SelfCheckReport(
            check,
            self._messages.utc_s(since_s),
            is_full=is_journal and journal.is_full,
            why=journal.error if is_journal else None,
            share=None if is_journal else self._quota_share(),
        )
        recipients = self._recipients(report)
        if not recipients:
            log.warning("the monitor's own trouble (%s) has no route: nobody is told", check)
        await self._messages.queue(
            *(OUTBOX_INCIDENT[check], _sequence(report.since_s), EventKind.OPENED),
            recipients,
            report,
        )
        return report

    async def _notify_end(self, begun: SelfCheckReport, ended_s: float) -> None:
        number = OUTBOX_INCIDENT[begun.check]
        ended_utc_s = self._messages.utc_s(ended_s)
        rows = await self._messages.rows(number, _sequence(begun.since_s))
        # The last channel tried for each recipient: the channels before it refused for good.
        recipients = {
            row.recipient: Recipient(row.recipient, row.channel)
            for row in rows
            if row.event is EventKind.OPENED
        }
        await self._messages.queue(
            *(number, _sequence(ended_utc_s), EventKind.RESOLVED),
            tuple(recipients.values()),
            SelfCheckReport(begun.check, begun.since_s, ended_utc_s),
        )

    def _recipients(self, report: SelfCheckReport) -> tuple[Recipient, ...]:
        """Of the first step that reaches somebody; maintenance and office hours do not apply."""
        since_s, reason = report.since_s, report.check.value
        scope = Scope.MONITOR
        incident = Incident(0, scope, scope.value, State.UNKNOWN, since_s, since_s, reason)
        routing = self._messages.alerting_state.routing
        route = routing.route(incident)
        for step in () if route is None else route.steps:
            recipients = routing.recipients(step.to, self._messages.now_s())
            if recipients:
                return recipients
        return ()

    async def _read_notified(self) -> dict[SelfCheck, SelfCheckReport]:
        """Failures that were notified before the start and whose end was not."""
        notified = {}
        for check, number in OUTBOX_INCIDENT.items():
            rows = await self._messages.rows(number)
            last = max(rows, key=lambda row: row.id, default=None)
            if last is not None and last.event is EventKind.OPENED:
                notified[check] = SelfCheckReport(check, last.sequence / 1000)
        return notified


def _sequence(at_s: float) -> int:
    """The number of a message: the moment of its event (ms), so that none is stored twice."""
    return round(at_s * 1000)
