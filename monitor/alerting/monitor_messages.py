"""Outbox rows that belong to no incident: messages about the monitor itself, and channel tests."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from functools import partial

from monitor.core.alerting.alerting_state import AlertingState
from monitor.core.alerting.model import EventKind, NotificationContext, OutboxRow, Recipient
from monitor.core.alerting.outbox import CODE_CHARACTERS, encode_body
from monitor.core.alerting.ports import AlertLedger
from monitor.core.alerting.reasons import Reason
from monitor.core.alerting.self_checks import SelfCheckReport
from monitor.core.executor import Executor
from monitor.core.ports import Clock

log = logging.getLogger("monitor.alerting.monitor_messages")

_REASONS = {
    EventKind.TEST: Reason.TEST,
    EventKind.OPENED: Reason.FIRST_NOTICE,
    EventKind.RESOLVED: Reason.RESOLVED,
}


class MonitorMessages:
    """Words and queues such messages. on_queued: called when the outbox has new rows.

    put_rows: queues rows for the ledger, behind everything that waits for it.
    """

    def __init__(
        self,
        ledger: AlertLedger,
        clock: Clock,
        alerting_state: AlertingState,
        executor: Executor,
        on_queued: Callable[[], None],
        put_rows: Callable[[Sequence[OutboxRow]], None],
    ) -> None:
        self.alerting_state = alerting_state
        self._ledger = ledger
        self._clock = clock
        self._executor = executor
        self._on_queued = on_queued
        self._put_rows = put_rows

    def now_s(self) -> float:
        """The present time (Unix seconds), to the millisecond."""
        return self.utc_s(self._clock.steady_s())

    def utc_s(self, steady_s: float) -> float:
        """A steady moment in Unix seconds, to the millisecond."""
        return round(self._clock.utc_s(steady_s), 3)

    def steady_s(self) -> float:
        return self._clock.steady_s()

    async def rows(self, number: int, sequence: int | None = None) -> list[OutboxRow]:
        """The rows stored under that number (in place of an incident's), by id."""
        stored = await self._executor(partial(self._ledger.outbox, incident=number))
        return [row for row in stored if sequence is None or row.sequence == sequence]

    async def queue(
        self,
        number: int,
        sequence: int,
        event: EventKind,
        recipients: Sequence[Recipient],
    ) -> None:
        """Store one message for each recipient. Raises LedgerError.

        number: stands in place of an incident's id. sequence: a message that is stored already
        under this number, sequence and recipient is not stored again.
        """
        if not recipients:
            return
        rows = [self._row(number, sequence, event, each, None) for each in recipients]
        await self._executor(partial(self._ledger.record, [], rows))
        self._on_queued()

    def put(
        self,
        number: int,
        sequence: int,
        event: EventKind,
        recipients: Sequence[Recipient],
        report: SelfCheckReport,
    ) -> None:
        """Queue one message for each recipient; sent from memory while the ledger fails."""
        if recipients:
            rows = [self._row(number, sequence, event, each, report) for each in recipients]
            self._put_rows(rows)

    def _row(
        self,
        number: int,
        sequence: int,
        event: EventKind,
        recipient: Recipient,
        report: SelfCheckReport | None,
    ) -> OutboxRow:
        now_s = self.now_s()
        routing = self.alerting_state.routing
        context = NotificationContext(
            event=event,
            reason=_REASONS[event],
            incidents=(),
            recipient=recipient,
            language=routing.language(recipient),
            at_s=now_s,
            most_characters=routing.most_characters(recipient.channel) - CODE_CHARACTERS,
            self_check=report,
        )
        wording = self.alerting_state.message_writer.write(context)
        if wording.error is not None:
            log.error("a plain text stands for a message that cannot be worded: %s", wording.error)
        return OutboxRow(
            incident=number,
            sequence=sequence,
            channel=recipient.channel,
            recipient=recipient.name,
            event=event,
            body=encode_body(wording, []),
            next_try_s=now_s,
            ledger=self.alerting_state.ledger.value,
        )
