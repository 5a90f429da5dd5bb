"""Maintenance windows: the targets that they cover, recurring ones by local time."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

import pytest

from monitor.core.alerting.maintenance import MaintenanceCalendar, occurrences, targets_by_name
from monitor.core.alerting.model import MaintenanceWindow
from monitor.core.alerting.settings import RecurringWindow
from tests.core.detection.scenario import network

WIB = ZoneInfo("Asia/Jakarta")
NET = network(
    {"anjatan/utama": ("pop-patrol",), "anjatan/cadangan": (), "bongas/utama": ("pop-jauh",)},
    {"inti": (), "pop-patrol": ("inti",), "pop-jauh": ("pop-patrol",)},
)
START_S = 1_764_000_000.0
HOUR_S = 3600.0


def window(*targets: str, start_s: float = START_S, hours: float = 1.0) -> MaintenanceWindow:
    return MaintenanceWindow(targets, start_s, start_s + hours * HOUR_S, "ani", "ganti router")


def maintenance(
    *windows: MaintenanceWindow, recurring: tuple[RecurringWindow, ...] = ()
) -> MaintenanceCalendar:
    return MaintenanceCalendar(targets_by_name(NET), WIB, windows, recurring)


def wib(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=WIB).timestamp()


SUNDAYS = RecurringWindow(
    key="malam-minggu",
    targets=("pop-jauh",),
    why="pemeliharaan rutin",
    start=time(23, 0),
    duration_s=3 * HOUR_S,
    weekdays=(6,),
)


BEHIND_PATROL = {"pop-patrol", "pop-jauh", "anjatan/utama", "bongas/utama"}
EARLY = replace(window("anjatan/utama"), ended_s=START_S + 60)


@pytest.mark.parametrize(
    ("made", "at_s", "targets"),
    [
        (window("anjatan/utama"), -0.001, set()),
        (window("anjatan/utama"), 0.0, {"anjatan/utama"}),
        (window("anjatan/utama"), HOUR_S - 0.001, {"anjatan/utama"}),
        (window("anjatan/utama"), HOUR_S, set()),
        (EARLY, 59.0, {"anjatan/utama"}),
        (EARLY, 60.0, set()),
        (window("anjatan"), 0.0, {"anjatan/utama", "anjatan/cadangan"}),
        (window("pop-patrol"), 0.0, BEHIND_PATROL),
        (window("inti"), 0.0, {"inti", *BEHIND_PATROL}),
        (window("hilang/utama"), 0.0, {"hilang/utama"}),
    ],
)
def test_a_window_covers_its_targets_from_its_start_until_just_before_its_end(
    made: MaintenanceWindow, at_s: float, targets: set[str]
) -> None:
    """A site: its links; a node: everything behind it, too."""
    assert set(maintenance(made).covered_targets(START_S + at_s)) == targets


def test_a_window_that_was_ended_early_is_not_among_later_windows() -> None:
    assert maintenance(EARLY).windows_between(START_S + 60, START_S + HOUR_S) == []


@pytest.mark.parametrize(
    ("moment", "is_covered"),
    [
        ("2026-11-22T22:59:59", False),
        ("2026-11-22T23:00:00", True),
        ("2026-11-23T01:59:59", True),
        ("2026-11-23T02:00:00", False),
        ("2026-11-23T23:30:00", False),
    ],
)
def test_a_recurring_window_is_in_force_on_its_local_day_and_past_midnight(
    moment: str, is_covered: bool
) -> None:
    covered = maintenance(recurring=(SUNDAYS,)).covered_targets(wib(moment))
    assert set(covered) == ({"pop-jauh", "bongas/utama"} if is_covered else set())
    assert {(w.recurring, w.why) for w in covered.values()} <= {
        ("malam-minggu", "pemeliharaan rutin")
    }


def test_days_of_the_month_and_weekdays_must_both_fit() -> None:
    first_sunday = replace(SUNDAYS, days=tuple(range(1, 8)))
    starts = [
        datetime.fromtimestamp(w.start_s, WIB).date()
        for w in occurrences([first_sunday], WIB, wib("2026-11-01T00:00"), wib("2027-01-01T00:00"))
    ]
    assert starts == [date(2026, 11, 1), date(2026, 12, 6)]


def test_without_days_it_recurs_daily_between_its_first_and_its_last_day() -> None:
    daily = replace(
        SUNDAYS, weekdays=(), first=date(2026, 11, 24), last=date(2026, 11, 25), duration_s=HOUR_S
    )
    found = occurrences([daily], WIB, wib("2026-11-01T00:00"), wib("2026-12-31T00:00"))
    assert [w.start_s for w in found] == [wib("2026-11-24T23:00"), wib("2026-11-25T23:00")]


def test_a_window_longer_than_a_day_is_found_days_after_its_start() -> None:
    long = replace(SUNDAYS, duration_s=72 * HOUR_S)
    made = maintenance(recurring=(long,))
    assert "pop-jauh" in made.covered_targets(wib("2026-11-25T22:00"))
    assert made.covered_targets(wib("2026-11-25T23:00")) == {}


def test_one_occurrence_is_ended_early_and_the_next_comes_unchanged() -> None:
    start_s = wib("2026-11-22T23:00")
    (tonight,) = maintenance(recurring=(SUNDAYS,)).active(start_s)
    kept = replace(tonight, id=7, ended_s=start_s + 600, ended_by="ani")
    made = maintenance(kept, recurring=(SUNDAYS,))
    assert [w.id for w in made.active(start_s + 599)] == [7]
    assert made.covered_targets(start_s + 600) == {}
    assert "pop-jauh" in made.covered_targets(wib("2026-11-29T23:00"))


def test_windows_are_in_order_of_their_start() -> None:
    later = window("bongas", start_s=wib("2026-11-23T12:00"))
    made = maintenance(later, window("anjatan", start_s=START_S), recurring=(SUNDAYS,))
    ahead = made.windows_between(wib("2026-11-22T12:00"), wib("2026-11-24T00:00"))
    assert [(w.targets, w.recurring) for w in ahead] == [
        (("pop-jauh",), "malam-minggu"),
        (("bongas",), None),
    ]


def test_a_change_of_the_utc_offset_keeps_the_local_hour() -> None:
    zone = ZoneInfo("Europe/Berlin")
    daily = replace(SUNDAYS, weekdays=(), start=time(3, 30), duration_s=60.0)
    start_s = datetime(2026, 10, 24, 12, tzinfo=UTC).timestamp()
    hours = [
        datetime.fromtimestamp(w.start_s, UTC).hour
        for w in occurrences([daily], zone, start_s, start_s + 36 * HOUR_S)
    ]
    assert hours == [2]
    earlier = occurrences([daily], zone, start_s - 24 * HOUR_S, start_s)
    assert [datetime.fromtimestamp(w.start_s, UTC).hour for w in earlier] == [1]
