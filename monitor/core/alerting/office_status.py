"""Whether an office is connected, by the present states of its links.

Only what is known is said: an office is dark when none of its links answers, and whether it is
stays open while a link that might carry it is not measured.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
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

    def links_in(self, *states: State, but: str = "") -> list[Link]:
        """The links in one of these states, apart from the one with the full name `but`."""
        return [link for link, state in self.links if state in states and link.name != but]

    def state_of(self, link: str) -> State:
        """The present state of one of its links."""
        return next((state for each, state in self.links if each.name == link), State.UNKNOWN)


class Offices:
    """The sites of one network by their links."""

    __slots__ = ("_site_of",)

    def __init__(self, network: Network) -> None:
        self._site_of = {link.name: site for site in network.sites for link in site.links}

    def status(
        self,
        incidents: Sequence[Incident],
        state_of: StateOf,
        maintenance: Collection[str] = (),
    ) -> dict[str, OfficeStatus]:
        """The status of every site that these incidents concern, by site id.

        A link whose state is not known counts as not measured.
        """
        found: dict[str, OfficeStatus] = {}
        for incident in incidents:
            for name in (incident.target, *incident.affected):
                site = self._site_of.get(name)
                if site is not None and site.id not in found:
                    found[site.id] = _status(site, state_of, maintenance)
        return found

    def outages_of_dark(
        self, incident: Incident, open_incidents: Sequence[Incident]
    ) -> list[Incident]:
        """The other outages that make the office of a link dark; empty: it is not dark.

        Links that are only cut off by a node (in its `affected`) are no outages of their own.
        """
        site = self._site_of.get(incident.target)
        if site is None or incident.scope is not Scope.LINK or incident.state is not State.DOWN:
            return []
        down = [each for each in open_incidents if each.state is State.DOWN]
        silent = {name for each in down for name in (each.target, *each.affected)}
        names = {link.name for link in site.links}
        if not names <= silent:
            return []
        return [
            each
            for each in down
            if each.id != incident.id and each.target in names and each.parent is None
        ]


def office_document(office: OfficeStatus) -> dict[str, object]:
    """`{"state": "dark", "links": {"anjatan/utama": "down", …}}`."""
    return {
        "state": office.state.value,
        "links": {link.name: state.value for link, state in office.links},
    }


def _status(site: Site, state_of: StateOf, maintenance: Collection[str]) -> OfficeStatus:
    links = tuple((link, state_of(link.name) or State.UNKNOWN) for link in site.links)
    covered = frozenset(link.name for link in site.links if link.name in maintenance)
    return OfficeStatus(site, links, covered)
