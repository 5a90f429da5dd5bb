"""Sum the raw rows of an hour up to 1-minute and 1-hour rollups."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from monitor.adapters.journal.day_files import (
    HOURS,
    MINUTES,
    days_in,
    open_for_reading,
    path_of,
    start_ms_of,
)
from monitor.adapters.journal.evidence_files import evidence_between
from monitor.adapters.journal.sample_files import dirty_hours, ranges_between, read_samples
from monitor.core.errors import JournalError
from monitor.core.samples.packed_requests import unpack
from monitor.core.samples.resolution import HOUR_MS, MINUTE_MS
from monitor.core.samples.rollups import InterfaceHours, PingHours, interface_minutes, ping_minutes
from monitor.core.samples.samples import PingSample, Rollup
from monitor.core.samples.schema import INTERFACE, PING, stamp_ms
from monitor.core.state_history import StateHistory

ROWS_AT_ONCE = 100_000
"""Rows that are summed up at once: an hour of some 250 targets, 100 MB."""

ROLLUPS_AT_ONCE = 50_000

RollupWriter = Callable[[str, Sequence[Rollup]], None]
"""(kind of file, rollups): writes them."""


def dirty_hours_in(directory: Path) -> dict[int, list[tuple[str, int]]]:
    """The hours (Unix ms) to be summed up, each with the days and the rows that marked it.

    A file that cannot be read is left out.
    """
    found: dict[int, list[tuple[str, int]]] = {}
    for day in days_in(directory):
        try:
            with open_for_reading(path_of(directory, day)) as connection:
                hours = {} if connection is None else dirty_hours(connection, start_ms_of(day))
        except JournalError:
            continue
        for hour_ms, seq in (hours or {}).items():
            found.setdefault(hour_ms, []).append((day, seq))
    return found


def sum_up_hour(
    directory: Path,
    hour_ms: int,
    history: StateHistory | None,
    write: RollupWriter,
    rows_at_once: int = ROWS_AT_ONCE,
) -> None:
    """Compute and write the rollups of one hour; minute by minute where it has many rows.

    history: the states of all targets in that hour; None: seconds in each state stay unknown.
    """
    ping_hours, interface_hours = PingHours(), InterfaceHours()
    minutes: list[Rollup] = []
    end_ms = hour_ms + HOUR_MS
    rows = sum(part.last - part.first + 1 for part in ranges_between(directory, hour_ms, end_ms))
    step_ms = HOUR_MS if rows <= rows_at_once else MINUTE_MS
    for start_ms in range(hour_ms, end_ms, step_ms):
        pings = ping_minutes(_with_replies(directory, start_ms, start_ms + step_ms), history)
        interfaces = interface_minutes(
            read_samples(directory, INTERFACE, start_ms, start_ms + step_ms)
        )
        ping_hours.add(pings)
        interface_hours.add(interfaces)
        minutes += [*pings, *interfaces]
        if len(minutes) > ROLLUPS_AT_ONCE:
            write(MINUTES, minutes)
            minutes = []
    write(MINUTES, minutes)
    write(HOURS, [*ping_hours.hours(), *interface_hours.hours()])


def _with_replies(
    directory: Path, start_ms: int, end_ms: int
) -> Iterator[tuple[PingSample, list[float] | None]]:
    """Rows of pings, each with its round-trip times (ms); None without evidence."""
    try:
        evidence = {
            (at_ms, target): packed
            for at_ms, target, packed in evidence_between(directory, start_ms, end_ms)
        }
    except JournalError:  # a damaged file of evidence: the rows themselves have to do
        evidence = {}
    for row in read_samples(directory, PING, start_ms, end_ms):
        packed = evidence.get((stamp_ms(row.at_s), row.target))
        yield row, None if packed is None else _replies(packed, row.target)


def _replies(packed: bytes, target: str) -> list[float] | None:
    try:
        return [
            request.rtt_us / 1000
            for request in unpack(packed, target, 0)
            if request.rtt_us is not None
        ]
    except ValueError:  # damaged evidence: the row itself has to do
        return None
