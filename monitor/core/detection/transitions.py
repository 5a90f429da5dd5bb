"""What is said of one target, once the judge knows enough: the sentences of VERDICTS."""

from __future__ import annotations

from dataclasses import replace
from math import inf

from monitor.core.detection import send_failures
from monitor.core.detection.detector_state import DetectorState
from monitor.core.detection.target_health import TargetHealth
from monitor.core.detection.topology import Above, above, hidden_links, roots, unprobed_at_s
from monitor.core.model import (
    ChangeKind,
    Decision,
    Incident,
    IncidentEvidence,
    Scope,
    State,
    TargetRole,
)

WAIT_S = 15.0
"""A child's verdict waits for its parent, and any verdict for the anchors, at most this long."""


def scope_of(health: TargetHealth) -> Scope:
    """The scope of an incident about this target."""
    return Scope.NODE if health.target.role is TargetRole.NODE else Scope.LINK


def wait(world: DetectorState, health: TargetHealth) -> None:
    """Confirmed silent: spoken when parents and anchors allow it, or no later than `WAIT_S`."""
    health.waiting = True
    health.confirmed_s = world.now_s
    world.waiting.add(health.target.name)
    world.stirred.add(health.target.name)
    world.at_deadline(world.now_s + WAIT_S, health.target.name)


def decide(world: DetectorState, health: TargetHealth, out: list[Decision]) -> None:
    """A target is confirmed silent: is it its own fault? ("Cause, not symptoms")"""
    verdict = above(health, world.healths, world.now_s)
    confirmed_s = health.confirmed_s if health.confirmed_s is not None else world.now_s
    if verdict is Above.DEAD:
        _unreachable(world, health, out)
    elif world.now_s >= confirmed_s + WAIT_S or (
        verdict is Above.ALIVE and world.anchor_heard_since(health.run_first_s)
    ):
        _down(world, health, out)
    elif verdict is Above.UNSETTLED:
        unprobed_s = unprobed_at_s(health, world.healths)
        if world.now_s < unprobed_s < inf:
            world.at_deadline(unprobed_s, health.target.name)


def _spoken(world: DetectorState, health: TargetHealth) -> None:
    health.waiting = False
    world.waiting.discard(health.target.name)
    health.window.clear()
    health.crossed = frozenset()
    health.good_count = 0
    health.bad_in_row = 0
    health.floor_s = None


def _evidence(world: DetectorState, health: TargetHealth) -> IncidentEvidence:
    return IncidentEvidence(
        lost_in_row=health.run_count,
        loss_before=health.history.ratio(world.now_s),
        silence_s=health.run_last_s - health.run_first_s,
        error=health.lost_reason,
    )


def _close_degraded(
    world: DetectorState, health: TargetHealth, ended_s: float, reason: str, out: list[Decision]
) -> None:
    incident = health.incident
    if incident is not None and incident.state is State.DEGRADED:
        ended = replace(incident, ended_s=max(ended_s, incident.started_s), end_reason=reason)
        world.note(ChangeKind.CLOSED, ended, out)
        health.incident = None


def _down(world: DetectorState, health: TargetHealth, out: list[Decision]) -> None:
    """DOWN starts at the first lost request, or when the node above was back."""
    name = health.target.name
    started_s = health.run_first_s if health.floor_s is None else health.floor_s
    evidence = _evidence(world, health)
    _spoken(world, health)
    if health.target.role is not TargetRole.ANCHOR:
        _close_degraded(world, health, started_s, "down", out)
        if health.incident is not None:
            if health.incident.parent is not None:
                own = replace(health.incident, parent=None)
                health.incident = world.note(ChangeKind.UPDATED, own, out)
        else:
            is_node = health.target.role is TargetRole.NODE
            health.incident = world.open(
                scope_of(health),
                name,
                State.DOWN,
                started_s,
                "silence",
                out,
                evidence,
                health.earliest_s,
                hidden_links(name, world.topology, world.healths) if is_node else (),
            )
    health.earliest_s = None
    world.turn(health, State.DOWN, started_s, "silence", out, evidence)
    if health.target.role is TargetRole.NODE:
        _hide_behind(world, health, out)


def _hide_behind(world: DetectorState, node: TargetHealth, out: list[Decision]) -> None:
    """Outages that were open behind a node when it fell: nothing can be said of them now."""
    for name in world.topology.behind(node.target.name):
        child = world.healths[name]
        if child.state is not State.DOWN:
            continue
        if above(child, world.healths, world.now_s) is Above.DEAD:
            root = roots(name, world.healths)
            if child.incident is not None and root and root[0].incident is not None:
                covered = replace(child.incident, parent=root[0].incident.id)
                child.incident = world.note(ChangeKind.UPDATED, covered, out)
            world.turn(child, State.UNREACHABLE, node.since_s, "parent_down", out)


def _unreachable(world: DetectorState, health: TargetHealth, out: list[Decision]) -> None:
    started_s = health.run_first_s if health.floor_s is None else health.floor_s
    _spoken(world, health)
    _close_degraded(world, health, started_s, "parent_down", out)
    if health.state is State.UNREACHABLE:
        return
    world.turn(health, State.UNREACHABLE, started_s, "parent_down", out)
    if health.target.role is not TargetRole.LINK:
        _hide_behind(world, health, out)
        return
    for root in roots(health.target.name, world.healths):
        world.add_latecomer(root.target.name, health.target.name)


