"""Summary and integrity check of a journal's files, for `pantau journal`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from monitor.adapters.journal.cursors import Cursor, load_cursors
from monitor.adapters.journal.day_files import (
    HOURS,
    KINDS,
    MINUTES,
    SAMPLES,
    days_in,
    open_for_reading,
    path_of,
    size_of_all,
)
from monitor.adapters.journal.rollup_files import last_rollup
from monitor.adapters.journal.sample_files import last_row
from monitor.core.errors import JournalError

SHIPPER_CURSORS = {SAMPLES: "influxdb", MINUTES: "influxdb_1m", HOURS: "influxdb_1h"}


@dataclass(frozen=True, slots=True)
class JournalSummary:
    """One kind of file: how many, first and last day (month), bytes, rows (None: not counted).

    lag: rows that are not shipped, None without a shipper.
    """

    kind: str
    files: int
    first: str | None
    last: str | None
    size: int
    rows: int | None
    lag: int | None


def journal_summary(directory: Path) -> list[JournalSummary]:
    """A summary of each kind. Raises JournalError for a damaged file."""
    cursors = load_cursors(directory)
    summaries = []
    for kind in KINDS:
        labels = days_in(directory, kind)
        counted = kind in SHIPPER_CURSORS
        lengths: dict[str, int] = {}
        for label in labels if counted else ():
            with open_for_reading(path_of(directory, label, kind)) as connection:
                if connection is not None:
                    last = last_row if kind == SAMPLES else last_rollup
                    lengths[label] = last(connection)
        cursor = cursors.get(SHIPPER_CURSORS.get(kind, ""))
        summaries.append(
            JournalSummary(
                kind=kind,
                files=len(labels),
                first=labels[0] if labels else None,
                last=labels[-1] if labels else None,
                size=size_of_all(directory, kind),
                rows=sum(lengths.values()) if counted else None,
                lag=None if cursor is None else Cursor.parse(cursor).lag(lengths),
            )
        )
    return summaries


def check_journal(directory: Path) -> Iterator[tuple[Path, str | None]]:
    """Each file, and the first fault that SQLite finds in it (None: no fault)."""
    for kind in KINDS:
        for label in days_in(directory, kind):
            path = path_of(directory, label, kind)
            try:
                with open_for_reading(path) as connection:
                    if connection is None:
                        continue
                    [result, *_] = connection.execute("PRAGMA integrity_check(1)").fetchone()
            except JournalError as error:
                yield path, str(error)
            else:
                yield path, None if result == "ok" else str(result)
