"""Find the route of an incident, its recipients and their channels."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import tzinfo

from monitor.core.alerting.model import Recipient
from monitor.core.alerting.rota import Turn, next_on_call, on_call
from monitor.core.alerting.settings import AlertSettings, Route
from monitor.core.model import Incident, Link, Network

DEFAULT_MAX_CHARACTERS = 4000
"""For a channel that is no longer configured."""

_MOST_CHANNELS = 16
"""Fallbacks of fallbacks are followed no further."""


class AlertRouting:
    """Routes, recipients and channels of one configuration."""

    __slots__ = ("_alerts", "_channels", "_links", "_people", "_rotas", "_zone")

    def __init__(self, alerts: AlertSettings, network: Network, zone: tzinfo) -> None:
        self._alerts = alerts
        self._zone = zone
        self._channels = {channel.id: channel for channel in alerts.channels}
        self._people = {person.id: person for person in alerts.people}
        self._rotas = {rota.name: rota for rota in alerts.rotas}
        self._links = {link.name: link for link in network.links()}

    def route(self, incident: Incident) -> Route | None:
        """The first route that matches; None: nobody is notified."""
        link = self._links.get(incident.target)
        return next((r for r in self._alerts.routes if _matches(r, incident, link)), None)

    def recipients(self, to: Sequence[str], at_s: float) -> tuple[Recipient, ...]:
        """Who `rota:x`, `person:x`, `channel:x` are at that moment (UTC), each once.

        Each on its first channel; nobody on call: left out.
        """
        return tuple(
            Recipient(name, channels[0])
            for name in dict.fromkeys(self._names(to, at_s))
            if (channels := self.channels(name))
        )

    def channels(self, name: str) -> tuple[str, ...]:
        """All channels of a recipient in the order in which they are tried, fallbacks last."""
        kind, colon, rest = name.partition(":")
        if colon and kind == "channel":
            first: Iterable[str] = (rest,)
        else:
            person = self._people.get(name)
            first = person.channels if person is not None else ()
        found: dict[str, None] = {}
        waiting = list(first)
        while waiting and len(found) < _MOST_CHANNELS:
            channel = self._channels.get(waiting.pop(0))
            if channel is not None and channel.id not in found:
                found[channel.id] = None
                waiting.extend(channel.fallback)
        return tuple(found)

    def hold_s(self, channel: str, route: Route | None) -> float:
        """The hold of an opening: the channel's own, else the route's, else that of the rules."""
        settings = self._channels.get(channel)
        if settings is not None and settings.hold_s is not None:
            return settings.hold_s
        if route is not None and route.hold_s is not None:
            return route.hold_s
        return self._alerts.rules.hold_s

    def language(self, recipient: Recipient) -> str:
        """`id` or `en`: the person's, else the channel's."""
        person = self._people.get(recipient.name)
        if person is not None:
            return person.language
        channel = self._channels.get(recipient.channel)
        return channel.language if channel is not None else "id"

    def most_characters(self, channel: str) -> int:
        """The limit of one text on a channel, its code included."""
        found = self._channels.get(channel)
        return DEFAULT_MAX_CHARACTERS if found is None else found.most_characters

    def has_buttons(self, channel: str) -> bool:
        """Whether the channel shows buttons under its messages."""
        found = self._channels.get(channel)
        return found is not None and found.buttons

    def turns(self, at_s: float) -> list[tuple[Turn, Turn | None]]:
        """For each rota: who is on call now, and who is next."""
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


def _matches(route: Route, incident: Incident, link: Link | None) -> bool:
    """Whether a route takes this incident. link: its target, if that is a link."""
    facts: Mapping[str, str | None] = {
        "scope": incident.scope.value,
        "state": incident.state.value,
        "target": incident.target,
        "site": link.site if link is not None else None,
        "provider": link.provider if link is not None else None,
        "kind": link.kind if link is not None else None,
    }
    return all(facts.get(key) in accepted for key, accepted in route.match.items())
