"""What alerting needs of the outside world, beside `core.ports`; adapters and fakes implement it.

The ledger keeps four things more: the outbox (messages on their way), notices (every yes and no,
with its reason), actions (what people did about an incident) and maintenance windows. All of them
are written by the daemon alone, on its one connection; readers ask read-only.

Times in the ledger are UTC seconds. Everything raises LedgerError and nothing else, and after a
LedgerError nothing of that call is stored.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Protocol

from monitor.core.alerting.model import (
    DeliveryBatch,
    IncidentAction,
    MaintenanceWindow,
    OutboxRow,
    OutboxStatus,
    PolicyDecision,
)
from monitor.core.model import Decision, Incident
from monitor.core.ports import Ledger, LedgerReader


class AlertReader(LedgerReader, Protocol):
    """Questions about alerts; any process may ask, read-only."""

    def actions(
        self, incidents: Collection[int] | None = None, *, since_s: float | None = None
    ) -> list[IncidentAction]:
        """In the order in which they were done; of these incidents (None: of all)."""
        ...

    def policy_decisions(
        self, incidents: Collection[int] | None = None, *, since_s: float | None = None
    ) -> list[PolicyDecision]:
        """In the order in which they were decided; of these incidents (None: of all)."""
        ...

    def incident(self, number: int) -> Incident | None:
        """The incident of that number."""
        ...

    def outbox_row(self, number: int) -> OutboxRow | None:
        """The message of that number."""
        ...

    def undecided_closings(self) -> list[Incident]:
        """Over, and somebody was told of them, but nothing was decided about their closing.

        By ascending id. Normally empty; a kill -9 at a bad moment leaves some.
        """
        ...

    def windows(self, start_s: float, end_s: float) -> list[MaintenanceWindow]:
        """Those in force at some moment of [start, end), by start; ended early: until then."""
        ...

    def outbox(
        self,
        status: OutboxStatus | None = None,
        *,
        incident: int | None = None,
        limit: int | None = None,
    ) -> list[OutboxRow]:
        """By ascending id; limit: the newest so many."""
        ...


class AlertLedger(AlertReader, Ledger, Protocol):
    """The one writer."""

    def record(
        self,
        decisions: Sequence[Decision],
        outbox: Sequence[OutboxRow] = (),
        policy_decisions: Sequence[PolicyDecision] = (),
    ) -> None:
        """All of a judgement and all that follows from it, in ONE synced transaction.

        Idempotent as before: a row with the same incident, sequence, channel and recipient, and a
        notice that is the same word for word, are passed over.
        """
        ...

    def add_action(self, action: IncidentAction) -> IncidentAction:
        """Append what somebody did; returned with its id. Refused for an unknown incident."""
        ...

    def add_window(self, window: MaintenanceWindow) -> MaintenanceWindow:
        """Keep a maintenance window made by hand; returned with its id."""
        ...

    def end_window(self, window: int, at_s: float, who: str) -> MaintenanceWindow:
        """End a window early, once. Refused when there is none, or it is over already."""
        ...

    def lease(self, channel: str, now_s: float, lease_s: float, limit: int) -> list[DeliveryBatch]:
        """Take what is due on a channel, for `lease_s` seconds; `core.outbox.choose` says what.

        First in, first out for an incident: at most one parcel of each. Rows whose lease ran out
        (a crash) are due again. Counts an attempt.
        """
        ...

    def mark_sent(self, row: int, replaced: Collection[int], at_s: float) -> None:
        """The channel accepted `row`; the replaced ones are sent with it (`merged_into`)."""
        ...

    def reschedule(self, rows: Collection[int], why: str, next_try_s: float) -> None:
        """Not now: pending again until `next_try_s`. why: without secrets."""
        ...

    def release(self, rows: Collection[int]) -> None:
        """Leased, but not tried after all: due again at once, and the attempt does not count."""
        ...

    def mark_dead(self, rows: Collection[int], why: str, instead: Sequence[OutboxRow] = ()) -> None:
        """Never: kept for people to see. instead: the same messages on the next channel."""
        ...

    def retry(self, row: int, now_s: float) -> OutboxRow:
        """A person wants a dead row tried again. Refused when there is none, or it is not dead."""
        ...
