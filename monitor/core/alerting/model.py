"""What alerting records and sends: actions, maintenance windows, policy decisions, notifications.

Times are UTC seconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from monitor.core.alerting.reasons import Reason
from monitor.core.alerting.self_checks import SelfCheckReport
from monitor.core.model import Incident


class ActionKind(StrEnum):
    """What somebody did about an incident."""

    ACKNOWLEDGE = "acknowledge"
    RELEASE = "release"
    SNOOZE = "snooze"
    NOTE = "note"
    TICKET = "ticket"
    CAUSE = "cause"


@dataclass(frozen=True, slots=True)
class IncidentAction:
    """Append-only: who did what, when, and until when it holds. id 0: not stored yet."""

    incident: int
    kind: ActionKind
    who: str
    at_s: float
    text: str = ""
    until_s: float | None = None
    id: int = 0


@dataclass(frozen=True, slots=True)
class MaintenanceWindow:
    """A maintenance window. targets: full names, site ids or node ids (a node: all behind it too).

    ended_s, ended_by: ended early. recurring: the key of its line in maintenance.toml, None: made
    by hand.
    """

    targets: tuple[str, ...]
    start_s: float
    end_s: float
    who: str
    why: str
    id: int = 0
    ended_s: float | None = None
    recurring: str | None = None
    ended_by: str | None = None

    @property
    def effective_end_s(self) -> float:
        """When it ends, or was ended early."""
        return self.end_s if self.ended_s is None else min(self.end_s, self.ended_s)

    def is_active(self, at_s: float) -> bool:
        return self.start_s <= at_s < self.effective_end_s


class EventKind(StrEnum):
    """What a message is about (the webhook's `event`)."""

    OPENED = "opened"
    UPDATED = "updated"
    RESOLVED = "resolved"
    REMINDER = "reminder"
    DIGEST = "digest"
    TEST = "test"


@dataclass(frozen=True, slots=True)
class Notification:
    """What a channel gets. key: sha256(incident|sequence|channel|recipient) in hex.

    incident, incidents: in the shape of `incidents --json`. code: short and visible in the text.
    """

    key: str
    event: EventKind
    title: str
    text: str
    recipient: str
    at_s: float
    incident: Mapping[str, object] | None = None
    incidents: tuple[Mapping[str, object], ...] = ()

    @property
    def code(self) -> str:
        """The first eight digits of the key: people can say them on the telephone."""
        return self.key[:8]


@dataclass(frozen=True, slots=True)
class Delivered:
    """The channel took it. receipt: the channel's own id of the message, where it has one."""

    receipt: str | None = None


@dataclass(frozen=True, slots=True)
class RetryLater:
    """It may succeed later. after_s: what the channel asked for. why: without secrets."""

    why: str
    after_s: float | None = None


@dataclass(frozen=True, slots=True)
class Rejected:
    """It cannot succeed as it is (401, 403, a bad address). why: without secrets."""

    why: str


Delivery = Delivered | RetryLater | Rejected


class OutboxStatus(StrEnum):
    """Where a row of the outbox stands."""

    PENDING = "pending"
    LEASED = "leased"
    SENT = "sent"
    DEAD = "dead"


@dataclass(frozen=True, slots=True)
class OutboxRow:
    """One message to one recipient on one channel. id 0: not stored yet.

    sequence: 1, 2, 3 … of the messages about an incident (a digest: about its first one).
    body: the Message, as JSON, without what is made at sending (see core.outbox).
    about: every incident that the message tells of, when it is more than `incident`.
    merged_into: the id of the row whose message said this too (status `sent`).
    """

    incident: int
    sequence: int
    channel: str
    recipient: str
    event: EventKind
    body: str
    next_try_s: float
    status: OutboxStatus = OutboxStatus.PENDING
    lease_until_s: float | None = None
    attempts: int = 0
    first_try_s: float | None = None
    last_error: str | None = None
    sent_s: float | None = None
    id: int = 0
    about: tuple[int, ...] = ()
    merged_into: int | None = None


class Channel(Protocol):
    """A way out for messages: e-mail, chat, webhook, a local program."""

    async def send(self, message: Notification) -> Delivery:
        """One try, bounded in time (connect 5 s, whole 20 s). Never raises for the other side."""
        ...

    async def close(self) -> None: ...


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
    notified: bool
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
    notified: tuple[str, ...] = ()
    actions: tuple[IncidentAction, ...] = ()
    most_characters: int = 4000
    escalated: bool = False
    self_check: SelfCheckReport | None = None


@dataclass(frozen=True, slots=True)
class Wording:
    """The text of one message. title: one line; text: complete without the title.

    error: why the proper text could not be made and a plain one stands here; None: it is proper.
    """

    title: str
    text: str
    error: str | None = None
