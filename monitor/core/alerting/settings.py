"""The alert configuration (alerts.toml, maintenance.toml) as plain values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time

from monitor.core.alerting.office_hours import WorkingWeek

LEAST_SIGNING_KEY_CHARACTERS = 16


@dataclass(frozen=True, slots=True)
class ChannelSettings:
    """One channel. type: apprise, webhook, command, telegram; secret: *name* of the URL's secret.

    per_minute: messages a minute, more are merged, never dropped; None: no limit.
    most_characters: limit of one text. fallback: ids of channels tried when this one rejects a
    message or keeps it for a minute. hold_s: its own hold (None: the route's). daily_test: gets the
    daily test. buttons, allowed_users: Telegram only. signing_key: *name* of the secret that signs
    the requests of a webhook.
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
    hold_s: float | None = None
    signing_key: str | None = None


@dataclass(frozen=True, slots=True)
class Person:
    """A recipient. channels: ids in order of preference. language: `id` or `en`."""

    id: str
    name: str
    channels: tuple[str, ...]
    language: str = "id"
    phone: str | None = None


@dataclass(frozen=True, slots=True)
class RotaOverride:
    """Another person is on call from start to end (local times of the configured zone)."""

    person: str
    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Rota:
    """Turns of `turn_days` from `start` on (local time), one person after the other."""

    name: str
    people: tuple[str, ...]
    start: datetime
    turn_days: float = 7.0
    overrides: tuple[RotaOverride, ...] = ()


@dataclass(frozen=True, slots=True)
class EscalationStep:
    """Notify `rota:x`, `person:x`, `channel:x` after so long without acknowledgement."""

    after_s: float
    to: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Route:
    """match: key (scope, state, site, provider, kind, target) → accepted values; all must match.

    office_hours: openings wait for office hours; `down` only if match names sites or targets.
    hold_s: the hold of its incidents (None: that of the rules).
    """

    match: Mapping[str, tuple[str, ...]]
    steps: tuple[EscalationStep, ...]
    office_hours: bool = False
    hold_s: float | None = None


@dataclass(frozen=True, slots=True)
class AlertRules:
    """Delays and limits of the alert policy.

    hold_s: an incident that ends within it is not notified. group_*: see grouping. long_down_s: a
    flapping target is notified when it stays down for so long.
    """

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
    """All of alerts.toml, and the recurring windows of maintenance.toml (`maintenance`).

    heartbeat: name of the secret with its URL. base_url: of the dashboard, for links in messages;
    None: no links. routes: the first match wins. test_at: local time of the daily test.
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


@dataclass(frozen=True, slots=True)
class RecurringWindow:
    """A recurring maintenance window: one entry of maintenance.toml.

    start: local time. weekdays: 0 Monday to 6 Sunday; days: of the month; both given: both must
    match; neither: every day. first, last: the first and the last day, inclusive.
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
