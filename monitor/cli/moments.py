"""Times as people type them: `30m`, `2h`, `1d`, `15:30`, `2026-11-24T15:30` (local time)."""

from __future__ import annotations

import re
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import click

from monitor.adapters.system.clock import SystemClock
from monitor.core.documents import rfc3339

UNITS_S = {"m": 60.0, "h": 3600.0, "j": 3600.0, "d": 86_400.0}
"""`j`: jam."""

LENGTH = re.compile(r"^([0-9]{1,6})([mhjd])$")
CLOCK = re.compile(r"^([01]?[0-9]|2[0-3])[:.]([0-5][0-9])$")

FIRST_S, LAST_S = 0.0, 4_102_444_800.0
"""1970 to 2100: what lies outside is a slip."""


def now_s() -> float:
    """The present moment (UTC)."""
    clock = SystemClock()
    return clock.utc_s(clock.steady_s())


def ahead_s(text: str, begin_s: float, zone: ZoneInfo, option: str) -> float:
    """A moment after `begin_s`: a length from it, or a time; a clock time: the next one."""
    return _moment_s(text, begin_s, zone, option, forward=True)


def past_s(text: str, end_s: float, zone: ZoneInfo, option: str) -> float:
    """A moment before `end_s`: a length back from it, or a time; a clock time: the last one."""
    return _moment_s(text, end_s, zone, option, forward=False)


def utc_text(at_s: float) -> str:
    """As the local API wants it."""
    return str(rfc3339(at_s))


def _moment_s(text: str, at_s: float, zone: ZoneInfo, option: str, *, forward: bool) -> float:
    found_s = _read_s(text, at_s, zone, forward=forward)
    if found_s is None or not FIRST_S <= found_s < LAST_S:
        raise click.BadParameter(
            f"{text!r} is no time: give 30m, 24h, 7d, 15:30, 2026-11-24 or 2026-11-24T15:30",
            param_hint=option,
        )
    return found_s


def _read_s(text: str, at_s: float, zone: ZoneInfo, *, forward: bool) -> float | None:
    """None: it is no time."""
    length = LENGTH.match(text)
    if length is not None:
        away_s = int(length[1]) * UNITS_S[length[2]]
        return at_s + away_s if forward else at_s - away_s
    clock = CLOCK.match(text)
    if clock is not None:
        return _clock_s(time(int(clock[1]), int(clock[2])), at_s, zone, forward=forward)
    try:
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).timestamp()
    except (ValueError, OverflowError):
        return None


def _clock_s(clock: time, at_s: float, zone: ZoneInfo, *, forward: bool) -> float:
    """The next, or the last, time that a clock on the wall shows this."""
    local = datetime.fromtimestamp(at_s, UTC).astimezone(zone)
    found = datetime.combine(local.date(), clock, zone)
    if forward and found <= local:
        found = datetime.combine(local.date() + timedelta(days=1), clock, zone)
    elif not forward and found > local:
        found = datetime.combine(local.date() - timedelta(days=1), clock, zone)
    return found.timestamp()
