"""Sends that fail on this machine: one link's own trouble, or the whole machine's?

VERDICTS: "A link that alone cannot be measured opens one incident after 5 such requests in a row;
one explained by `monitor` opens none." What tells the two apart is how many targets share it, not
the errno: a full buffer fails whichever request comes at a bad moment, a missing route may be one
link's or everybody's. The machine's is what hits more than half of all targets (of fewer than
five: every one, and more than one), the anchors among them.
"""

from __future__ import annotations

from itertools import takewhile

from monitor.core.detection.detector_state import DetectorState
from monitor.core.detection.target_health import CLOCK_GRAIN_S, TargetHealth
from monitor.core.model import NotMeasured, Reply

FEW_TARGETS = 5
"""Of fewer targets than these, every one must fail."""
IN_ROW = 5
LATELY_S = 10.0
"""A full buffer fails some of each round's sends: who failed at all within this span is counted."""
EXPLAINED_AT_MOST_S = 30.0
"""A link's own run of failed sends that lasts longer is told, whatever the others do."""
PATCHY_SHARE = 0.25
"""Cut off: if the sends of more targets fail again after the first answer, that was chance."""


def failed(world: DetectorState, health: TargetHealth, item: NotMeasured) -> None:
    """A request that never left this machine."""
    if health.add_unmeasured(item.sent_s, item.reason) == 1:
        world.unsent += 1
    _note_lately(world, item)
    if is_long_unmeasured(health):
        world.unmeasurable.add(health.target.name)


def _note_lately(world: DetectorState, item: NotMeasured) -> None:
    world.failed_lately.pop(item.target, None)
    world.failed_lately[item.target] = world.now_s


def _count_lately(world: DetectorState) -> int:
    lately = world.failed_lately
    oldest_s = world.now_s - LATELY_S
    while lately and lately[first := next(iter(lately))] < oldest_s:
        del lately[first]
    return len(lately)


def is_long_unmeasured(health: TargetHealth) -> bool:
    """Five in a row, over the time that five take at its steady rate.

    A suspected target is asked five times as often: without the second half it would be blamed
    before most of the others had been asked once.
    """
    span_s = health.unmeasured_last_s - health.unmeasured_from_s
    at_least_s = (IN_ROW - 1) * health.target.rules.interval_s
    return health.unmeasured >= IN_ROW and span_s >= at_least_s - CLOCK_GRAIN_S


def most_fail(world: DetectorState) -> bool:
    """Is it this machine, at this moment? For most targets the newest request failed, and no
    anchor's sends go well."""
    return _are_most(world.unsent, world.seen) and _no_anchor_goes_well(world)


def keep_share(world: DetectorState) -> None:
    """For what share of all targets the newest request failed, from this moment on."""
    share = world.unsent / world.seen if world.seen else 0.0
    if world.seen < FEW_TARGETS:
        share = float(_are_most(world.unsent, world.seen))
    world.unsent_share.set(world.now_s, share)


def machine_cannot_send(world: DetectorState) -> bool:
    """Is it this machine, and for long enough? Said with a send that failed.

    Over twice `confirm_s` it was more than half of all targets on average: all of them for
    `confirm_s`, or a few more than half for twice as long, in whatever order they take turns.
    """
    if next(reversed(world.failed_lately.values()), None) != world.now_s:
        return False
    span_s = 2 * world.confirm_s
    unsent_s = world.unsent_share.over(span_s, world.now_s) * span_s
    return unsent_s > world.confirm_s + CLOCK_GRAIN_S and _no_anchor_goes_well(world)


def _no_anchor_goes_well(world: DetectorState) -> bool:
    return all(_fails(world, anchor) for anchor in world.anchors if anchor.seen)


def is_explained(world: DetectorState, health: TargetHealth) -> bool:
    """Does the machine's trouble explain that this target cannot be measured?"""
    if health.unmeasured_last_s - health.unmeasured_from_s > EXPLAINED_AT_MOST_S:
        return False
    return _are_most(_count_lately(world), world.seen) and (
        world.anchors_seen == 0
        or any(_fails(world, anchor) for anchor in world.anchors if anchor.seen)
    )


def _fails(world: DetectorState, health: TargetHealth) -> bool:
    """Its newest request could not be sent, or another one lately."""
    if health.unmeasured:
        return True
    at_s = world.failed_lately.get(health.target.name)
    return at_s is not None and at_s >= world.now_s - LATELY_S


def _are_most(targets: int, seen: int) -> bool:
    if seen < FEW_TARGETS:
        return targets == seen > 1
    return targets * 2 > seen


def start_s(world: DetectorState) -> float:
    """The first request of this trouble that could not be sent.

    A link that failed alone, long before the others, does not date it back.
    """
    oldest_s = world.now_s - 3 * world.confirm_s
    runs = [h.unmeasured_from_s for h in world.healths.values() if h.unmeasured]
    return min((from_s for from_s in runs if from_s >= oldest_s), default=world.now_s)


def is_patchy_from(world: DetectorState, started_s: float) -> bool:
    """Were some requests sent after `started_s` answered all the same?"""
    return any(health.last_reply_s > started_s for health in world.healths.values())


def failed_again(world: DetectorState, item: NotMeasured) -> None:
    """Cut off, and a send fails: have many failed since the first answer?"""
    _note_lately(world, item)
    if not world.answering or world.patchy:
        return
    first_s = next(iter(world.answering.values())).known_s
    since = takewhile(lambda at_s: at_s > first_s, reversed(world.failed_lately.values()))
    if sum(1 for _ in since) > PATCHY_SHARE * world.seen:
        world.patchy = True
        world.answering.clear()


def answered(world: DetectorState, item: Reply) -> bool:
    """Cut off, and this is answered: do sends go well enough that it means something?

    When sends failed until now, one answer may be chance: of a buffer that is full most of the
    time, some find room. It counts when most targets answer before a quarter of them failed
    again. If those fail, sends must have gone well for a while before any answer counts.
    """
    go_well = not _are_most(_count_lately(world), world.seen)
    if world.patchy and not go_well:
        return False
    world.answering.setdefault(item.target, item)
    return go_well or len(world.answering) * 2 > world.seen
