"""Raw samples: a file a UTC day, rows numbered in the order of writing over all its tables.

`batch` says which rows hold which span of time, `dirty` which hours are to be summed up.
"""

from __future__ import annotations

import heapq
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from monitor.adapters.journal.day_files import (
    days_overlapping,
    inodes_of,
    open_for_reading,
    open_for_writing,
    path_of,
    put_back,
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
from monitor.core.samples.resolution import HOUR_MS
from monitor.core.samples.samples import InterfaceSample, PingSample, Sample, StateChangeSample
from monitor.core.samples.schema import MEASUREMENTS, Measurement, measurement_of, stamp_ms

Row = tuple[int | float | str | bytes | None, ...]

SUMMED_UP = (PingSample, InterfaceSample, StateChangeSample)
"""What marks its hour dirty: a change of state says how long a target was down."""


class SampleFile:
    """One day's file, open for writing."""

    def __init__(self, directory: Path, day: str) -> None:
        self.day = day
        self._start_ms = start_ms_of(day)
        self._path = path_of(directory, day)
        self._connection = open_for_writing(self._path, _create_tables)
        self._inodes = inodes_of(self._path)
        self._series = SeriesTable(self._connection)

    def append(self, samples: Sequence[Sample]) -> int:
        """Write all of them in one transaction; returns the number of the file's last row."""
        try:
            with write_transaction(self._connection):
                return self._insert(self._connection, samples)
        except BaseException:
            self._series.clear()
            raise

    def clear_dirty(self, hour_ms: int, seq: int) -> None:
        """Note that the hour is summed up, with every row up to number `seq`."""
        self._connection.execute(
            "DELETE FROM dirty WHERE hour = ? AND seq <= ?",
            ((hour_ms - self._start_ms) // HOUR_MS, seq),
        )

    def is_in_place(self) -> bool:
        """Whether the file and its log are still those that were opened."""
        return inodes_of(self._path) == self._inodes

    def put_back(self) -> str:
        """Write the file anew, and close it; returns what was done, in a sentence."""
        return put_back(self._connection, self._path, self._inodes)

    def close(self) -> None:
        self._connection.close()

    def _insert(self, connection: sqlite3.Connection, samples: Sequence[Sample]) -> int:
        last = last_row(connection)
        rows: dict[str, list[Row]] = {}
        times = [stamp_ms(sample.at_s) - self._start_ms for sample in samples]
        dirty: set[int] = set()
        for seq, (sample, t) in enumerate(zip(samples, times, strict=True), last + 1):
            measurement = measurement_of(sample)
            series = self._series.number(measurement.name, identity_of(measurement, sample))
            rows.setdefault(_insert_statement(measurement), []).append(
                (seq, series, t, *values_of(measurement, sample))
            )
            if isinstance(sample, SUMMED_UP):
                dirty.add(t // HOUR_MS)
        for statement, batch in rows.items():
            connection.executemany(statement, batch)
        length = last + len(samples)
        connection.execute(
            "INSERT INTO batch (first_seq, last_seq, t_min, t_max) VALUES (?, ?, ?, ?)",
            (last + 1, length, min(times), max(times)),
        )
        connection.executemany(
            "INSERT OR REPLACE INTO dirty (hour, seq) VALUES (?, ?)",
            [(hour, length) for hour in sorted(dirty)],
        )
        return length


def _insert_statement(measurement: Measurement) -> str:
    columns = ["seq", "series", "t", *(quoted(field.name) for field in measurement.fields)]
    marks = ", ".join("?" * len(columns))
    return f"INSERT INTO {quoted(measurement.name)} ({', '.join(columns)}) VALUES ({marks})"  # noqa: S608


def _create_tables(connection: sqlite3.Connection) -> None:
    create_series_table(connection)
    connection.execute(
        "CREATE TABLE IF NOT EXISTS batch (first_seq INTEGER PRIMARY KEY,"
        " last_seq INTEGER NOT NULL, t_min INTEGER NOT NULL, t_max INTEGER NOT NULL)"
    )
    for measurement in MEASUREMENTS:
        connection.execute(
            f"CREATE TABLE IF NOT EXISTS {quoted(measurement.name)} (seq INTEGER PRIMARY KEY,"
            f" series INTEGER NOT NULL, t INTEGER NOT NULL)"
        )
        add_missing_columns(connection, measurement)
    if not columns_of(connection, "dirty"):
        connection.execute("CREATE TABLE dirty (hour INTEGER PRIMARY KEY, seq INTEGER NOT NULL)")
        # A file of an older version: every hour of it is still to be summed up.
        connection.execute(
            "INSERT OR REPLACE INTO dirty WITH RECURSIVE hours (hour, last, seq) AS"
            " (SELECT t_min / 3600000 - (t_min < 0), t_max / 3600000, last_seq FROM batch UNION"
            " SELECT hour + 1, last, seq FROM hours WHERE hour < last) SELECT hour, seq FROM hours"
        )


def last_row(connection: sqlite3.Connection) -> int:
    """The number of the file's last row, 0 when it is empty."""
    last: tuple[int] | None = connection.execute(
        "SELECT last_seq FROM batch ORDER BY first_seq DESC LIMIT 1"
    ).fetchone()
    return 0 if last is None else last[0]


def dirty_hours(connection: sqlite3.Connection, start_ms: int) -> dict[int, int] | None:
    """The hours (Unix ms) to be summed up, with the number of the row that marked each.

    start_ms: when the file's day begins. None: an older version wrote the file, all of it is.
    """
    if not columns_of(connection, "dirty"):
        return None
    found = connection.execute("SELECT hour, seq FROM dirty")
    return {start_ms + hour * HOUR_MS: seq for hour, seq in found}


@dataclass(frozen=True, slots=True)
class FileRange:
    """The rows `first` to `last` of one file, which hold a span of time. start_ms: of the file."""

    connection: sqlite3.Connection
    start_ms: int
    first: int
    last: int


def ranges_between(directory: Path, start_ms: int, end_ms: int) -> Iterator[FileRange]:
    """The files with rows of [start_ms, end_ms), each open until the next is asked for."""
    for day in days_overlapping(directory, start_ms, end_ms):
        with open_for_reading(path_of(directory, day)) as connection:
            if connection is None:
                continue
            file_ms = start_ms_of(day)
            low, high = connection.execute(
                "SELECT min(first_seq), max(last_seq) FROM batch WHERE t_max >= ? AND t_min < ?",
                (start_ms - file_ms, end_ms - file_ms),
            ).fetchone()
            if low is not None:
                yield FileRange(connection, file_ms, low, high)


def read_samples(
    directory: Path, measurement: Measurement, start_ms: int, end_ms: int
) -> Iterator[Any]:
    """The samples of one measurement with start_ms <= time < end_ms, in the order of writing."""
    decode = decoder(measurement)
    for part in ranges_between(directory, start_ms, end_ms):
        columns = columns_of(part.connection, measurement.name)
        if not columns:
            continue
        series = series_of(part.connection, measurement.name)
        found = part.connection.execute(
            f"SELECT series, t, {select_fields(measurement, columns)}"  # noqa: S608 - our own names
            f" FROM {quoted(measurement.name)} WHERE seq BETWEEN ? AND ? AND t >= ? AND t < ?"
            " ORDER BY seq",
            (part.first, part.last, start_ms - part.start_ms, end_ms - part.start_ms),
        )
        for number, t, *values in found:
            yield decode(series[number], part.start_ms + t, values)


def read_slice(
    connection: sqlite3.Connection, start_ms: int, after: int, up_to: int
) -> Iterator[Sample]:
    """The rows with after < number <= up_to, of all measurements in the order of writing."""
    tables = [_numbered(connection, each, start_ms, after, up_to) for each in MEASUREMENTS]
    for _, sample in heapq.merge(*tables, key=lambda numbered: numbered[0]):
        yield sample


def _numbered(
    connection: sqlite3.Connection, measurement: Measurement, start_ms: int, after: int, up_to: int
) -> Iterator[tuple[int, Sample]]:
    columns = columns_of(connection, measurement.name)
    if not columns:
        return
    series = series_of(connection, measurement.name)
    decode = decoder(measurement)
    found = connection.execute(
        f"SELECT seq, series, t, {select_fields(measurement, columns)}"  # noqa: S608 - our own names
        f" FROM {quoted(measurement.name)} WHERE seq > ? AND seq <= ? ORDER BY seq",
        (after, up_to),
    )
    for seq, number, t, *values in found:
        yield seq, decode(series[number], start_ms + t, values)