def tell_latecomers(world: DetectorState, out: list[Decision]) -> None:
    """Links that fell silent after their node: told together, not each with all the others."""
    for name in sorted(world.latecomers, key=world.topology.rank.__getitem__):
        incident = world.healths[name].incident
        if incident is not None and not world.latecomers[name].issubset(incident.affected):
            world.healths[name].incident = world.note(ChangeKind.UPDATED, incident, out)
    world.latecomers.clear()


def resume_down(world: DetectorState, health: TargetHealth, out: list[Decision]) -> None:
    """After a blind interval: it was down, and the first fresh request is lost: it still is."""
    health.resume_down = False
    health.earliest_s = None
    world.turn(health, State.DOWN, health.run_first_s, "still_silent", out)


def recover(world: DetectorState, health: TargetHealth, out: list[Decision]) -> None:
    """DOWN ends at the first reply of the run of `rise` good ones."""
    ended_s = health.good_first_s
    incident = health.incident
    if incident is not None:
        closed = replace(
            incident,
            ended_s=max(ended_s, incident.started_s),
            end_reason="reply",
            ended_earliest_s=health.earliest_s,
        )
        world.note(ChangeKind.CLOSED, closed, out)
        health.incident = None
    answer(world, health, ended_s, out, was_owing=True)
    health.good_count = 0
    health.floor_s = None
    health.earliest_s = None


def answer(
    world: DetectorState,
    health: TargetHealth,
    at_s: float,
    out: list[Decision],
    was_owing: bool = False,
) -> None:
    """It answers: up (or degraded still, when that incident is open); children are judged anew."""
    was_gone = health.gone or was_owing
    first = health.state is State.UNKNOWN and health.since_s <= 0
    degraded = health.incident is not None and health.incident.state is State.DEGRADED
    world.turn(
        health,
        State.DEGRADED if degraded else State.UP,
        at_s,
        "first_reply" if first else "reply",
        out,
    )
    if was_gone and health.target.role is TargetRole.NODE:
        _judge_children_anew(world, health, at_s)


def _judge_children_anew(world: DetectorState, node: TargetHealth, back_s: float) -> None:
    """A node is back: each child is judged on fresh evidence only, from that moment."""
    for name in world.topology.children.get(node.target.name, ()):
        child = world.healths[name]
        others = [
            world.healths[parent]
            for parent in child.target.parents
            if parent in world.healths and parent != node.target.name
        ]
        if any(not other.gone for other in others):
            continue
        if child.state is State.UNREACHABLE or child.run_count:
            if child.last_reply_s >= back_s:
                continue
            world.waiting.discard(name)
            child.start_anew(back_s)
            child.floor_s = back_s
            world.update_silent(child)


def cross(
    world: DetectorState, health: TargetHealth, now: frozenset[str], out: list[Decision]
) -> None:
    """DEGRADED opens at the first crossing and ends under 80 % of the limit, at that moment."""
    rules = health.target.rules
    window = health.window
    reason = "loss" if "loss" in now else "rtt"
    evidence = IncidentEvidence(
        loss_ratio=window.loss_ratio(),
        rtt_ms=window.median_ms(),
        limit=rules.loss_pct / 100 if reason == "loss" else rules.rtt_ms,
    )
    was, health.crossed = health.crossed, now
    if now and not was:
        if health.target.role is not TargetRole.ANCHOR and health.incident is None:
            health.incident = world.open(
                scope_of(health),
                health.target.name,
                State.DEGRADED,
                world.now_s,
                reason,
                out,
                evidence,
            )
        world.turn(health, State.DEGRADED, world.now_s, reason, out, evidence)
    elif was and not now:
        _close_degraded(world, health, world.now_s, "cleared", out)
        world.turn(health, State.UP, world.now_s, "cleared", out, evidence)


def unmeasured(world: DetectorState, health: TargetHealth, out: list[Decision]) -> None:
    """A link that cannot be measured is unknown: alone, it has an incident of its own.

    While it is being settled whether the machine can send at all, nothing is said.
    """
    explained = send_failures.is_explained(world, health)
    if explained and send_failures.most_fail(world):
        return
    started_s = health.unmeasured_from_s
    evidence = IncidentEvidence(error=health.unmeasured_reason)
    world.waiting.discard(health.target.name)
    health.drop_run()
    health.window.clear()
    if health.target.role is not TargetRole.ANCHOR and health.incident is None and not explained:
        health.incident = world.open(
            scope_of(health),
            health.target.name,
            State.UNKNOWN,
            started_s,
            "not_measured",
            out,
            evidence,
        )
    world.turn(health, State.UNKNOWN, started_s, "not_measured", out, evidence)
    world.update_silent(health)
    world.stir(health)


def remove(world: DetectorState, health: TargetHealth, out: list[Decision]) -> Incident | None:
    """A target left the configuration: its incident is closed with the reason `removed`."""
    incident = health.incident
    if incident is None:
        return None
    ended_s = max(world.now_s, incident.started_s)
    closed = replace(incident, ended_s=ended_s, end_reason="removed")
    health.incident = None
    return world.note(ChangeKind.CLOSED, closed, out)
