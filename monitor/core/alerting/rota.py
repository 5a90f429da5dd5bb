"""Compute who is on call: turns and overrides of a rota.

Turns follow local time: a turn of seven days changes at 07:30 local time, whatever the zone does
in between.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo

from monitor.core.alerting.settings import Rota, RotaOverride


@dataclass(frozen=True, slots=True)
class Turn:
    """A time of being on call (UTC); start_s None: no start, end_s None: no end.

    person None: nobody is on call (before the rota begins).
    """

    rota: str
    person: str | None
    start_s: float | None
    end_s: float | None
    override: bool = False


def on_call(rota: Rota, at_s: float, zone: tzinfo) -> Turn:
    """The turn in force at that moment."""
    local = _local(at_s, zone)
    override = _override(rota, local)
    if override is not None:
        person: str | None = override.person
        start: datetime | None = override.start
    else:
        person, start = _regular(rota, local)
    changes = (moment for moment in _changes(rota, local) if moment > local)
    end = next((moment for moment in changes if _person(rota, moment) != person), None)
    return Turn(
        rota.name,
        person,
        None if start is None else _utc_s(start, zone),
        None if end is None else _utc_s(end, zone),
        override is not None,
    )


def next_on_call(rota: Rota, at_s: float, zone: tzinfo) -> Turn | None:
    """The turn after the one in force; None: it has no end."""
    now = on_call(rota, at_s, zone)
    return None if now.end_s is None else on_call(rota, now.end_s, zone)


def gaps(rota: Rota, start_s: float, end_s: float, zone: tzinfo) -> list[tuple[float, float]]:
    """The parts of [start, end) (UTC) in which nobody is on call: before the first turn."""
    found: list[tuple[float, float]] = []
    at_s = start_s
    while at_s < end_s:
        turn = on_call(rota, at_s, zone)
        until_s = end_s if turn.end_s is None else min(turn.end_s, end_s)
        if turn.person is None:
            found.append((at_s, until_s))
        at_s = until_s
    return found


def _regular(rota: Rota, local: datetime) -> tuple[str | None, datetime | None]:
    """Whose turn it is without overrides, and since when (local time)."""
    if local < rota.start or not rota.people:
        return None, None
    turn = timedelta(days=rota.turn_days)
    number = (local - rota.start) // turn
    if len(rota.people) == 1:
        return rota.people[0], rota.start
    return rota.people[number % len(rota.people)], rota.start + number * turn


def _override(rota: Rota, local: datetime) -> RotaOverride | None:
    """The override in force; of several the last one in the file."""
    active = [each for each in rota.overrides if each.start <= local < each.end]
    return active[-1] if active else None


def _person(rota: Rota, local: datetime) -> str | None:
    override = _override(rota, local)
    return override.person if override is not None else _regular(rota, local)[0]


def _changes(rota: Rota, local: datetime) -> list[datetime]:
    """Moments at which the person may change, over the next turns; some lie in the past."""
    moments = [moment for each in rota.overrides for moment in (each.start, each.end)]
    moments.append(rota.start)
    if len(rota.people) > 1:
        turn = timedelta(days=rota.turn_days)
        for begin in [local, *(each.end for each in rota.overrides if each.end > local)]:
            number = max(0, (begin - rota.start) // turn)
            moments += [rota.start + (number + n) * turn for n in range(len(rota.people) + 1)]
    return sorted(set(moments))


def _local(at_s: float, zone: tzinfo) -> datetime:
    """Naive local time."""
    return datetime.fromtimestamp(at_s, UTC).astimezone(zone).replace(tzinfo=None)


def _utc_s(local: datetime, zone: tzinfo) -> float:
    return local.replace(tzinfo=zone).timestamp()
