"""Office hours: what may wait until somebody is at work (ALERTS, "working hours").

Times come in as UTC seconds and are counted in the zone of the site. Public holidays come in
through a port: the calendar is a library's affair.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, tzinfo
from typing import Protocol


@dataclass(frozen=True, slots=True)
class WorkingWeek:
    """When the office is open (local times), and the days that are other than their weekday.

    hours: Monday to Sunday, from and until; None: closed all day. calendar: public holidays count.
    holidays: closed on these days too; workdays: open although they are holidays.
    """

    hours: tuple[tuple[time, time] | None, ...] = (
        *((time(7, 30), time(16, 0)),) * 4,
        (time(7, 30), time(16, 30)),
        None,
        None,
    )
    calendar: bool = True
    holidays: tuple[date, ...] = ()
    workdays: tuple[date, ...] = ()


class Holidays(Protocol):
    """Which days are holidays for everybody."""

    def name_of(self, day: date) -> str | None:
        """What is celebrated on that day; None: it is no holiday."""
        ...


class OfficeHours:
    """Callable: whether a moment (UTC seconds) is within office hours."""

    __slots__ = ("_holidays", "_week", "_zone")

    def __init__(self, week: WorkingWeek, holidays: Holidays, zone: tzinfo) -> None:
        self._week = week
        self._holidays = holidays
        self._zone = zone

    def __call__(self, at_s: float) -> bool:
        moment = datetime.fromtimestamp(at_s, self._zone)
        opening = self._of_day(moment.date())
        return opening is not None and opening[0] <= moment.time() < opening[1]

    def holiday(self, day: date) -> str | None:
        """Why the office is closed on a day that is not closed anyway; None: it is no holiday."""
        if day in self._week.workdays:
            return None
        if day in self._week.holidays:
            return "alerts.toml"
        return self._holidays.name_of(day) if self._week.calendar else None

    def _of_day(self, day: date) -> tuple[time, time] | None:
        return None if self.holiday(day) is not None else self._week.hours[day.weekday()]
