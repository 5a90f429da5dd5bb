"""What people call a target, what hangs on it, and whom to call about it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from monitor.core.alerting import Alerts
from monitor.core.model import Incident, Link, Network, Scope
from monitor.core.texts.cleaning import clean
from monitor.core.texts.speech import Speech

KINDS = {
    "fibre": {"id": "serat optik", "en": "fibre"},
    "radio": {"id": "radio", "en": "radio"},
    "lte": {"id": "LTE", "en": "LTE"},
    "vsat": {"id": "VSAT", "en": "VSAT"},
}
MONITOR = {"id": "Pemantau", "en": "Monitor"}

_NAME = 60


@dataclass(frozen=True, slots=True)
class Places:
    """The names of one network and of the people who are told."""

    network: Network
    alerts: Alerts

    def target(self, name: str, speech: Speech) -> str:
        """`Anjatan · utama` of a link, `PoP Patrol` of a node; what is gone is called by its id."""
        if name == Scope.MONITOR.value:
            return speech.say(MONITOR)
        link = self.link(name)
        if link is not None:
            return f"{self.site(link.site)} · {clean(link.id, _NAME)}"
        node = next((node for node in self.network.nodes if node.id == name), None)
        return clean(node.name if node is not None else name, _NAME)

    def link(self, name: str) -> Link | None:
        """The link of that full name."""
        return next((link for link in self.network.links() if link.name == name), None)

    def site(self, site_id: str) -> str:
        """What people call a site."""
        site = next((site for site in self.network.sites if site.id == site_id), None)
        return clean(site.name if site is not None else site_id, _NAME)

    def other_links(self, incident: Incident, speech: Speech) -> list[str]:
        """The other ways to the same site: `cadangan (LTE)`."""
        link = self.link(incident.target)
        if link is None:
            return []
        return [
            f"{clean(other.id, _NAME)} ({speech.say(KINDS[other.kind])})"
            if other.kind in KINDS
            else clean(other.id, _NAME)
            for other in self.network.links()
            if other.site == link.site and other.name != link.name
        ]

    def affected(self, incident: Incident, speech: Speech) -> list[str]:
        """The links behind a node, as people call them."""
        return [self.target(name, speech) for name in incident.affected]

    def provider(self, incident: Incident, speech: Speech) -> str | None:
        """Provider, telephone and circuit number of a link; None: nothing of it is known."""
        link = self.link(incident.target)
        if link is None:
            return None
        circuit = {"id": "no. sambungan {circuit}", "en": "circuit {circuit}"}
        parts = [
            clean(link.provider, _NAME) if link.provider else "",
            clean(link.contact, _NAME) if link.contact else "",
            speech.say(circuit, circuit=clean(link.circuit, _NAME)) if link.circuit else "",
        ]
        said = " · ".join(part for part in parts if part)
        return said or None

    def people(self, told: Sequence[str], but: str) -> list[str]:
        """The names of those who were told, without the reader's own."""
        names = {person.id: person.name for person in self.alerts.people}
        return [
            clean(names.get(name, name.removeprefix("channel:")), _NAME)
            for name in dict.fromkeys(told)
            if name != but
        ]
