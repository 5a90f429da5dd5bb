"""The daemon's journal: the one writer, and the log that the shipper follows."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from monitor.adapters.journal import cursors
from monitor.adapters.journal.cursor import Cursor
from monitor.adapters.journal.files import (
    DAY_MS,
    day_of,
    days_in,
    make_directory,
    next_day,
    open_for_writing,
    path_of,
    reading,
    remove,
    size_of,
    start_of,
    told,
)
from monitor.adapters.journal.log import length_of, read_after
from monitor.adapters.journal.reader import JournalReader
from monitor.adapters.journal.rows import identity_of, insert_into, values_of
from monitor.core.errors import JournalError
from monitor.core.ports import JournalBatch
from monitor.core.samples import Sample
from monitor.core.schema import measurement_of, stamp_ms

Row = tuple[int | float | str | None, ...]


@dataclass(frozen=True, slots=True)
class Pruned:
    """What `prune` did: days removed, and days held back because they are not shipped yet."""

    removed: tuple[str, ...] = ()
    held: tuple[str, ...] = ()


class SqliteJournal(JournalReader):
    """`Journal`: thread-safe, one a directory (the daemon's lock on its data directory sees to it).

    directory: <data_dir>/journal, made if absent. Raises JournalError.
    """

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        make_directory(directory)
        self._lock = threading.RLock()
        self._day: _Day | None = None
        self._problems: list[str] = []
        self._lengths = {day: self._length(day) for day in days_in(directory)}
        self._cursors = self._saved_cursors()

    @property
    def problems(self) -> tuple[str, ...]:
        """What was wrong with the files when the journal was opened: a sentence each."""
        return tuple(self._problems)

    def append(self, samples: Sequence[Sample]) -> None:
        """One transaction, in the file of the newest sample's day; durable when it returns.

        Only samples that lie two days apart or more go to a file and a transaction each.
        """
        if not samples:
            return
        with self._lock:
            for day, batch in _by_file(samples):
                with told(path_of(self._directory, day)):
                    self._lengths[day] = self._open(day).append(batch)

    def read_after(self, cursor: str | None, limit: int) -> JournalBatch:
        with self._lock:
            lengths = dict(self._lengths)
        start = Cursor.parse(cursor).within(lengths)
        place, samples = read_after(self._directory, lengths, start, limit)
        return JournalBatch(str(place), samples)

    def lag(self, cursor: str | None) -> int:
        with self._lock:
            return Cursor.parse(cursor).lag(self._lengths)

    def save_cursor(self, name: str, cursor: str) -> None:
        with self._lock:
            saved = {**self._cursors, name: cursor}
            cursors.save(self._directory, saved)
            self._cursors = saved

    def load_cursor(self, name: str) -> str | None:
        with self._lock:
            return self._cursors.get(name)

    def prune(self, at_s: float, keep_days: int, max_mb: int, shipper: str | None = None) -> Pruned:
        """Remove whole days: those older than `keep_days`, then the oldest while over `max_mb`.

        shipper: the name of the cursor that must have passed a day before it may go; None: there
        is no shipper. Today's file always stays.
        """
        with self._lock:
            today = day_of(stamp_ms(at_s))
            oldest_kept = day_of(stamp_ms(at_s) - keep_days * DAY_MS)
            sizes = {day: size_of(self._directory, day) for day in sorted(self._lengths)}
            removed, held = [], []
            for day in sorted(self._lengths):
                too_old = day < oldest_kept
                too_much = sum(sizes.values()) > max_mb * 1_000_000
                if day >= today or not (too_old or too_much):
                    continue
                if shipper is not None and not self._shipped(day, shipper):
                    held.append(day)
                    continue
                self._forget(day)
                del sizes[day]
                removed.append(day)
            return Pruned(tuple(removed), tuple(held))

    def close(self) -> None:
        with self._lock:
            if self._day is not None:
                self._day.close()
                self._day = None

    def _shipped(self, day: str, shipper: str) -> bool:
        cursor = Cursor.parse(self._cursors.get(shipper))
        return cursor.at(day) >= self._lengths[day]

    def _forget(self, day: str) -> None:
        if self._day is not None and self._day.day == day:
            self.close()
        remove(self._directory, day)
        del self._lengths[day]

    def _length(self, day: str) -> int:
        # One damaged day must not keep the daemon from starting, nor the others from being kept.
        try:
            with reading(path_of(self._directory, day)) as connection:
                return 0 if connection is None else length_of(connection)
        except JournalError as error:
            self._problems.append(str(error))
            return 0

    def _saved_cursors(self) -> dict[str, str]:
        try:
            return {
                name: str(Cursor.parse(text).within(self._lengths))
                for name, text in cursors.load(self._directory).items()
            }
        except JournalError as error:
            self._problems.append(str(error))
            return {}

    def _open(self, day: str) -> _Day:
        """The day's file, kept open until another day is written."""
        if self._day is None or self._day.day != day:
            self.close()
            self._day = _Day(self._directory, day)
        return self._day


class _Day:
    """One file open for writing."""

    def __init__(self, directory: Path, day: str) -> None:
        self.day = day
        self._begins_ms = start_of(day)
        self._connection = open_for_writing(path_of(directory, day))
        self._series: dict[tuple[str, str], int] = {}

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
            self._series.clear()
            raise
        return length

    def close(self) -> None:
        self._connection.close()

    def _insert(self, connection: sqlite3.Connection, samples: Sequence[Sample]) -> int:
        last = length_of(connection)
        rows: dict[str, list[Row]] = {}
        times = [stamp_ms(sample.at_s) - self._begins_ms for sample in samples]
        for seq, (sample, t) in enumerate(zip(samples, times, strict=True), last + 1):
            measurement = measurement_of(sample)
            series = self._series_of(connection, measurement.name, identity_of(measurement, sample))
            rows.setdefault(insert_into(measurement), []).append(
                (seq, series, t, *values_of(measurement, sample))
            )
        for statement, batch in rows.items():
            connection.executemany(statement, batch)
        connection.execute(
            "INSERT INTO batch (first_seq, last_seq, t_min, t_max) VALUES (?, ?, ?, ?)",
            (last + 1, last + len(samples), min(times), max(times)),
        )
        return last + len(samples)

    def _series_of(self, connection: sqlite3.Connection, measurement: str, identity: str) -> int:
        key = (measurement, identity)
        if key not in self._series:
            connection.execute(
                "INSERT OR IGNORE INTO series (measurement, identity) VALUES (?, ?)", key
            )
            self._series[key] = connection.execute(
                "SELECT id FROM series WHERE measurement = ? AND identity = ?", key
            ).fetchone()[0]
        return self._series[key]


def _by_file(samples: Sequence[Sample]) -> list[tuple[str, list[Sample]]]:
    """Which file takes which samples: all to the newest one's day, unless days lie between them."""
    days: dict[str, list[Sample]] = {}
    for sample in samples:
        days.setdefault(day_of(stamp_ms(sample.at_s)), []).append(sample)
    ordered = sorted(days)
    if len(ordered) == 1 or (len(ordered) == 2 and next_day(ordered[0]) == ordered[1]):
        return [(ordered[-1], list(samples))]
    return [(day, days[day]) for day in ordered]
