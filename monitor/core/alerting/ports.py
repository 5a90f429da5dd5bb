"""What alerting needs of the outside world, beside `core.ports`; adapters and fakes implement it.

The ledger keeps four things more: the outbox (messages on their way), notices (every yes and no,
with its reason), actions (what people did about an incident) and maintenance windows. All of them
are written by the daemon alone, on its one connection; readers ask read-only.

Times in the ledger are UTC seconds. Everything raises LedgerError and nothing else, and after a
LedgerError nothing of that call is stored.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

from monitor.core.alerting.model import (
    EventKind,
    IncidentAction,
    MaintenanceWindow,
    OutboxRow,
    OutboxStatus,
    Route,
)
from monitor.core.alerting.reasons import Reason
from monitor.core.alerting.self_checks import SelfCheckReport
from monitor.core.model import Decision, Incident
from monitor.core.ports import Ledger, LedgerReader


@dataclass(frozen=True, slots=True)
class Recipient:
    """One way to one receiver. name: a person's id, or `channel:<id>` where a route names one."""

    name: str
    channel: str


@dataclass(frozen=True, slots=True)
class PolicyDecision:
    """One yes or no about one incident: "why was I (not) called?" has its answer here.

    told: yes. recipient, channel: who was told, by which way; None where it was a no for all.
    thread: the incident under which the messages run (a group: its first one); sequence: which of
    that thread's messages this was; None for a no. step: the escalation step (0 is the first).
    """

    incident: int
    at_s: float
    event: EventKind
    told: bool
    reason: Reason
    recipient: str | None = None
    channel: str | None = None
    thread: int | None = None
    sequence: int | None = None
    step: int | None = None


@dataclass(frozen=True, slots=True)
class DeliveryBatch:
    """What goes out as one: `row`, and rows that it makes needless (an opening whose end is here).

    All of them are marked together.
    """

    row: OutboxRow
    replaced: tuple[OutboxRow, ...] = ()

    @property
    def ids(self) -> tuple[int, ...]:
        """The ids of all its rows."""
        return (self.row.id, *(row.id for row in self.replaced))


class AlertReader(LedgerReader, Protocol):
    """Questions about alerts; any process may ask, read-only."""

    def actions(
        self, incidents: Collection[int] | None = None, *, since_s: float | None = None
    ) -> list[IncidentAction]:
        """In the order in which they were done; of these incidents (None: of all)."""
        ...

    def notices(
        self, incidents: Collection[int] | None = None, *, since_s: float | None = None
    ) -> list[PolicyDecision]:
        """In the order in which they were decided; of these incidents (None: of all)."""
        ...

    def incident(self, number: int) -> Incident | None:
        """The incident of that number."""
        ...

    def message(self, number: int) -> OutboxRow | None:
        """The message of that number."""
        ...

    def owed(self) -> list[Incident]:
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
        notices: Sequence[PolicyDecision] = (),
    ) -> None:
        """All of a judgement and all that follows from it, in ONE synced transaction.

        Idempotent as before: a row with the same incident, sequence, channel and recipient, and a
        notice that is the same word for word, are passed over.
        """
        ...

    def act(self, action: IncidentAction) -> IncidentAction:
        """Append what somebody did; returned with its id. Refused for an unknown incident."""
        ...

    def plan(self, window: MaintenanceWindow) -> MaintenanceWindow:
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

    def sent(self, row: int, replaced: Collection[int], at_s: float) -> None:
        """The channel accepted `row`; the replaced ones are sent with it (`merged_into`)."""
        ...

    def fail(self, rows: Collection[int], why: str, next_try_s: float) -> None:
        """Not now: pending again until `next_try_s`. why: without secrets."""
        ...

    def give_back(self, rows: Collection[int]) -> None:
        """Leased, but not tried after all: due again at once, and the attempt does not count."""
        ...

    def dead(self, rows: Collection[int], why: str, instead: Sequence[OutboxRow] = ()) -> None:
        """Never: kept for people to see. instead: the same messages on the next channel."""
        ...

    def retry(self, row: int, now_s: float) -> OutboxRow:
        """A person wants a dead row tried again. Refused when there is none, or it is not dead."""
        ...


@dataclass(frozen=True, slots=True)
class NotificationContext:
    """Everything that the words of one message need.

    incidents: what it is about, UTC, the first one first; more than one: a message about several.
    Those that are over have `ended_s`. told: who gets the same message now. most_characters: of
    the text, by the channel's limit. escalated: it comes because nobody acknowledged.
    plight: it is about the monitor itself, and about no incident.
    """

    event: EventKind
    reason: Reason
    incidents: tuple[Incident, ...]
    recipient: Recipient
    language: str
    at_s: float
    told: tuple[str, ...] = ()
    actions: tuple[IncidentAction, ...] = ()
    most_characters: int = 4000
    escalated: bool = False
    plight: SelfCheckReport | None = None


@dataclass(frozen=True, slots=True)
class Wording:
    """One message in words. title: one line, for channels that have one; text: stands alone."""

    title: str
    text: str


class MessageWriter(Protocol):
    """Puts an occasion into words (`core.texts`).

    The message's code is not in the text: dispatch adds it as a last line, `#1a2b3c4d`, for which
    `most_characters` leaves room. A text about the end of an incident
    stands alone, for it may replace an opening that could not be sent ("was down 4 min").
    """

    def __call__(self, occasion: NotificationContext) -> Wording: ...


class Duty(Protocol):
    """Who is told, by the routes and the rota (`core.rota`)."""

    def route(self, incident: Incident) -> Route | None:
        """The first route that matches; None: nobody is told."""
        ...

    def recipients(self, to: Sequence[str], at_s: float) -> tuple[Recipient, ...]:
        """`rota:x`, `person:x`, `channel:x` at that moment (UTC), each once, on its first channel.

        Nobody on call: left out.
        """
        ...

    def channels(self, name: str) -> tuple[str, ...]:
        """All ways to a recipient in the order in which they are tried, fall-backs included."""
        ...

    def language(self, recipient: Recipient) -> str:
        """`id` or `en`."""
        ...


OfficeHours = Callable[[float], bool]
"""Is that moment (UTC) within office hours, holidays left out?"""
