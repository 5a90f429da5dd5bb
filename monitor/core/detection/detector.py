"""The judge: one reducer over all targets. Evidence goes in, transitions and incidents come out.

    world, decisions = advance(world, evidence)

`world` is consumed: go on with the one returned (it is changed in place, since millions of
replies a day change nothing but a counter). No clock: time comes in with the evidence. All
evidence that became known at one moment is taken in before anything is said of that moment, so
no verdict depends on the order of two targets with equal time. Live and replay differ only in
where the evidence comes from.

The rules are those of VERDICTS; each function below names the one that it carries out.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields, replace
from heapq import heappop

from monitor.core.detection import isolation, send_failures, transitions
from monitor.core.detection.detector_state import DetectorState
from monitor.core.detection.isolation import Held
from monitor.core.detection.reconfigure import reconfigure
from monitor.core.detection.target_health import TargetHealth
from monitor.core.model import (
    ChangeKind,
    Decision,
    Evidence,
    Incident,
    LedgerSnapshot,
    Lost,
    Network,
    NotMeasured,
    Reply,
    State,
    TargetRole,
    Tick,
)


class Detector(DetectorState):
    """All targets' states and open incidents: evidence in, transitions and incidents out."""

    def __init__(self, network: Network) -> None:
        fresh = DetectorState.new(network)
        for each in fields(fresh):
            setattr(self, each.name, getattr(fresh, each.name))

    @property
    def monitor_incident(self) -> Incident | None:
        """The monitor's own open incident: it is cut off or cannot send."""
        return self.isolation

    def open_incidents(self) -> list[Incident]:
        """All open incidents by id."""
        found = [h.incident for h in self.healths.values() if h.incident is not None]
        if self.isolation is not None:
            found.append(self.isolation)
        return sorted(found, key=lambda incident: incident.id)

    def advance(self, evidence: Iterable[Evidence]) -> list[Decision]:
        """Take in evidence in the order in which it became known (`known_s`, never falling)."""
        return advance(self, evidence)[1]

    def reconfigure(self, network: Network, at_s: float) -> list[Decision]:
        """Go on with the targets of `network` from `at_s`."""
        fresh, decisions = reconfigure(self, network, at_s)
        for each in fields(fresh):
            setattr(self, each.name, getattr(fresh, each.name))
        return decisions


def restored_detector(network: Network, snapshot: LedgerSnapshot, now_s: float) -> Detector:
    """A detector that goes on from what the last run stored; its times are UTC."""
    detector = Detector(network)
    detector.restore(snapshot, now_s)
    return detector


def advance(
    world: DetectorState, evidence: Iterable[Evidence]
) -> tuple[DetectorState, list[Decision]]:
    """Judge evidence in the order in which it became known (`known_s`, never falling).

    Deadlines that pass between two pieces of evidence are judged at their own moment. Evidence
    that is older than the world counts as known now; that of an unknown target is left out.
    """
    out: list[Decision] = []
    for item in evidence:
        if isinstance(item, Tick):
            if item.at_s > world.now_s:
                _reach(world, item.at_s, out)
            continue
        if item.known_s > world.now_s:
            if world.dirty or world.deadlines:
                _reach(world, item.known_s, out)
            else:
                world.now_s = item.known_s
        _take(world, item, out)
    _settle(world, out)
    return world, out


def _reach(world: DetectorState, at_s: float, out: list[Decision]) -> None:
    _settle(world, out)
    if world.deadlines and not world.nobody_looked(at_s):
        while world.deadlines and world.deadlines[0][0] <= at_s:
            due_s, name = heappop(world.deadlines)
            world.now_s = max(world.now_s, due_s)
            if name in world.healths:
                world.stir(world.healths[name])
            world.dirty = True
            _settle(world, out)
    world.now_s = at_s


def _take(world: DetectorState, item: Reply | Lost | NotMeasured, out: list[Decision]) -> None:
    health = world.healths.get(item.target)
    if health is None:
        return
    last_s = world.last_evidence_s
    if last_s is None:
        world.last_evidence_s = item.sent_s
    elif item.sent_s > last_s:
        if item.sent_s - last_s > world.blind_after_s:
            isolation.go_blind(world, last_s, item.sent_s, out)
        world.last_evidence_s = item.sent_s
    if not health.seen:
        world.mark_seen(health)
    if world.isolation is not None:
        answers = isolation.ends(world, item, out)
        if answers is None:
            return
        for answer in answers:
            _take(world, answer, out)
    if item.sent_s < health.fresh_from_s:
        return
    if isinstance(item, Reply):
        _reply(world, health, item, out)
    elif isinstance(item, Lost):
        _lost(world, health, item, out)
    else:
        _not_measured(world, health, item)


