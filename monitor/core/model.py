"""Targets, outcomes of probes, states, transitions and incidents.

Times are seconds on the *steady* timeline (float): Unix time when the daemon started plus what a
clock that never jumps has counted since. `Clock.utc_s` turns them into UTC when something is
recorded. In a replay both are the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from monitor.core.availability_target import AvailabilityTarget
from monitor.core.paths.model import PathFinding


class State(StrEnum):
    """State of a link, a node or a site; the rules are in `core.detection`."""

    UP = "up"
    DEGRADED = "degraded"
    DOWN = "down"
    UNREACHABLE = "unreachable"
    UNKNOWN = "unknown"


class Scope(StrEnum):
    """What an incident is about; `site` is reserved (a site's state is derived)."""

    LINK = "link"
    NODE = "node"
    SITE = "site"
    MONITOR = "monitor"


class TargetRole(StrEnum):
    """Why a target is probed."""

    LINK = "link"
    NODE = "node"
    ANCHOR = "anchor"


@dataclass(frozen=True, slots=True)
class ProbeRules:
    """How one target is probed, and the limits that its state is decided by (see VERDICTS)."""

    interval_s: float = 1.0
    confirm_interval_s: float = 0.2
    confirm_s: float = 5.0
    timeout_s: float = 1.0
    rise: int = 3
    window_s: float = 60.0
    loss_pct: float = 5.0
    rtt_ms: float = 50.0
    record_s: float = 10.0
    false_alarm: float = 3e-9


@dataclass(frozen=True, slots=True)
class Target:
    """One address that is probed.

    name: `site/link`, a node's id, or `anchor:<address>`.
    parents: node ids that it hangs on (`via` of a link, `parent` of a node); none: ().
    """

    name: str
    address: str
    role: TargetRole
    rules: ProbeRules
    parents: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Node:
    """Something that links hang on: a core router, a PoP."""

    id: str
    name: str
    address: str
    rules: ProbeRules
    parents: tuple[str, ...] = ()
    lat: float | None = None
    lon: float | None = None


@dataclass(frozen=True, slots=True)
class Link:
    """One path to one kecamatan office. name: `site/link`. aim: its availability target."""

    id: str
    name: str
    site: str
    address: str
    kind: str
    rules: ProbeRules
    via: tuple[str, ...] = ()
    provider: str | None = None
    capacity_mbps: float | None = None
    circuit: str | None = None
    contact: str | None = None
    aim: AvailabilityTarget | None = None


@dataclass(frozen=True, slots=True)
class Interface:
    """A router's port that is read by SNMP; the key is ifName, never an index.

    link: full name (`site/link`) of the link that runs over it, None when none does.
    """

    name: str
    link: str | None = None
    capacity_bps: float | None = None


@dataclass(frozen=True, slots=True)
class Device:
    """A router that is polled by SNMP. `name` is the site's id or the node's id.

    credential: the *name* of a secret, never the secret.
    """

    name: str
    address: str
    version: str
    credential: str
    interfaces: tuple[Interface, ...]
    interval_s: float = 60.0
    timeout_s: float = 2.0
    retries: int = 1
    port: int = 161
    site: str | None = None


@dataclass(frozen=True, slots=True)
class Site:
    """One kecamatan office."""

    id: str
    name: str
    code: str
    links: tuple[Link, ...]
    lat: float | None = None
    lon: float | None = None
    device: Device | None = None


@dataclass(frozen=True, slots=True)
class Network:
    """Everything that is probed and polled, as configured."""

    sites: tuple[Site, ...] = ()
    nodes: tuple[Node, ...] = ()
    anchors: tuple[Target, ...] = ()
    devices: tuple[Device, ...] = ()

    def targets(self) -> tuple[Target, ...]:
        """All that is pinged: anchors, then nodes, then links in the order of the sites."""
        nodes = tuple(
            Target(n.id, n.address, TargetRole.NODE, n.rules, n.parents) for n in self.nodes
        )
        links = tuple(
            Target(k.name, k.address, TargetRole.LINK, k.rules, k.via) for k in self.links()
        )
        return self.anchors + nodes + links

    def links(self) -> tuple[Link, ...]:
        """All links, in the order of the sites."""
        return tuple(link for site in self.sites for link in site.links)

    def same_addresses(self, other: Network) -> set[str]:
        """Names of the targets that both networks have with the same address."""
        addresses = {target.name: target.address for target in self.targets()}
        return {t.name for t in other.targets() if addresses.get(t.name) == t.address}


class Reply(NamedTuple):
    """The probed address itself answered in time. A tuple, not a dataclass: millions a day."""

    target: str
    sent_s: float
    known_s: float
    rtt_ms: float


class Lost(NamedTuple):
    """The request left this machine and no valid answer came in time.

    known_s: the moment of its time-out, or of the ICMP error.
    reason: None for silence, else the ICMP error in words ("host unreachable from 10.0.0.1").
    """

    target: str
    sent_s: float
    known_s: float
    reason: str | None = None


class NotMeasured(NamedTuple):
    """Nothing left this machine, or a stall of the daemon hides the outcome: no evidence.

    reason: an errno name ("ENETUNREACH") or "stalled".
    """

    target: str
    sent_s: float
    known_s: float
    reason: str


Outcome = Reply | Lost | NotMeasured


class Tick(NamedTuple):
    """Time has reached `at_s`: deadlines that pass without evidence are decided."""

    at_s: float


Evidence = Outcome | Tick


@dataclass(frozen=True, slots=True)
class IncidentEvidence:
    """The numbers behind a transition or an incident; None where one does not apply.

    What a suspected cause rests on: how long the site's router had run at its
    first reading after the outage, ifOperStatus of the port that faces the site, the share of the
    capacity in use, and the sites near by that fell with it. path: where the path breaks off.
    """

    lost_in_row: int | None = None
    loss_before: float | None = None
    silence_s: float | None = None
    loss_ratio: float | None = None
    rtt_ms: float | None = None
    limit: float | None = None
    silent_share: float | None = None
    error: str | None = None
    router_uptime_s: float | None = None
    port_oper: int | None = None
    utilisation: float | None = None
    near_sites: tuple[str, ...] | None = None
    path: PathFinding | None = None


NO_EVIDENCE = IncidentEvidence()
"""No numbers: the reason is enough."""


@dataclass(frozen=True, slots=True)
class Transition:
    """A change of a target's state. at_s: since when; detected_s: when it was decided."""

    target: str
    at_s: float
    detected_s: float
    before: State
    after: State
    reason: str
    evidence: IncidentEvidence = NO_EVIDENCE


@dataclass(frozen=True, slots=True)
class Incident:
    """An outage or degradation, from `started_s` to `ended_s` (None: still open).

    started_earliest_s, ended_earliest_s: the last evidence before a blind interval that hides the
    true start or end.
    parent: the id of the incident that explains this one.
    affected: full names of the links behind a node.
    """

    id: int
    scope: Scope
    target: str
    state: State
    started_s: float
    detected_s: float
    reason: str
    evidence: IncidentEvidence = NO_EVIDENCE
    ended_s: float | None = None
    end_reason: str | None = None
    started_earliest_s: float | None = None
    ended_earliest_s: float | None = None
    parent: int | None = None
    affected: tuple[str, ...] = ()
    suspected_cause: str | None = None


class ChangeKind(StrEnum):
    """What happened to an incident."""

    OPENED = "opened"
    UPDATED = "updated"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class IncidentChange:
    """`incident` as it is after the change, and when that was decided."""

    change: ChangeKind
    incident: Incident
    at_s: float


Decision = Transition | IncidentChange


@dataclass(frozen=True, slots=True)
class StoredState:
    """A target's last state, UTC."""

    target: str
    state: State
    since_s: float
    reason: str = ""


@dataclass(frozen=True, slots=True)
class LedgerSnapshot:
    """What the ledger holds at a start; times UTC. last_alive_s None: the daemon never ran."""

    states: tuple[StoredState, ...] = ()
    open_incidents: tuple[Incident, ...] = ()
    next_incident_id: int = 1
    last_alive_s: float | None = None
