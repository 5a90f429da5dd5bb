"""Suspected causes of outages, each with its evidence.

VERDICTS, "Suspected cause". `power`: the site's router restarted, or sites near each other on
different providers fell together. `link`: the router never stopped, or the port that faces the
site is down while the site's other link answers. `upstream`: a node above is down. `congestion`:
degraded while the interface is nearly full. The router's uptime on recovery outweighs the rest.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from math import asin, cos, radians, sin, sqrt

from monitor.core.detection.detector import Detector
from monitor.core.model import (
    ChangeKind,
    Decision,
    Incident,
    IncidentChange,
    IncidentEvidence,
    Link,
    Network,
    Scope,
    Site,
    State,
)

POWER = "power"
LINK = "link"
UPSTREAM = "upstream"
CONGESTION = "congestion"

TOGETHER_S = 120.0
NEAR_KM = 10.0
FULL_SHARE = 0.9
REMEMBER_S = 3600.0
SLACK_S = 30.0
"""sysUpTime counts from the start of the agent: a router that boots is silent a little longer."""

OPER_DOWN = 2


@dataclass(frozen=True, slots=True)
class RouterObservation:
    """One reading of a router (steady seconds). ports: by the link's full name.

    uptime_s: of the site's own router; None from another router, or when it was not read.
    """

    site: str
    at_s: float
    uptime_s: float | None
    ports: Mapping[str, PortObservation] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PortObservation:
    """ifOperStatus (2 is down) and the larger of the two directions' shares of the capacity."""

    oper: int | None = None
    utilisation: float | None = None


class SuspectedCauses:
    """Suggests causes from recent outages and from readings of routers."""

    def __init__(self, network: Network) -> None:
        self.reconfigure(network)
        self._fallen: deque[Incident] = deque()
        self._closed: dict[str, list[Incident]] = {}

    def reconfigure(self, network: Network) -> None:
        """Use other sites and links from now on."""
        self._links: dict[str, Link] = {link.name: link for link in network.links()}
        self._sites: dict[str, Site] = {site.id: site for site in network.sites}

    def follow(self, detector: Detector, decisions: Iterable[Decision]) -> list[Decision]:
        """Updates of incidents for which these decisions suggest a cause."""
        out: list[Decision] = []
        for decision in decisions:
            if not isinstance(decision, IncidentChange):
                continue
            incident = decision.incident
            if incident.scope is not Scope.LINK or incident.target not in self._links:
                continue
            if decision.change is ChangeKind.CLOSED:
                self._remember_closed(incident)
            elif incident.parent is not None and incident.suspected_cause is None:
                self._suspect(detector, incident, UPSTREAM, incident.evidence, decision.at_s, out)
            elif decision.change is ChangeKind.OPENED and incident.state is State.DOWN:
                self._check_fell_together(detector, incident, decision.at_s, out)
        return out

    def router_seen(self, detector: Detector, reading: RouterObservation) -> list[Decision]:
        """Updates of open and recently closed incidents that a reading is evidence for."""
        out: list[Decision] = []
        closed = self._closed.pop(reading.site, []) if reading.uptime_s is not None else []
        for incident in closed:
            if reading.uptime_s is not None and incident.ended_s is not None:
                stopped = reading.at_s - reading.uptime_s > incident.started_s - SLACK_S
                evidence = replace(incident.evidence, router_uptime_s=reading.uptime_s)
                cause = POWER if stopped else LINK
                self._suspect(detector, incident, cause, evidence, reading.at_s, out)
        site = self._sites.get(reading.site)
        for link in site.links if site is not None else ():
            port = reading.ports.get(link.name)
            health = detector.healths.get(link.name)
            current = health.incident if health is not None else None
            if port is None or current is None or current.suspected_cause is not None:
                continue
            if current.state is State.DOWN and port.oper == OPER_DOWN:
                if self._another_answers(detector, link):
                    evidence = replace(current.evidence, port_oper=port.oper)
                    self._suspect(detector, current, LINK, evidence, reading.at_s, out)
            elif current.state is State.DEGRADED and (port.utilisation or 0.0) > FULL_SHARE:
                evidence = replace(current.evidence, utilisation=port.utilisation)
                self._suspect(detector, current, CONGESTION, evidence, reading.at_s, out)
        return out

    def _remember_closed(self, incident: Incident) -> None:
        if incident.state is State.DOWN and incident.end_reason == "reply":
            recent = self._closed.setdefault(self._links[incident.target].site, [])
            oldest_s = incident.ended_s - REMEMBER_S if incident.ended_s is not None else 0.0
            recent[:] = [i for i in recent if i.ended_s is not None and i.ended_s >= oldest_s]
            recent.append(incident)

    def _check_fell_together(
        self, detector: Detector, incident: Incident, at_s: float, out: list[Decision]
    ) -> None:
        while self._fallen and self._fallen[0].started_s < incident.started_s - TOGETHER_S:
            self._fallen.popleft()
        link = self._links[incident.target]
        together = [other for other in self._fallen if self._is_near(link, other)]
        self._fallen.append(incident)
        if not together:
            return
        for each in [*together, incident]:
            health = detector.healths.get(each.target)
            now = health.incident if health is not None else None
            if now is None or now.id != each.id or now.suspected_cause not in (None, POWER):
                continue
            sites = {self._links[i.target].site for i in [*together, incident]}
            near = tuple(sorted(sites - {self._links[each.target].site}))
            evidence = replace(now.evidence, near_sites=near)
            self._suspect(detector, now, POWER, evidence, at_s, out)

    def _is_near(self, link: Link, other: Incident) -> bool:
        """Is the other link of another provider and of a site within `NEAR_KM`?"""
        fallen = self._links.get(other.target)
        if fallen is None or fallen.site == link.site or fallen.provider == link.provider:
            return False
        here, there = self._sites[link.site], self._sites[fallen.site]
        if None in (here.lat, here.lon, there.lat, there.lon):
            return False
        return distance_km(here, there) <= NEAR_KM

    def _another_answers(self, detector: Detector, link: Link) -> bool:
        others = [other for other in self._sites[link.site].links if other.name != link.name]
        return any(
            detector.healths[other.name].state in (State.UP, State.DEGRADED)
            for other in others
            if other.name in detector.healths
        )

    def _suspect(
        self,
        detector: Detector,
        incident: Incident,
        cause: str,
        evidence: IncidentEvidence,
        at_s: float,
        out: list[Decision],
    ) -> None:
        updated = replace(incident, suspected_cause=cause, evidence=evidence)
        health = detector.healths.get(incident.target)
        current = health.incident if health is not None else None
        if health is not None and current is not None and current.id == incident.id:
            health.incident = updated
        out.append(IncidentChange(ChangeKind.UPDATED, updated, at_s))


def distance_km(here: Site, there: Site) -> float:
    """Great-circle distance (haversine, mean radius 6,371 km) of two sites with points."""
    lat1, lon1, lat2, lon2 = (
        radians(value or 0.0) for value in (here.lat, here.lon, there.lat, there.lon)
    )
    half = sin((lat2 - lat1) / 2) ** 2 + cos(lat1) * cos(lat2) * sin((lon2 - lon1) / 2) ** 2
    return 2 * 6371.0 * asin(sqrt(half))
