"""The detector: evidence of all targets in, transitions and incidents out.

    detector = Detector(network)
    decisions = detector.advance(evidence)

There is no clock: time comes in with the evidence. All evidence that became known at one moment
is taken in before anything is decided at that moment, so no decision depends on the order of two
targets with equal time. The daemon and `pantau replay` differ only in where evidence comes from.

What is decided of a moment, in this order (`_decide`):

1. is the monitor itself cut off, or can it not send (`isolation`, `send_failures`)?
2. which targets cannot be measured?
3. the anchors that are confirmed silent, then all other targets, parents before children: down,
   or unreachable because everything above them is down (`topology`)?

Replies and losses change the state of their target at once where nothing has to be waited for:
recovery, the limits of DEGRADED. The rules are those of VERDICTS.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from heapq import heappop, heappush
from math import inf

from monitor.core.detection.isolation import MONITOR, WAIT_S, Hold, Isolation
from monitor.core.detection.target_health import HealthCounts, TargetHealth
from monitor.core.detection.topology import (
    ParentState,
    Topology,
    dead_roots,
    hidden_links,
    parent_state,
    unprobed_at_s,
)
from monitor.core.model import (
    NO_EVIDENCE,
    ChangeKind,
    Decision,
    Evidence,
    Incident,
    IncidentChange,
    IncidentEvidence,
    LedgerSnapshot,
    Lost,
    Network,
    NotMeasured,
    Outcome,
    Reply,
    Scope,
    State,
    TargetRole,
    Tick,
    Transition,
)

AFFECTED_S = 1.0
"""Links that fall silent after their node within this span are added to its incident at once."""


class Detector:
    """The states and open incidents of all targets, and what must still be decided.

    healths: by target. suspected: targets that are probed faster: with losses in a row that are
    not down or unreachable, or silent since their node is back. isolation: the monitor's own state.
    """

    def __init__(self, network: Network) -> None:
        targets = network.targets()
        self.topology = Topology.of(targets)
        self.healths = {target.name: TargetHealth(target) for target in targets}
        self.counts = HealthCounts(self.healths.values())
        self.isolation = Isolation(network, self.counts)
        self.suspected: set[str] = set()
        self.now_s = -inf
        self._last_evidence_s: float | None = None  # the newest sending time of any evidence
        self._next_incident = 1
        self._pending: set[str] = set()  # confirmed silent, not decided
        self._to_decide: set[str] = set()  # something happened that may decide these
        self._undecided = False  # evidence since the last decision
        self._deadlines: list[tuple[float, str]] = []
        self._affected: dict[str, set[str]] = {}  # by node: links to be added to its incident
        self._affected_due_s = inf
        self._decisions: list[Decision] = []

    def restore(self, snapshot: LedgerSnapshot, now_s: float = inf) -> None:
        """Take over states and open incidents from the ledger.

        Targets that are not configured are left out. now_s: later times are set back to it (the
        wall clock was set back while the daemon was stopped).
        """
        self._next_incident = snapshot.next_incident_id
        last_s = snapshot.last_alive_s
        self._last_evidence_s = None if last_s is None else min(last_s, now_s)
        for stored in snapshot.states:
            health = self.healths.get(stored.target)
            if health is not None:
                health.state = stored.state
                health.since_s = min(stored.since_s, now_s)
                # Its children and the blind check must not mistake it for one never probed.
                self.counts.mark_seen(health)
        for incident in snapshot.open_incidents:
            if incident.scope is Scope.MONITOR:
                self.isolation.incident = incident
            elif incident.target in self.healths:
                health = self.healths[incident.target]
                health.incident = incident
                if incident.state is State.DEGRADED:
                    health.exceeded = frozenset({incident.reason})
        for health in self.healths.values():
            self._update_silent(health)

    @property
    def monitor_incident(self) -> Incident | None:
        """The monitor's own open incident: it is cut off or cannot send."""
        return self.isolation.incident

    def open_incidents(self) -> list[Incident]:
        """All open incidents by id."""
        found = [h.incident for h in self.healths.values() if h.incident is not None]
        if self.isolation.incident is not None:
            found.append(self.isolation.incident)
        return sorted(found, key=lambda incident: incident.id)

    # ---- evidence

    def advance(self, evidence: Iterable[Evidence]) -> list[Decision]:
        """Take in evidence in the order in which it became known (`known_s`, never falling).

        Deadlines that pass between two pieces of evidence are decided at their own moment.
        Evidence older than the detector's time counts as known now; that of an unknown target is
        left out.
        """
        for item in evidence:
            if isinstance(item, Tick):
                if item.at_s > self.now_s:
                    self._move_to(item.at_s)
                continue
            if item.known_s > self.now_s:
                if self._undecided or self._deadlines:
                    self._move_to(item.known_s)
                else:
                    self.now_s = item.known_s
            self._take(item)
        self._decide()
        decisions, self._decisions = self._decisions, []
        return decisions

    def _move_to(self, at_s: float) -> None:
        """Decide the present moment, then each deadline up to `at_s` at its own moment."""
        self._decide()
        if self._deadlines and not self._is_unwatched(at_s):
            while self._deadlines and self._deadlines[0][0] <= at_s:
                due_s, name = heappop(self._deadlines)
                self.now_s = max(self.now_s, due_s)
                if name in self.healths:
                    self._decide_around(self.healths[name])
                self._undecided = True
                self._decide()
        self.now_s = at_s

    def _is_unwatched(self, at_s: float) -> bool:
        """Has there been no evidence for so long that time alone decides nothing?"""
        last_s = self._last_evidence_s
        return last_s is not None and at_s - last_s > self.isolation.pause_after_s

    def _take(self, item: Outcome) -> None:
        health = self.healths.get(item.target)
        if health is None:
            return
        last_s = self._last_evidence_s
        if last_s is None:
            self._last_evidence_s = item.sent_s
        elif item.sent_s > last_s:
            if item.sent_s - last_s > self.isolation.blind_after_s:
                self._go_blind(last_s, item.sent_s)
            self._last_evidence_s = item.sent_s
        if not health.seen:
            self.counts.mark_seen(health)
        if self.isolation.incident is not None and not self._ends_isolation(item):
            return
        if item.sent_s < health.ignore_before_s:
            return
        if isinstance(item, Reply):
            self._take_reply(health, item)
        elif isinstance(item, Lost):
            self._take_lost(health, item)
        else:
            self._take_not_measured(health, item)

    def _take_reply(self, health: TargetHealth, item: Reply) -> None:
        if (
            health.state is State.UP
            and not health.run_count
            and health.incident is None
            and item.target not in self.isolation.send_failures.runs
        ):
            # The path of almost every reply: count it, and look only if a limit may be near.
            health.count_reply(item.sent_s, item.rtt_ms)
            health.outage_start_s = None
            if not health.window.quiet:
                self._check_limits(health)
            if self._pending and health.target.role is not TargetRole.LINK:
                self._decide_around(health)
                self._undecided = True
            return
        self._take_sent(health, item.sent_s)
        health.add_reply(item.sent_s, item.known_s, item.rtt_ms)
        if not health.pending:
            self._pending.discard(health.target.name)
        if health.outage_open:
            health.down_before_blind = False
            if health.add_recovery_reply(item.sent_s):
                self._recover(health)
        else:
            if health.state in (State.UNKNOWN, State.UNREACHABLE):
                self._answer(health, item.sent_s, was_dead=health.dead)
            health.outage_start_s = None
            health.earliest_s = None
        if not health.run_count:
            self._check_limits(health)
        self._update_silent(health)
        if self._pending:
            self._decide_around(health)
        self._undecided = True

    def _take_lost(self, health: TargetHealth, item: Lost) -> None:
        self._take_sent(health, item.sent_s)
        if not health.add_loss(item.sent_s, item.known_s, item.reason):
            if not health.run_count:
                self._check_limits(health)
            return
        if health.down_before_blind:
            # It was confirmed before the blind interval, and nothing has answered since.
            health.down_before_blind = False
            health.earliest_s = None
            self._change_state(health, State.DOWN, health.run_first_s, "still_silent")
        is_hidden = health.state is State.UNREACHABLE and health.outage_start_s is None
        if (
            health.state is not State.DOWN
            and not is_hidden
            and not health.pending
            and health.is_confirmed(self.now_s)
        ):
            self._confirm(health)
        if not health.silent:
            self._update_silent(health)
            self._decide_around(health)
            self._undecided = True

    def _take_not_measured(self, health: TargetHealth, item: NotMeasured) -> None:
        interval_s = health.target.rules.interval_s
        self.isolation.send_failures.add_failed(item, interval_s, self.now_s)
        if self._pending:
            self._decide_around(health)
        self._undecided = True

    def _take_sent(self, health: TargetHealth, sent_s: float) -> None:
        """A request left this machine: a target that could not be measured can be again."""
        if not self.isolation.send_failures.add_sent(health.target.name, sent_s):
            return  # known late: it was sent before the run of failed sends
        incident = health.incident
        if incident is not None and incident.state is State.UNKNOWN:
            self._close_incident(health, sent_s, "measured_again")

    # ---- decisions of a moment

    def _decide(self) -> None:
        """Decide what can be decided now: the monitor first, then parents before children.

        Nothing while there is no evidence at all: the next evidence ends a blind interval.
        """
        if not self._undecided or self._is_unwatched(self.now_s):
            return
        self._undecided = False
        if self._affected and self.now_s >= self._affected_due_s:
            self._record_affected()
        self._decide_monitor()
        if self.isolation.incident is not None:
            return
        for name in self._in_order(self.isolation.send_failures.take_long_runs()):
            self._decide_unmeasured(self.healths[name])
        for anchor in self.counts.anchors:
            if anchor.pending and self.isolation.hold(self.now_s) is not Hold.EVERYBODY:
                self._decide_silent(anchor)
        if self._to_decide and self.isolation.hold(self.now_s) is Hold.NOBODY:
            while self._to_decide:
                names = self._in_order(self._to_decide & self._pending)
                self._to_decide.clear()
                for name in names:
                    self._decide_silent(self.healths[name])

    def _in_order(self, names: Iterable[str]) -> list[str]:
        """Parents before children."""
        return sorted(names, key=self.topology.rank.__getitem__)

    def _decide_around(self, health: TargetHealth) -> None:
        """Something happened to it: it, its children (an anchor: all) may be decided now."""
        if not self._pending:
            return
        if health.target.role is TargetRole.ANCHOR:
            self._to_decide |= self._pending
        else:
            self._to_decide.add(health.target.name)
            self._to_decide.update(self.topology.children.get(health.target.name, ()))

    def _set_deadline(self, at_s: float, target: str = MONITOR) -> None:
        """Decide a target (or the monitor) at `at_s`, evidence or not."""
        heappush(self._deadlines, (at_s, target))

    def _confirm(self, health: TargetHealth) -> None:
        """Confirmed silent: decided when parents and anchors allow it, or after `WAIT_S`."""
        health.pending = True
        health.confirmed_s = self.now_s
        self._pending.add(health.target.name)
        self._to_decide.add(health.target.name)
        self._set_deadline(self.now_s + WAIT_S, health.target.name)
        self._undecided = True

    def _decide_silent(self, health: TargetHealth) -> None:
        """A target is confirmed silent: down, unreachable, or wait? ("Cause, not symptoms")"""
        parents = parent_state(health, self.healths, self.now_s)
        confirmed_s = health.confirmed_s if health.confirmed_s is not None else self.now_s
        if parents is ParentState.DEAD:
            self._become_unreachable(health)
        elif self.now_s >= confirmed_s + WAIT_S or (
            parents is ParentState.ALIVE and self.isolation.anchor_replied_since(health.run_first_s)
        ):
            self._become_down(health)
        elif parents is ParentState.UNSETTLED:
            unprobed_s = unprobed_at_s(health, self.healths)
            if self.now_s < unprobed_s < inf:
                self._set_deadline(unprobed_s, health.target.name)

    def _decide_unmeasured(self, health: TargetHealth) -> None:
        """A target that cannot be measured is unknown: alone, it has an incident of its own.

        While it is open whether the machine can send at all, nothing is decided.
        """
        failures = self.isolation.send_failures
        run = failures.runs.get(health.target.name)
        if run is None:
            return
        is_explained = failures.explains(run, self.now_s)
        if is_explained and failures.most_fail_now(self.now_s):
            return
        evidence = IncidentEvidence(error=run.error)
        self._pending.discard(health.target.name)
        health.drop_run()
        health.window.clear()
        if health.incident is None and not is_explained:
            self._open_incident(health, State.UNKNOWN, run.first_s, "not_measured", evidence)
        self._change_state(health, State.UNKNOWN, run.first_s, "not_measured", evidence)
        self._update_silent(health)
        self._decide_around(health)

    # ---- states of one target

    def _become_down(self, health: TargetHealth) -> None:
        """DOWN starts at the first lost request, or when the node above was back."""
        name, is_node = health.target.name, health.target.role is TargetRole.NODE
        started_s = health.run_first_s if health.outage_start_s is None else health.outage_start_s
        evidence = IncidentEvidence(
            lost_in_row=health.run_count,
            loss_before=health.history.ratio(self.now_s),
            silence_s=health.run_last_s - health.run_first_s,
            error=health.lost_reason,
        )
        self._settle_outage(health)
        self._close_degraded(health, started_s, "down")
        if health.incident is None:
            affected = hidden_links(name, self.topology, self.healths) if is_node else ()
            self._open_incident(
                health, State.DOWN, started_s, "silence", evidence, health.earliest_s, affected
            )
        elif health.incident.parent is not None:
            health.incident = self._update_incident(replace(health.incident, parent=None))
        health.earliest_s = None
        self._change_state(health, State.DOWN, started_s, "silence", evidence)
        if is_node:
            self._hide_behind(health)

    def _become_unreachable(self, health: TargetHealth) -> None:
        """Silent, and every node above it is down: part of that node's incident."""
        started_s = health.run_first_s if health.outage_start_s is None else health.outage_start_s
        self._settle_outage(health)
        self._close_degraded(health, started_s, "parent_down")
        if health.state is State.UNREACHABLE:
            self._update_silent(health)
            return
        self._change_state(health, State.UNREACHABLE, started_s, "parent_down")
        if health.target.role is not TargetRole.LINK:
            self._hide_behind(health)
            return
        for root in dead_roots(health.target.name, self.healths):
            self._add_affected(root.target.name, health.target.name)

    def _settle_outage(self, health: TargetHealth) -> None:
        health.settle_outage()
        self._pending.discard(health.target.name)

    def _hide_behind(self, node: TargetHealth) -> None:
        """Outages that were open behind a node when it fell: nothing can be said of them now."""
        for name in self.topology.behind(node.target.name):
            child = self.healths[name]
            if child.state is not State.DOWN:
                continue
            if parent_state(child, self.healths, self.now_s) is ParentState.DEAD:
                roots = dead_roots(name, self.healths)
                if child.incident is not None and roots and roots[0].incident is not None:
                    hidden = replace(child.incident, parent=roots[0].incident.id)
                    child.incident = self._update_incident(hidden)
                self._change_state(child, State.UNREACHABLE, node.since_s, "parent_down")

    def _recover(self, health: TargetHealth) -> None:
        """DOWN ends at the first reply of the run of `rise` good ones."""
        ended_s = health.rise_first_s
        if health.incident is not None:
            health.incident = replace(health.incident, ended_earliest_s=health.earliest_s)
            self._close_incident(health, ended_s, "reply")
        self._answer(health, ended_s, was_dead=True)
        health.rise_count = 0
        health.outage_start_s = None
        health.earliest_s = None

    def _answer(self, health: TargetHealth, at_s: float, was_dead: bool) -> None:
        """It answers: up, or degraded still when that incident is open."""
        is_first = health.state is State.UNKNOWN and health.since_s <= 0
        is_degraded = health.incident is not None and health.incident.state is State.DEGRADED
        after = State.DEGRADED if is_degraded else State.UP
        self._change_state(health, after, at_s, "first_reply" if is_first else "reply")
        if was_dead and health.target.role is TargetRole.NODE:
            self._restart_children(health, at_s)

    def _restart_children(self, node: TargetHealth, back_s: float) -> None:
        """A node is back: its silent children are decided on evidence sent since then only.

        They are probed at the confirm rate from now on.
        """
        for name in self.topology.children.get(node.target.name, ()):
            child = self.healths[name]
            parents = (self.healths.get(parent) for parent in child.target.parents)
            if any(p is not None and p is not node and not p.dead for p in parents):
                continue
            is_silent = child.state is State.UNREACHABLE or child.run_count > 0
            if is_silent and child.last_reply_s < back_s:
                fresh = child.losses_since(back_s)
                self._start_anew(child, back_s)
                child.resume_run(fresh, self.now_s)
                child.outage_start_s = back_s
                self._update_silent(child)

    def _start_anew(self, health: TargetHealth, ignore_before_s: float) -> None:
        """Only requests sent since `ignore_before_s` count for this target."""
        health.start_anew(ignore_before_s)
        self._pending.discard(health.target.name)
        self.isolation.send_failures.end_run(health.target.name)
        self._update_silent(health)

    def _check_limits(self, health: TargetHealth) -> None:
        """DEGRADED opens at the first crossing and ends under 80 % of the limit, at that moment."""
        before, after = health.exceeded, health.limits_exceeded()
        if after == before:
            return
        health.exceeded = after
        reason = "loss" if "loss" in after else "rtt"
        rules = health.target.rules
        evidence = IncidentEvidence(
            loss_ratio=health.window.loss_ratio(),
            rtt_ms=health.window.median_ms(),
            limit=rules.loss_pct / 100 if reason == "loss" else rules.rtt_ms,
        )
        if after and not before:
            if health.incident is None:
                self._open_incident(health, State.DEGRADED, self.now_s, reason, evidence)
            self._change_state(health, State.DEGRADED, self.now_s, reason, evidence)
        elif before and not after:
            self._close_degraded(health, self.now_s, "cleared")
            self._change_state(health, State.UP, self.now_s, "cleared", evidence)

    # ---- the monitor itself

    def _decide_monitor(self) -> None:
        """Is the monitor cut off? By silence of all anchors and most targets, or failing sends."""
        isolation, failures = self.isolation, self.isolation.send_failures
        if isolation.incident is not None:
            return
        failures.update_share(self.now_s)
        if not isolation.is_cut_off:
            isolation.silent_since_s = None
        elif isolation.silent_since_s is None:
            isolation.silent_since_s = self.now_s
            self._set_deadline(self.now_s + isolation.confirm_s)
        elif self.now_s >= isolation.silent_since_s + isolation.confirm_s:
            self._isolate(sends_fail=failures.most_fail_now(self.now_s))
            return
        if failures.machine_is_cut_off(self.now_s):
            self._isolate(sends_fail=True)

    def _isolate(self, sends_fail: bool) -> None:
        """Open the monitor's incident; every target is unknown from its start.

        When sends fail as well as targets are silent, the failing sends are the reason.
        """
        isolation = self.isolation
        starts_s: list[float] = []
        if isolation.is_cut_off:
            starts_s.append(isolation.silence_start_s(self.healths.values(), self.now_s))
        if sends_fail:
            starts_s.append(isolation.send_failures.start_s(self.now_s))
        started_s = min(starts_s)
        evidence = IncidentEvidence(
            silent_share=isolation.failed_share(), error=isolation.send_failures.errors()
        )
        reason = "send_failure" if sends_fail else "silence"
        incident = self._record_opened(
            Scope.MONITOR, MONITOR, State.UNKNOWN, started_s, reason, evidence
        )
        for health in self._seen_in_order():
            if health.earliest_s is None:
                health.earliest_s = started_s
            self._start_anew(health, started_s)
            self._change_state(health, State.UNKNOWN, started_s, "isolated", evidence)
        isolation.begin(incident, self.healths.values())

    def _ends_isolation(self, item: Outcome) -> bool:
        """Take in evidence while the monitor is cut off. False: it still is, nothing counts."""
        incident = self.isolation.incident
        ended_s = self.isolation.add(item, self.now_s)
        if incident is None or ended_s is None:
            return False
        self._update_incident(
            replace(incident, ended_s=ended_s, end_reason="reply"), ChangeKind.CLOSED
        )
        replies = self.isolation.end()
        for health in self.healths.values():
            self._start_anew(health, ended_s)
        for reply in replies:
            if reply is not item:
                self._take(reply)
        return True

    def _go_blind(self, start_s: float, end_s: float) -> None:
        """There was no evidence from any target between two moments: unknown, without incident."""
        for health in self._seen_in_order():
            was_down = health.state is State.DOWN
            earliest_s = health.run_first_s if health.suspected else start_s
            self._start_anew(health, end_s)
            health.earliest_s = earliest_s
            health.down_before_blind = was_down
            self._change_state(health, State.UNKNOWN, start_s, "blind")
        self.isolation.restart()

    def _seen_in_order(self) -> list[TargetHealth]:
        healths = [self.healths[name] for name in self.topology.order]
        return [health for health in healths if health.seen]

    # ---- what is recorded

    def _update_silent(self, health: TargetHealth) -> None:
        """Keep the counts and the set of targets to probe faster true after a change to one."""
        self.counts.update_silent(health)
        if health.unsettled:
            self.suspected.add(health.target.name)
        else:
            self.suspected.discard(health.target.name)

    def _change_state(
        self,
        health: TargetHealth,
        after: State,
        at_s: float,
        reason: str,
        evidence: IncidentEvidence = NO_EVIDENCE,
    ) -> None:
        """Record a transition; `at_s` is never before the state that it ends."""
        before = health.state
        if before is after:
            return
        if before is not State.UNKNOWN or health.since_s > 0:
            at_s = max(at_s, health.since_s)
        name = health.target.name
        self._decisions.append(Transition(name, at_s, self.now_s, before, after, reason, evidence))
        health.state = after
        health.since_s = at_s
        self._update_silent(health)
        self._decide_around(health)

    def _open_incident(
        self,
        health: TargetHealth,
        state: State,
        started_s: float,
        reason: str,
        evidence: IncidentEvidence,
        started_earliest_s: float | None = None,
        affected: tuple[str, ...] = (),
    ) -> None:
        """Open the target's incident; an anchor has none."""
        if health.target.role is not TargetRole.ANCHOR:
            is_node = health.target.role is TargetRole.NODE
            health.incident = self._record_opened(
                Scope.NODE if is_node else Scope.LINK,
                health.target.name,
                state,
                started_s,
                reason,
                evidence,
                started_earliest_s,
                affected,
            )

    def _record_opened(
        self,
        scope: Scope,
        target: str,
        state: State,
        started_s: float,
        reason: str,
        evidence: IncidentEvidence,
        started_earliest_s: float | None = None,
        affected: tuple[str, ...] = (),
    ) -> Incident:
        incident = Incident(
            id=self._next_incident,
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
        self._next_incident += 1
        self._decisions.append(IncidentChange(ChangeKind.OPENED, incident, self.now_s))
        return incident

    def _update_incident(
        self, incident: Incident, change: ChangeKind = ChangeKind.UPDATED
    ) -> Incident:
        """Record that an incident changed or is closed, with the links still to be added to it."""
        added = self._affected.pop(incident.target, None)
        if added:
            rank = self.topology.rank
            links = sorted({*incident.affected, *added}, key=lambda n: (rank.get(n, 0), n))
            incident = replace(incident, affected=tuple(links))
        self._decisions.append(IncidentChange(change, incident, self.now_s))
        return incident

    def _close_incident(self, health: TargetHealth, ended_s: float, reason: str) -> None:
        """Close the target's incident; it never ends before it started."""
        incident = health.incident
        if incident is not None:
            ended_s = max(ended_s, incident.started_s)
            closed = replace(incident, ended_s=ended_s, end_reason=reason)
            self._update_incident(closed, ChangeKind.CLOSED)
            health.incident = None

    def _close_degraded(self, health: TargetHealth, ended_s: float, reason: str) -> None:
        if health.incident is not None and health.incident.state is State.DEGRADED:
            self._close_incident(health, ended_s, reason)

    def _add_affected(self, node: str, link: str) -> None:
        """A link fell silent after its node: added to the node's incident within `AFFECTED_S`.

        One change for all links of that span: one each, with all names, is quadratic.
        """
        if not self._affected:
            self._affected_due_s = self.now_s + AFFECTED_S
            self._set_deadline(self._affected_due_s)
        self._affected.setdefault(node, set()).add(link)

    def _record_affected(self) -> None:
        for name in self._in_order(self._affected):
            incident = self.healths[name].incident
            if incident is not None and not self._affected[name].issubset(incident.affected):
                self.healths[name].incident = self._update_incident(incident)
        self._affected.clear()

    # ---- another configuration

    def reconfigure(self, network: Network, at_s: float) -> list[Decision]:
        """Go on with the targets of `network` from `at_s`.

        A target that stays keeps its state, its incident and its evidence. One that left, or moved
        to another address, ends: its incident is closed with the reason `removed`.
        """
        self.now_s = max(self.now_s, at_s)
        targets = {target.name: target for target in network.targets()}
        kept: dict[str, TargetHealth] = {}
        for name in self.topology.order:
            health, target = self.healths[name], targets.get(name)
            if target is not None and target.address == health.target.address:
                health.set_target(target)
                kept[name] = health
            else:
                self._remove(health)
        self.topology = Topology.of(tuple(targets.values()))
        self.healths = {n: kept.get(n) or TargetHealth(targets[n]) for n in targets}
        self.counts = HealthCounts(self.healths.values())
        self.isolation.reconfigure(network, self.counts)
        self._affected = {n: links for n, links in self._affected.items() if n in targets}
        self._pending = {name for name in self._pending if name in kept}
        self._to_decide = set(self._pending)
        for name in self.topology.order:
            health = self.healths[name]
            if health.state is not State.UNREACHABLE:
                continue
            if parent_state(health, self.healths, self.now_s) is not ParentState.DEAD:
                # No down node is above it any more: it is decided on its own evidence.
                self._start_anew(health, self.now_s)
                health.outage_start_s = self.now_s
                self._update_silent(health)
        self._undecided = True
        decisions, self._decisions = self._decisions, []
        return decisions

    def _remove(self, health: TargetHealth) -> None:
        """The target is no longer probed."""
        self._close_incident(health, self.now_s, "removed")
        self._change_state(health, State.UNKNOWN, self.now_s, "removed")
        self.suspected.discard(health.target.name)
        self.isolation.remove(health.target.name)


def restored_detector(network: Network, snapshot: LedgerSnapshot, now_s: float) -> Detector:
    """A detector that goes on from what the last run stored; its times are UTC."""
    detector = Detector(network)
    detector.restore(snapshot, now_s)
    return detector


def close_removed(
    network: Network, open_incidents: Iterable[Incident], at_s: float
) -> list[Decision]:
    """Close the open incidents of targets that are no longer configured (reason `removed`)."""
    known = {target.name for target in network.targets()}
    return [
        IncidentChange(
            ChangeKind.CLOSED,
            replace(incident, ended_s=max(at_s, incident.started_s), end_reason="removed"),
            at_s,
        )
        for incident in open_incidents
        if incident.scope is not Scope.MONITOR and incident.target not in known
    ]
