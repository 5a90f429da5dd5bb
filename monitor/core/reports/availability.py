"""Compute availability as contracts define it, from intervals. Times are UTC seconds.

Downtime is the union of the intervals in which a link was down, clipped to the period, minus the
union of what is excluded (agreed maintenance). Time without evidence is never up and never down:
it lowers `coverage`, which is printed beside every availability.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

Interval = tuple[float, float]
"""[start, end); empty if it ends at or before its start."""


@dataclass(frozen=True, slots=True)
class Availability:
    """One target over one period, in seconds: the four parts add up to `period_s`.

    excluded_s: agreed not to count. blank_s: state unknown (no evidence), or unreachable behind a
    node that was down. outages: number of separate down intervals; longest_s: the longest.
    """

    period_s: float
    up_s: float
    down_s: float
    excluded_s: float
    blank_s: float
    outages: int = 0
    longest_s: float = 0.0

    @property
    def ratio(self) -> float | None:
        """up / (up + down), 0 to 1; None: neither."""
        counted_s = self.up_s + self.down_s
        return self.up_s / counted_s if counted_s > 0 else None

    @property
    def coverage(self) -> float | None:
        """(up + down) / (period - excluded), 0 to 1; None: nothing but excluded time."""
        countable_s = self.period_s - self.excluded_s
        return (self.up_s + self.down_s) / countable_s if countable_s > 0 else None


def availability(
    period: Interval,
    down: Iterable[Interval],
    blank: Iterable[Interval] = (),
    excluded: Iterable[Interval] = (),
) -> Availability:
    """The intervals may overlap, lie outside the period and come in any order.

    Excluded counts before blank, and blank before down: without evidence there is no downtime.
    """
    whole = union([period])
    out = clip(excluded, period)
    unknown = subtract(clip(blank, period), out)
    counted = subtract(subtract(clip(down, period), out), unknown)
    period_s, down_s, blank_s, excluded_s = (
        length(part) for part in (whole, counted, unknown, out)
    )
    return Availability(
        period_s=period_s,
        up_s=max(0.0, length(subtract(subtract(subtract(whole, out), unknown), counted))),
        down_s=down_s,
        excluded_s=excluded_s,
        blank_s=blank_s,
        outages=len(counted),
        longest_s=max((end - start for start, end in counted), default=0.0),
    )


def combine(parts: Iterable[Availability]) -> Availability:
    """Several targets or periods as one: seconds added."""
    each = list(parts)
    return Availability(
        period_s=sum(part.period_s for part in each),
        up_s=sum(part.up_s for part in each),
        down_s=sum(part.down_s for part in each),
        excluded_s=sum(part.excluded_s for part in each),
        blank_s=sum(part.blank_s for part in each),
        outages=sum(part.outages for part in each),
        longest_s=max((part.longest_s for part in each), default=0.0),
    )


def union(intervals: Iterable[Interval]) -> list[Interval]:
    """The same time as disjoint intervals in order, none touching the next."""
    found: list[Interval] = []
    for start, end in sorted(intervals):
        if end <= start:
            continue
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        else:
            found.append((start, end))
    return found


def clip(intervals: Iterable[Interval], period: Interval) -> list[Interval]:
    """The part within the period; disjoint and in order."""
    start_s, end_s = period
    return union((max(start, start_s), min(end, end_s)) for start, end in intervals)


def intersect(one: Iterable[Interval], other: Iterable[Interval]) -> list[Interval]:
    """The time that lies in both."""
    return [
        (max(a, start), min(b, end))
        for start, end in union(other)
        for a, b in union(one)
        if max(a, start) < min(b, end)
    ]


def subtract(one: Iterable[Interval], other: Iterable[Interval]) -> list[Interval]:
    """The time of the first that is not in the second."""
    gone = union(other)
    found: list[Interval] = []
    for start, end in union(one):
        at = start
        for left, right in _touching(gone, start, end):
            if left > at:
                found.append((at, left))
            at = max(at, right)
        if at < end:
            found.append((at, end))
    return found


def length(intervals: Iterable[Interval]) -> float:
    """Seconds covered by at least one interval."""
    return sum(end - start for start, end in union(intervals))


def days(edges: Sequence[float], intervals: Iterable[Interval]) -> list[float]:
    """Seconds covered between each edge and the next (ascending edges)."""
    whole = union(intervals)
    return [length(clip(whole, (start, end))) for start, end in pairwise(edges)]


def _touching(intervals: Sequence[Interval], start: float, end: float) -> list[Interval]:
    return [each for each in intervals if each[0] < end and each[1] > start]
