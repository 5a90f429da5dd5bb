"""What people call the target of an incident: a site and its link, a node, the monitor."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from dashboard.i18n import Words
from monitor.core.model import Incident, Link, Network, Scope, Site


@dataclass(frozen=True, slots=True)
class Names:
    """The names of one network."""

    sites: Mapping[str, Site]
    links: Mapping[str, Link]
    nodes: Mapping[str, str]

    @staticmethod
    def of(network: Network) -> Names:
        """All of them."""
        return Names(
            {site.id: site for site in network.sites},
            {link.name: link for link in network.links()},
            {node.id: node.name for node in network.nodes},
        )

    def place(self, incident: Incident, words: Words) -> str:
        """`Anjatan`, `PoP Patrol`, `Pemantau`; what is not configured any more by its own name."""
        if incident.scope is Scope.MONITOR:
            return words.say("why.monitor_name")
        site = self.site(incident)
        return site.name if site is not None else self.nodes.get(incident.target, incident.target)

    def site(self, incident: Incident) -> Site | None:
        """The site of a link's incident."""
        link = self.links.get(incident.target)
        return None if link is None else self.sites.get(link.site)

    def link(self, incident: Incident) -> str:
        """The link's own name where its site has several; else nothing."""
        site, link = self.site(incident), self.links.get(incident.target)
        return link.id if site is not None and link is not None and len(site.links) > 1 else ""

    def targets(self, names: Iterable[str]) -> list[str]:
        """`Anjatan utama` of each full name, in that order."""
        found = []
        for name in names:
            link = self.links.get(name)
            site = None if link is None else self.sites.get(link.site)
            if link is None or site is None:
                found.append(self.nodes.get(name, name))
            else:
                found.append(f"{site.name} {link.id}" if len(site.links) > 1 else site.name)
        return found
