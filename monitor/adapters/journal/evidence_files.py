"""Every request of every target, packed: a file a UTC day beside that of the raw rows.

Written before the rows and not synced at every commit: a power cut may take the last half minute
of it, never a row. A row that is written again replaces its evidence.
"""

from __future__ import annotations

import heapq
import sqlite3
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from monitor.adapters.journal.day_files import (
    EVIDENCE,
    days_overlapping,
    inodes_of,
    open_for_reading,
    open_for_writing,
    path_of,
    put_back,
    start_ms_of,
    write_transaction,
)
from monitor.adapters.journal.rows import SeriesTable, create_series_table
from monitor.core.samples.samples import PingSample, Sample
from monitor.core.samples.schema import PING, stamp_ms

Packed = tuple[int, str, bytes]
"""A row's time (Unix ms), its target, its requests (core.samples.packed_requests)."""


class EvidenceFile:
    """One day's file, open for writing."""

    def __init__(self, directory: Path, day: str) -> None:
        self.day = day
        self._start_ms = start_ms_of(day)
        self._path = path_of(directory, day, EVIDENCE)
        self._connection = open_for_writing(self._path, _create_tables, synchronous="NORMAL")
        self._inodes = inodes_of(self._path)
        self._series = SeriesTable(self._connection)

    def append(self, samples: Sequence[Sample]) -> None:
        """Write the requests of those rows that have them, in one transaction."""
        rows = [
            (row, row.requests.packed())
            for row in samples
            if isinstance(row, PingSample) and row.requests is not None
        ]
        try:
            with write_transaction(self._connection):
                self._connection.executemany(
                    "INSERT OR REPLACE INTO requests (t, series, packed) VALUES (?, ?, ?)",
                    [
                        (
                            stamp_ms(row.at_s) - self._start_ms,
                            self._series.number(PING.name, row.target),
                            requests,
                        )
                        for row, requests in rows
                    ],
                )
        except BaseException:
            self._series.clear()
            raise

    def is_in_place(self) -> bool:
        """Whether the file and its log are still those that were opened."""
        return inodes_of(self._path) == self._inodes

    def put_back(self) -> str:
        """Write the file anew, and close it; returns what was done, in a sentence."""
        return put_back(self._connection, self._path, self._inodes)

    def close(self) -> None:
        self._connection.close()


def _create_tables(connection: sqlite3.Connection) -> None:
    create_series_table(connection)
    # The time comes first in the key: replay reads in the order of time.
    connection.execute(
        "CREATE TABLE IF NOT EXISTS requests (t INTEGER NOT NULL, series INTEGER NOT NULL,"
        " packed BLOB NOT NULL, PRIMARY KEY (t, series)) WITHOUT ROWID"
    )


def has_requests(samples: Sequence[Sample]) -> bool:
    return any(isinstance(row, PingSample) and row.requests is not None for row in samples)


def evidence_between(
    directory: Path, start_ms: int, end_ms: int, targets: Collection[str] | None = None
) -> Iterator[Packed]:
    """The evidence of rows with start_ms <= time < end_ms, by time. targets None: of all."""
    days = days_overlapping(directory, start_ms, end_ms, EVIDENCE)
    # A batch over midnight lies whole in the later day's file: files overlap, so merge them.
    yield from heapq.merge(*(_rows(directory, day, start_ms, end_ms, targets) for day in days))


def _rows(
    directory: Path, day: str, start_ms: int, end_ms: int, targets: Collection[str] | None
) -> Iterator[Packed]:
    with open_for_reading(path_of(directory, day, EVIDENCE)) as connection:
        if connection is None:
            return
        file_ms = start_ms_of(day)
        names: dict[int, str] = dict(connection.execute("SELECT id, identity FROM series"))
        if targets is not None:
            names = {number: target for number, target in names.items() if target in targets}
        found = connection.execute(
            "SELECT t, series, packed FROM requests WHERE t >= ? AND t < ? ORDER BY t, series",
            (start_ms - file_ms, end_ms - file_ms),
        )
        for t, series, packed in found:
            if series in names:
                yield file_ms + t, names[series], packed
