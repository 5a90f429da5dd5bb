"""Build the buckets of a chart from stored rows; used by every store.

Buckets are aligned to multiples of their width since the epoch. Counts add up exactly to those of
the rows, the smallest and the largest reply of a bucket are kept, and a bucket without a row is
absent.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from monitor.core.samples.histogram import Histogram, counts_of, from_weighted, percentile_in
from monitor.core.samples.rollups import max_known, min_known
from monitor.core.samples.samples import LatencyBucket, ThroughputBucket
from monitor.core.samples.schema import seconds


def weighted_median(values: Iterable[tuple[float, int]]) -> float | None:
    """The lower median of values that each stand for a number of replies; None without any.

    The smallest value at which at least half of all the weight is reached: always one of
    the values, so that a bucket of one row gives back that row's own median.
    """
    ordered = sorted(values)
    half = sum([weight for _, weight in ordered]) / 2
    reached = 0
    for value, weight in ordered:
        reached += weight
        if reached >= half and weight > 0:
            return value
    return None


@dataclass(slots=True)
class LatencyBucketBuilder:
    """One LatencyBucket, row by row or from sums that a store computed.

    low, p95, high: ms. medians: each row's median (ms) and the replies behind it.
    """

    sent: int = 0
    received: int = 0
    not_measured: int = 0
    low: float | None = None
    p95: float | None = None
    high: float | None = None
    medians: list[tuple[float, int]] = field(default_factory=list)
    histogram: Histogram = 0

    def add(
        self,
        counts: tuple[int, int, int],
        low: float | None,
        p95: float | None,
        high: float | None,
        medians: Iterable[tuple[float, int]],
    ) -> None:
        """Add rows. counts: sent, received, not measured."""
        sent, received, not_measured = counts
        self.sent += sent
        self.received += received
        self.not_measured += not_measured
        self.low = min_known(self.low, low)
        self.p95 = max_known(self.p95, p95)
        self.high = max_known(self.high, high)
        self.medians.extend(medians)

    def add_rollup(
        self,
        counts: tuple[int, int, int],
        low: float | None,
        high: float | None,
        histogram: Histogram,
    ) -> None:
        """Add a rollup."""
        self.add(counts, low, None, high, ())
        self.histogram += histogram

    def bucket(self, start_ms: int, width_ms: int) -> LatencyBucket:
        mid, p95 = self._percentiles() if self.histogram else (None, None)
        return LatencyBucket(
            start_s=seconds(start_ms),
            width_s=seconds(width_ms),
            sent=self.sent,
            received=self.received,
            not_measured=self.not_measured,
            rtt_low=self.low,
            rtt_mid=weighted_median(self.medians) if mid is None else mid,
            rtt_p95=max_known(self.p95, p95),
            rtt_high=self.high,
        )

    def _percentiles(self) -> tuple[float | None, float | None]:
        """Median and 95th percentile of the rollups; raw rows count with their medians."""
        histogram = self.histogram
        if self.medians:
            histogram += from_weighted(self.medians)
        counts = counts_of(histogram)
        return (
            percentile_in(counts, 0.5, self.low, self.high),
            percentile_in(counts, 0.95, self.low, self.high),
        )


@dataclass(slots=True)
class ThroughputBucketBuilder:
    """One ThroughputBucket of a port.

    into, out: bits a second as (sum, largest, rows). faults: the largest rates of errors in, errors
    out, discards in, discards out, a second.
    """

    into: list[tuple[float, float, int]] = field(default_factory=list)
    out: list[tuple[float, float, int]] = field(default_factory=list)
    faults: list[float | None] = field(default_factory=lambda: [None] * 4)

    def add(
        self, in_bps: float | None, out_bps: float | None, faults: Sequence[float | None] = ()
    ) -> None:
        """Add a row; None: not known."""
        if in_bps is not None:
            self.into.append((in_bps, in_bps, 1))
        if out_bps is not None:
            self.out.append((out_bps, out_bps, 1))
        self.add_faults(faults)

    def add_faults(self, faults: Sequence[float | None]) -> None:
        """Add the rates of a row, or the largest of several."""
        for place, rate in enumerate(faults):
            if rate is not None:
                self.faults[place] = max_known(self.faults[place], rate)

    def bucket(self, start_ms: int, width_ms: int) -> ThroughputBucket:
        return ThroughputBucket(
            start_s=seconds(start_ms),
            width_s=seconds(width_ms),
            in_bps=_mean(self.into),
            out_bps=_mean(self.out),
            in_bps_max=max((high for _, high, _ in self.into), default=None),
            out_bps_max=max((high for _, high, _ in self.out), default=None),
            in_errors_max=self.faults[0],
            out_errors_max=self.faults[1],
            in_discards_max=self.faults[2],
            out_discards_max=self.faults[3],
        )


def _mean(parts: Sequence[tuple[float, float, int]]) -> float | None:
    rows = sum(rows for _, _, rows in parts)
    return math.fsum(total for total, _, _ in parts) / rows if rows else None
