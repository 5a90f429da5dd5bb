"""Histograms add up, and their percentiles are near the true ones."""

from __future__ import annotations

from math import ceil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.core.samples.histogram import (
    BOUNDS_MS,
    counts_of,
    from_percentiles,
    histogram_of,
    pack_histogram,
    percentile_of,
    unpack_histogram,
)

rtts = st.lists(st.floats(0.0, 100_000.0), max_size=200)


@given(rtts, rtts)
def test_the_sum_of_two_histograms_is_that_of_all_replies(
    one: list[float], other: list[float]
) -> None:
    assert histogram_of(one) + histogram_of(other) == histogram_of(one + other)
    assert sum(counts_of(histogram_of(one)).values()) == len(one)


@given(rtts)
def test_a_packed_histogram_is_unpacked(some: list[float]) -> None:
    assert unpack_histogram(pack_histogram(histogram_of(some))) == histogram_of(some)


def test_a_bound_belongs_to_its_bucket() -> None:
    assert counts_of(histogram_of([0.0, BOUNDS_MS[0], BOUNDS_MS[5], 1e9])) == {
        0: 2,
        5: 1,
        len(BOUNDS_MS): 1,
    }


@given(st.lists(st.floats(0.2, 60_000.0), min_size=1, max_size=300), st.floats(0.01, 1.0))
def test_a_percentile_is_within_a_fifth_of_the_true_one(some: list[float], share: float) -> None:
    ordered = sorted(some)
    true = ordered[max(0, ceil(share * len(ordered)) - 1)]
    found = percentile_of(histogram_of(some), share, ordered[0], ordered[-1])
    assert found == pytest.approx(true, rel=0.19, abs=0.001)


def test_without_a_reply_there_is_no_percentile() -> None:
    assert percentile_of(0, 0.5, None, None) is None
    assert pack_histogram(0) == b""
    assert unpack_histogram(b"") == 0


@given(st.integers(0, 5000), st.lists(st.floats(0.2, 6e4), min_size=4, max_size=4).map(sorted))
def test_an_estimate_from_four_percentiles_adds_up(received: int, four: list[float]) -> None:
    low, median, p95, high = four
    found = from_percentiles(received, low, median, p95, high)
    assert sum(counts_of(found).values()) == received
    if received > 40:
        near = percentile_of(found, 0.5, low, high)
        assert near == pytest.approx(median, rel=0.19)
