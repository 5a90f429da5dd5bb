"""Everything that the judge knows: one Health a target, and the monitor's own standing."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from heapq import heappush
from math import inf

from monitor.core.detection.flapping import bumped
from monitor.core.detection.loss_windows import RunningMean
from monitor.core.detection.target_health import CLOCK_GRAIN_S, TargetHealth
from monitor.core.detection.topology import Topology
from monitor.core.model import (
    NO_EVIDENCE,
    ChangeKind,
    Decision,
    Incident,
    IncidentChange,
    IncidentEvidence,
    LedgerSnapshot,
    Network,
    Reply,
    Scope,
    State,
    TargetRole,
    Transition,
)

MONITOR = "monitor"
BLIND_S = 10.0
TOGETHER_S = 1.0
"""Links that are found hidden behind a fallen node within this span are told in one change."""


@dataclass(slots=True)
class DetectorState:
    """The state of all verdicts. Belongs to its caller; `judge.advance` consumes and returns it.

    last_evidence_s: the newest sending time of any evidence. isolation: the monitor's own open
    incident. cut_since_s: when all anchors and most targets were first known to be silent.
    stirred: whose verdict may have become ripe; only those that wait are looked at.
    failed_lately: when a target's send last failed, the oldest first. unsent_share: of all
    targets, those whose newest request could not be sent.
    Cut off, `answering`: the first answer of each that answers again; patchy: answers and failed
    sends alternate.
    latecomers: by fallen node, links to be added to its incident at `latecomers_due_s`.
    """

    topology: Topology
    healths: dict[str, TargetHealth]
    blind_after_s: float
    held_after_s: float
    confirm_s: float
    anchors: tuple[TargetHealth, ...]
    now_s: float = -inf
    last_evidence_s: float | None = None
    next_incident: int = 1
    isolation: Incident | None = None
    cut_since_s: float | None = None
    patchy: bool = False
    dirty: bool = False
    deadlines: list[tuple[float, str]] = field(default_factory=list)
    waiting: set[str] = field(default_factory=set)
    stirred: set[str] = field(default_factory=set)
    unmeasurable: set[str] = field(default_factory=set)
    failed_lately: dict[str, float] = field(default_factory=dict)
    unsent_share: RunningMean = field(default_factory=RunningMean)
    answering: dict[str, Reply] = field(default_factory=dict)
    suspected: set[str] = field(default_factory=set)
    latecomers: dict[str, set[str]] = field(default_factory=dict)
    latecomers_due_s: float = inf
    seen: int = 0
    silent: int = 0
    anchors_seen: int = 0
    anchors_silent: int = 0
    unsent: int = 0

    @staticmethod
    def new(network: Network) -> DetectorState:
        """A world without any evidence."""
        targets = network.targets()
        healths = {target.name: TargetHealth(target) for target in targets}
        return DetectorState(
            topology=Topology.of(targets),
            healths=healths,
            blind_after_s=blind_after_s(network),
            held_after_s=held_after_s(network),
            confirm_s=isolation_confirm_s(network),
            anchors=tuple(healths[anchor.name] for anchor in network.anchors),
        )

    def restore(self, snapshot: LedgerSnapshot, now_s: float = inf) -> None:
        """Take over states and open incidents from the ledger.

        Targets that are not configured are left out. now_s: later times are set back to it (the
        wall clock was set back while the daemon was stopped).
        """
        self.next_incident = snapshot.next_incident_id
        last_s = snapshot.last_alive_s
        self.last_evidence_s = None if last_s is None else min(last_s, now_s)
        for stored in snapshot.states:
            if stored.target in self.healths:
                health = self.healths[stored.target]
                health.state = stored.state
                health.since_s = min(stored.since_s, now_s)
                # Its parents and the blind check must not mistake it for one never probed.
                self.mark_seen(health)
        for incident in snapshot.open_incidents:
            if incident.scope is Scope.MONITOR:
                self.isolation = incident
            elif incident.target in self.healths:
                health = self.healths[incident.target]
                health.incident = incident
                if incident.state is State.DEGRADED:
                    health.crossed = frozenset({incident.reason})
        for health in self.healths.values():
            self.update_silent(health)

    def mark_seen(self, health: TargetHealth) -> None:
        """The first evidence on a target."""
        if not health.seen:
            health.seen = True
            self.seen += 1
            if health.target.role is TargetRole.ANCHOR:
                self.anchors_seen += 1

    def update_silent(self, health: TargetHealth) -> None:
        """Keep the counts of silent targets true after a change to one."""
        silent = health.run_count > 0 or health.gone
        if health.run_count and not health.gone:
            self.suspected.add(health.target.name)
        else:
            self.suspected.discard(health.target.name)
        if silent is not health.silent:
            health.silent = silent
            step = 1 if silent else -1
            self.silent += step
            if health.target.role is TargetRole.ANCHOR:
                self.anchors_silent += step

    def at_deadline(self, at_s: float, target: str = MONITOR) -> None:
        """Ask that a target (or the monitor) is judged again at `at_s`, evidence or not."""
        heappush(self.deadlines, (at_s, target))

    def nobody_looked(self, at_s: float) -> bool:
        """Has there been no evidence for so long that time itself settles nothing?"""
        return self.last_evidence_s is not None and at_s - self.last_evidence_s > self.held_after_s

    def stir(self, health: TargetHealth) -> None:
        """Something happened to it: a verdict that waits for it may be ripe."""
        if not self.waiting:
            return
        if health.target.role is TargetRole.ANCHOR:
            self.stirred |= self.waiting
        else:
            self.stirred.add(health.target.name)
            self.stirred.update(self.topology.children.get(health.target.name, ()))

    def anchor_heard_since(self, since_s: float) -> bool:
        """Did an anchor answer a request sent at `since_s` or later: were we connected then?

        True also without an anchor that could: all are down themselves, or cannot be measured.
        """
        able = [
            anchor
            for anchor in self.anchors
            if anchor.seen
            and anchor.state is not State.DOWN
            and not (anchor.state is State.UNKNOWN and anchor.unmeasured)
        ]
        return not able or any(anchor.last_reply_s >= since_s for anchor in able)

    def turn(
        self,
        health: TargetHealth,
        after: State,
        at_s: float,
        reason: str,
        out: list[Decision],
        evidence: IncidentEvidence = NO_EVIDENCE,
    ) -> None:
        """Change a target's state; `at_s` is never before the state that it ends."""
        if health.state is after:
            return
        if health.state is not State.UNKNOWN or health.since_s > 0:
            at_s = max(at_s, health.since_s)
        out.append(
            Transition(health.target.name, at_s, self.now_s, health.state, after, reason, evidence)
        )
        if State.DOWN in (health.state, after):
            age_s = self.now_s - health.flap_at_s
            health.flap_value = bumped(health.flap_value, age_s)
            health.flap_at_s = self.now_s
        health.state = after
        health.since_s = at_s
        self.update_silent(health)
        self.stir(health)

    def open(
        self,
        scope: Scope,
        target: str,
        state: State,
        started_s: float,
        reason: str,
        out: list[Decision],
        evidence: IncidentEvidence = NO_EVIDENCE,
        started_earliest_s: float | None = None,
        affected: tuple[str, ...] = (),
    ) -> Incident:
        """Open an incident now; its id is the next one."""
        incident = Incident(
            id=self.next_incident,
            scope=scope,
            target=target,
            state=state,
            started_s=started_s,
            detected_s=self.now_s,
            reason=reason,
            evidence=evidence,
            started_earliest_s=started_earliest_s,
            affected=affected,
        )
        self.next_incident += 1
        out.append(IncidentChange(ChangeKind.OPENED, incident, self.now_s))
        return incident

    def add_latecomer(self, node: str, link: str) -> None:
        """A link is hidden behind a node that fell before it: its incident will list it, too."""
        if not self.latecomers:
            self.latecomers_due_s = self.now_s + TOGETHER_S
            self.at_deadline(self.latecomers_due_s)
        self.latecomers.setdefault(node, set()).add(link)

    def note(self, change: ChangeKind, incident: Incident, out: list[Decision]) -> Incident:
        """Say that an incident changed or is over; returns it, with those that came late."""
        late = self.latecomers.pop(incident.target, None)
        if late:
            rank = self.topology.rank
            known = sorted({*incident.affected, *late}, key=lambda name: rank.get(name, 0))
            incident = replace(incident, affected=tuple(known))
        out.append(IncidentChange(change, incident, self.now_s))
        return incident


def blind_after_s(network: Network) -> float:
    """How long without any evidence is a blind interval: max(10 s, 3 × the shortest interval)."""
    intervals = [target.rules.interval_s for target in network.targets()]
    return max(BLIND_S, 3 * min(intervals, default=1.0)) + CLOCK_GRAIN_S


def held_after_s(network: Network) -> float:
    """How long without evidence deadlines still count: a loss is known only at its time-out."""
    timeouts = [target.rules.timeout_s for target in network.targets()]
    return max(blind_after_s(network), 3 * max(timeouts, default=1.0))


def isolation_confirm_s(network: Network) -> float:
    """How long all anchors must be silent: their shortest `confirm_s` (without any: of all)."""
    anchors = [anchor.rules.confirm_s for anchor in network.anchors]
    return min(anchors or [t.rules.confirm_s for t in network.targets()], default=5.0)
