"""Holidays as a test says."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date


class SomeHolidays:
    """`core.hours.Holidays` with these days and no others."""

    def __init__(self, days: Mapping[date, str]) -> None:
        self._days = dict(days)

    def name_of(self, day: date) -> str | None:
        return self._days.get(day)
