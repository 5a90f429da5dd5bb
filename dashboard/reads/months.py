"""How available every link and every site was over a month, and over each of the last 90 days.

From the ledger's transitions and maintenance windows; the algebra is that of
`monitor.core.reports.availability`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

from dashboard.reads.intervals import by_target
from dashboard.reads.kept import Kept
from dashboard.reads.past import NOT_SERVED, Past, intervals
from monitor.core.alerting.maintenance import MaintenanceCalendar, targets_by_name
from monitor.core.alerting.ports import AlertReader
from monitor.core.alerting.settings import RecurringWindow
from monitor.core.availability_target import AvailabilityTarget, built_in_target
from monitor.core.model import Link, Network, Site, State
from monitor.core.reports.availability import Availability, Interval, clip, combine, subtract

FIRST_YEAR = 2020
ALIVE_EVERY_S = 30.0
"""The daemon says every 10 s that it lives; after so long without, nothing is known."""

KEPT_S = 30.0
DAYS = 90
THIRTY_DAYS_S = 30 * 86_400.0


@dataclass(frozen=True, slots=True)
class Period:
    """One calendar month of the zone, [start, end); until_s: its end, or now within it."""

    year: int
    month: int
    start_s: float
    end_s: float
    until_s: float

    @property
    def name(self) -> str:
        """`2026-11`, as in the address."""
        return f"{self.year:04d}-{self.month:02d}"

    @property
    def running(self) -> bool:
        """Is it not over yet?"""
        return self.until_s < self.end_s


@dataclass(frozen=True, slots=True)
class LinkMonth:
    """One link against what it should reach."""

    site: Site
    link: Link
    told: Availability
    aim: AvailabilityTarget

    @property
    def missed(self) -> bool:
        """Below its target; False when nothing is known."""
        return self.told.ratio is not None and self.told.ratio < self.aim.ratio

    def left_s(self, ahead_s: float) -> float:
        """How much longer it may be down without missing its target; below 0: it will miss it.

        ahead_s: the rest of the month, taken as known to its end.
        """
        counted_s = self.told.up_s + self.told.down_s + ahead_s
        return (1 - self.aim.ratio) * counted_s - self.told.down_s


@dataclass(frozen=True, slots=True)
class SiteMonth:
    """One site as those who work there have it: served while any of its links answers."""

    site: Site
    told: Availability


@dataclass(frozen=True, slots=True)
class Report:
    """A month: links, the worst first; sites, the worst first; all sites together."""

    period: Period
    links: tuple[LinkMonth, ...]
    sites: tuple[SiteMonth, ...]
    served: Availability


@dataclass(frozen=True, slots=True)
class DayBar:
    """One local day of one site: seconds down, and without evidence. length_s: up to now."""

    start_s: float
    length_s: float
    down_s: float
    degraded_s: float
    blank_s: float


@dataclass(frozen=True, slots=True)
class Lately:
    """One site: its last 90 local days, today last; the last 30 times 24 hours as one."""

    bars: tuple[DayBar, ...]
    thirty: Availability


class Months:
    """Answers about months. now: UTC seconds; steady: seconds that never jump, for keeping."""

    def __init__(
        self,
        network: Network,
        ledger: AlertReader,
        recurring: Iterable[RecurringWindow],
        zone: tzinfo,
        now: Callable[[], float],
        steady: Callable[[], float],
    ) -> None:
        self._network = network
        self._ledger = ledger
        self._recurring = tuple(recurring)
        self._reach = targets_by_name(network)
        self._zone = zone
        self._now = now
        self._running = Kept(lambda: self._report(self.period(None)), KEPT_S, steady)
        self._lately = Kept(self._ask_lately, KEPT_S, steady)

    def period(self, name: str | None) -> Period:
        """The month of that name (`2026-11`; None: the running one).

        Raises ValueError for one that is no month, and for one before 2020 or ahead.
        """
        now = datetime.fromtimestamp(self._now(), self._zone)
        if name is None:
            year, month = now.year, now.month
        else:
            year, month = _read(name)
        if year < FIRST_YEAR or (year, month) > (now.year, now.month):
            raise ValueError(f"{name}: no month that can be told of")
        start = datetime(year, month, 1, tzinfo=self._zone)
        after = datetime(year + month // 12, month % 12 + 1, 1, tzinfo=self._zone)
        start_s, end_s = start.timestamp(), after.timestamp()
        return Period(year, month, start_s, end_s, min(end_s, self._now()))

    def report(self, period: Period) -> Report:
        """The whole month; the running one at most half a minute old. Raises LedgerError."""
        if period.running:
            kept = self._running.get()
            if kept.period.name == period.name:
                return kept
        return self._report(period)

    def lately(self, site: Site) -> Lately:
        """The last 90 days of a site, at most half a minute old. Raises LedgerError."""
        return self._lately.get()[site.id]

    def maintenance(self, start_s: float, end_s: float) -> MaintenanceCalendar:
        """All windows of a stretch of time, recurring ones too. Raises LedgerError."""
        windows = tuple(self._ledger.windows(start_s, end_s))
        return MaintenanceCalendar(self._reach, self._zone, windows, self._recurring)

    def _report(self, period: Period) -> Report:
        past = self._past(period.start_s, period.until_s)
        links = [
            LinkMonth(site, link, past.link(link.name), link.aim or built_in_target(link.kind))
            for site in self._network.sites
            for link in site.links
        ]
        sites = [SiteMonth(site, past.site(site)) for site in self._network.sites if site.links]
        return Report(
            period,
            tuple(sorted(links, key=lambda each: _worst_first(each.told, each.aim.ratio))),
            tuple(sorted(sites, key=lambda each: _worst_first(each.told, 0.0))),
            combine(each.told for each in sites),
        )

    def _past(self, start_s: float, end_s: float) -> Past:
        changes = by_target(self._ledger.transitions(start_s, end_s))
        alive_s = self._ledger.load_snapshot().last_alive_s
        excluded: dict[str, list[Interval]] = {link.name: [] for link in self._network.links()}
        for window in self.maintenance(start_s, end_s).windows_between(start_s, end_s):
            for name in window.targets:
                for target in self._reach.get(name, frozenset({name})):
                    if target in excluded:
                        excluded[target].append((window.start_s, window.effective_end_s))
        alive_until_s = start_s if alive_s is None else alive_s + ALIVE_EVERY_S
        return Past(start_s, end_s, changes, alive_until_s, excluded)

    def _ask_lately(self) -> dict[str, Lately]:
        end_s = self._now()
        edges = self._midnights(end_s)
        past = self._past(edges[0], end_s)
        found = {}
        for site in self._network.sites:
            told = past.of_site(site)
            blank = past.blank(told)
            down = subtract(intervals(told, NOT_SERVED), blank)
            degraded = intervals(told, (State.DEGRADED,))
            bars = tuple(
                DayBar(
                    start,
                    stop - start,
                    *(_length(part, start, stop) for part in (down, degraded, blank)),
                )
                for start, stop in zip(edges, [*edges[1:], end_s], strict=True)
            )
            found[site.id] = Lately(bars, past.site(site, end_s - THIRTY_DAYS_S))
        return found

    def _midnights(self, end_s: float) -> list[float]:
        today = datetime.fromtimestamp(end_s, self._zone).date()
        days = [today - timedelta(days=back) for back in range(DAYS - 1, -1, -1)]
        return [
            datetime(day.year, day.month, day.day, tzinfo=self._zone).timestamp() for day in days
        ]


def _read(name: str) -> tuple[int, int]:
    year, dash, month = name.partition("-")
    digits = year + month
    if not (dash and len(year) == 4 and len(month) == 2 and digits.isascii() and digits.isdigit()):
        raise ValueError(f"{name!r} is no month")
    number = int(month)
    if not 1 <= number <= 12:
        raise ValueError(f"{name!r} is no month")
    return int(year), number


def _length(intervals: Sequence[Interval], start_s: float, end_s: float) -> float:
    return sum(stop - start for start, stop in clip(intervals, (start_s, end_s)))


def _worst_first(told: Availability, target: float) -> tuple[bool, float, float]:
    """By how far it is below its target; what nobody knows comes last."""
    ratio = told.ratio
    if ratio is None:
        return True, 0.0, 0.0
    return False, ratio - target if ratio < target else 0.0, ratio
