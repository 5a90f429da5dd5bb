"""Histograms of round-trip times in fixed buckets, which add up.

Percentiles of percentiles are no percentiles; counts in the same buckets can be summed over any
span, and a percentile of the sum is one. The bounds grow by a quarter of an octave: a percentile
read from them is at most 19 % beside the true one, and never beyond the smallest and the largest.

A histogram is one integer with 32 bits a bucket (a lane): two are summed by `+`, a month of minutes
as fast as it can be read. 32 bits hold 4.29 thousand million replies in one bucket.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Mapping
from itertools import repeat

BOUNDS_MS: tuple[float, ...] = tuple(round(0.1 * 2 ** (place / 4), 3) for place in range(78))
"""The largest round-trip time (ms) of each bucket: 0.1, 0.119 … 62,353 and one for the rest."""

LANE = 32

Histogram = int
"""A lane a bucket, the first bucket in the lowest bits. 0: no reply."""


def histogram_of(rtts_ms: Iterable[float]) -> Histogram:
    """Of these round-trip times (ms)."""
    found = Counter(map(bisect_left, repeat(BOUNDS_MS), rtts_ms))
    return from_counts(found)


def from_counts(counts: Mapping[int, int]) -> Histogram:
    """The histogram with so many replies in these buckets."""
    return sum(count << (LANE * bucket) for bucket, count in counts.items())


def from_weighted(values: Iterable[tuple[float, int]]) -> Histogram:
    """The histogram of values (ms) that each stand for a number of replies."""
    counts: Counter[int] = Counter()
    for value, weight in values:
        counts[bisect_left(BOUNDS_MS, value)] += weight
    return from_counts(counts)


def counts_of(histogram: Histogram) -> dict[int, int]:
    """Bucket to replies, without the empty ones, the lowest first."""
    if not histogram:
        return {}
    first = ((histogram & -histogram).bit_length() - 1) // LANE
    histogram >>= LANE * first
    size = LANE // 8
    stored = histogram.to_bytes((histogram.bit_length() + LANE - 1) // LANE * size, "little")
    found: dict[int, int] = {}
    for offset in range(0, len(stored), size):
        count = int.from_bytes(stored[offset : offset + size], "little")
        if count:
            found[first + offset // size] = count
    return found


def from_percentiles(
    received: int,
    low: float | None,
    median: float | None,
    p95: float | None,
    high: float | None,
) -> Histogram:
    """An estimate for replies of which only these (ms) are known; adds up to `received`.

    Half of them at the median, the largest and what lies above the 95th percentile where they
    are, the smallest where it is, the rest between the median and the 95th percentile.
    """
    if not received or low is None or median is None or p95 is None or high is None:
        return 0
    tail = min(received, max(1, received // 20))
    upper = max(0, received // 2 - tail)
    lowest = 1 if received > tail + upper + 1 else 0
    middle = received - tail - upper - lowest
    return from_weighted(((high, tail), (p95, upper), (median, middle), (low, lowest)))


def percentile_of(
    histogram: Histogram, share: float, low: float | None, high: float | None
) -> float | None:
    """The value below which `share` (0 to 1) of the replies lie, in ms; None without a reply.

    Nearest rank; the replies of a bucket are assumed to be spread evenly. low, high: the smallest
    and the largest reply, which the answer never leaves.
    """
    return percentile_in(counts_of(histogram), share, low, high)


def percentile_in(
    counts: Mapping[int, int], share: float, low: float | None, high: float | None
) -> float | None:
    """`percentile_of`, for several percentiles of the same counts (the lowest bucket first)."""
    rank = max(1.0, share * sum(counts.values()))
    reached = 0
    for bucket, count in counts.items():
        before, reached = reached, reached + count
        if reached >= rank:
            floor = BOUNDS_MS[bucket - 1] if bucket else 0.0
            ceiling = BOUNDS_MS[bucket] if bucket < len(BOUNDS_MS) else (high or floor)
            return _within(floor + (ceiling - floor) * (rank - before) / count, low, high)
    return None


def _within(value: float, low: float | None, high: float | None) -> float:
    if low is not None and value < low:
        return low
    if high is not None and value > high:
        return high
    return round(value, 3)


def pack_histogram(histogram: Histogram) -> bytes:
    """As it is stored: the first bucket's number, then the lanes up to the last one; b"" for 0."""
    if not histogram:
        return b""
    first = ((histogram & -histogram).bit_length() - 1) // LANE
    lanes = histogram >> (LANE * first)
    return bytes((first,)) + lanes.to_bytes((lanes.bit_length() + 7) // 8, "little")


def unpack_histogram(stored: bytes) -> Histogram:
    """The histogram that was packed."""
    return int.from_bytes(stored[1:], "little") << (LANE * stored[0]) if stored else 0
