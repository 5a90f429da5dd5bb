"""More than ten beginnings within ten minutes are one event, until few of them are left."""

from __future__ import annotations

from dashboard.reads.flood import flood


def begun(count: int, every_s: float, first_s: float = 0.0) -> dict[int, float]:
    return {number: first_s + number * every_s for number in range(1, count + 1)}


def test_ten_within_ten_minutes_are_ten_and_eleven_are_one() -> None:
    assert flood(begun(10, 1.0), range(1, 11)) == set()
    assert flood(begun(11, 1.0), range(1, 12)) == set(range(1, 12))


def test_as_many_over_a_longer_time_are_no_flood() -> None:
    assert flood(begun(30, 61.0), range(1, 31)) == set()
    assert flood(begun(11, 60.0), range(1, 12)) == set(range(1, 12)), "the window is closed"


def test_what_began_long_before_does_not_belong() -> None:
    both = {99: -5000.0} | begun(12, 5.0)
    assert flood(both, [*both]) == set(range(1, 13))


def test_those_that_are_over_count_for_the_flood_and_few_that_are_left_stand_alone() -> None:
    many = begun(20, 10.0)
    assert flood(many, [3, 4, 5, 6]) == {3, 4, 5, 6}
    assert flood(many, [3, 4, 5]) == set()
    assert flood({}, [1, 2]) == set()
