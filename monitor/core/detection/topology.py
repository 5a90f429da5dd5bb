"""Who hides behind whom: links hang on nodes, nodes on nodes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from math import inf

from monitor.core.detection.target_health import TargetHealth
from monitor.core.model import State, Target, TargetRole


class Above(Enum):
    """What the parents of a silent target say about its silence."""

    ALIVE = "alive"
    """At least one parent answers (or there is none): the silence is the target's own."""
    UNSETTLED = "unsettled"
    """No parent is known to answer, and not all are known to be dead: wait."""
    DEAD = "dead"
    """Every parent is down or hidden: nothing can be said of the target itself."""


@dataclass(frozen=True, slots=True)
class Topology:
    """The order in which verdicts are spoken (parents first), and who hangs on a node."""

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


def above(health: TargetHealth, healths: Mapping[str, TargetHealth], now_s: float) -> Above:
    """What the parents say about a target that is silent since `run_first_s`.

    A parent answers when it has answered a request sent after the target fell silent. One whose
    next answer is merely not due yet is unsettled, and so is one whose own outage is open but
    hidden (the monitor was blind) until it is up; one without evidence explains nothing.
    """
    parents = [healths[name] for name in health.target.parents if name in healths]
    if not parents:
        return Above.ALIVE
    if all(parent.gone for parent in parents):
        return Above.DEAD
    if any(_answers(parent, health.run_first_s, now_s) for parent in parents if not parent.gone):
        return Above.ALIVE
    return Above.UNSETTLED


def _answers(parent: TargetHealth, since_s: float, now_s: float) -> bool:
    if parent.run_count or parent.owes_rise:
        return False
    if parent.last_reply_s >= since_s:
        return True
    return now_s >= _unprobed_at_s(parent)


def _unprobed_at_s(parent: TargetHealth) -> float:
    """No evidence for so long means that nobody probes it: it cannot explain anything."""
    rules = parent.target.rules
    return parent.last_reply_s + 3 * rules.interval_s + rules.timeout_s


def unprobed_at_s(health: TargetHealth, healths: Mapping[str, TargetHealth]) -> float:
    """When the first of its parents that merely say nothing explains nothing; inf: none does."""
    parents = [healths[name] for name in health.target.parents if name in healths]
    mute = [p for p in parents if not (p.gone or p.run_count or p.owes_rise)]
    return min((_unprobed_at_s(parent) for parent in mute), default=inf)


def roots(name: str, healths: Mapping[str, TargetHealth]) -> tuple[TargetHealth, ...]:
    """The dead nodes above a target whose own incident explains its silence, nearest first."""
    found: dict[str, TargetHealth] = {}
    queue = [name]
    while queue:
        for parent in healths[queue.pop(0)].target.parents:
            health = healths.get(parent)
            if health is None or not health.gone or parent in found:
                continue
            if health.state is State.DOWN and health.incident is not None:
                found[parent] = health
            else:
                queue.append(parent)
    return tuple(found.values())


def hidden_links(
    node: str, topology: Topology, healths: Mapping[str, TargetHealth]
) -> tuple[str, ...]:
    """The silent links that have no living way up once `node` is down, in order."""
    lost: set[str] = {node}

    def has_no_way(name: str) -> bool:
        parents = [p for p in healths[name].target.parents if p in healths]
        return bool(parents) and all(p in lost or healths[p].gone for p in parents)

    for name in topology.behind(node):
        if (
            healths[name].target.role is TargetRole.NODE
            and healths[name].silent
            and has_no_way(name)
        ):
            lost.add(name)
    return tuple(
        name
        for name in topology.behind(node)
        if healths[name].target.role is TargetRole.LINK
        and has_no_way(name)
        and (healths[name].gone or healths[name].run_count >= 3)
    )
