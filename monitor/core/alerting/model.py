"""The nouns of alerting: who is told, by what, when; and what people did about an incident.

Configured (alerts.toml, maintenance.toml): Channel, Person, Rota, Route, AlertRules, Alerts.
Done by people, kept in the ledger: Action, Window. On its way: Message, Delivery, OutboxRow.
Times are UTC seconds unless a name says otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time
from enum import StrEnum
from typing import Protocol

from monitor.core.alerting.office_hours import WorkingWeek


@dataclass(frozen=True, slots=True)
class ChannelSettings:
    """One way out. type: apprise, webhook, command, telegram; secret: *name* of the URL's secret.

    per_minute: most messages a minute, excess is merged, never dropped; None: no limit.
    most_characters: the channel's own limit of one text. fallback: channel ids tried when this
    one refuses for good. daily_test: takes part in the test of 07:30.
    """

    id: str
    type: str
    secret: str | None = None
    address: str | None = None
    command: tuple[str, ...] = ()
    language: str = "id"
    per_minute: int | None = None
    most_characters: int = 4000
    fallback: tuple[str, ...] = ()
    daily_test: bool = False
    buttons: bool = False
    allowed_users: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who is told things. language: `id` or `en`."""

    id: str
    name: str
    channels: tuple[str, ...]
    language: str = "id"
    phone: str | None = None


@dataclass(frozen=True, slots=True)
class RotaOverride:
    """Somebody else takes a piece of a rota (local times of the site's zone)."""

    person: str
    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Rota:
    """Weekly (or other) turns from `start` on; overrides win."""

    name: str
    people: tuple[str, ...]
    start: datetime
    turn_days: float = 7.0
    overrides: tuple[RotaOverride, ...] = ()


@dataclass(frozen=True, slots=True)
class EscalationStep:
    """After so long without acknowledgement, to whom: `rota:x`, `person:x`, `channel:x`."""

    after_s: float
    to: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Route:
    """First match wins. match: key (scope, state, site, provider, kind, target) → accepted values.

    office_hours: an opening waits for office hours (never `down` unless a site says so).
    """

    match: Mapping[str, tuple[str, ...]]
    steps: tuple[EscalationStep, ...]
    office_hours: bool = False


@dataclass(frozen=True, slots=True)
class AlertRules:
    """The limits of ALERTS, each with its default."""

    hold_s: float = 15.0
    group_count: int = 5
    group_s: float = 30.0
    group_join_s: float = 300.0
    reminder_s: float = 1800.0
    reminders: int = 4
    later_reminder_s: float = 14_400.0
    longest_ack_s: float = 28_800.0
    long_down_s: float = 900.0


@dataclass(frozen=True, slots=True)
class AlertSettings:
    """alerts.toml, whole. heartbeat: the name of the secret that holds its URL.

    base_url: what links in messages begin with; None: messages carry no link.
    maintenance: the windows of maintenance.toml. test_at: local time of the daily test.
    """

    channels: tuple[ChannelSettings, ...] = ()
    people: tuple[Person, ...] = ()
    rotas: tuple[Rota, ...] = ()
    routes: tuple[Route, ...] = ()
    rules: AlertRules = field(default_factory=AlertRules)
    heartbeat: str | None = None
    base_url: str | None = None
    maintenance: tuple[RecurringWindow, ...] = ()
    week: WorkingWeek = field(default_factory=WorkingWeek)
    test_at: time = time(7, 30)


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

    def covers(self, at_s: float) -> bool:
        """Is it in force at that moment?"""
        end_s = self.end_s if self.ended_s is None else min(self.end_s, self.ended_s)
        return self.start_s <= at_s < end_s


@dataclass(frozen=True, slots=True)
class RecurringWindow:
    """A maintenance window that comes again and again: one entry of maintenance.toml.

    start: local time of the site's zone. weekdays: 0 Monday to 6 Sunday; days: of the month; a day
    must fit both where both are given; neither: every day. first, last: the days it holds for.
    """

    key: str
    targets: tuple[str, ...]
    why: str
    start: time
    duration_s: float
    weekdays: tuple[int, ...] = ()
    days: tuple[int, ...] = ()
    first: date | None = None
    last: date | None = None
    who: str = "maintenance.toml"


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
