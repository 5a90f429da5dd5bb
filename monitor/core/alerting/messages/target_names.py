"""Names that people know: targets, links, providers, recipients; and page addresses."""

from __future__ import annotations

from collections.abc import Sequence

from monitor.core.alerting.messages.language import Language
from monitor.core.alerting.messages.text_layout import clean
from monitor.core.alerting.settings import AlertSettings
from monitor.core.model import Incident, Link, Network, Node, Scope
from monitor.core.signing import incident_link

LINK_KIND_WORDS = {
    "fibre": {"id": "serat optik", "en": "fibre"},
    "radio": {"id": "radio", "en": "radio"},
    "lte": {"id": "LTE", "en": "LTE"},
    "vsat": {"id": "VSAT", "en": "VSAT"},
}
MONITOR_WORDS = {"id": "Pemantau", "en": "Monitor"}

_NAME = 60


class TargetNames:
    """The names in one configuration."""

    __slots__ = ("_ledger", "_link_key", "_links", "_nodes", "_people", "_sites", "_url")

    def __init__(
        self,
        network: Network,
        alerts: AlertSettings,
        link_key: bytes | None = None,
        ledger: str = "",
    ) -> None:
        """link_key: signs page addresses; None: opening one needs a sign-in.

        ledger: the identity of the ledger that the incidents are numbered in.
        """
        self._ledger = ledger
        self._url = alerts.base_url
        self._link_key = link_key
        self._links = {link.name: link for link in network.links()}
        self._sites = {site.id: site for site in network.sites}
        self._nodes = {node.id: node for node in network.nodes}
        self._people = {person.id: person.name for person in alerts.people}

    def page_address(self, incident: int, now_s: float) -> str | None:
        """The page of an incident; None: no base_url is configured."""
        if self._url is None:
            return None
        if self._link_key is None:
            return f"{self._url}/i/{incident}"
        return incident_link(self._link_key, self._url, self._ledger, incident, now_s)

    def target(self, name: str, language: Language) -> str:
        """`Anjatan · utama` for a link, `PoP Patrol` for a node, the id for an unknown target."""
        if name == Scope.MONITOR.value:
            return language.text(MONITOR_WORDS)
        link = self._links.get(name)
        if link is not None:
            return f"{self.site(link.site)} · {clean(link.id, _NAME)}"
        node = self._nodes.get(name)
        return clean(node.name if node is not None else name, _NAME)

    def site(self, site_id: str) -> str:
        site = self._sites.get(site_id)
        return clean(site.name if site is not None else site_id, _NAME)

    def link(self, name: str) -> Link | None:
        """The link of that full name; None: it is not configured, or a node."""
        return self._links.get(name)

    def node(self, name: str) -> Node | None:
        """The node of that id."""
        return self._nodes.get(name)

    @property
    def list_address(self) -> str | None:
        """The page that lists all incidents; None: no base_url is configured."""
        return None if self._url is None else f"{self._url}/insiden"

    def affected(self, incident: Incident, language: Language) -> list[str]:
        """The names of the links behind a node."""
        return [self.target(name, language) for name in incident.affected]

    def provider_line(self, incident: Incident, language: Language) -> str | None:
        """Provider, telephone and circuit number of a link; None: none is known."""
        link = self._links.get(incident.target)
        return None if link is None else self.provider_of(link, language)

    def provider_of(self, link: Link, language: Language) -> str | None:
        """`Penyedia A · 0800-1-000 · no. sambungan FO-1234`; None: none is known."""
        circuit = {"id": "no. sambungan {circuit}", "en": "circuit {circuit}"}
        parts = [
            clean(link.provider, _NAME) if link.provider else "",
            clean(link.contact, _NAME) if link.contact else "",
            language.text(circuit, circuit=clean(link.circuit, _NAME)) if link.circuit else "",
        ]
        return " · ".join(part for part in parts if part) or None

    def people(self, recipients: Sequence[str], excluded: str) -> list[str]:
        """The names of these recipients but for one."""
        return [
            clean(self._people.get(name, name.removeprefix("channel:")), _NAME)
            for name in dict.fromkeys(recipients)
            if name != excluded
        ]
