"""Office hours: open from and until, closed on holidays, and when they begin again."""

from __future__ import annotations

from datetime import date, datetime, time
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.core.hours import OfficeHours, WorkingWeek
from tests.fakes.holidays import SomeHolidays

WIB = ZoneInfo("Asia/Jakarta")
NEW_YEAR = SomeHolidays({date(2026, 1, 1): "Tahun Baru"})


def at(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=WIB).timestamp()


def office(week: WorkingWeek | None = None) -> OfficeHours:
    return OfficeHours(week or WorkingWeek(), NEW_YEAR, WIB)


@pytest.mark.parametrize(
    ("moment", "is_open"),
    [
        ("2026-11-23T07:29:59", False),
        ("2026-11-23T07:30:00", True),
        ("2026-11-23T15:59:59", True),
        ("2026-11-23T16:00:00", False),
        ("2026-11-27T16:29:59", True),
        ("2026-11-27T16:30:00", False),
        ("2026-11-28T10:00:00", False),
        ("2026-11-29T10:00:00", False),
        ("2026-01-01T10:00:00", False),
    ],
)
def test_it_is_open_when_the_week_says_so(moment: str, is_open: bool) -> None:
    assert office()(at(moment)) is is_open


@pytest.mark.parametrize(
    ("moment", "opens"),
    [
        ("2026-11-23T10:00:00", "2026-11-23T10:00:00"),
        ("2026-11-23T03:00:00", "2026-11-23T07:30:00"),
        ("2026-11-23T20:00:00", "2026-11-24T07:30:00"),
        ("2026-11-27T17:00:00", "2026-11-30T07:30:00"),
        ("2025-12-31T17:00:00", "2026-01-02T07:30:00"),
    ],
)
def test_it_opens_again_on_the_next_working_day(moment: str, opens: str) -> None:
    assert office().next_opening_s(at(moment)) == at(opens)


def test_days_can_be_added_and_taken_away() -> None:
    week = WorkingWeek(holidays=(date(2026, 11, 23),), workdays=(date(2026, 1, 1),))
    assert not office(week)(at("2026-11-23T10:00:00"))
    assert office(week)(at("2026-01-01T10:00:00"))
    assert office(week).holiday(date(2026, 11, 23)) == "alerts.toml"
    assert office().holiday(date(2026, 1, 1)) == "Tahun Baru"
    assert office(WorkingWeek(calendar=False))(at("2026-01-01T10:00:00"))


def test_an_office_that_never_opens_has_no_next_opening() -> None:
    never = WorkingWeek(hours=(None,) * 7)
    assert office(never).next_opening_s(at("2026-11-23T10:00:00")) is None


@given(st.integers(0, 3 * 366 * 24 * 60))
def test_the_next_opening_is_open_and_nothing_before_it_is(minutes: int) -> None:
    at_s = at("2025-06-01T00:00:00") + 60 * minutes
    opens_s = office().next_opening_s(at_s)
    assert opens_s is not None
    assert opens_s >= at_s
    assert office()(opens_s)
    if opens_s > at_s:
        assert not any(office()(at_s + (opens_s - at_s) * share / 50) for share in range(50))
        assert datetime.fromtimestamp(opens_s, WIB).time() == time(7, 30)
