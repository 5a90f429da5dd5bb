"""Build `AlertSettings` (core.alerting) from validated alerts.toml and maintenance.toml."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import time

from monitor.core.alerting.office_hours import WorkingWeek
from monitor.core.alerting.settings import (
    AlertRules,
    AlertSettings,
    ChannelSettings,
    EscalationStep,
    Person,
    RecurringWindow,
    Rota,
    RotaOverride,
    Route,
)
from monitor.settings.schema.alerts import (
    AlertsFile,
    ChannelTable,
    HoursTable,
    RotaTable,
    RouteTable,
    RulesTable,
)
from monitor.settings.schema.maintenance import MaintenanceFile, WindowTable
from monitor.settings.weekdays import ENGLISH_DAYS, weekday_number

MATCH_KEYS = ("scope", "state", "site", "provider", "kind", "target")

_MAX_CHARACTERS = {"telegram": 4096, "apprise": 4000, "webhook": 16_000, "command": 4000}
_PER_MINUTE = {"telegram": 20, "apprise": 20}
"""Telegram's limit for a group; also for Apprise, whose addresses may lead there."""

_DEFAULT_STEPS_S = (0.0, 900.0)


def build_alert_settings(file: AlertsFile, maintenance: MaintenanceFile) -> AlertSettings:
    """The complete settings; the default route is the last one."""
    languages = {
        channel: person.language for person in reversed(file.people) for channel in person.channels
    }
    found = AlertSettings(
        channels=tuple(_channel(table, languages) for table in file.channels),
        people=tuple(
            Person(
                id=table.id,
                name=table.name or table.id,
                channels=tuple(table.channels),
                language=table.language,
                phone=table.phone,
            )
            for table in file.people
        ),
        rotas=tuple(_rota(table) for table in file.rota),
        routes=_routes([_route(table) for table in file.routes]),
        rules=_rules(file.rules),
        heartbeat=file.heartbeat.url if file.heartbeat is not None else None,
        base_url=file.messages.base_url,
        maintenance=tuple(_window(table) for table in maintenance.windows),
        week=_week(file.hours),
        test_at=file.messages.test_at,
    )
    return found if any(not route.match for route in found.routes) else _with_default(found)


def _channel(table: ChannelTable, languages: Mapping[str, str]) -> ChannelSettings:
    """languages: by channel, of the first person who has it; used if the channel names none."""
    return ChannelSettings(
        id=table.id,
        type=table.type,
        secret=table.url,
        address=table.address,
        command=tuple(table.command),
        language=table.language or languages.get(table.id, "id"),
        per_minute=table.per_minute or _PER_MINUTE.get(table.type),
        most_characters=table.most_characters or _MAX_CHARACTERS[table.type],
        fallback=tuple(table.fallback),
        daily_test=table.daily_test,
        buttons=table.buttons,
        allowed_users=tuple(table.allowed_users),
        hold_s=table.hold_s,
        signing_key=table.signing_key,
    )


def _rota(table: RotaTable) -> Rota:
    overrides = (RotaOverride(each.person, each.start, each.end) for each in table.overrides)
    return Rota(table.name, tuple(table.people), table.start, table.turn_days, tuple(overrides))


def _route(table: RouteTable) -> Route:
    given = {key: tuple(getattr(table.match, key)) for key in MATCH_KEYS}
    return Route(
        match={key: accepted for key, accepted in given.items() if accepted},
        steps=tuple(EscalationStep(step.after_min * 60.0, tuple(step.to)) for step in table.steps),
        office_hours=table.office_hours,
        hold_s=table.hold_s,
    )


def _routes(routes: list[Route]) -> tuple[Route, ...]:
    """The route that matches everything is the default: it comes last."""
    return tuple(sorted(routes, key=lambda route: not route.match))


def _with_default(found: AlertSettings) -> AlertSettings:
    """Add a default route: who is on call at once (else everybody), everybody after 15 min."""
    everybody = tuple(f"person:{person.id}" for person in found.people)
    on_call = tuple(f"rota:{rota.name}" for rota in found.rotas)
    first = on_call or everybody or tuple(f"channel:{each.id}" for each in found.channels)
    if not first:
        return found
    at_s, later_s = _DEFAULT_STEPS_S
    steps = [EscalationStep(at_s, first)] + (
        [EscalationStep(later_s, everybody)] if on_call else []
    )
    default = Route(match={}, steps=tuple(steps), office_hours=True)
    return replace(found, routes=(*found.routes, default))


def _rules(table: RulesTable) -> AlertRules:
    return AlertRules(
        hold_s=table.hold_s,
        group_count=table.group_count,
        group_s=table.group_s,
        group_join_s=table.group_join_s,
        reminder_s=table.reminder_min * 60.0,
        reminders=table.reminders,
        later_reminder_s=table.later_reminder_min * 60.0,
        longest_ack_s=table.longest_ack_min * 60.0,
        long_down_s=table.long_down_min * 60.0,
    )


def _week(table: HoursTable) -> WorkingWeek:
    usual = WorkingWeek()
    given: list[list[time] | None] = [getattr(table, day) for day in ENGLISH_DAYS]
    return WorkingWeek(
        hours=tuple(
            usual.hours[number] if day is None else (day[0], day[1]) if day else None
            for number, day in enumerate(given)
        ),
        calendar=table.calendar,
        holidays=tuple(table.holidays),
        workdays=tuple(table.workdays),
    )


def _window(table: WindowTable) -> RecurringWindow:
    numbers = (weekday_number(word) for word in table.weekdays)
    return RecurringWindow(
        key=table.name,
        targets=tuple(table.targets),
        why=table.why,
        start=table.start,
        duration_s=table.minutes * 60.0,
        weekdays=tuple(sorted({number for number in numbers if number is not None})),
        days=tuple(sorted(set(table.days))),
        first=table.first,
        last=table.last,
        who=table.who,
    )
