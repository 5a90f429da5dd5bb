"""The public holidays of Indonesia, from the tables of the `holidays` package (no network).

`public` are the national holidays, `government` the days of cuti bersama on which offices close
too. Days that follow the moon are estimates until the ministries' joint decree is out; alerts.toml
can add days and take some away (`[hours] holidays`, `workdays`).
"""

from __future__ import annotations

from datetime import date

from holidays import HolidayBase, country_holidays


class IndonesianHolidays:
    """`core.hours.Holidays`. Years are worked out when they are first asked for."""

    def __init__(self) -> None:
        self._days: HolidayBase = country_holidays(
            "ID", categories=("public", "government"), language="id"
        )

    def name_of(self, day: date) -> str | None:
        return self._days.get(day)
