"""Decide whether a moment is within office hours, public holidays excluded."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, tzinfo
from typing import Protocol


@dataclass(frozen=True, slots=True)
class WorkingWeek:
    """hours: Monday to Sunday, opening and closing local time; None: closed that day.

    calendar: public holidays are closed. holidays: closed, too; workdays: open although a
    public holiday.
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
    """A calendar of public holidays (adapters.system.holidays)."""

    def name_of(self, day: date) -> str | None:
        """The name of the holiday on that day, or None."""
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
        """The name of the holiday (`alerts.toml`: a configured one), or None."""
        if day in self._week.workdays:
            return None
        if day in self._week.holidays:
            return "alerts.toml"
        return self._holidays.name_of(day) if self._week.calendar else None

    def _of_day(self, day: date) -> tuple[time, time] | None:
        return None if self.holiday(day) is not None else self._week.hours[day.weekday()]
