"""Office hours: open from and until, closed on holidays."""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest

from monitor.core.alerting.office_hours import OfficeHours, WorkingWeek
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
def test_the_office_is_open_in_its_hours_on_working_days(moment: str, is_open: bool) -> None:
    assert office()(at(moment)) is is_open


def test_configured_holidays_and_workdays_change_the_week() -> None:
    week = WorkingWeek(holidays=(date(2026, 11, 23),), workdays=(date(2026, 1, 1),))
    assert not office(week)(at("2026-11-23T10:00:00"))
    assert office(week)(at("2026-01-01T10:00:00"))
    assert office(week).holiday(date(2026, 11, 23)) == "alerts.toml"
    assert office().holiday(date(2026, 1, 1)) == "Tahun Baru"
    assert office(WorkingWeek(calendar=False))(at("2026-01-01T10:00:00"))


def test_an_office_that_is_closed_all_week_is_never_open() -> None:
    never = WorkingWeek(hours=(None,) * 7)
    assert not office(never)(at("2026-11-23T10:00:00"))
