"""What alerts.toml and maintenance.toml amount to, in plain values (see settings.fingerprints)."""

from __future__ import annotations

from dataclasses import asdict

from monitor.core.alerting.settings import (
    AlertSettings,
    ChannelSettings,
    RecurringWindow,
    Rota,
    Route,
)

Value = str | int | float | bool | None | list[str]
"""What stands behind a key; JSON can hold it."""

Fingerprint = dict[str, dict[str, Value]]
"""Name → key → value."""


def alerting(alerts: AlertSettings) -> Fingerprint:
    """`alerts.toml` for limits and hours, then `channel:`, `person:`, `rota:`, `route:`, `window:`.

    Secrets stand here by their names only.
    """
    return (
        {"alerts.toml": _general(alerts)}
        | {f"channel:{each.id}": _channel(each) for each in alerts.channels}
        | {f"person:{each.id}": _plain(asdict(each)) for each in alerts.people}
        | {f"rota:{each.name}": _rota(each) for each in alerts.rotas}
        | {f"route:{number}": _route(each) for number, each in enumerate(alerts.routes, start=1)}
        | {f"window:{each.key}": _window(each) for each in alerts.maintenance}
    )


def _general(alerts: AlertSettings) -> dict[str, Value]:
    week = alerts.week
    return {
        **{f"rules.{key}": value for key, value in asdict(alerts.rules).items()},
        "hours": [f"{each[0]} {each[1]}" if each is not None else "-" for each in week.hours],
        "hours.calendar": week.calendar,
        "hours.holidays": [str(day) for day in week.holidays],
        "hours.workdays": [str(day) for day in week.workdays],
        "heartbeat": alerts.heartbeat,
        "base_url": alerts.base_url,
        "test_at": str(alerts.test_at),
    }


def _channel(channel: ChannelSettings) -> dict[str, Value]:
    return _plain(asdict(channel))


def _rota(rota: Rota) -> dict[str, Value]:
    return {
        "people": list(rota.people),
        "start": str(rota.start),
        "turn_days": rota.turn_days,
        "overrides": [f"{each.person} {each.start} {each.end}" for each in rota.overrides],
    }


def _route(route: Route) -> dict[str, Value]:
    return {
        "match": [f"{key}={' '.join(accepted)}" for key, accepted in sorted(route.match.items())],
        "steps": [f"{step.after_s:g} {' '.join(step.to)}" for step in route.steps],
        "office_hours": route.office_hours,
    }


def _window(window: RecurringWindow) -> dict[str, Value]:
    return _plain(asdict(window))


def _plain(values: dict[str, object]) -> dict[str, Value]:
    """Lists of texts; days and times as texts."""
    return {
        key: [str(part) for part in value]
        if isinstance(value, tuple | list)
        else value
        if isinstance(value, str | int | float | None)
        else str(value)
        for key, value in values.items()
    }
