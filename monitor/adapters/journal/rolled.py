"""The files of rollups: minutes a file a day, hours a file a month.

Rows lie by series and time: a link's day is one stretch of the file. `rolled` numbers them for
the shipper, 1, 2, 3 …: which numbers the rows of one bucket have. What is summed up again gets new
numbers, and its old ones are nobody's.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from monitor.adapters.journal.cursor import Cursor
from monitor.adapters.journal.files import (
    HOURS,
    MINUTES,
    columns_of,
    day_of,
    make_columns,
    make_series,
    month_of,
    open_for_writing,
    path_of,
    reading,
    start_of,
    told,
)
from monitor.adapters.journal.rows import (
    identities,
    identity_of,
    maker_of,
    quoted,
    selected,
    values_of,
)
from monitor.adapters.journal.series import SeriesTable
from monitor.core.samples import schema
from monitor.core.samples.samples import Rollup
from monitor.core.samples.schema import Measurement, measurement_of, stamp_ms

MEASURED: dict[str, tuple[Measurement, ...]] = {MINUTES: schema.MINUTES, HOURS: schema.HOURS}


def label_of(kind: str, at_ms: int) -> str:
    """Which file has the rollup that begins then."""
    return month_of(at_ms) if kind == HOURS else day_of(at_ms)


@dataclass(frozen=True, slots=True)
class RollupFiles:
    """All files of one kind. lengths: the number of the last row of each, for the one writer."""

    directory: Path
    kind: str
    lengths: dict[str, int]

    def put(self, rollups: Sequence[Rollup]) -> None:
        """A transaction a file; a bucket that had more rows before stays as it was.

        Raw rows are removed after a while: what comes late then must not replace the whole hour.
        """
        files: dict[str, list[Rollup]] = {}
        for rollup in rollups:
            files.setdefault(label_of(self.kind, stamp_ms(rollup.at_s)), []).append(rollup)
        for label, some in files.items():
            path = path_of(self.directory, label, self.kind)
            with told(path), closing(open_for_writing(path, self._make)) as connection:
                self.lengths[label] = _put(connection, start_of(label), some)

    def read_after(self, cursor: Cursor, limit: int) -> tuple[Cursor, tuple[Rollup, ...]]:
        """Up to `limit` rows behind the cursor, and the place behind them."""
        samples: list[Rollup] = []
        for label, length in sorted(self.lengths.items()):
            begin = cursor.at(label)
            end = min(length, begin + limit - len(samples))
            if begin >= end:
                continue
            with reading(path_of(self.directory, label, self.kind)) as connection:
                if connection is not None:
                    samples += self._slice(connection, start_of(label), begin, end)
            cursor = cursor.moved(label, end)
        return cursor, tuple(samples)

    def _make(self, connection: sqlite3.Connection) -> None:
        make_series(connection)
        connection.execute(
            "CREATE TABLE IF NOT EXISTS rolled (first INTEGER PRIMARY KEY, last INTEGER NOT NULL,"
            " measurement TEXT NOT NULL, t INTEGER NOT NULL)"
        )
        for measurement in MEASURED[self.kind]:
            connection.execute(
                f"CREATE TABLE IF NOT EXISTS {quoted(measurement.name)} (series INTEGER NOT NULL,"
                f" t INTEGER NOT NULL, PRIMARY KEY (series, t)) WITHOUT ROWID"
            )
            make_columns(connection, measurement)

    def _slice(
        self, connection: sqlite3.Connection, begins_ms: int, after: int, to: int
    ) -> Iterator[Rollup]:
        named = {measurement.name: measurement for measurement in MEASURED[self.kind]}
        for first, last, name, t in connection.execute(
            "SELECT first, last, measurement, t FROM rolled WHERE last > ? AND first <= ?"
            " ORDER BY first",
            (after, to),
        ).fetchall():
            skip = max(0, after + 1 - first)
            take = min(last, to) - first + 1 - skip
            yield from _rows(connection, named[name], begins_ms, t, (take, skip))


def length_of(connection: sqlite3.Connection) -> int:
    """The number of the last row of a file of rollups."""
    found: int | None = connection.execute("SELECT max(last) FROM rolled").fetchone()[0]
    return found or 0


def _rows(
    connection: sqlite3.Connection,
    measurement: Measurement,
    begins_ms: int,
    t: int,
    part: tuple[int, int],
) -> list[Rollup]:
    """So many rows of one bucket, behind so many others; by series."""
    known = dict(identities(connection, measurement.name))
    make = maker_of(measurement)
    have = columns_of(connection, measurement.name)
    found = connection.execute(
        f"SELECT series, {selected(measurement, have)} FROM {quoted(measurement.name)}"  # noqa: S608
        " WHERE series IN (SELECT id FROM series) AND t = ? ORDER BY series LIMIT ? OFFSET ?",
        (t, *part),
    )
    return [make(known[series], begins_ms + t, values) for series, *values in found]


def _put(connection: sqlite3.Connection, begins_ms: int, rollups: Sequence[Rollup]) -> int:
    series = SeriesTable(connection)
    connection.execute("BEGIN IMMEDIATE")
    try:
        buckets: dict[tuple[str, int], list[tuple[object, ...]]] = {}
        statements: dict[str, str] = {}
        for rollup in rollups:
            measurement = measurement_of(rollup)
            t = stamp_ms(rollup.at_s) - begins_ms
            number = series.number(measurement.name, identity_of(measurement, rollup))
            statements.setdefault(measurement.name, _upsert(measurement))
            buckets.setdefault((measurement.name, t), []).append(
                (number, t, *values_of(measurement, rollup))
            )
        length = length_of(connection)
        for (name, t), rows in sorted(buckets.items(), key=lambda bucket: bucket[0][1]):
            connection.executemany(statements[name], rows)
            connection.execute("DELETE FROM rolled WHERE measurement = ? AND t = ?", (name, t))
            count = connection.execute(
                f"SELECT count(*) FROM {quoted(name)}"  # noqa: S608 - our own names
                " WHERE series IN (SELECT id FROM series) AND t = ?",
                (t,),
            ).fetchone()[0]
            connection.execute(
                "INSERT INTO rolled (first, last, measurement, t) VALUES (?, ?, ?, ?)",
                (length + 1, length + count, name, t),
            )
            length += count
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    return length


def _upsert(measurement: Measurement) -> str:
    names = [quoted(field.name) for field in measurement.fields]
    marks = ", ".join("?" * (len(names) + 2))
    table = quoted(measurement.name)
    exchanged = ", ".join(f"{name} = excluded.{name}" for name in names)
    return (
        f"INSERT INTO {table} (series, t, {', '.join(names)}) VALUES ({marks})"  # noqa: S608
        f" ON CONFLICT (series, t) DO UPDATE SET {exchanged}"
        f" WHERE excluded.rows >= {table}.rows"
    )
