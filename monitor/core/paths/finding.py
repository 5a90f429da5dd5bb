"""Compare a trace with the usual path: where it breaks off, and whether the path has changed.

Routers need not answer: only one that answered in the latest complete trace is expected to answer
now, and not one that answers its own probes meanwhile (it limits how often it answers traces).
Where none further on did, nothing is said about the place of the break.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import zip_longest

from monitor.core.paths.model import (
    FindingKind,
    Hop,
    NamedHop,
    PathBaseline,
    PathFinding,
    PathTrace,
)

RECENTLY_S = 7 * 86_400.0
"""A change of the path is mentioned this long."""

LOOP_ANSWERS = 3
"""A router that answers at so many TTLs is passed again and again. Two are no proof: routers
that do not count their own hop answer twice."""

NameOf = Callable[[str], str | None]
"""The configured name of an address."""

IsUp = Callable[[str], bool]
"""Whether an address is a target that answers its probes now."""


def never(_: str) -> bool:
    """`IsUp` where no router is probed."""
    return False


def path_finding(
    trace: PathTrace, baseline: PathBaseline | None, name_of: NameOf, is_up: IsUp = never
) -> PathFinding:
    """What a trace of a target that is down shows. baseline: of the same address, else None."""
    known = None if baseline is None or baseline.address != trace.address else baseline
    last = _last_answer(trace.hops, () if known is None else known.hops)
    loop = _loop(trace.hops)
    following: Hop | None
    if loop is not None and not trace.reached:
        kind, (last, following) = FindingKind.LOOP, loop
    else:
        kind, following = _kind(trace, known, last, is_up)
    usual = () if known is None else known.hops
    between = [hop for hop in usual[:-1] if hop.address is not None]
    return PathFinding(
        kind=kind,
        at_s=trace.at_s,
        last=_named(last, name_of),
        usual_last=_named(between[-1] if between else None, name_of),
        next=_named(following, name_of),
        usual_hops=len(usual) or None,
        usual_at_s=None if known is None else known.at_s,
        changed_s=None if known is None else recent_change_s(known, trace.at_s),
        error=next((hop.error for hop in trace.hops if hop.error is not None), None),
    )


def next_baseline(before: PathBaseline | None, trace: PathTrace) -> PathBaseline:
    """The usual path after a complete trace (`reached`) of a target that is up."""
    addresses = tuple(hop.address for hop in trace.hops)
    if before is None or before.address != trace.address:
        return PathBaseline(trace.target, trace.address, trace.at_s, trace.hops, addresses)
    if differs(before.known, addresses):
        return PathBaseline(
            trace.target,
            trace.address,
            trace.at_s,
            trace.hops,
            addresses,
            changed_s=trace.at_s,
            previous=before.known,
        )
    known = zip_longest(addresses, before.known[: len(addresses)])
    return replace(
        before,
        at_s=trace.at_s,
        hops=trace.hops,
        known=tuple(new or old for new, old in known),
    )


def differs(before: Sequence[str | None], after: Sequence[str | None]) -> bool:
    """Whether two routers that are both known stand at one TTL.

    One that did not answer proves nothing: a target whose reply to the right TTL was lost seems a
    hop further away.
    """
    return any(
        old is not None and new is not None and old != new
        for old, new in zip(before, after, strict=False)
    )


def recent_change_s(baseline: PathBaseline, now_s: float) -> float | None:
    """When the path changed; None: not in the last days."""
    changed_s = baseline.changed_s
    return changed_s if changed_s is not None and now_s - changed_s < RECENTLY_S else None


def _kind(
    trace: PathTrace, baseline: PathBaseline | None, last: Hop | None, is_up: IsUp
) -> tuple[FindingKind, Hop | None]:
    """The finding, and the router that is missing next."""
    if trace.reached:
        return FindingKind.REACHED, None
    if last is not None and last.address == trace.address:
        return FindingKind.OWN_ADDRESS, None
    if baseline is None:
        return FindingKind.NO_BASELINE, None
    if len(baseline.hops) == 1 and last is None:
        return FindingKind.DIRECT, None
    # A router reports "unreachable" for every TTL beyond its own distance.
    now = [None if hop.error is not None else hop.address for hop in trace.hops]
    furthest = max((ttl for ttl, address in enumerate(now, start=1) if address), default=0)
    if differs([*baseline.known[:-1], None], now) or furthest >= len(baseline.hops):
        return FindingKind.OTHER_PATH, None
    reached_ttl = 0 if last is None else last.ttl
    expected = (
        hop
        for hop in baseline.hops[reached_ttl:-1]
        if hop.address is not None and not is_up(hop.address)
    )
    following = next(expected, None)
    if last is None:
        return (FindingKind.UNPROVEN if following is None else FindingKind.NOWHERE), following
    if following is not None:
        return FindingKind.STOPPED, following
    only_target_left = reached_ttl == len(baseline.hops) - 1
    return (FindingKind.BEFORE_TARGET if only_target_left else FindingKind.UNPROVEN), None


def _last_answer(hops: Sequence[Hop], usual: Sequence[Hop]) -> Hop | None:
    """The last router that answered, at its own distance.

    One that reports "unreachable" does so for every higher TTL: its distance is that of its
    "time exceeded", now or usually.
    """
    last = next((hop for hop in reversed(hops) if hop.address is not None), None)
    if last is None or last.error is None:
        return last
    own = (hop for hop in (*hops, *usual) if hop.address == last.address and hop.error is None)
    return next(own, last)


def _loop(hops: Sequence[Hop]) -> tuple[Hop, Hop] | None:
    """The first two routers of a loop; None: there is none."""
    answers = [hop for hop in hops if hop.address is not None and hop.error is None]
    for hop in answers:
        times = sum(other.address == hop.address for other in answers)
        others = (o for o in answers if o.ttl > hop.ttl and o.address != hop.address)
        second = next(others, None)
        if times >= LOOP_ANSWERS and second is not None:
            return hop, second
    return None


def _named(hop: Hop | None, name_of: NameOf) -> NamedHop | None:
    if hop is None or hop.address is None:
        return None
    return NamedHop(hop.ttl, hop.address, name_of(hop.address))
