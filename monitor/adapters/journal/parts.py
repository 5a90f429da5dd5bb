"""Which files hold the raw rows of a span of time, and which part of each."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from monitor.adapters.journal.files import (
    day_of,
    days_in,
    next_day,
    path_of,
    reading,
    start_of,
)


@dataclass(frozen=True, slots=True)
class Part:
    """What one day file holds of a span of time: rows `first` to `last` of its log."""

    connection: sqlite3.Connection
    begins_ms: int
    first: int
    last: int


def parts(directory: Path, start_ms: int, end_ms: int) -> Iterator[Part]:
    """The files that hold rows of [start_ms, end_ms), each open while it is looked at."""
    for day in days_of(directory, start_ms, end_ms):
        with reading(path_of(directory, day)) as connection:
            if connection is None:
                continue
            begins_ms = start_of(day)
            low, high = connection.execute(
                "SELECT min(first_seq), max(last_seq) FROM batch WHERE t_max >= ? AND t_min < ?",
                (start_ms - begins_ms, end_ms - begins_ms),
            ).fetchone()
            if low is not None:
                yield Part(connection, begins_ms, low, high)


def days_of(directory: Path, start_ms: int, end_ms: int) -> list[str]:
    """The days whose files may hold rows of [start_ms, end_ms)."""
    if end_ms <= start_ms:
        return []
    # A batch that straddles midnight lies whole in the later day's file: look one further.
    first, last = day_of(start_ms), next_day(day_of(end_ms - 1))
    return [day for day in days_in(directory) if first <= day <= last]
