"""The part of the ledger that alerting needs: outbox, policy decisions, actions, windows.

Only the daemon writes, on one connection; any process may read. Times are UTC seconds. Every call
raises LedgerError and nothing else, and then nothing of that call is stored.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Protocol

from monitor.core.alerting.given_out import GivenOut
from monitor.core.alerting.model import (
    DeliveryBatch,
    IncidentAction,
    MaintenanceWindow,
    OutboxRow,
    OutboxStatus,
    PolicyDecision,
)
from monitor.core.ledger_identity import LedgerIdentity
from monitor.core.model import Decision, Incident
from monitor.core.paths.ports import PathReader, PathStore
from monitor.core.ports import Ledger, LedgerReader


class AlertReader(LedgerReader, PathReader, Protocol):
    """Read-only queries."""

    def identity(self) -> LedgerIdentity: ...

    def actions(
        self, incidents: Collection[int] | None = None, *, since_s: float | None = None
    ) -> list[IncidentAction]:
        """Oldest first; of these incidents (None: of all)."""
        ...

    def policy_decisions(
        self, incidents: Collection[int] | None = None, *, since_s: float | None = None
    ) -> list[PolicyDecision]:
        """Oldest first; of these incidents (None: of all)."""
        ...

    def incident(self, number: int) -> Incident | None:
        """None: there is no such incident."""
        ...

    def outbox_row(self, number: int) -> OutboxRow | None:
        """None: there is no such row."""
        ...

    def undecided_closings(self) -> list[Incident]:
        """Ended and notified incidents without a decision about their closing, by ascending id.

        Normally empty; a kill -9 at a bad moment leaves some.
        """
        ...

    def windows(self, start_s: float, end_s: float) -> list[MaintenanceWindow]:
        """Those in force at some moment of [start, end), by start."""
        ...

    def waiting_openings(self, before_s: float) -> list[OutboxRow]:
        """Unsent openings queued at `before_s` or earlier that no later channel has; by id."""
        ...

    def outbox(
        self,
        status: OutboxStatus | None = None,
        *,
        incident: int | None = None,
        limit: int | None = None,
    ) -> list[OutboxRow]:
        """By ascending id. limit: only the newest so many."""
        ...


class GivenOutStore(Protocol):
    """The highest numbers in messages sent from memory; can be written on a full disk.

    Both raise OSError.
    """

    def load(self) -> GivenOut:
        """What was saved last; nothing: zeros."""
        ...

    def save(self, numbers: GivenOut) -> None:
        """Keep them through a kill."""
        ...


class AlertLedger(AlertReader, Ledger, PathStore, Protocol):
    """Queries and writes."""

    def record(
        self,
        decisions: Sequence[Decision],
        outbox: Sequence[OutboxRow] = (),
        policy_decisions: Sequence[PolicyDecision] = (),
    ) -> None:
        """Store decisions of the detector and what follows from them in one synced transaction.

        Idempotent: a row with known incident, sequence, channel and recipient, and an equal
        policy decision, are passed over. A row that comes as sent or dead (it was sent from
        memory) also replaces a pending one with its key.
        """
        ...

    def add_action(self, action: IncidentAction) -> IncidentAction:
        """Append; returned with its id. Refused for an unknown incident."""
        ...

    def add_window(self, window: MaintenanceWindow) -> MaintenanceWindow:
        """Store a window; returned with its id."""
        ...

    def end_window(self, window: int, at_s: float, who: str) -> MaintenanceWindow:
        """End a window early, once. Refused when there is none, or it has ended."""
        ...

    def lease(self, channel: str, now_s: float, lease_s: float, limit: int) -> list[DeliveryBatch]:
        """Lease the due rows of a channel (see `outbox.due_batches`) for `lease_s` seconds.

        At most one batch of an incident. Rows whose lease expired (a crash) are due again.
        Counts an attempt.
        """
        ...

    def mark_sent(self, row: int, replaced: Collection[int], at_s: float) -> None:
        """The channel accepted `row`; the replaced ones are sent, too (`merged_into` it)."""
        ...

    def reschedule(self, rows: Collection[int], why: str, next_try_s: float) -> None:
        """Pending again until `next_try_s`. why: without secrets."""
        ...

    def release(self, rows: Collection[int]) -> None:
        """Leased but not sent: due again at once, and the attempt does not count."""
        ...

    def release_all(self) -> int:
        """At the start: rows that an ended process had leased are due; returns how many.

        Only when no other process sends: the lock of the data directory shows that.
        """
        ...

    def release_waiting(self, channel: str, but: Collection[int], now_s: float) -> int:
        """The channel works again: its rows that wait for a retry are due now, `but` for these.

        Returns how many.
        """
        ...

    def mark_dead(
        self,
        rows: Collection[int],
        why: str,
        instead: Sequence[OutboxRow] = (),
        policy_decisions: Sequence[PolicyDecision] = (),
    ) -> None:
        """Give up. why: without secrets. instead: the same messages on the next channel.

        policy_decisions: why they go there.
        """
        ...

    def retry(self, row: int, now_s: float) -> OutboxRow:
        """Make a dead row pending. Refused when there is none, or it is not dead."""
        ...
