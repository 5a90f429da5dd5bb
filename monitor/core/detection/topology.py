"""Which targets hang on which: order, parents, all behind a node, the node behind a silence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from math import inf

from monitor.core.detection.target_health import TargetHealth
from monitor.core.model import State, Target, TargetRole

MIN_HIDDEN_LOSSES = 3
"""Losses in a row after which a link counts as affected by its node's outage."""


class ParentState(Enum):
    """What the parents of a silent target show about its silence."""

    ALIVE = "alive"
    """At least one parent answers (or there is none): the silence is the target's own."""
    UNSETTLED = "unsettled"
    """No parent is known to answer, and not all are known to be dead: wait."""
    DEAD = "dead"
    """Every parent is down or unreachable: nothing can be said of the target itself."""


@dataclass(frozen=True, slots=True)
class Topology:
    """The order of decisions (parents first), ranks in that order, and the children of nodes."""

    order: tuple[str, ...]
    rank: Mapping[str, int]
    children: Mapping[str, tuple[str, ...]]

    @staticmethod
    def of(targets: tuple[Target, ...]) -> Topology:
        """Anchors first, then nodes from the top down, then links; cycles are refused earlier."""
        by_name = {target.name: target for target in targets}
        depth: dict[str, int] = {}

        def depth_of(name: str, seen: frozenset[str]) -> int:
            if name not in depth:
                above = [
                    depth_of(parent, seen | {name})
                    for parent in by_name[name].parents
                    if parent in by_name and parent not in seen
                ]
                depth[name] = 1 + max(above, default=0)
            return depth[name]

        roles = {TargetRole.ANCHOR: 0, TargetRole.NODE: 1, TargetRole.LINK: 2}
        order = tuple(
            sorted(
                by_name,
                key=lambda name: (
                    roles[by_name[name].role],
                    depth_of(name, frozenset()),
                    name,
                ),
            )
        )
        children: dict[str, list[str]] = {}
        for name in order:
            for parent in by_name[name].parents:
                children.setdefault(parent, []).append(name)
        return Topology(
            order=order,
            rank={name: place for place, name in enumerate(order)},
            children={parent: tuple(names) for parent, names in children.items()},
        )

    def behind(self, node: str) -> tuple[str, ...]:
        """Everything that hangs on a node, through child nodes too, parents before children."""
        found: dict[str, None] = {}
        queue = list(self.children.get(node, ()))
        while queue:
            name = queue.pop(0)
            if name not in found:
                found[name] = None
                queue.extend(self.children.get(name, ()))
        return tuple(sorted(found, key=self.rank.__getitem__))


def parent_state(
    health: TargetHealth, healths: Mapping[str, TargetHealth], now_s: float
) -> ParentState:
    """What the parents show about a target that is silent since `run_first_s`.

    A parent is alive when it has answered a request sent after the target fell silent. One whose
    next reply is merely not due yet is unsettled, and so is one with an open outage that is not
    seen (the monitor was blind) until it is up; one without evidence explains nothing.
    """
    parents = [healths[name] for name in health.target.parents if name in healths]
    if not parents:
        return ParentState.ALIVE
    if all(parent.dead for parent in parents):
        return ParentState.DEAD
    if any(_answers(parent, health.run_first_s, now_s) for parent in parents if not parent.dead):
        return ParentState.ALIVE
    return ParentState.UNSETTLED


def _answers(parent: TargetHealth, since_s: float, now_s: float) -> bool:
    if parent.run_count or parent.outage_open:
        return False
    if parent.last_reply_s >= since_s:
        return True
    return now_s >= _unprobed_at_s(parent)


def _unprobed_at_s(parent: TargetHealth) -> float:
    """From when on no evidence means that it is not probed and explains nothing."""
    rules = parent.target.rules
    return parent.last_reply_s + 3 * rules.interval_s + rules.timeout_s


def unprobed_at_s(health: TargetHealth, healths: Mapping[str, TargetHealth]) -> float:
    """When the first of its parents without a recent reply explains nothing more; inf: never."""
    parents = [healths[name] for name in health.target.parents if name in healths]
    quiet = [p for p in parents if not (p.dead or p.run_count or p.outage_open)]
    return min((_unprobed_at_s(parent) for parent in quiet), default=inf)


def dead_roots(name: str, healths: Mapping[str, TargetHealth]) -> tuple[TargetHealth, ...]:
    """The down nodes above a target whose own incident explains its silence, nearest first."""
    found: dict[str, TargetHealth] = {}
    queue = [name]
    while queue:
        for parent in healths[queue.pop(0)].target.parents:
            health = healths.get(parent)
            if health is None or not health.dead or parent in found:
                continue
            if health.state is State.DOWN and health.incident is not None:
                found[parent] = health
            else:
                queue.append(parent)
    return tuple(found.values())


def hidden_links(
    node: str, topology: Topology, healths: Mapping[str, TargetHealth]
) -> tuple[str, ...]:
    """The silent links without a living path once `node` is down, in order."""
    lost: set[str] = {node}

    def has_no_path(name: str) -> bool:
        parents = [p for p in healths[name].target.parents if p in healths]
        return bool(parents) and all(p in lost or healths[p].dead for p in parents)

    for name in topology.behind(node):
        if (
            healths[name].target.role is TargetRole.NODE
            and healths[name].silent
            and has_no_path(name)
        ):
            lost.add(name)
    return tuple(
        name
        for name in topology.behind(node)
        if healths[name].target.role is TargetRole.LINK
        and has_no_path(name)
        and (healths[name].dead or healths[name].run_count >= MIN_HIDDEN_LOSSES)
    )
