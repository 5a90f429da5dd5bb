"""The journal as a log: its rows in the order in which they were written."""

from __future__ import annotations

import heapq
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from monitor.adapters.journal.cursor import Cursor
from monitor.adapters.journal.files import columns_of, path_of, reading, start_of
from monitor.adapters.journal.rows import Identity, identities, maker_of, quoted, selected
from monitor.core.samples.samples import Sample
from monitor.core.samples.schema import MEASUREMENTS, Measurement

Numbered = tuple[int, Sample]


def length_of(connection: sqlite3.Connection) -> int:
    """The number of the last row; rows are numbered 1, 2, 3 … over all tables of a file."""
    last: tuple[int] | None = connection.execute(
        "SELECT last_seq FROM batch ORDER BY first_seq DESC LIMIT 1"
    ).fetchone()
    return 0 if last is None else last[0]


def read_after(
    directory: Path, lengths: dict[str, int], cursor: Cursor, limit: int
) -> tuple[Cursor, tuple[Sample, ...]]:
    """Up to `limit` samples behind the cursor, and the place behind them."""
    samples: list[Sample] = []
    for day, length in sorted(lengths.items()):
        begin = cursor.at(day)
        end = min(length, begin + limit - len(samples))
        if begin >= end:
            continue
        with reading(path_of(directory, day)) as connection:
            if connection is not None:
                samples += _slice(connection, start_of(day), begin, end)
        cursor = cursor.moved(day, end)
    return cursor, tuple(samples)


def _slice(connection: sqlite3.Connection, begins_ms: int, after: int, to: int) -> list[Sample]:
    tables = [_table(connection, each, begins_ms, after, to) for each in MEASUREMENTS]
    return [sample for _, sample in heapq.merge(*tables, key=lambda numbered: numbered[0])]


def _table(
    connection: sqlite3.Connection, measurement: Measurement, begins_ms: int, after: int, to: int
) -> Iterator[Numbered]:
    have = columns_of(connection, measurement.name)
    if not have:
        return
    known: dict[int, Identity] = dict(identities(connection, measurement.name))
    make = maker_of(measurement)
    found = connection.execute(
        f"SELECT seq, series, t, {selected(measurement, have)}"  # noqa: S608 - our own names
        f" FROM {quoted(measurement.name)} WHERE seq > ? AND seq <= ? ORDER BY seq",
        (after, to),
    )
    for seq, series, t, *values in found:
        yield seq, make(known[series], begins_ms + t, values)
