"""State transitions as intervals, and the intervals of a site from those of its links."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as some

from dashboard.reads.intervals import Stretch, site_stretches, target_stretches, union_s
from monitor.core.detection.site_state import site_state
from monitor.core.model import State, Transition

UP, DOWN, DEGRADED = State.UP, State.DOWN, State.DEGRADED
CHANGES = some.lists(some.tuples(some.integers(-50, 150), some.sampled_from(list(State))))


def change(at_s: float, after: State) -> Transition:
    return Transition("a/b", at_s, at_s + 1, UP, after, "silence")


def state_at(stretches: Sequence[Stretch], at_s: float) -> State | None:
    return next(each.state for each in stretches if each.start_s <= at_s < each.end_s)


def test_nothing_is_shown_before_the_first_data() -> None:
    assert target_stretches([change(40, UP)], 0, 100) == [
        Stretch(0, 40, None),
        Stretch(40, 100, UP),
    ]


def test_the_last_change_before_the_range_holds_from_its_start() -> None:
    found = target_stretches([change(-500, DOWN), change(30, UP)], 0, 100)
    assert found == [Stretch(0, 30, DOWN), Stretch(30, 100, UP)]


def test_a_change_after_the_range_does_not_matter() -> None:
    assert target_stretches([change(-5, UP), change(100, DOWN)], 0, 100) == [Stretch(0, 100, UP)]


def test_a_site_with_a_link_that_answers_is_degraded_not_down() -> None:
    first = target_stretches([change(-5, UP), change(20, DOWN), change(60, UP)], 0, 100)
    second = target_stretches([change(-5, UP), change(40, DOWN), change(80, UP)], 0, 100)
    assert site_stretches([first, second], 0, 100) == [
        Stretch(0, 20, UP),
        Stretch(20, 40, DEGRADED),
        Stretch(40, 60, DOWN),
        Stretch(60, 80, DEGRADED),
        Stretch(80, 100, UP),
    ]


def test_a_link_counts_from_its_first_evidence_on() -> None:
    first = target_stretches([change(50, UP)], 0, 100)
    second = target_stretches([change(20, UP)], 0, 100)
    found = site_stretches([first, second], 0, 100)
    assert found == [Stretch(0, 20, None), Stretch(20, 100, UP)]


def test_a_site_without_links_has_no_text() -> None:
    assert site_stretches([], 0, 100) == [Stretch(0, 100, None)]


@given(CHANGES)
def test_stretches_cover_the_range_without_hole_or_repetition(
    changes: list[tuple[int, State]],
) -> None:
    found = target_stretches([change(at_s, after) for at_s, after in changes], 0, 100)
    assert found[0].start_s == 0
    assert found[-1].end_s == 100
    for left, right in pairwise(found):
        assert left.end_s == right.start_s
        assert left.state is not right.state


@given(some.lists(CHANGES, min_size=1, max_size=3))
def test_the_state_of_a_site_follows_from_its_links(
    told: list[list[tuple[int, State]]],
) -> None:
    links = [
        target_stretches([change(at_s, after) for at_s, after in changes], 0, 100)
        for changes in told
    ]
    found = site_stretches(links, 0, 100)
    for at_s in range(100):
        states = [state_at(link, at_s) for link in links]
        known = [state for state in states if state is not None]
        assert state_at(found, at_s) is (site_state(known) if known else None)


@given(some.lists(some.tuples(some.integers(0, 60), some.integers(0, 60))))
def test_overlapping_outages_count_once(spans: list[tuple[int, int]]) -> None:
    tidy = [(min(pair), max(pair)) for pair in spans]
    covered = {second for start, end in tidy for second in range(start, end)}
    assert union_s(tidy) == len(covered)
