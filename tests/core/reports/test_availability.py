"""Interval algebra and availability, as properties on integers (exact sums)."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.core.availability_target import built_in_target
from monitor.core.reports.availability import (
    Availability,
    Interval,
    availability,
    clip,
    combine,
    days,
    intersect,
    length,
    subtract,
    union,
)

moments = st.integers(min_value=-50, max_value=150).map(float)
interval = st.tuples(moments, moments)
intervals = st.lists(interval, max_size=12)
PERIOD = (0.0, 100.0)


def seconds(found: list[Interval]) -> set[int]:
    """Every whole second that an interval covers."""
    return {second for start, end in found for second in range(int(start), int(end))}


@given(intervals)
def test_a_union_covers_the_same_seconds_with_gaps_between_its_parts(found: list[Interval]) -> None:
    joined = union(found)
    assert seconds(joined) == seconds(found)
    assert all(start < end for start, end in joined)
    assert all(one[1] < other[0] for one, other in pairwise(joined))
    assert length(found) == len(seconds(found))


@given(intervals, intervals)
def test_subtraction_and_intersection_are_those_of_sets_of_seconds(
    one: list[Interval], other: list[Interval]
) -> None:
    assert seconds(subtract(one, other)) == seconds(one) - seconds(other)
    assert seconds(intersect(one, other)) == seconds(one) & seconds(other)


@given(intervals, interval)
def test_a_clip_is_the_part_within_the_period(found: list[Interval], period: Interval) -> None:
    assert seconds(clip(found, period)) == seconds(found) & seconds([period])


@given(intervals, intervals, intervals)
def test_the_four_parts_are_the_seconds_they_should_be_and_add_up(
    down: list[Interval], blank: list[Interval], excluded: list[Interval]
) -> None:
    found = availability(PERIOD, down, blank, excluded)
    whole = seconds([PERIOD])
    out = seconds(excluded) & whole
    dark = (seconds(blank) & whole) - out
    lost = (seconds(down) & whole) - out - dark
    assert found.excluded_s == len(out)
    assert found.blank_s == len(dark)
    assert found.down_s == len(lost)
    assert found.up_s == len(whole - out - dark - lost)
    assert found.up_s + found.down_s + found.blank_s + found.excluded_s == found.period_s == 100
    assert found.ratio is None or 0 <= found.ratio <= 1
    assert found.coverage is None or 0 <= found.coverage <= 1


@given(intervals, intervals)
def test_time_without_evidence_never_worsens_and_maintenance_never_counts(
    down: list[Interval], more: list[Interval]
) -> None:
    plain = availability(PERIOD, down)
    assert availability(PERIOD, down, blank=more).down_s <= plain.down_s
    assert availability(PERIOD, down, excluded=more).down_s <= plain.down_s
    assert availability(PERIOD, down, blank=more).up_s <= plain.up_s


@given(intervals, st.integers(min_value=0, max_value=100).map(float))
def test_two_halves_of_a_period_make_the_whole(down: list[Interval], middle: float) -> None:
    both = combine([availability((0.0, middle), down), availability((middle, 100.0), down)])
    whole = availability(PERIOD, down)
    assert (both.down_s, both.up_s, both.period_s) == (whole.down_s, whole.up_s, whole.period_s)


@given(intervals)
def test_days_add_up_to_the_whole(found: list[Interval]) -> None:
    edges = [0.0, 10.0, 35.0, 36.0, 100.0]
    assert sum(days(edges, found)) == length(clip(found, PERIOD))


def test_two_outages_that_overlap_count_once_and_one_that_is_cut_by_a_window_twice() -> None:
    found = availability(
        PERIOD, [(10.0, 20.0), (15.0, 30.0), (90.0, 140.0)], excluded=[(18.0, 19.0)]
    )
    assert found.down_s == 29.0
    assert found.outages == 3
    assert found.longest_s == 11.0


def test_without_evidence_there_is_no_availability() -> None:
    found = availability(PERIOD, [(0.0, 50.0)], blank=[(-1.0, 101.0)])
    assert found.ratio is None
    assert found.coverage == 0.0
    assert availability((5.0, 5.0), []).coverage is None
    assert availability(PERIOD, [], excluded=[PERIOD]).coverage is None


def test_the_target_of_a_month_of_30_days() -> None:
    """99.5 % leaves 3.6 h, 98 % leaves 14.4 h."""
    month_s = 30 * 86_400.0
    assert month_s * (1 - built_in_target("fibre").ratio) == pytest.approx(3.6 * 3600)
    assert month_s * (1 - built_in_target("vsat").ratio) == pytest.approx(14.4 * 3600)
    assert {built_in_target(kind).ratio for kind in ("radio", "lte", "pigeon")} == {0.99}


def test_nothing_combined_is_zero() -> None:
    assert combine([]) == Availability(0.0, 0.0, 0.0, 0.0, 0.0)
