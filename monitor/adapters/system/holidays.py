"""Public holidays of Indonesia, from the tables of the `holidays` package (no network).

Category `public` holds the national holidays, `government` the days of joint leave (cuti bersama)
on which offices are closed, too. Days of the lunar calendar are estimates until the ministries
publish their decree; alerts.toml can add and remove days (`[hours] holidays`, `workdays`).
"""

from __future__ import annotations

from datetime import date

from holidays import HolidayBase, country_holidays


class IndonesianHolidays:
    """The calendar of `core.alerting.office_hours`. A year is computed when it is first used."""

    def __init__(self) -> None:
        self._days: HolidayBase = country_holidays(
            "ID", categories=("public", "government"), language="id"
        )

    def name_of(self, day: date) -> str | None:
        """The name of the holiday on this day; None on any other day."""
        return self._days.get(day)
