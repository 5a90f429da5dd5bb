"""Self-alerts: notifies people when a check of the monitor itself fails, and when it is well again.

The outbox rows are the memory: whoever was notified of the failure is notified of its end, after a
restart too. The route that matches `scope = "monitor"` gives the recipients. The messages take the
same way as those about incidents, so that a full disk does not hold them back.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterable
from dataclasses import replace

from monitor.alerting.monitor_messages import MonitorMessages
from monitor.core.alerting.model import EventKind, Recipient
from monitor.core.alerting.self_checks import (
    FAILURE_HOLD_S,
    OUTBOX_INCIDENT,
    RECOVERY_HOLD_S,
    CheckKey,
    SelfCheck,
    SelfCheckReport,
    store_failures,
)
from monitor.core.alerting.unrecorded import UnrecordedMessages
from monitor.core.errors import LedgerError
from monitor.core.job import Job
from monitor.core.model import Incident, Scope, State
from monitor.core.progress import DaemonProgress

log = logging.getLogger("monitor.alerting.self_alerts")

INTERVAL_S = 10.0
UNRECORDED_S = 120.0
"""For so long the ledger may fail before it is asked whether somebody has heard of it."""

Failures = Callable[[Collection[CheckKey]], Iterable[SelfCheckReport]]
"""The checks that fail now. Called with those that were notified, for hysteresis."""


class SelfAlerts:
    """progress: of the daemon. quota_share: of max_mb that waits for InfluxDB, 0 to 1.

    unrecorded: knows what was accepted by a channel. others: further checks.
    """

    def __init__(
        self,
        messages: MonitorMessages,
        progress: Callable[[], DaemonProgress],
        quota_share: Callable[[], float],
        unrecorded: UnrecordedMessages,
        others: Failures = lambda _: (),
    ) -> None:
        self._messages = messages
        self._progress = progress
        self._quota_share = quota_share
        self._unrecorded = unrecorded
        self._others = others
        self._notified: dict[CheckKey, SelfCheckReport] = {}
        self._recipients: dict[CheckKey, tuple[Recipient, ...]] = {}
        self._changed_s: dict[CheckKey, float] = {}
        self._is_restored = False

    def jobs(self) -> list[Job]:
        """The checks, every ten seconds."""
        return [Job("self-alerts", INTERVAL_S, self.check, deadline_s=60)]

    async def check(self) -> None:
        """Notify what began or ended."""
        if not self._is_restored:
            await self._restore()
        now_s = self._messages.steady_s()
        notified = self._notified
        failing = {
            report.key: report
            for report in (
                *store_failures(self._progress(), self._quota_share(), notified.keys()),
                *self._others(notified.keys()),
            )
        }
        for key in [*failing, *(key for key in notified if key not in failing)]:
            if (key in failing) == (key in notified):
                self._changed_s.pop(key, None)
                continue
            since_s = self._changed_s.setdefault(key, now_s)
            hold_s = (FAILURE_HOLD_S if key in failing else RECOVERY_HOLD_S)[key.check]
            if now_s - since_s < hold_s:
                continue
            if key in failing:
                self._notify_failure(failing[key], since_s)
            else:
                await self._notify_end(notified.pop(key), since_s)
            del self._changed_s[key]
        for key in [key for key in self._changed_s if key not in failing and key not in notified]:
            del self._changed_s[key]  # it was over within the hold

    def is_ledger_trouble_known(self) -> bool:
        """False: the ledger has failed for 2 min, and no channel has accepted a message about it.

        Then only the silence of the heartbeat can tell somebody.
        """
        ledger = self._progress().ledger
        since_s = ledger.error_since_s
        if since_s is None or self._messages.steady_s() - since_s < UNRECORDED_S:
            return True
        report = self._notified.get(CheckKey(SelfCheck.LEDGER))
        return report is not None and self._unrecorded.was_accepted(
            report.key.outbox_number, _sequence(report.since_s)
        )

    def _notify_failure(self, found: SelfCheckReport, since_s: float) -> None:
        report = replace(found, since_s=self._messages.utc_s(since_s))
        recipients = self._find_recipients(report)
        if not recipients:
            log.warning("the monitor's own trouble (%s) has no route: nobody is told", report.check)
        self._messages.put(
            *(report.key.outbox_number, _sequence(report.since_s), EventKind.OPENED),
            recipients,
            report,
        )
        self._notified[report.key] = report
        self._recipients[report.key] = recipients

    async def _notify_end(self, begun: SelfCheckReport, ended_s: float) -> None:
        number = begun.key.outbox_number
        ended_utc_s = self._messages.utc_s(ended_s)
        recipients = {each.name: each for each in self._recipients.pop(begun.key, ())}
        try:
            rows = await self._messages.rows(number, _sequence(begun.since_s))
        except LedgerError:
            rows = []
        # The last channel tried for each recipient: the channels before it refused for good.
        recipients |= {
            row.recipient: Recipient(row.recipient, row.channel)
            for row in rows
            if row.event is EventKind.OPENED
        }
        self._messages.put(
            *(number, _sequence(ended_utc_s), EventKind.RESOLVED),
            tuple(recipients.values()),
            SelfCheckReport(begun.check, begun.since_s, ended_utc_s, subject=begun.subject),
        )

    def _find_recipients(self, report: SelfCheckReport) -> tuple[Recipient, ...]:
        """Of the first step that reaches somebody; maintenance and office hours do not apply.

        What is wrong with a channel goes by other channels: of the recipient, else of anybody.
        """
        since_s, reason = report.since_s, report.check.value
        scope = Scope.MONITOR
        incident = Incident(0, scope, scope.value, State.UNKNOWN, since_s, since_s, reason)
        routing = self._messages.alerting_state.routing
        route = routing.route(incident)
        avoided = report.subject if report.check is SelfCheck.CHANNEL else None
        for step in () if route is None else route.steps:
            found = [
                Recipient(each.name, channel)
                for each in routing.recipients(step.to, self._messages.now_s())
                for channel in [c for c in routing.channels(each.name) if c != avoided][:1]
            ]
            if found:
                return tuple(found)
        if avoided is None:
            return ()
        channels = self._messages.alerting_state.alerts.channels
        return tuple(
            Recipient(f"channel:{each.id}", each.id) for each in channels if each.id != avoided
        )

    async def _restore(self) -> None:
        """Read which failures were notified before the start and whose end was not."""
        channels = self._messages.alerting_state.alerts.channels
        keys = [CheckKey(check) for check in OUTBOX_INCIDENT if check is not SelfCheck.CHANNEL]
        keys += [CheckKey(SelfCheck.CHANNEL, each.id) for each in channels]
        try:
            for key in keys:
                rows = await self._messages.rows(key.outbox_number)
                last = max(rows, key=lambda row: row.id, default=None)
                if last is not None and last.event is EventKind.OPENED:
                    since_s = last.sequence / 1000
                    report = SelfCheckReport(key.check, since_s, subject=key.subject)
                    self._notified.setdefault(key, report)
        except LedgerError as error:
            log.warning("earlier messages about the monitor itself are not known: %s", error)
        else:
            self._is_restored = True


def _sequence(at_s: float) -> int:
    """The number of a message: the moment of its event (ms), so that none is stored twice."""
    return round(at_s * 1000)
