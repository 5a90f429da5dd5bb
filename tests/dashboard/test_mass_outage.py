"""More than ten outages within ten minutes are one mass outage, until few are left."""

from __future__ import annotations

from dashboard.reads.flood import flood


def begun(count: int, every_s: float, first_s: float = 0.0) -> dict[int, float]:
    return {number: first_s + number * every_s for number in range(1, count + 1)}


def test_eleven_outages_within_ten_minutes_are_one_mass_outage() -> None:
    assert flood(begun(10, 1.0), range(1, 11)) == set()
    assert flood(begun(11, 1.0), range(1, 12)) == set(range(1, 12))


def test_as_many_outages_over_a_longer_time_are_no_mass_outage() -> None:
    assert flood(begun(30, 61.0), range(1, 31)) == set()
    assert flood(begun(11, 60.0), range(1, 12)) == set(range(1, 12)), "the window is closed"


def test_old_outages_do_not_belong_to_a_mass_outage() -> None:
    both = {99: -5000.0} | begun(12, 5.0)
    assert flood(both, [*both]) == set(range(1, 13))


def test_ended_outages_count_for_a_mass_outage_and_the_last_ones_are_listed_alone() -> None:
    many = begun(20, 10.0)
    assert flood(many, [3, 4, 5, 6]) == {3, 4, 5, 6}
    assert flood(many, [3, 4, 5]) == set()
    assert flood({}, [1, 2]) == set()
