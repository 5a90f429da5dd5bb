"""Whether an office is connected, by the present states of its links.

Only what is known is said: an office is dark when none of its links answers, and whether it is
stays open while a link that might carry it is not measured.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from monitor.core.detection.site_state import ANSWERS
from monitor.core.model import Incident, Link, Network, Scope, Site, State

StateOf = Callable[[str], State | None]
"""The present state of a target; None: it is not known."""

SILENT = (State.DOWN, State.UNREACHABLE)


class OfficeState(StrEnum):
    """CONNECTED: a link answers. DARK: none does. UNKNOWN: it depends on one not measured."""

    CONNECTED = "connected"
    DARK = "dark"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class OfficeStatus:
    """One site. links: each with its present state, in the order of the configuration.

    maintenance: full names of its links that are under maintenance now.
    """

    site: Site
    links: tuple[tuple[Link, State], ...]
    maintenance: frozenset[str] = frozenset()

    @property
    def state(self) -> OfficeState:
        states = [state for _, state in self.links]
        if any(state in ANSWERS for state in states):
            return OfficeState.CONNECTED
        if states and all(state in SILENT for state in states):
            return OfficeState.DARK
        return OfficeState.UNKNOWN

    def in_state(self, *states: State, but: str = "") -> list[Link]:
        """The links in one of these states, apart from the one named `but`."""
        return [link for link, state in self.links if state in states and link.name != but]

    def state_of(self, link: str) -> State:
        """The present state of one of its links."""
        return next((state for each, state in self.links if each.name == link), State.UNKNOWN)


def office_status(site: Site, state_of: StateOf, maintenance: Sequence[str] = ()) -> OfficeStatus:
    """The status of a site. A link whose state is not known counts as not measured."""
    links = tuple((link, state_of(link.name) or State.UNKNOWN) for link in site.links)
    covered = frozenset(link.name for link in site.links if link.name in maintenance)
    return OfficeStatus(site, links, covered)


def offices_of(
    incidents: Sequence[Incident],
    network: Network,
    state_of: StateOf,
    maintenance: Sequence[str] = (),
) -> dict[str, OfficeStatus]:
    """The status of every site that these incidents concern, by site id."""
    names = {name for each in incidents for name in (each.target, *each.affected)}
    return {
        site.id: office_status(site, state_of, maintenance)
        for site in network.sites
        if any(link.name in names for link in site.links)
    }


def outages_of_dark_office(
    incident: Incident, open_incidents: Sequence[Incident], network: Network
) -> list[Incident]:
    """The other outages that make the office of a link dark; empty: it is not dark.

    Links that are only cut off by a node (in its `affected`) are no outages of their own.
    """
    site = next(
        (
            site
            for site in network.sites
            if any(link.name == incident.target for link in site.links)
        ),
        None,
    )
    if site is None or incident.scope is not Scope.LINK or incident.state is not State.DOWN:
        return []
    down = [each for each in open_incidents if each.state is State.DOWN]
    silent = {name for each in down for name in (each.target, *each.affected)}
    if not all(link.name in silent for link in site.links):
        return []
    names = {link.name for link in site.links}
    return [
        each
        for each in down
        if each.id != incident.id and each.target in names and each.parent is None
    ]


def site_of_link(name: str, network: Network) -> Site | None:
    """The site of a link by its full name; None: there is none."""
    return next((s for s in network.sites if any(link.name == name for link in s.links)), None)


def known_states(incidents: Sequence[Incident]) -> Mapping[str, State]:
    """The states that open incidents alone tell: of their targets and of what they cut off."""
    found: dict[str, State] = {}
    for incident in incidents:
        found |= dict.fromkeys(incident.affected, State.UNREACHABLE)
    return found | {incident.target: incident.state for incident in incidents}
