"""One day's raw rows, open for writing."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from pathlib import Path

from monitor.adapters.journal.files import make_samples, open_for_writing, path_of, start_of
from monitor.adapters.journal.log import length_of
from monitor.adapters.journal.rows import identity_of, insert_into, values_of
from monitor.adapters.journal.series import SeriesTable
from monitor.core.samples.resolution import HOUR_MS
from monitor.core.samples.samples import InterfaceSample, PingSample, Sample, StateChangeSample
from monitor.core.samples.schema import measurement_of, stamp_ms

Row = tuple[int | float | str | bytes | None, ...]

SUMMED_UP = (PingSample, InterfaceSample, StateChangeSample)
"""What a rollup is made of: a change of state says how long a target was down."""


class SampleDay:
    """A file; `append` is one transaction."""

    def __init__(self, directory: Path, day: str) -> None:
        self.day = day
        self._begins_ms = start_of(day)
        self._connection = open_for_writing(path_of(directory, day), make_samples)
        self._series = SeriesTable(self._connection)

    def append(self, samples: Sequence[Sample]) -> int:
        """Write all of them or none; the number of the file's last row."""
        connection = self._connection
        connection.execute("BEGIN IMMEDIATE")
        try:
            length = self._insert(connection, samples)
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:  # SQLite itself rolls back for some errors
                connection.execute("ROLLBACK")
            self._series.forget()
            raise
        return length

    def clean(self, hour_ms: int, seq: int) -> None:
        """That hour is summed up, with every row up to number `seq`."""
        self._connection.execute(
            "DELETE FROM dirty WHERE hour = ? AND seq <= ?",
            ((hour_ms - self._begins_ms) // HOUR_MS, seq),
        )

    def close(self) -> None:
        self._connection.close()

    def _insert(self, connection: sqlite3.Connection, samples: Sequence[Sample]) -> int:
        last = length_of(connection)
        rows: dict[str, list[Row]] = {}
        times = [stamp_ms(sample.at_s) - self._begins_ms for sample in samples]
        dirty: set[int] = set()
        for seq, (sample, t) in enumerate(zip(samples, times, strict=True), last + 1):
            measurement = measurement_of(sample)
            series = self._series.number(measurement.name, identity_of(measurement, sample))
            rows.setdefault(insert_into(measurement), []).append(
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


def dirty_hours(connection: sqlite3.Connection, begins_ms: int) -> dict[int, int] | None:
    """The hours (Unix ms) of a file that are to be summed up; None: of every row, it is old."""
    told = connection.execute(
        "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'dirty'"
    ).fetchone()
    if told is None:
        return None
    found = connection.execute("SELECT hour, seq FROM dirty")
    return {begins_ms + hour * HOUR_MS: seq for hour, seq in found}
