"""Find the maintenance windows in force, recurring ones included, and the targets they cover."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo

from monitor.core.alerting.model import MaintenanceWindow
from monitor.core.alerting.settings import RecurringWindow
from monitor.core.detection.topology import Topology
from monitor.core.model import Network

DAY_S = 86_400.0


def targets_by_name(network: Network) -> dict[str, frozenset[str]]:
    """The targets that each name in a window stands for.

    A link: itself; a site: its links; a node: itself and everything behind it.
    """
    topology = Topology.of(network.targets())
    reach = {link.name: frozenset({link.name}) for link in network.links()}
    reach |= {site.id: frozenset(link.name for link in site.links) for site in network.sites}
    # Last: a node wins over a site of the same name.
    return reach | {
        node.id: frozenset({node.id, *topology.behind(node.id)}) for node in network.nodes
    }


@dataclass(frozen=True, slots=True)
class MaintenanceCalendar:
    """windows: from the ledger. recurring: from maintenance.toml, in local time of `zone`."""

    targets_by_name: Mapping[str, frozenset[str]]
    zone: tzinfo = UTC
    windows: tuple[MaintenanceWindow, ...] = ()
    recurring: tuple[RecurringWindow, ...] = ()

    def active(self, at_s: float) -> list[MaintenanceWindow]:
        """The windows in force at that moment (UTC), by start."""
        return [
            window for window in self.windows_between(at_s, at_s + 1.0) if window.is_active(at_s)
        ]

    def covered_targets(self, at_s: float) -> dict[str, MaintenanceWindow]:
        """The targets under maintenance at that moment, each with its first window."""
        found: dict[str, MaintenanceWindow] = {}
        for window in self.active(at_s):
            for name in window.targets:
                for target in self.targets_by_name.get(name, frozenset({name})):
                    found.setdefault(target, window)
        return found

    def windows_between(self, start_s: float, end_s: float) -> list[MaintenanceWindow]:
        """The windows in force at some moment of [start, end), by start.

        A window of the ledger with the key and the start of a recurring one replaces that
        occurrence: it was ended early.
        """
        replaced = {(w.recurring, w.start_s) for w in self.windows if w.recurring is not None}
        found = [
            window
            for window in self.windows
            if window.start_s < end_s and max(start_s, window.start_s) < window.effective_end_s
        ]
        found += [
            window
            for window in occurrences(self.recurring, self.zone, start_s, end_s)
            if (window.recurring, window.start_s) not in replaced
        ]
        return sorted(found, key=lambda window: (window.start_s, window.id, window.recurring or ""))


def occurrences(
    recurring: Iterable[RecurringWindow], zone: tzinfo, start_s: float, end_s: float
) -> list[MaintenanceWindow]:
    """The occurrences in force at some moment of [start, end), by start."""
    found = [
        window
        for line in recurring
        for day in _days(zone, start_s - line.duration_s, end_s)
        if _falls_on(line, day)
        and (window := _on(line, day, zone)).start_s < end_s
        and start_s < window.end_s
    ]
    return sorted(found, key=lambda window: (window.start_s, window.recurring or ""))


def _days(zone: tzinfo, start_s: float, end_s: float) -> Iterator[date]:
    """The local days that a range touches, and one more at each end (the UTC offset may change)."""
    day = datetime.fromtimestamp(start_s - DAY_S, zone).date()
    last = datetime.fromtimestamp(end_s + DAY_S, zone).date()
    while day <= last:
        yield day
        day += timedelta(days=1)


def _falls_on(line: RecurringWindow, day: date) -> bool:
    return (
        (not line.weekdays or day.weekday() in line.weekdays)
        and (not line.days or day.day in line.days)
        and (line.first is None or day >= line.first)
        and (line.last is None or day <= line.last)
    )


def _on(line: RecurringWindow, day: date, zone: tzinfo) -> MaintenanceWindow:
    start_s = datetime.combine(day, line.start, zone).timestamp()
    return MaintenanceWindow(
        targets=line.targets,
        start_s=start_s,
        end_s=start_s + line.duration_s,
        who=line.who,
        why=line.why,
        recurring=line.key,
    )


def maintenance_spans(
    maintenance: MaintenanceCalendar, start_s: float, end_s: float
) -> dict[str, list[tuple[float, float]]]:
    """[start, end] of each window that touches [start_s, end_s), by target."""
    found: dict[str, list[tuple[float, float]]] = {}
    for window in maintenance.windows_between(start_s, end_s):
        for name in window.targets:
            for target in maintenance.targets_by_name.get(name, frozenset({name})):
                found.setdefault(target, []).append((window.start_s, window.effective_end_s))
    return found
