"""The same world with other targets: what a reload of the configuration changes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from monitor.core.detection.detector_state import DetectorState
from monitor.core.detection.loss_windows import LossWindow
from monitor.core.detection.target_health import TargetHealth
from monitor.core.detection.topology import Above, above
from monitor.core.detection.transitions import remove
from monitor.core.model import (
    ChangeKind,
    Decision,
    Incident,
    IncidentChange,
    Network,
    Scope,
    State,
    Target,
    Transition,
)


def reconfigure(
    world: DetectorState, network: Network, at_s: float
) -> tuple[DetectorState, list[Decision]]:
    """Go on with `network` from `at_s`; `world` is consumed.

    A target that stays keeps its verdict, its incident and its evidence. One that left, or moved
    to another address, ends: its incident is closed with the reason `removed`.
    """
    out: list[Decision] = []
    world.now_s = max(world.now_s, at_s)
    fresh = DetectorState.new(network)
    fresh.now_s = world.now_s
    fresh.last_evidence_s = world.last_evidence_s
    fresh.next_incident = world.next_incident
    fresh.isolation = world.isolation
    fresh.answering = {n: a for n, a in world.answering.items() if n in fresh.healths}
    fresh.cut_since_s = world.cut_since_s
    fresh.unsent_share = world.unsent_share
    fresh.patchy = world.patchy
    fresh.failed_lately = {n: s for n, s in world.failed_lately.items() if n in fresh.healths}
    fresh.deadlines = world.deadlines
    for name in world.topology.order:
        old = world.healths[name]
        target = fresh.healths[name].target if name in fresh.healths else None
        if target is not None and target.address == old.target.address:
            _keep(fresh, old, target)
        else:
            _end(world, old, out)
    fresh.latecomers = {n: late for n, late in world.latecomers.items() if n in fresh.healths}
    fresh.latecomers_due_s = world.latecomers_due_s
    fresh.anchors = tuple(fresh.healths[anchor.name] for anchor in network.anchors)
    fresh.waiting = {name for name, health in fresh.healths.items() if health.waiting}
    fresh.stirred = set(fresh.waiting)
    _uncover(fresh)
    fresh.unmeasurable = world.unmeasurable & fresh.healths.keys()
    fresh.dirty = True
    return fresh, out


def same_address_targets(before: Network, after: Network) -> set[str]:
    """Names of the targets that both networks have with the same address."""
    addresses = {target.name: target.address for target in before.targets()}
    return {
        target.name for target in after.targets() if addresses.get(target.name) == target.address
    }


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


def _keep(fresh: DetectorState, health: TargetHealth, target: Target) -> None:
    rules = health.target.rules
    if (rules.window_s, rules.rtt_ms) != (target.rules.window_s, target.rules.rtt_ms):
        health.window = LossWindow(target.rules.window_s, target.rules.rtt_ms)
    health.target = target
    fresh.healths[target.name] = health
    was_seen, health.seen, health.silent = health.seen, False, False
    if was_seen:
        fresh.mark_seen(health)
    fresh.update_silent(health)
    if health.unmeasured:
        fresh.unsent += 1


def _uncover(world: DetectorState) -> None:
    """Hidden until now, but no dead node hides it any more: it is judged on its own evidence."""
    for name in world.topology.order:
        health = world.healths[name]
        if health.state is not State.UNREACHABLE:
            continue
        if above(health, world.healths, world.now_s) is not Above.DEAD:
            if health.unmeasured:
                world.unsent -= 1
            health.start_anew(world.now_s)
            health.floor_s = world.now_s
            world.update_silent(health)


def _end(world: DetectorState, health: TargetHealth, out: list[Decision]) -> None:
    remove(world, health, out)
    if health.state is not State.UNKNOWN:
        out.append(
            Transition(
                health.target.name,
                max(world.now_s, health.since_s),
                world.now_s,
                health.state,
                State.UNKNOWN,
                "removed",
            )
        )
