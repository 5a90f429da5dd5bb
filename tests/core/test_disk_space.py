"""When the disk is said to be low: by what is free, and by how fast it fills."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from monitor.core.disk_space import DiskLimits, DiskReading, DiskState, DiskTrend

GB = 1_000_000_000
MB = 1_000_000
TOTAL = 100 * GB
LIMITS = DiskLimits()

FreeAt = Callable[[float], float]


def watch(
    free_at: FreeAt, for_s: float, *, inodes_at: FreeAt = lambda _: 900_000, total: int = TOTAL
) -> list[tuple[float, DiskState]]:
    """Readings every 5 s."""
    trend = DiskTrend()
    return [
        (
            at_s,
            trend.add(
                DiskReading(at_s, int(free_at(at_s)), total, int(inodes_at(at_s)), 1_000_000),
                LIMITS,
            ),
        )
        for at_s in [5.0 * number for number in range(int(for_s / 5) + 1)]
    ]


def first_low_s(states: list[tuple[float, DiskState]]) -> float | None:
    return next((at_s for at_s, state in states if state.is_low), None)


@pytest.mark.parametrize(
    ("free_at", "total", "expected"),
    [
        (lambda _: 20 * GB, TOTAL, None),
        (lambda _: 499 * MB, TOTAL, 0.0),
        (lambda _: 60 * MB, 500 * MB, None),
        (lambda t: 3 * GB - 1 * MB * t, TOTAL, 60.0),
        (lambda t: 20 * GB - 1 * MB * t, TOTAL, 600.0),
        (lambda t: 20 * GB - 0.1 * MB * t, TOTAL, None),
        (lambda t: 20 * GB - (10 * GB if t >= 300 else 0), TOTAL, None),
        (lambda t: 20 * GB - min(10 * GB, max(0.0, t - 300) * 400 * MB), TOTAL, None),
        (lambda t: 5 * GB + (t % 120) * 4 * MB, TOTAL, None),
    ],
    ids=[
        "plenty",
        "less than free_mb",
        "a small disk: at most a tenth of it",
        "1 MB/s, full within the hour: told after a minute",
        "1 MB/s, full within the day: told after ten minutes",
        "0.1 MB/s, full in two days",
        "one file of 10 GB at once is no filling",
        "nor one that takes 25 s to be copied",
        "a file that is written and removed again",
    ],
)
def test_it_is_low_by_space_or_by_the_time_until_full(
    free_at: FreeAt, total: int, expected: float | None
) -> None:
    assert first_low_s(watch(free_at, 1500, total=total)) == expected


def test_the_time_until_full_is_that_of_the_present_rate() -> None:
    _, state = watch(lambda t: 2 * GB - 1 * MB * t, 300)[-1]
    assert state.full_in_s == pytest.approx(1700, rel=0.02)


def test_it_is_well_again_only_past_a_quarter_more_than_the_limit() -> None:
    free = iter([600, 490, 510, 490, 620, 630, 510])
    trend = DiskTrend()
    found = [
        trend.add(DiskReading(10.0 * n, next(free) * MB, TOTAL), LIMITS).is_low for n in range(7)
    ]
    assert found == [False, True, True, True, True, False, False]


def test_inodes_count_by_share_and_by_time() -> None:
    at_s, state = next(
        each
        for each in watch(lambda _: 50 * GB, 600, inodes_at=lambda t: 100_000 - 500 * t)
        if each[1].is_low
    )
    assert (at_s, state.by_inodes) == (60.0, True)
    assert state.full_in_s == pytest.approx(140.0)
    _, few = watch(lambda _: 50 * GB, 0, inodes_at=lambda _: 49_000)[-1]
    assert (few.is_low, few.by_inodes) == (True, True)


def test_a_file_system_without_inodes_has_no_share() -> None:
    state = DiskTrend().add(DiskReading(0.0, 50 * GB, TOTAL), LIMITS)
    assert (state.is_low, state.free_inodes) == (False, None)
