"""The only questions that pages may ask, and who answers them. All times UTC (Unix seconds).

Built on ports: the state now (`pantau status --json`), the ledger, and a store of samples. What
is asked by every browser every second is kept for a moment.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, tzinfo
from typing import Any, Protocol

from dashboard.reads.cases import Cases
from dashboard.reads.intervals import Stretch, by_target, site_stretches, target_stretches
from dashboard.reads.kept import Kept
from dashboard.reads.months import Months
from dashboard.reads.ranges import DAY_S, Span
from monitor.core.alerting.messages.situation import states_in
from monitor.core.alerting.ports import AlertReader
from monitor.core.alerting.settings import AlertSettings
from monitor.core.errors import ApiError, PantauError, StoreError
from monitor.core.model import Device, Incident, Interface, Network, Site, State
from monitor.core.ports import SampleSource
from monitor.core.samples.samples import LatencyBucket, ThroughputBucket

SPARK_S = 3600.0
SPARK_WIDTH_S = 60.0


class StateSource(Protocol):
    """Who knows the state now."""

    def document(self) -> dict[str, Any]:
        """The document of `pantau status --json`; raises PantauError when nobody knows."""
        ...


@dataclass(frozen=True, slots=True)
class Sparks:
    """The last hour of every target; failed: the store of samples could not be read.

    newest_s: the time of the newest sample, None when there is none or it is not known.
    """

    start_s: float
    buckets: dict[str, list[LatencyBucket]]
    newest_s: float | None
    failed: bool


@dataclass(frozen=True, slots=True)
class Day:
    """The last 24 hours of every site (by its id); failed: the ledger could not be read."""

    start_s: float
    end_s: float
    sites: dict[str, list[Stretch]]
    incidents: tuple[Incident, ...]
    failed: bool


class Reads:
    """Answers to the pages. now: UTC seconds; steady: seconds that never jump, for keeping.

    cases: incidents and what people did about them; months: availability. alerts, zone: of the
    configuration. router: asks the daemon what a router told of itself; raises PantauError.
    """

    def __init__(
        self,
        network: Network,
        state: StateSource,
        ledger: AlertReader,
        samples: SampleSource,
        now: Callable[[], float],
        steady: Callable[[], float],
        alerts: AlertSettings | None = None,
        zone: tzinfo = UTC,
        router: Callable[[str], dict[str, Any]] | None = None,
    ) -> None:
        configured = AlertSettings() if alerts is None else alerts
        self.cases = Cases(network, ledger, configured, zone, now, steady)
        self.months = Months(network, ledger, configured.maintenance, zone, now, steady)
        self.network = network
        self.zone = zone
        self.now = now
        self._state = state
        self._ledger = ledger
        self._samples = samples
        self._router = _nobody_asked if router is None else router
        self._sites = {site.id: site for site in network.sites}
        self._sparks = Kept(self._ask_sparks, 10.0, steady)
        self._day = Kept(self._ask_day, 5.0, steady)

    def state(self) -> dict[str, Any]:
        """What `pantau status --json` says, now; raises PantauError when nobody knows."""
        return self._state.document()

    def sparks(self) -> Sparks:
        """The last hour of every target in buckets of a minute, at most 10 s old."""
        return self._sparks.get()

    def day(self) -> Day:
        """The states of every site over 24 hours, and the incidents, at most 5 s old."""
        return self._day.get()

    def site(self, site_id: str) -> Site | None:
        """A configured site by its id."""
        return self._sites.get(site_id)

    def node_names(self) -> dict[str, str]:
        """What people call each node, by its id."""
        return {node.id: node.name for node in self.network.nodes}

    def node_states(self) -> dict[str, str]:
        """The state of each node now, by its id; empty when nobody knows."""
        try:
            nodes = self._state.document().get("nodes", ())
        except PantauError:
            return {}
        return {each["target"]: each["state"] for each in nodes}

    def link_states(self) -> dict[str, State]:
        """The state of each link now, by its full name; empty when nobody knows."""
        try:
            return states_in(self._state.document())
        except PantauError:
            return {}

    def latency(self, target: str, span: Span, now_s: float) -> list[LatencyBucket]:
        """One target over a range; raises StoreError."""
        return self._samples.latency(target, *span.bounds(now_s), span.latency_width_s)

    def ports(self, device: Device) -> list[Interface]:
        """The ports of a router by name: those configured, and any other that was seen lately.

        A capacity that is not configured is the port's own speed. Raises StoreError.
        """
        seen = {each.ifname: each for each in self._samples.latest_interfaces(device.name)}
        configured = {each.name: each for each in device.interfaces}
        found = []
        for name in sorted({*seen, *configured}):
            sample = seen.get(name)
            port = configured.get(name)
            if port is None:
                port = Interface(name, None if sample is None else sample.link)
            if port.capacity_bps is None and sample is not None:
                port = replace(port, capacity_bps=sample.speed_bps)
            found.append(port)
        return found

    def throughput(
        self, device: str, ifname: str, span: Span, now_s: float
    ) -> list[ThroughputBucket]:
        """One port over a range; raises StoreError."""
        width_s = span.traffic_width_s
        return self._samples.throughput(device, ifname, *span.bounds(now_s), width_s)

    def router(self, device: Device) -> dict[str, Any] | None:
        """What a router told of itself (`GET /routers/<name>`); None when nobody knows."""
        try:
            return self._router(device.name)
        except PantauError:
            return None

    def stretches(self, target: str, start_s: float, end_s: float) -> list[Stretch]:
        """The states of one target over a range; raises StoreError."""
        changes = self._ledger.transitions(start_s, end_s, target)
        return target_stretches(changes, start_s, end_s)

    def incidents_of(self, site: Site, start_s: float, end_s: float) -> list[Incident]:
        """What concerned a site in a range, newest first; raises StoreError.

        Its links' own incidents, those of nodes that hid its links, and the monitor's.
        """
        links = {link.name for link in site.links}
        found = [
            incident
            for incident in self._ledger.incidents(since_s=start_s)
            if incident.started_s <= end_s
            and (
                incident.target in links
                or links.intersection(incident.affected)
                or incident.scope == "monitor"
            )
        ]
        return sorted(found, key=lambda incident: (incident.started_s, incident.id), reverse=True)

    def _ask_sparks(self) -> Sparks:
        end_s = (self.now() // SPARK_WIDTH_S + 1) * SPARK_WIDTH_S
        start_s = end_s - SPARK_S
        try:
            buckets = self._samples.latency_all(start_s, end_s, SPARK_WIDTH_S)
            newest_s = self._samples.newest_s()
        except StoreError:
            return Sparks(start_s, {}, None, failed=True)
        return Sparks(start_s, buckets, newest_s, failed=False)

    def _ask_day(self) -> Day:
        end_s = self.now()
        start_s = end_s - DAY_S
        try:
            changes = by_target(self._ledger.transitions(start_s, end_s))
            incidents = tuple(self._ledger.incidents(since_s=start_s))
        except StoreError:
            return Day(start_s, end_s, {}, (), failed=True)
        sites = {
            site.id: site_stretches(
                [
                    target_stretches(changes.get(link.name, ()), start_s, end_s)
                    for link in site.links
                ],
                start_s,
                end_s,
            )
            for site in self.network.sites
        }
        return Day(start_s, end_s, sites, incidents, failed=False)


def _nobody_asked(name: str) -> dict[str, Any]:
    raise ApiError(f"there is no daemon that could say what {name} told")


def is_trouble(state: State | None) -> bool:
    """Is this a state that somebody should see on a timeline?"""
    return state not in (None, State.UP)
