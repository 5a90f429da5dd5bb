"""What alerting records and sends: actions, maintenance windows, policy decisions, notifications.

Times are UTC seconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from monitor.core.alerting.office_status import OfficeStatus
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
    """Who did what, when, and until when it holds. Append-only. id 0: not stored yet."""

    incident: int
    kind: ActionKind
    who: str
    at_s: float
    text: str = ""
    until_s: float | None = None
    id: int = 0


@dataclass(frozen=True, slots=True)
class MaintenanceWindow:
    """targets: names of links, site ids, or node ids (which include everything behind the node).

    ended_s, ended_by: ended early. recurring: the key of its entry in maintenance.toml; None: a
    window that a person made.
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
    """What a notification is about (`event` of the webhook)."""

    OPENED = "opened"
    UPDATED = "updated"
    RESOLVED = "resolved"
    REMINDER = "reminder"
    DIGEST = "digest"
    TEST = "test"


@dataclass(frozen=True, slots=True)
class Notification:
    """What a channel sends. key: see `outbox.idempotency_key`.

    incident, incidents: documents as in `incidents --json`: the one, or all of several.
    event_id: the same for all channels of one recipient.
    is_recorded: False for one that was sent from memory before the ledger could take it.
    ledger: the identity of the ledger that they are numbered in.
    """

    key: str
    event: EventKind
    title: str
    text: str
    recipient: str
    at_s: float
    incident: Mapping[str, object] | None = None
    incidents: tuple[Mapping[str, object], ...] = ()
    is_recorded: bool = True
    list_address: str | None = None
    event_id: str = ""
    ledger: str = ""

    @property
    def code(self) -> str:
        """The first eight digits of the key, to name the message by on the telephone."""
        return self.key[:8]


@dataclass(frozen=True, slots=True)
class Delivered:
    """The channel accepted the message. receipt: its id there, if it has one."""

    receipt: str | None = None


@dataclass(frozen=True, slots=True)
class RetryLater:
    """A later attempt may succeed. after_s: a delay that the channel asked for.

    why: without secrets.
    """

    why: str
    after_s: float | None = None


@dataclass(frozen=True, slots=True)
class Rejected:
    """The channel cannot deliver the message (401, 403, a bad address). why: without secrets."""

    why: str


Delivery = Delivered | RetryLater | Rejected


class OutboxStatus(StrEnum):
    """pending: due or to be due; leased: being sent; dead: given up."""

    PENDING = "pending"
    LEASED = "leased"
    SENT = "sent"
    DEAD = "dead"


@dataclass(frozen=True, slots=True)
class OutboxRow:
    """One message to one recipient on one channel. id 0: not stored yet.

    sequence: 1, 2, 3 … of the thread of `incident` (of a digest: its first incident).
    body: JSON, see outbox.encode_body. about: ids of all incidents of the message; empty: only
    `incident`. merged_into: the id of the row that was sent in its place. queued_s: when it was
    queued (None: not known). fallback_of: the id of the row on an earlier
    channel that was refused or took too long. ledger: the identity of the ledger
    that it was written for; "": by a version without identities.
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
    queued_s: float | None = None
    fallback_of: int | None = None
    ledger: str = ""


class Channel(Protocol):
    """Sends notifications: e-mail, chat, webhook, a local program."""

    async def send(self, message: Notification) -> Delivery:
        """One attempt, in at most 20 s (connect 5 s). Never raises for a remote fault."""
        ...

    async def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Recipient:
    """A person or a channel, by one channel. name: a person's id, or `channel:<id>`."""

    name: str
    channel: str


@dataclass(frozen=True, slots=True)
class PolicyDecision:
    """Whether one incident was notified at a moment, and why: one row of `notices`.

    recipient, channel: who was notified; None for a no. thread: the incident whose messages this
    continues (a group: its first incident); sequence: the number of the message in the thread.
    step: the escalation step, 0 is the first.
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
    """A row to send, and earlier rows that it replaces (an opening whose closing is here).

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
    """Everything that the text of one message depends on.

    incidents: UTC; several: a digest; none: a self-alert or a test. notified: names of all
    who get the message. most_characters: of the text. escalated: sent because nobody
    acknowledged. self_check: the failed check that it is about, and no incident. offices: by site
    id, as they are now; empty: not known. buttons: the channel shows buttons under the text.
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
    offices: Mapping[str, OfficeStatus] = field(default_factory=dict)
    buttons: bool = False


@dataclass(frozen=True, slots=True)
class Wording:
    """The text of one message. title: one line; text: complete without the title.

    error: why the proper text could not be made and a plain one stands here; None: it is proper.
    """

    title: str
    text: str
    error: str | None = None
