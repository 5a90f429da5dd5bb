"""Every row of one measurement, for export; and what lies in a journal, for `pantau journal`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from monitor.adapters.journal import cursors
from monitor.adapters.journal.cursor import Cursor
from monitor.adapters.journal.files import (
    HOURS,
    KINDS,
    MINUTES,
    SAMPLES,
    columns_of,
    days_in,
    path_of,
    reading,
    size_of,
    start_of,
    told,
)
from monitor.adapters.journal.log import length_of
from monitor.adapters.journal.parts import parts
from monitor.adapters.journal.rolled import label_of
from monitor.adapters.journal.rolled import length_of as rolled_length_of
from monitor.adapters.journal.rows import identities, maker_of, quoted, selected
from monitor.core.errors import JournalError
from monitor.core.samples.samples import Sample
from monitor.core.samples.schema import HOURS as HOUR_MEASUREMENTS
from monitor.core.samples.schema import MINUTES as MINUTE_MEASUREMENTS
from monitor.core.samples.schema import Measurement, stamp_ms


def export_rows(
    directory: Path, measurement: Measurement, start_s: float, end_s: float
) -> Iterator[Sample]:
    """Rows with start <= time < end, file by file: raw ones as written, rollups by time."""
    start_ms, end_ms = stamp_ms(start_s), stamp_ms(end_s)
    if measurement in MINUTE_MEASUREMENTS or measurement in HOUR_MEASUREMENTS:
        kind = MINUTES if measurement in MINUTE_MEASUREMENTS else HOURS
        yield from _rollups(directory, kind, measurement, start_ms, end_ms)
        return
    make = maker_of(measurement)
    for part in parts(directory, start_ms, end_ms):
        known = dict(identities(part.connection, measurement.name))
        have = columns_of(part.connection, measurement.name)
        if not have:
            continue
        found = part.connection.execute(
            f"SELECT series, t, {selected(measurement, have)}"  # noqa: S608 - our own names
            f" FROM {quoted(measurement.name)} WHERE seq BETWEEN ? AND ? AND t >= ? AND t < ?"
            " ORDER BY seq",
            (part.first, part.last, start_ms - part.begins_ms, end_ms - part.begins_ms),
        )
        for series, t, *values in found:
            yield make(known[series], part.begins_ms + t, values)


def _rollups(
    directory: Path, kind: str, measurement: Measurement, start_ms: int, end_ms: int
) -> Iterator[Sample]:
    if end_ms <= start_ms:
        return
    make = maker_of(measurement)
    first, last = label_of(kind, start_ms), label_of(kind, end_ms - 1)
    for label in days_in(directory, kind):
        if not first <= label <= last:
            continue
        with reading(path_of(directory, label, kind)) as connection:
            if connection is None:
                continue
            begins_ms = start_of(label)
            known = dict(identities(connection, measurement.name))
            have = columns_of(connection, measurement.name)
            for series, t, *values in connection.execute(
                f"SELECT series, t, {selected(measurement, have)}"  # noqa: S608 - our own names
                f" FROM {quoted(measurement.name)} WHERE t >= ? AND t < ? ORDER BY t, series",
                (start_ms - begins_ms, end_ms - begins_ms),
            ):
                yield make(known[series], begins_ms + t, values)


@dataclass(frozen=True, slots=True)
class JournalSummary:
    """One kind of file: how many, from and to which day (month), bytes, rows (None: not counted).

    lag: rows that the reader of its log has not passed, None when nothing follows it.
    """

    kind: str
    files: int
    first: str | None
    last: str | None
    size: int
    rows: int | None
    lag: int | None


READERS = {SAMPLES: "influxdb", MINUTES: "influxdb_1m", HOURS: "influxdb_1h"}


def journal_summary(directory: Path) -> list[JournalSummary]:
    """What there is, kind by kind. Raises JournalError for a damaged file."""
    saved = cursors.load(directory)
    found = []
    for kind in KINDS:
        labels = days_in(directory, kind)
        lengths: dict[str, int] = {}
        for label in labels if kind in READERS else ():
            with reading(path_of(directory, label, kind)) as connection:
                if connection is not None:
                    count = length_of if kind == SAMPLES else rolled_length_of
                    lengths[label] = count(connection)
        cursor = saved.get(READERS.get(kind, ""))
        found.append(
            JournalSummary(
                kind=kind,
                files=len(labels),
                first=labels[0] if labels else None,
                last=labels[-1] if labels else None,
                size=sum(size_of(directory, label, kind) for label in labels),
                rows=sum(lengths.values()) if kind in READERS else None,
                lag=None if cursor is None else Cursor.parse(cursor).lag(lengths),
            )
        )
    return found


def check_journal(directory: Path) -> Iterator[tuple[Path, str | None]]:
    """Each file, and what SQLite finds wrong in it (None: nothing)."""
    for kind in KINDS:
        for label in days_in(directory, kind):
            path = path_of(directory, label, kind)
            try:
                with reading(path) as connection, told(path):
                    if connection is None:
                        continue
                    [said, *_] = connection.execute("PRAGMA integrity_check(1)").fetchone()
            except JournalError as error:
                yield path, str(error)
            else:
                yield path, None if said == "ok" else str(said)
