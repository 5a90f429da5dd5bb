"""Ranges of time that a page draws: one that is offered, or days by their dates. Pure.

Whatever an address asks for is checked here; what is none raises a ValueError whose text is a key
of the catalogue.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo

DAY_S = 86_400.0
FIRST_YEAR = 2020
LONGEST_DAYS = 400
DEFAULT = "24h"


@dataclass(frozen=True, slots=True)
class Span:
    """A range of time that a page offers, and how finely each store is asked for it.

    begins_s: of a range by date (UTC); None: it ends now. first, last: its days, both included.
    """

    name: str
    length_s: float
    latency_width_s: float
    traffic_width_s: float
    begins_s: float | None = None
    first: date | None = None
    last: date | None = None

    def bounds(self, now_s: float) -> tuple[float, float]:
        """Its start and its end; nothing is drawn of what is still to come."""
        if self.begins_s is None:
            return now_s - self.length_s, now_s
        return self.begins_s, max(self.begins_s, min(self.begins_s + self.length_s, now_s))

    @property
    def query(self) -> str:
        """What stands for it in an address."""
        if self.first is None or self.last is None:
            return f"range={self.name}"
        return f"from={self.first.isoformat()}&to={self.last.isoformat()}"

    @property
    def label(self) -> str:
        """What stands for it in the name of a file."""
        if self.first is None or self.last is None:
            return self.name
        return f"{self.first.isoformat()}_{self.last.isoformat()}"


def spans() -> dict[str, Span]:
    """The ranges of the site page, by the name in its address."""
    offered = (
        Span("1h", 3600.0, 20.0, 120.0),
        Span("6h", 21_600.0, 60.0, 120.0),
        Span("24h", DAY_S, 300.0, 300.0),
        Span("7d", 7 * DAY_S, 1800.0, 1800.0),
        Span("30d", 30 * DAY_S, 7200.0, 7200.0),
        Span("90d", 90 * DAY_S, 21_600.0, 21_600.0),
    )
    return {span.name: span for span in offered}


def span_of(asked: Mapping[str, str], zone: tzinfo, now_s: float) -> Span:
    """`from` and `to` where one of them is given, else `range`. Raises ValueError."""
    if not asked.get("from") and not asked.get("to"):
        name = asked.get("range") or DEFAULT
        if name not in spans():
            raise ValueError("asked.range")
        return spans()[name]
    first, last = days(asked, zone, now_s, 1)
    begins_s, ends_s = midnight(first, zone), midnight(last + timedelta(days=1), zone)
    if begins_s > now_s:
        raise ValueError("asked.future")
    length_s = ends_s - begins_s
    # The widest buckets are days: a year of them is as many as a chart can show.
    latency, traffic = next(
        (
            (each.latency_width_s, each.traffic_width_s)
            for each in spans().values()
            if length_s <= each.length_s
        ),
        (DAY_S, DAY_S),
    )
    return Span("days", length_s, latency, traffic, begins_s, first, last)


def days(
    asked: Mapping[str, str], zone: tzinfo, now_s: float, default_days: int
) -> tuple[date, date]:
    """`from` and `to` as local days, both included. Raises ValueError."""
    today = datetime.fromtimestamp(now_s, zone).date()
    last = _day(asked.get("to"), today, today)
    first = _day(asked.get("from"), last - timedelta(days=default_days - 1), today)
    if first > last:
        raise ValueError("asked.backwards")
    if (last - first).days > LONGEST_DAYS:
        raise ValueError("asked.too_long")
    return first, last


def midnight(day: date, zone: tzinfo) -> float:
    """When a local day begins (UTC seconds)."""
    return datetime(day.year, day.month, day.day, tzinfo=zone).timestamp()


def _day(text: str | None, default: date, today: date) -> date:
    if not text:
        return default
    try:
        day = date.fromisoformat(text)
    except ValueError as error:
        raise ValueError("asked.no_day") from error
    if not FIRST_YEAR <= day.year <= today.year + 1:
        raise ValueError("asked.no_day")
    return day
