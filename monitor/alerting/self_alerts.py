"""Tells people what is the matter with the monitor itself: once when it begins, once when it ends.

The rows of the outbox are the memory: whoever was told of the beginning is told of the end, after
a restart, too. Who that is says the route that takes `scope = "monitor"`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from functools import partial

from monitor.core.alerting.alerting_state import AlertingState
from monitor.core.alerting.model import EventKind, NotificationContext, OutboxRow, Recipient
from monitor.core.alerting.outbox import CODE_CHARACTERS, encode_body
from monitor.core.alerting.ports import AlertLedger
from monitor.core.alerting.reasons import Reason
from monitor.core.alerting.self_checks import (
    FAILURE_HOLD_S,
    OUTBOX_INCIDENT,
    RECOVERY_HOLD_S,
    SelfCheck,
    SelfCheckReport,
    failed_checks,
)
from monitor.core.errors import LedgerError
from monitor.core.executor import Executor
from monitor.core.job import Job
from monitor.core.model import Incident, Scope, State
from monitor.core.ports import Clock
from monitor.core.progress import DaemonProgress

log = logging.getLogger("monitor.alerting.self_alerts")

LOOK_S = 10.0


class SelfAlerts:
    """progress, share: where to look (see core.self_alerts); queued: there is something to send."""

    def __init__(
        self,
        ledger: AlertLedger,
        clock: Clock,
        alerting_state: AlertingState,
        executor: Executor,
        queued: Callable[[], None],
        progress: Callable[[], DaemonProgress],
        share: Callable[[], float],
    ) -> None:
        self._ledger = ledger
        self._clock = clock
        self._alerting_state = alerting_state
        self._executor = executor
        self._queued = queued
        self._progress = progress
        self._share = share
        self._told: dict[SelfCheck, SelfCheckReport] | None = None
        self._changed_s: dict[SelfCheck, float] = {}
        self._trouble: str | None = None

    def jobs(self) -> list[Job]:
        """A look every ten seconds."""
        return [Job("the monitor's own self_alerts", LOOK_S, self.check, deadline_s=60)]

    async def check(self) -> None:
        """What began or ended is told; while the ledger cannot be written it waits."""
        try:
            if self._told is None:
                self._told = await self._executor(self._remembered)
            await self._compare(self._told)
        except LedgerError as error:
            if self._trouble is None:
                log.error("messages about the monitor itself wait for the ledger: %s", error)
            self._trouble = str(error)
        else:
            self._trouble = None

    async def _compare(self, told: dict[SelfCheck, SelfCheckReport]) -> None:
        now_s = self._clock.steady_s()
        present = failed_checks(self._progress(), self._share(), frozenset(told))
        for plight in SelfCheck:
            if (plight in present) == (plight in told):
                self._changed_s.pop(plight, None)
                continue
            since_s = self._changed_s.setdefault(plight, now_s)
            wait_s = (FAILURE_HOLD_S if plight in present else RECOVERY_HOLD_S)[plight]
            if now_s - since_s < wait_s:
                continue
            if plight in present:
                told[plight] = await self._begin(plight, since_s)
            else:
                await self._end(told[plight], since_s)
                del told[plight]
            del self._changed_s[plight]

    async def _begin(self, plight: SelfCheck, since_s: float) -> SelfCheckReport:
        progress = self._progress()
        is_journal = plight is SelfCheck.JOURNAL
        told = SelfCheckReport(
            plight,
            self._utc_s(since_s),
            is_full=is_journal and progress.journal.is_full,
            why=progress.journal.error if is_journal else None,
            share=None if is_journal else self._share(),
        )
        recipients = self._recipients(told)
        if not recipients:
            log.warning("the monitor's own trouble (%s) has no route: nobody is told", plight)
        await self._send(told, EventKind.OPENED, recipients)
        return told

    async def _end(self, told: SelfCheckReport, ended_s: float) -> None:
        ended = SelfCheckReport(told.check, told.since_s, self._utc_s(ended_s))
        rows = await self._executor(
            partial(self._ledger.outbox, incident=OUTBOX_INCIDENT[told.check])
        )
        first = _sequence(told.since_s)
        heard = [row for row in rows if row.sequence == first and row.event is EventKind.OPENED]
        # The last channel that was tried for each: the others refused for good.
        recipients = {row.recipient: Recipient(row.recipient, row.channel) for row in heard}
        await self._send(ended, EventKind.RESOLVED, tuple(recipients.values()))

    async def _send(
        self, told: SelfCheckReport, event: EventKind, recipients: Sequence[Recipient]
    ) -> None:
        at_s = told.since_s if told.ended_s is None else told.ended_s
        rows = [self._row(told, event, _sequence(at_s), recipient) for recipient in recipients]
        if rows:
            await self._executor(partial(self._ledger.record, [], rows))
            self._queued()

    def _row(
        self, told: SelfCheckReport, event: EventKind, sequence: int, recipient: Recipient
    ) -> OutboxRow:
        now_s = self._utc_s(self._clock.steady_s())
        limits = [
            c.most_characters
            for c in self._alerting_state.alerts.channels
            if c.id == recipient.channel
        ]
        occasion = NotificationContext(
            event=event,
            reason=Reason.FIRST_NOTICE if event is EventKind.OPENED else Reason.RESOLVED,
            incidents=(),
            recipient=recipient,
            language=self._alerting_state.routing.language(recipient),
            at_s=now_s,
            most_characters=(limits[0] if limits else 4000) - CODE_CHARACTERS,
            self_check=told,
        )
        return OutboxRow(
            incident=OUTBOX_INCIDENT[told.check],
            sequence=sequence,
            channel=recipient.channel,
            recipient=recipient.name,
            event=event,
            body=encode_body(self._alerting_state.message_writer.write(occasion), []),
            next_try_s=now_s,
        )

    def _recipients(self, told: SelfCheckReport) -> tuple[Recipient, ...]:
        """Of the first step that reaches somebody; maintenance and office hours hold nothing up."""
        at_s = told.since_s
        like = Incident(
            0, Scope.MONITOR, Scope.MONITOR.value, State.UNKNOWN, at_s, at_s, told.check.value
        )
        route = self._alerting_state.routing.route(like)
        for step in () if route is None else route.steps:
            recipients = self._alerting_state.routing.recipients(
                step.to, self._utc_s(self._clock.steady_s())
            )
            if recipients:
                return recipients
        return ()

    def _remembered(self) -> dict[SelfCheck, SelfCheckReport]:
        """What was told before the start and whose end was not."""
        told = {}
        for plight, number in OUTBOX_INCIDENT.items():
            rows = self._ledger.outbox(incident=number)
            last = max(rows, key=lambda row: row.id, default=None)
            if last is not None and last.event is EventKind.OPENED:
                told[plight] = SelfCheckReport(plight, last.sequence / 1000)
        return told

    def _utc_s(self, steady_s: float) -> float:
        return round(self._clock.utc_s(steady_s), 3)


def _sequence(at_s: float) -> int:
    """Messages are numbered by the moment that they tell of: none is there twice."""
    return round(at_s * 1000)
