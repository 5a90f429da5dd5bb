"""Who is on call, and who is told of what: turns, overrides, routes (ALERTS, "alerts.toml").

Turns are counted on the clock of the wall: a turn of seven days changes at 07:30 local time,
whatever the zone does in between.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo

from monitor.core.alerting.model import AlertSettings, Rota, RotaOverride, Route
from monitor.core.alerting.ports import Recipient
from monitor.core.model import Incident, Link, Network

_MOST_CHANNELS = 16
"""Fall-backs of fall-backs end here, should they go in a circle."""


@dataclass(frozen=True, slots=True)
class Turn:
    """One stretch of being on call (UTC); start_s None: since ever, end_s None: for good.

    person: None: nobody (before the rota begins).
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
    """The turn after the one in force; None: there is no other."""
    now = on_call(rota, at_s, zone)
    return None if now.end_s is None else on_call(rota, now.end_s, zone)


def gaps(rota: Rota, start_s: float, end_s: float, zone: tzinfo) -> list[tuple[float, float]]:
    """Stretches of [start, end) (UTC) in which nobody is on call: before the first turn."""
    found: list[tuple[float, float]] = []
    at_s = start_s
    while at_s < end_s:
        turn = on_call(rota, at_s, zone)
        until_s = end_s if turn.end_s is None else min(turn.end_s, end_s)
        if turn.person is None:
            found.append((at_s, until_s))
        at_s = until_s
    return found


class Rotas:
    """`core.alertports.Duty`: routes, recipients and channels of one configuration."""

    __slots__ = ("_alerts", "_channels", "_links", "_people", "_rotas", "_zone")

    def __init__(self, alerts: AlertSettings, network: Network, zone: tzinfo) -> None:
        self._alerts = alerts
        self._zone = zone
        self._channels = {channel.id: channel for channel in alerts.channels}
        self._people = {person.id: person for person in alerts.people}
        self._rotas = {rota.name: rota for rota in alerts.rotas}
        self._links = {link.name: link for link in network.links()}

    def route(self, incident: Incident) -> Route | None:
        """The first route that matches; None: nobody is told."""
        link = self._links.get(incident.target)
        return next((r for r in self._alerts.routes if matches(r, incident, link)), None)

    def recipients(self, to: Sequence[str], at_s: float) -> tuple[Recipient, ...]:
        """`rota:x`, `person:x`, `channel:x` at that moment, each once, on its first channel."""
        return tuple(
            Recipient(name, ways[0])
            for name in dict.fromkeys(self._names(to, at_s))
            if (ways := self.channels(name))
        )

    def channels(self, name: str) -> tuple[str, ...]:
        """All ways to a recipient in the order in which they are tried, fall-backs included."""
        kind, colon, rest = name.partition(":")
        if colon and kind == "channel":
            first: Iterable[str] = (rest,)
        else:
            person = self._people.get(name)
            first = person.channels if person is not None else ()
        ways: dict[str, None] = {}
        waiting = list(first)
        while waiting and len(ways) < _MOST_CHANNELS:
            channel = self._channels.get(waiting.pop(0))
            if channel is not None and channel.id not in ways:
                ways[channel.id] = None
                waiting.extend(channel.fallback)
        return tuple(ways)

    def language(self, recipient: Recipient) -> str:
        """`id` or `en`: the person's, else the channel's."""
        person = self._people.get(recipient.name)
        if person is not None:
            return person.language
        channel = self._channels.get(recipient.channel)
        return channel.language if channel is not None else "id"

    def turns(self, at_s: float) -> list[tuple[Turn, Turn | None]]:
        """Who is on call in each rota now, and who is next (`pantau oncall`)."""
        return [
            (on_call(rota, at_s, self._zone), next_on_call(rota, at_s, self._zone))
            for rota in self._alerts.rotas
        ]

    def _names(self, to: Sequence[str], at_s: float) -> Iterator[str]:
        for each in to:
            kind, _, rest = each.partition(":")
            rota = self._rotas.get(rest) if kind == "rota" else None
            if kind == "channel":
                yield each
            elif kind == "person":
                yield rest
            elif rota is not None:
                person = on_call(rota, at_s, self._zone).person
                if person is not None:
                    yield person


def matches(route: Route, incident: Incident, link: Link | None) -> bool:
    """Does a route take this incident? link: what it is about, where that is a link."""
    facts: Mapping[str, str | None] = {
        "scope": incident.scope.value,
        "state": incident.state.value,
        "target": incident.target,
        "site": link.site if link is not None else None,
        "provider": link.provider if link is not None else None,
        "kind": link.kind if link is not None else None,
    }
    return all(facts.get(key) in accepted for key, accepted in route.match.items())


def _regular(rota: Rota, local: datetime) -> tuple[str | None, datetime | None]:
    """Whose turn it is without overrides, and since when."""
    if local < rota.start or not rota.people:
        return None, None
    turn = timedelta(days=rota.turn_days)
    number = (local - rota.start) // turn
    if len(rota.people) == 1:
        return rota.people[0], rota.start
    return rota.people[number % len(rota.people)], rota.start + number * turn


def _override(rota: Rota, local: datetime) -> RotaOverride | None:
    """The last one in the file wins."""
    held = [each for each in rota.overrides if each.start <= local < each.end]
    return held[-1] if held else None


def _person(rota: Rota, local: datetime) -> str | None:
    override = _override(rota, local)
    return override.person if override is not None else _regular(rota, local)[0]


def _changes(rota: Rota, local: datetime) -> list[datetime]:
    """Every moment from here on at which the person may change, the next few turns far."""
    moments = [moment for each in rota.overrides for moment in (each.start, each.end)]
    moments.append(rota.start)
    if len(rota.people) > 1:
        turn = timedelta(days=rota.turn_days)
        for begin in [local, *(each.end for each in rota.overrides if each.end > local)]:
            number = max(0, (begin - rota.start) // turn)
            moments += [rota.start + (number + n) * turn for n in range(len(rota.people) + 1)]
    return sorted(set(moments))


def _local(at_s: float, zone: tzinfo) -> datetime:
    """The clock on the wall, without its zone."""
    return datetime.fromtimestamp(at_s, UTC).astimezone(zone).replace(tzinfo=None)


def _utc_s(local: datetime, zone: tzinfo) -> float:
    return local.replace(tzinfo=zone).timestamp()
