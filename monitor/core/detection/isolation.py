"""The monitor itself: cut off, blind, or unable to send. Never blamed on a link.

VERDICTS, "The monitor itself". While every anchor is silent and not yet settled, no DOWN is
spoken. An anchor that is silent while most targets answer is itself down: it is settled (state
only, no incident) `WAIT_S` after all anchors were confirmed silent, or one dead anchor would
hide every outage for ever.
"""

from __future__ import annotations

from dataclasses import replace
from enum import Enum
from math import ceil, inf

from monitor.core.detection import send_failures
from monitor.core.detection.detector_state import MONITOR, DetectorState
from monitor.core.detection.loss_windows import RunningMean
from monitor.core.detection.transitions import WAIT_S
from monitor.core.model import (
    ChangeKind,
    Decision,
    IncidentEvidence,
    Lost,
    NotMeasured,
    Reply,
    Scope,
    State,
)

SHARE = 0.9
AT_LEAST = 5


def judge_monitor(world: DetectorState, out: list[Decision]) -> None:
    """Is the monitor cut off? By silence of all anchors and most targets, or by failing sends."""
    if world.isolation is not None:
        return
    confirm_s = world.confirm_s
    send_failures.keep_share(world)
    if _is_cut(world):
        if world.cut_since_s is None:
            world.cut_since_s = world.now_s
            world.at_deadline(world.now_s + confirm_s)
        elif world.now_s >= world.cut_since_s + confirm_s:
            _isolate(world, send_failures.most_fail(world), out)
            return
    else:
        world.cut_since_s = None
    if send_failures.machine_cannot_send(world):
        _isolate(world, True, out)


def _is_cut(world: DetectorState) -> bool:
    return (
        world.anchors_seen > 0
        and world.anchors_silent == world.anchors_seen
        and world.silent >= AT_LEAST
        and world.silent >= SHARE * world.seen
    )


def _silence_start_s(world: DetectorState) -> float:
    """The first lost request of this silence: sent after all anchors and most targets answered."""
    fell = [h for h in world.healths.values() if h.run_count and not h.gone]
    answers_s = sorted(h.last_reply_s for h in fell)
    most_s = answers_s[ceil(SHARE * len(fell)) - 1] if fell else -inf
    answered_s = max(most_s, *(anchor.last_reply_s for anchor in world.anchors if anchor.seen))
    firsts_s = [h.run_first_s for h in fell if h.run_first_s > answered_s]
    return min(firsts_s, default=world.now_s)


def _isolate(world: DetectorState, sends_fail: bool, out: list[Decision]) -> None:
    """Cut off. When sends fail as well as silence reigns, the failing sends are the reason."""
    starts_s = [_silence_start_s(world)] if _is_cut(world) else []
    reason = "silence"
    if sends_fail:
        starts_s.append(send_failures.start_s(world))
        reason = "send_failure"
    started_s = min(starts_s)
    share = max(world.silent, world.unsent) / world.seen if world.seen else None
    errors = {h.unmeasured_reason for h in world.healths.values() if h.unmeasured}
    evidence = IncidentEvidence(silent_share=share, error=", ".join(sorted(errors)) or None)
    world.isolation = world.open(
        Scope.MONITOR, MONITOR, State.UNKNOWN, started_s, reason, out, evidence
    )
    for name in world.topology.order:
        health = world.healths[name]
        if health.unmeasured:
            world.unsent -= 1
        if not health.seen:
            continue
        if health.earliest_s is None:
            health.earliest_s = started_s
        health.start_anew(started_s)
        world.turn(health, State.UNKNOWN, started_s, "isolated", out, evidence)
        world.update_silent(health)
    _forget_timers(world)
    world.patchy = send_failures.is_patchy_from(world, started_s)


def _forget_timers(world: DetectorState) -> None:
    world.waiting.clear()
    world.stirred.clear()
    world.unmeasurable.clear()
    world.answering.clear()
    world.deadlines.clear()
    world.cut_since_s = None
    world.unsent_share = RunningMean()


def ends(
    world: DetectorState, item: Reply | Lost | NotMeasured, out: list[Decision]
) -> list[Reply] | None:
    """Does this end the isolation? None: it does not, and the item counts for nothing.

    It ends at the first reply from an anchor to a request sent after it began; also when most
    targets answer though no anchor does (or there is none). When it had to be seen first that
    sends go well, answers since that reply were held back: they are given back, and count.
    """
    incident = world.isolation
    if incident is None:
        return []
    if isinstance(item, NotMeasured):
        send_failures.failed_again(world, item)
        return None
    if not isinstance(item, Reply) or item.sent_s <= incident.started_s:
        return None
    ended_s = _ended_s(world, item) if send_failures.answered(world, item) else None
    if ended_s is None:
        return None
    closed = replace(incident, ended_s=ended_s, end_reason="reply")
    world.note(ChangeKind.CLOSED, closed, out)
    world.isolation = None
    others = [answer for answer in world.answering.values() if answer is not item]
    for other in world.healths.values():
        other.start_anew(ended_s)
        world.update_silent(other)
    _forget_timers(world)
    return others


def _ended_s(world: DetectorState, item: Reply) -> float | None:
    """The first answer that counts: an anchor's, without anchors anybody's; None: not yet.

    With anchors that stay silent it is over when half of all targets answer.
    """
    answering = world.answering
    names = [anchor.target.name for anchor in world.anchors] if world.anchors_seen else answering
    first_s = min((answering[name].sent_s for name in names if name in answering), default=None)
    if first_s is None and len(answering) * 2 > world.seen:
        return item.sent_s
    return first_s


def go_blind(world: DetectorState, start_s: float, end_s: float, out: list[Decision]) -> None:
    """No evidence from any target between two moments: unknown, no incident, no downtime."""
    for name in world.topology.order:
        health = world.healths[name]
        if health.unmeasured:
            world.unsent -= 1
        if not health.seen:
            continue
        was_down = health.state is State.DOWN
        earliest_s = health.run_first_s if health.suspected else start_s
        health.start_anew(end_s)
        health.earliest_s = earliest_s
        health.resume_down = was_down
        world.turn(health, State.UNKNOWN, start_s, "blind", out)
        world.update_silent(health)
    _forget_timers(world)


class Held(Enum):
    """Which DOWN may be spoken now."""

    NONE = "none"
    """Every target may be judged."""
    ALL_BUT_ANCHORS = "all but anchors"
    """All anchors have been silent for long while most targets answer: they are down themselves."""
    ALL = "all"
    """Every anchor is silent and not all are settled: it may be the monitor itself."""


def held(world: DetectorState) -> Held:
    """Whose DOWN must wait because the anchors are silent. O(anchors): asked at every settling."""
    if world.anchors_seen == 0 or world.anchors_silent < world.anchors_seen:
        return Held.NONE
    if world.cut_since_s is not None:
        return Held.ALL
    unsettled = [a for a in world.anchors if a.seen and a.state is not State.DOWN]
    if not unsettled:
        return Held.NONE
    since_s = [a.confirmed_s for a in unsettled if a.confirmed_s is not None]
    settled = len(since_s) == len(unsettled) and world.now_s >= max(since_s) + WAIT_S
    return Held.ALL_BUT_ANCHORS if settled else Held.ALL
