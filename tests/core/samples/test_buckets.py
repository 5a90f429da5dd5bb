"""Buckets of a chart: the weighted median, and rows in any order."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.core.samples.buckets import (
    LatencyBucketBuilder,
    ThroughputBucketBuilder,
    weighted_median,
)

WEIGHTED = st.lists(st.tuples(st.integers(1, 1000).map(float), st.integers(0, 50)))


@pytest.mark.parametrize(
    ("values", "median"),
    [
        ([], None),
        ([(5.0, 0)], None),
        ([(5.0, 3)], 5.0),
        ([(5.0, 1), (7.0, 1)], 5.0),
        ([(7.0, 2), (5.0, 1)], 7.0),
        ([(1.0, 10), (50.0, 1), (60.0, 1)], 1.0),
        ([(1.0, 0), (2.0, 1)], 2.0),
    ],
)
def test_the_median_is_where_half_of_the_replies_are_reached(
    values: list[tuple[float, int]], median: float | None
) -> None:
    assert weighted_median(values) == median


@given(WEIGHTED)
def test_the_weighted_median_is_that_of_repeated_values(
    values: list[tuple[float, int]],
) -> None:
    spread = sorted(value for value, weight in values for _ in range(weight))
    assert weighted_median(values) == (spread[(len(spread) - 1) // 2] if spread else None)


RTT = st.none() | st.floats(0, 100)
COUNTS = st.tuples(st.integers(0, 50), st.integers(0, 50), st.integers(0, 5))
Row = tuple[tuple[int, int, int], float | None, float | None, float | None, list[tuple[float, int]]]


@given(st.lists(st.tuples(COUNTS, RTT, RTT, RTT, WEIGHTED), max_size=8))
def test_the_order_of_the_rows_does_not_matter(rows: list[Row]) -> None:
    one, other = LatencyBucketBuilder(), LatencyBucketBuilder()
    for row in rows:
        one.add(*row)
    for row in reversed(rows):
        other.add(*row)
    assert one.bucket(0, 1000) == other.bucket(0, 1000)


def test_without_a_reply_there_is_no_round_trip_time() -> None:
    silent = LatencyBucketBuilder()
    silent.add((10, 0, 0), None, None, None, ())
    bucket = silent.bucket(60_000, 60_000)
    assert (bucket.start_s, bucket.width_s) == (60.0, 60.0)
    assert (bucket.sent, bucket.received) == (10, 0)
    assert bucket.rtt_low is bucket.rtt_mid is bucket.rtt_p95 is bucket.rtt_high is None


def test_a_direction_that_is_not_known_is_not_0() -> None:
    builder = ThroughputBucketBuilder()
    builder.add(100.0, None)
    builder.add(300.0, None)
    bucket = builder.bucket(0, 60_000)
    assert (bucket.in_bps, bucket.in_bps_max) == (200.0, 300.0)
    assert bucket.out_bps is bucket.out_bps_max is None
