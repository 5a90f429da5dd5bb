"""Sends that fail on this machine: one link's own trouble, or the whole machine's?

VERDICTS: "A link that alone cannot be measured opens one incident after 5 such requests in a row;
one explained by `monitor` opens none." What tells the two apart is how many targets share it, not
the errno: a full buffer fails whichever request comes at a bad moment, a missing route may be one
link's or everybody's. The machine's is what hits more than half of all targets (of fewer than
five: every one, and more than one), the anchors among them.
"""

from __future__ import annotations

from monitor.core.health import CLOCK_GRAIN_S, Health
from monitor.core.model import Lost, NotMeasured, Reply, Role
from monitor.core.world import World

FEW_TARGETS = 5
"""Of fewer targets than these, every one must fail."""
IN_ROW = 5
LATELY_S = 10.0
"""A full buffer fails some of each round's sends: who failed at all within this span is counted."""
EXPLAINED_AT_MOST_S = 30.0
"""A link's own run of failed sends that lasts longer is told, whatever the others do."""


def failed(world: World, health: Health, item: NotMeasured) -> None:
    """A request that never left this machine."""
    if health.add_unmeasured(item.sent_s, item.reason) == 1:
        count_unsent(world, health, 1)
    _note_lately(world, item)
    if is_long_unmeasured(health):
        world.unmeasurable.add(health.target.name)


def _note_lately(world: World, item: NotMeasured) -> None:
    world.failed_lately.pop(item.target, None)
    world.failed_lately[item.target] = world.now_s


def _count_lately(world: World) -> int:
    lately = world.failed_lately
    oldest_s = world.now_s - LATELY_S
    while lately and lately[first := next(iter(lately))] < oldest_s:
        del lately[first]
    return len(lately)


def is_long_unmeasured(health: Health) -> bool:
    """Five in a row, over the time that five take at its steady rate.

    A suspected target is asked five times as often: without the second half it would be blamed
    before most of the others had been asked once.
    """
    span_s = health.unmeasured_last_s - health.unmeasured_from_s
    at_least_s = (IN_ROW - 1) * health.target.rules.interval_s
    return health.unmeasured >= IN_ROW and span_s >= at_least_s - CLOCK_GRAIN_S


def count_unsent(world: World, health: Health, step: int) -> None:
    """A target's newest request could not be sent (+1), or could again (-1)."""
    world.unsent += step
    if health.target.role is Role.ANCHOR:
        world.anchors_unsent += step


def machine_cannot_send(world: World) -> bool:
    """Is it this machine, and now? The newest request of most targets failed, and no anchor's
    sends go well: each failed at least once lately."""
    return _are_most(world.unsent, world.seen) and all(
        _failed_lately(world, anchor) for anchor in world.anchors if anchor.seen
    )


def is_explained(world: World, health: Health) -> bool:
    """Does the machine's trouble explain that this target cannot be measured?"""
    if health.unmeasured_last_s - health.unmeasured_from_s > EXPLAINED_AT_MOST_S:
        return False
    return _are_most(_count_lately(world), world.seen) and (
        world.anchors_seen == 0
        or any(_failed_lately(world, anchor) for anchor in world.anchors if anchor.seen)
    )


def _failed_lately(world: World, health: Health) -> bool:
    at_s = world.failed_lately.get(health.target.name)
    return at_s is not None and at_s >= world.now_s - LATELY_S


def _are_most(targets: int, seen: int) -> bool:
    if seen < FEW_TARGETS:
        return targets == seen > 1
    return targets * 2 > seen


def start_s(world: World) -> float:
    """The first request of this trouble that could not be sent.

    A link that failed alone, long before the others, does not date it back.
    """
    since_s = world.now_s if world.unsent_since_s is None else world.unsent_since_s
    runs = [h.unmeasured_from_s for h in world.healths.values() if h.unmeasured]
    return min((from_s for from_s in runs if from_s >= since_s - LATELY_S), default=since_s)


def is_patchy_from(world: World, started_s: float) -> bool:
    """Were some requests sent after `started_s` answered all the same?"""
    return any(health.last_reply_s > started_s for health in world.healths.values())


def may_end(world: World, item: Reply | Lost | NotMeasured) -> bool:
    """Cut off, and this is known: do sends go well enough that an answer means something?

    When all sends failed, the first answer ends it. When some went out all through (a buffer that
    is full most of the time), one answer means nothing: sends must have gone well for a while.
    """
    if isinstance(item, NotMeasured):
        world.patchy = world.patchy or bool(world.answering)
        _note_lately(world, item)
        return False
    return not world.patchy or not _are_most(_count_lately(world), world.seen)
