"""Parse times that people type: `30m`, `2h`, `1d`, `15:30`, `2026-11-24T15:30` (local time)."""

from __future__ import annotations

import re
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import click

from monitor.adapters.system.clock import SystemClock
from monitor.core.documents import rfc3339

UNITS_S = {"m": 60.0, "h": 3600.0, "j": 3600.0, "d": 86_400.0}
"""Seconds in each unit; `j`: jam, hour."""

_DURATION = re.compile(r"^([0-9]{1,6})([mhjd])$")
_TIME_OF_DAY = re.compile(r"^([01]?[0-9]|2[0-3])[:.]([0-5][0-9])$")

EARLIEST_S, LATEST_S = 0.0, 4_102_444_800.0
"""1970 to 2100: a time outside is a typing error."""


def current_utc_s() -> float:
    """The current time, Unix seconds."""
    clock = SystemClock()
    return clock.utc_s(clock.steady_s())


def parse_future_s(text: str, start_s: float, zone: ZoneInfo, option: str) -> float:
    """Parse a time after `start_s`: a duration counts from there, a time of day is its next.

    Times are Unix seconds. Raises click.BadParameter, naming `option`.
    """
    return _parse_s(text, start_s, zone, option, forward=True)


def parse_past_s(text: str, end_s: float, zone: ZoneInfo, option: str) -> float:
    """Parse a time before `end_s`: a duration counts back, a time of day is its last."""
    return _parse_s(text, end_s, zone, option, forward=False)


def format_utc(at_s: float) -> str:
    """RFC 3339 in UTC, as the local API takes it."""
    return str(rfc3339(at_s))


def _parse_s(text: str, from_s: float, zone: ZoneInfo, option: str, *, forward: bool) -> float:
    found_s = _parsed_s(text, from_s, zone, forward=forward)
    if found_s is None or not EARLIEST_S <= found_s < LATEST_S:
        raise click.BadParameter(
            f"{text!r} is no time: give 30m, 24h, 7d, 15:30, 2026-11-24 or 2026-11-24T15:30",
            param_hint=option,
        )
    return found_s


def _parsed_s(text: str, from_s: float, zone: ZoneInfo, *, forward: bool) -> float | None:
    """None: `text` is no time."""
    duration = _DURATION.match(text)
    if duration is not None:
        seconds = int(duration[1]) * UNITS_S[duration[2]]
        return from_s + seconds if forward else from_s - seconds
    time_of_day = _TIME_OF_DAY.match(text)
    if time_of_day is not None:
        at = time(int(time_of_day[1]), int(time_of_day[2]))
        return _nearest_time_of_day_s(at, from_s, zone, forward=forward)
    try:
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).timestamp()
    except (ValueError, OverflowError):
        return None


def _nearest_time_of_day_s(at: time, from_s: float, zone: ZoneInfo, *, forward: bool) -> float:
    local = datetime.fromtimestamp(from_s, UTC).astimezone(zone)
    found = datetime.combine(local.date(), at, zone)
    if forward and found <= local:
        found = datetime.combine(local.date() + timedelta(days=1), at, zone)
    elif not forward and found > local:
        found = datetime.combine(local.date() - timedelta(days=1), at, zone)
    return found.timestamp()
