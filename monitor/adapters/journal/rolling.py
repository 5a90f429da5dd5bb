"""From a journal's raw rows to its rollups, hour by hour."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from monitor.adapters.journal.day import dirty_hours
from monitor.adapters.journal.evidence import evidence_between
from monitor.adapters.journal.files import columns_of, days_in, path_of, reading, start_of
from monitor.adapters.journal.parts import parts
from monitor.adapters.journal.rolled import RollupFiles
from monitor.adapters.journal.rows import identities, maker_of, quoted, selected
from monitor.core.errors import JournalError
from monitor.core.samples.packed_requests import unpack
from monitor.core.samples.resolution import HOUR_MS, MINUTE_MS
from monitor.core.samples.rollups import InterfaceHours, PingHours, interface_minutes, ping_minutes
from monitor.core.samples.samples import PingSample, Rollup
from monitor.core.samples.schema import INTERFACE, PING, Measurement, stamp_ms
from monitor.core.state_history import StateHistory

Marks = dict[int, list[tuple[str, int]]]
"""Hours that are to be summed up, and by which row of which day's file they were marked."""


AT_ONCE = 100_000
"""Rows that are summed up at once: an hour of some 250 targets, 100 MB."""


def marked_hours(directory: Path) -> Marks:
    """All of them; a file that cannot be read has none."""
    marks: Marks = {}
    for day in days_in(directory):
        try:
            with reading(path_of(directory, day)) as connection:
                found = {} if connection is None else dirty_hours(connection, start_of(day))
        except JournalError:
            continue
        for hour_ms, seq in (found or {}).items():
            marks.setdefault(hour_ms, []).append((day, seq))
    return marks


def sum_up(
    directory: Path,
    hour_ms: int,
    timelines: StateHistory | None,
    minutes: RollupFiles,
    hours: RollupFiles,
    at_once: int = AT_ONCE,
) -> None:
    """One hour into both files; minute by minute where it is large, to fit into memory."""
    pings, ports = PingHours(), InterfaceHours()
    found: list[Rollup] = []
    end_ms = hour_ms + HOUR_MS
    rows = sum(part.last - part.first + 1 for part in parts(directory, hour_ms, end_ms))
    step_ms = HOUR_MS if rows <= at_once else MINUTE_MS
    for start_ms in range(hour_ms, end_ms, step_ms):
        span = (start_ms, start_ms + step_ms)
        of_pings = ping_minutes(_with_replies(directory, span), timelines)
        of_ports = interface_minutes(_rows(directory, INTERFACE, span))
        pings.add(of_pings)
        ports.add(of_ports)
        found += [*of_pings, *of_ports]
        if len(found) > 50_000:
            minutes.put(found)
            found = []
    minutes.put(found)
    hours.put([*pings.hours(), *ports.hours()])


def _with_replies(
    directory: Path, span: tuple[int, int]
) -> Iterator[tuple[PingSample, list[float] | None]]:
    try:
        kept = {(at, target): packed for at, target, packed in evidence_between(directory, *span)}
    except JournalError:  # a damaged file: its rows are good, and say nearly as much
        kept = {}
    for row in _rows(directory, PING, span):
        packed = kept.get((stamp_ms(row.at_s), row.target))
        yield row, None if packed is None else _replies(packed, row.target)


def _replies(packed: bytes, target: str) -> list[float] | None:
    try:
        return [
            request.rtt_us / 1000
            for request in unpack(packed, target, 0)
            if request.rtt_us is not None
        ]
    except ValueError:  # damaged evidence: what the row itself says is left
        return None


def _rows(directory: Path, measurement: Measurement, span: tuple[int, int]) -> Iterable[Any]:
    make = maker_of(measurement)
    for part in parts(directory, *span):
        known = dict(identities(part.connection, measurement.name))
        have = columns_of(part.connection, measurement.name)
        found = part.connection.execute(
            f"SELECT series, t, {selected(measurement, have)}"  # noqa: S608 - our own names
            f" FROM {quoted(measurement.name)} WHERE seq BETWEEN ? AND ? AND t >= ? AND t < ?",
            (part.first, part.last, span[0] - part.begins_ms, span[1] - part.begins_ms),
        )
        for series, t, *values in found:
            yield make(known[series], part.begins_ms + t, values)
