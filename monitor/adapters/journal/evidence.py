"""Every request, packed: a file a day beside that of the rows, kept as long as evidence is worth.

Written before the rows and not synced at every commit: a power cut may take the last half minute
of it, never a row. What is written again takes its own place.
"""

from __future__ import annotations

import heapq
import sqlite3
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from monitor.adapters.journal.files import (
    EVIDENCE,
    day_of,
    days_in,
    make_series,
    next_day,
    open_for_writing,
    path_of,
    reading,
    start_of,
)
from monitor.adapters.journal.series import SeriesTable
from monitor.core.samples.samples import PingSample, Sample
from monitor.core.samples.schema import PING, stamp_ms

Packed = tuple[int, str, bytes]
"""A row's time (Unix ms), its target, its requests (core.requests)."""


def make_evidence(connection: sqlite3.Connection) -> None:
    """The tables of a day. The time comes first: that is the order in which it is asked for."""
    make_series(connection)
    connection.execute(
        "CREATE TABLE IF NOT EXISTS requests (t INTEGER NOT NULL, series INTEGER NOT NULL,"
        " packed BLOB NOT NULL, PRIMARY KEY (t, series)) WITHOUT ROWID"
    )


class EvidenceDay:
    """One day's file, open for writing."""

    def __init__(self, directory: Path, day: str) -> None:
        self.day = day
        self._begins_ms = start_of(day)
        self._connection = open_for_writing(
            path_of(directory, day, EVIDENCE), make_evidence, synchronous="NORMAL"
        )
        self._series = SeriesTable(self._connection)

    def append(self, samples: Sequence[Sample]) -> None:
        """Keep the requests of those rows that bring them."""
        rows = [
            (row, row.requests.packed())
            for row in samples
            if isinstance(row, PingSample) and row.requests is not None
        ]
        connection = self._connection
        connection.execute("BEGIN IMMEDIATE")
        try:
            connection.executemany(
                "INSERT OR REPLACE INTO requests (t, series, packed) VALUES (?, ?, ?)",
                [
                    (
                        stamp_ms(row.at_s) - self._begins_ms,
                        self._series.number(PING.name, row.target),
                        kept,
                    )
                    for row, kept in rows
                ],
            )
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            self._series.forget()
            raise

    def close(self) -> None:
        self._connection.close()


def brings_requests(samples: Sequence[Sample]) -> bool:
    """Is there anything to keep?"""
    return any(isinstance(row, PingSample) and row.requests is not None for row in samples)


def evidence_between(
    directory: Path, start_ms: int, end_ms: int, targets: Collection[str] | None = None
) -> Iterator[Packed]:
    """By the rows' time, of rows with start_ms <= time < end_ms; targets None: of all."""
    if end_ms <= start_ms:
        return
    first, last = day_of(start_ms), next_day(day_of(end_ms - 1))
    days = [day for day in days_in(directory, EVIDENCE) if first <= day <= last]
    # A batch over midnight lies whole in the later day's file: files overlap, so merge them.
    yield from heapq.merge(*(_rows(directory, day, start_ms, end_ms, targets) for day in days))


def _rows(
    directory: Path, day: str, start_ms: int, end_ms: int, targets: Collection[str] | None
) -> Iterator[Packed]:
    with reading(path_of(directory, day, EVIDENCE)) as connection:
        if connection is None or end_ms <= start_ms:
            return
        begins_ms = start_of(day)
        known = dict(connection.execute("SELECT id, identity FROM series"))
        if targets is not None:
            known = {number: target for number, target in known.items() if target in targets}
        found = connection.execute(
            "SELECT t, series, packed FROM requests WHERE t >= ? AND t < ? ORDER BY t, series",
            (start_ms - begins_ms, end_ms - begins_ms),
        )
        for t, series, kept in found:
            if series in known:
                yield begins_ms + t, known[series], kept
