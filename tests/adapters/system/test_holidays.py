"""The holidays of Indonesia as the joint decrees name them."""

from __future__ import annotations

from datetime import date

import pytest

from monitor.adapters.system.holidays import IndonesianHolidays
from monitor.core.alerting.office_hours import Holidays


@pytest.mark.parametrize(
    ("day", "name"),
    [
        (date(2025, 3, 31), "Hari Raya Idul Fitri"),
        (date(2025, 4, 2), "Cuti Bersama Hari Raya Idul Fitri"),
        (date(2025, 8, 17), "Hari Kemerdekaan Republik Indonesia"),
        (date(2026, 12, 24), "Cuti Bersama Hari Raya Natal"),
        (date(2026, 11, 24), None),
    ],
)
def test_national_holidays_and_cuti_bersama_are_known_by_name(day: date, name: str | None) -> None:
    days: Holidays = IndonesianHolidays()
    assert days.name_of(day) == name