def _reply(world: DetectorState, health: TargetHealth, item: Reply, out: list[Decision]) -> None:
    if (
        health.state is State.UP
        and not health.run_count
        and not health.unmeasured
        and health.incident is None
    ):
        # The path of almost every reply: count it, and look only if a limit may be near.
        health.count_reply(item.sent_s, item.rtt_ms)
        health.floor_s = None
        health.earliest_s = None
        if not health.window.quiet:
            _limits(world, health, out)
        if world.waiting and health.target.role is not TargetRole.LINK:
            world.stir(health)
            world.dirty = True
        return
    _measured_again(world, health, item.sent_s, out)
    health.add_reply(item.sent_s, item.known_s, item.rtt_ms)
    if not health.waiting:
        world.waiting.discard(health.target.name)
    if health.owes_rise:
        health.good(item.sent_s)
        health.resume_down = False
        if health.recovered(health.target.rules.rise):
            transitions.recover(world, health, out)
    else:
        if health.state in (State.UNKNOWN, State.UNREACHABLE):
            transitions.answer(world, health, item.sent_s, out)
        health.floor_s = None
        health.earliest_s = None
    if not health.run_count:
        _limits(world, health, out)
    world.update_silent(health)
    if world.waiting:
        world.stir(health)
    world.dirty = True


def _lost(world: DetectorState, health: TargetHealth, item: Lost, out: list[Decision]) -> None:
    _measured_again(world, health, item.sent_s, out)
    in_run = health.add_loss(item.sent_s, item.known_s, item.reason)
    if in_run and health.owes_rise:
        health.bad(item.sent_s)
    if not in_run:
        if not health.run_count:
            _limits(world, health, out)
        return
    if health.resume_down:
        transitions.resume_down(world, health, out)
    hidden = health.state is State.UNREACHABLE and health.floor_s is None
    if (
        health.state is not State.DOWN
        and not hidden
        and not health.waiting
        and health.confirm(world.now_s)
    ):
        transitions.wait(world, health)
        world.dirty = True
    if not health.silent:
        world.update_silent(health)
        world.stir(health)
        world.dirty = True


def _not_measured(world: DetectorState, health: TargetHealth, item: NotMeasured) -> None:
    send_failures.failed(world, health, item)
    if world.waiting:
        world.stir(health)
    world.dirty = True


def _measured_again(
    world: DetectorState, health: TargetHealth, sent_s: float, out: list[Decision]
) -> None:
    """VERDICTS: a link that alone could not be measured can be again."""
    if health.unmeasured:
        if sent_s < health.unmeasured_from_s:
            return  # known late: it was sent before the run of failed sends
        if not health.break_unmeasured(sent_s):
            world.unsent -= 1
    incident = health.incident
    if incident is not None and incident.state is State.UNKNOWN:
        ended_s = max(sent_s, incident.started_s)
        ended = replace(incident, ended_s=ended_s, end_reason="measured_again")
        world.note(ChangeKind.CLOSED, ended, out)
        health.incident = None


def _limits(world: DetectorState, health: TargetHealth, out: list[Decision]) -> None:
    if health.state in (State.UP, State.DEGRADED):
        now = health.crossings()
        if now != health.crossed:
            transitions.cross(world, health, now, out)


def _settle(world: DetectorState, out: list[Decision]) -> None:
    """Say what can be said of this moment: the monitor first, then parents before children.

    Of a moment in which nobody looked, nothing: it waits for evidence, or is blind.
    """
    if not world.dirty or world.nobody_looked(world.now_s):
        return
    world.dirty = False
    if world.latecomers and world.now_s >= world.latecomers_due_s:
        transitions.tell_latecomers(world, out)
    isolation.judge_monitor(world, out)
    if world.isolation is not None:
        return
    if world.unmeasurable:
        for name in sorted(world.unmeasurable, key=world.topology.rank.__getitem__):
            transitions.unmeasured(world, world.healths[name], out)
        world.unmeasurable.clear()
    _speak_anchors(world, out)
    if world.stirred and isolation.held(world) is Held.NONE:
        _speak_stirred(world, out)


def _speak_stirred(world: DetectorState, out: list[Decision]) -> None:
    """Parents before children: what is said of a parent stirs its children."""
    while world.stirred:
        names = sorted(world.stirred & world.waiting, key=world.topology.rank.__getitem__)
        world.stirred.clear()
        for name in names:
            transitions.decide(world, world.healths[name], out)


def _speak_anchors(world: DetectorState, out: list[Decision]) -> None:
    """Anchors come first: what they turn out to be decides whether anything else may be said."""
    for anchor in world.anchors:
        if anchor.waiting and isolation.held(world) is not Held.ALL:
            transitions.decide(world, anchor, out)
