"""Rollups: 1-minute ones in a file a UTC day, 1-hour ones in a file a month.

Rows lie by series and time, so that a link's day is one stretch of the file. The table `rolled`
numbers them for the shipper, 1, 2, 3 …: which numbers the rows of one bucket have. A bucket that
is computed again gets new numbers; no row has its old ones any more.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path

from monitor.adapters.journal.day_files import (
    HOURS,
    MINUTES,
    days_in,
    journal_errors,
    label_of,
    open_for_reading,
    open_for_writing,
    path_of,
    start_ms_of,
    write_transaction,
)
from monitor.adapters.journal.rows import (
    SeriesTable,
    add_missing_columns,
    columns_of,
    create_series_table,
    decoder,
    identity_of,
    quoted,
    select_fields,
    series_of,
    values_of,
)
from monitor.core.samples import schema
from monitor.core.samples.samples import Rollup
from monitor.core.samples.schema import Measurement, measurement_of, stamp_ms

ROLLUP_MEASUREMENTS: dict[str, tuple[Measurement, ...]] = {
    MINUTES: schema.MINUTES,
    HOURS: schema.HOURS,
}


def write_rollups(directory: Path, kind: str, rollups: Sequence[Rollup]) -> dict[str, int]:
    """Write them, a transaction a file; returns the number of the last row of each file.

    A bucket that had more rows before stays as it was: raw rows are removed after a while, and
    late ones must not replace the whole hour.
    """
    files: dict[str, list[Rollup]] = {}
    for rollup in rollups:
        files.setdefault(label_of(kind, stamp_ms(rollup.at_s)), []).append(rollup)
    lengths: dict[str, int] = {}
    for label, some in files.items():
        path = path_of(directory, label, kind)
        create = partial(_create_tables, kind)
        with journal_errors(path), closing(open_for_writing(path, create)) as connection:
            lengths[label] = _write(connection, start_ms_of(label), some)
    return lengths


def _create_tables(kind: str, connection: sqlite3.Connection) -> None:
    create_series_table(connection)
    connection.execute(
        "CREATE TABLE IF NOT EXISTS rolled (first INTEGER PRIMARY KEY, last INTEGER NOT NULL,"
        " measurement TEXT NOT NULL, t INTEGER NOT NULL)"
    )
    for measurement in ROLLUP_MEASUREMENTS[kind]:
        connection.execute(
            f"CREATE TABLE IF NOT EXISTS {quoted(measurement.name)} (series INTEGER NOT NULL,"
            f" t INTEGER NOT NULL, PRIMARY KEY (series, t)) WITHOUT ROWID"
        )
        add_missing_columns(connection, measurement)


def _write(connection: sqlite3.Connection, start_ms: int, rollups: Sequence[Rollup]) -> int:
    series = SeriesTable(connection)
    with write_transaction(connection):
        buckets: dict[tuple[str, int], list[tuple[object, ...]]] = {}
        statements: dict[str, str] = {}
        for rollup in rollups:
            measurement = measurement_of(rollup)
            t = stamp_ms(rollup.at_s) - start_ms
            number = series.number(measurement.name, identity_of(measurement, rollup))
            statements.setdefault(measurement.name, _upsert_statement(measurement))
            buckets.setdefault((measurement.name, t), []).append(
                (number, t, *values_of(measurement, rollup))
            )
        length = last_rollup(connection)
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
    return length


def _upsert_statement(measurement: Measurement) -> str:
    names = [quoted(field.name) for field in measurement.fields]
    marks = ", ".join("?" * (len(names) + 2))
    table = quoted(measurement.name)
    replaced = ", ".join(f"{name} = excluded.{name}" for name in names)
    return (
        f"INSERT INTO {table} (series, t, {', '.join(names)}) VALUES ({marks})"  # noqa: S608
        f" ON CONFLICT (series, t) DO UPDATE SET {replaced}"
        f" WHERE excluded.rows >= {table}.rows"
    )


def last_rollup(connection: sqlite3.Connection) -> int:
    """The number of the file's last row, 0 when it is empty."""
    found: int | None = connection.execute("SELECT max(last) FROM rolled").fetchone()[0]
    return found or 0


def read_rollup_slice(
    connection: sqlite3.Connection, start_ms: int, after: int, up_to: int
) -> Iterator[Rollup]:
    """The rows with after < number <= up_to."""
    named = {each.name: each for each in (*schema.MINUTES, *schema.HOURS)}
    for first, last, name, t in connection.execute(
        "SELECT first, last, measurement, t FROM rolled WHERE last > ? AND first <= ?"
        " ORDER BY first",
        (after, up_to),
    ).fetchall():
        offset = max(0, after + 1 - first)
        limit = min(last, up_to) - first + 1 - offset
        measurement = named[name]
        series = series_of(connection, name)
        decode = decoder(measurement)
        fields = select_fields(measurement, columns_of(connection, name))
        for number, *values in connection.execute(
            f"SELECT series, {fields} FROM {quoted(name)}"  # noqa: S608 - our own names
            " WHERE series IN (SELECT id FROM series) AND t = ? ORDER BY series LIMIT ? OFFSET ?",
            (t, limit, offset),
        ):
            yield decode(series[number], start_ms + t, values)


def rollup_files_between(
    directory: Path, kind: str, start_ms: int, end_ms: int
) -> Iterator[tuple[sqlite3.Connection, int]]:
    """The files with rollups that begin in [start_ms, end_ms), and the Unix ms of each's start."""
    if end_ms <= start_ms:
        return
    first, last = label_of(kind, start_ms), label_of(kind, end_ms - 1)
    for label in days_in(directory, kind):
        if first <= label <= last:
            with open_for_reading(path_of(directory, label, kind)) as connection:
                if connection is not None:
                    yield connection, start_ms_of(label)


def read_rollups(
    directory: Path, measurement: Measurement, start_ms: int, end_ms: int
) -> Iterator[Rollup]:
    """The rollups of one measurement that begin in [start_ms, end_ms), by time."""
    kind = MINUTES if measurement in schema.MINUTES else HOURS
    decode = decoder(measurement)
    for connection, file_ms in rollup_files_between(directory, kind, start_ms, end_ms):
        series = series_of(connection, measurement.name)
        fields = select_fields(measurement, columns_of(connection, measurement.name))
        for number, t, *values in connection.execute(
            f"SELECT series, t, {fields} FROM {quoted(measurement.name)}"  # noqa: S608 - our names
            " WHERE t >= ? AND t < ? ORDER BY t, series",
            (start_ms - file_ms, end_ms - file_ms),
        ):
            yield decode(series[number], file_ms + t, values)
