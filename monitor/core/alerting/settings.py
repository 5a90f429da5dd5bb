"""The alert configuration (alerts.toml, maintenance.toml) as plain values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time

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
