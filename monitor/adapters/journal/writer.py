"""The daemon's journal: the one writer, the rollups, and the logs that the shippers follow."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from monitor.adapters.journal import rolled
from monitor.adapters.journal.ballast import Ballast
from monitor.adapters.journal.cursor import Cursor
from monitor.adapters.journal.cursors import Cursors
from monitor.adapters.journal.day import SampleDay, dirty_hours
from monitor.adapters.journal.evidence import EvidenceDay, brings_requests
from monitor.adapters.journal.files import (
    EVIDENCE,
    HOURS,
    MINUTES,
    day_of,
    days_in,
    full,
    make_directory,
    next_day,
    path_of,
    reading,
    told,
)
from monitor.adapters.journal.keeping import (
    JournalUsage,
    PruneResult,
    RetentionPolicy,
    prune,
    usage_of,
)
from monitor.adapters.journal.log import length_of, read_after
from monitor.adapters.journal.reader import JournalReader
from monitor.adapters.journal.rolled import RollupFiles
from monitor.adapters.journal.rolling import marked_hours, sum_up
from monitor.core.errors import JournalError, JournalFull
from monitor.core.ports import JournalBatch
from monitor.core.samples.resolution import HOUR_MS
from monitor.core.samples.samples import Sample
from monitor.core.samples.schema import seconds, stamp_ms
from monitor.core.state_history import StateHistory

GRACE_S = 120.0
"""An hour is summed up so long after its end: what belongs to it has come by then, mostly."""


class SqliteJournal(JournalReader):
    """`Journal`: thread-safe, one a directory (the daemon's lock on its data directory sees to it).

    directory: <data_dir>/journal, made if absent. Raises JournalError.
    """

    def __init__(self, directory: Path, evidence: bool = True) -> None:
        super().__init__(directory)
        make_directory(directory)
        self._lock = threading.RLock()
        self._rolling = threading.Lock()
        self._day: SampleDay | None = None
        self._evidence_day: EvidenceDay | None = None
        self._evidence = evidence
        self._evidence_trouble: str | None = None
        self._problems: list[str] = []
        self._ballast = Ballast(directory)
        self._lengths = {day: self._length(day) for day in days_in(directory)}
        self._cursors = Cursors(directory, self._problems, self._lengths)
        self.minutes = RollupLog(self, MINUTES)
        self.hours = RollupLog(self, HOURS)

    @property
    def directory(self) -> Path:
        return self._directory

    @property
    def problems(self) -> tuple[str, ...]:
        """What is wrong with the files, as far as it was seen: a sentence each."""
        return tuple(self._problems)

    @property
    def evidence_trouble(self) -> str | None:
        """Why requests are not kept although rows are; None while they are."""
        return self._evidence_trouble

    def keep_evidence(self, kept: bool) -> None:
        """Are requests kept for replay from now on?"""
        self._evidence = kept

    def append(self, samples: Sequence[Sample]) -> None:
        """One transaction, in the file of the newest sample's day; durable when it returns.

        Only samples that lie two days apart or more go to a file and a transaction each. Raises
        JournalFull on a full disk, and until there is room for the reserve again.
        """
        if not samples:
            return
        with self._lock:
            if not self._ballast.may_write():
                raise JournalFull(full(self._directory))
            try:
                for day, batch in _by_file(samples):
                    self._append_evidence(day, batch)
                    with told(path_of(self._directory, day)):
                        self._lengths[day] = self._open(day).append(batch)
            except JournalFull:
                self._ballast.give_up()
                raise

    def roll(
        self,
        now_s: float,
        timelines: Callable[[float, float], StateHistory] | None = None,
        most: int | None = None,
    ) -> int:
        """Sum up hours that are over and have new rows, the oldest first; how many were.

        timelines: what the ledger says of a span (UTC); may raise StoreError, and the hour waits.
        most: no more hours than this at once. Call it again and again, from one thread.
        """
        with self._rolling:
            done = 0
            for hour_ms, marks in sorted(marked_hours(self._directory).items()):
                if hour_ms + HOUR_MS > stamp_ms(now_s - GRACE_S) or done == most:
                    break
                start_s, end_s = seconds(hour_ms), seconds(hour_ms + HOUR_MS)
                said = None if timelines is None else timelines(start_s, end_s)
                try:
                    sum_up(self._directory, hour_ms, said, self.minutes.files, self.hours.files)
                    for day, seq in marks:
                        self._clean(day, hour_ms, seq)
                except JournalFull:
                    raise
                except JournalError as error:  # one ill file holds up its own hours only
                    if str(error) not in self._problems:
                        self._problems.append(str(error))
                else:
                    done += 1
            return done

    def read_after(self, cursor: str | None, limit: int) -> JournalBatch:
        with self._lock:
            lengths = dict(self._lengths)
        start = Cursor.parse(cursor).within(lengths)
        place, samples = read_after(self._directory, lengths, start, limit)
        return JournalBatch(str(place), samples)

    def lag(self, cursor: str | None) -> int:
        with self._lock:
            return Cursor.parse(cursor).lag(self._lengths)

    def head(self, back: int = 0) -> str:
        with self._lock:
            return str(Cursor.head(self._lengths, back))

    def save_cursor(self, name: str, cursor: str) -> None:
        with self._lock:
            self._cursors.save(name, cursor)

    def load_cursor(self, name: str) -> str | None:
        with self._lock:
            return self._cursors.get(name)

    def usage(self, max_mb: int, shipper: str | None = None) -> JournalUsage:
        """How full it is."""
        with self._lock:
            return usage_of(self._directory, max_mb, self._unshipped(shipper))

    def prune(
        self,
        at_s: float,
        keep_days: int,
        max_mb: int,
        shipper: str | None = None,
        *,
        evidence_days: int = 35,
        minute_days: int = 180,
        hour_days: int = 1826,
    ) -> PruneResult:
        """Remove whole files: see adapters.journal.keeping.

        shipper: the name of the cursor that must have passed a day before it may go for its age;
        None: there is no shipper. Today's files always stay.
        """
        with self._lock:
            keep = RetentionPolicy(keep_days, evidence_days, minute_days, hour_days, max_mb)
            pruned = prune(self._directory, at_s, keep, self._unshipped(shipper), self._forget)
            for each in (self.minutes.files, self.hours.files):
                kept = set(days_in(self._directory, each.kind))
                for label in [label for label in each.lengths if label not in kept]:
                    del each.lengths[label]
            return pruned

    def close(self) -> None:
        with self._lock:
            for day in (self._day, self._evidence_day):
                if day is not None:
                    day.close()
            self._day = self._evidence_day = None

    def _unshipped(self, shipper: str | None) -> dict[str, int]:
        """Rows of each day that are not shipped."""
        if shipper is None:
            return {}
        cursor = Cursor.parse(self._cursors.get(shipper))
        behind = {day: length - cursor.at(day) for day, length in self._lengths.items()}
        return {day: rows for day, rows in behind.items() if rows > 0}

    def _forget(self, day: str) -> None:
        if self._day is not None and self._day.day == day:
            self._day.close()
            self._day = None
        self._lengths.pop(day, None)

    def _append_evidence(self, day: str, batch: Sequence[Sample]) -> None:
        """Ill evidence keeps no row from being written; a full disk is full for both."""
        if not (self._evidence and brings_requests(batch)):
            return
        try:
            with told(path_of(self._directory, day, EVIDENCE)):
                if self._evidence_day is None or self._evidence_day.day != day:
                    if self._evidence_day is not None:
                        self._evidence_day.close()
                        self._evidence_day = None
                    self._evidence_day = EvidenceDay(self._directory, day)
                self._evidence_day.append(batch)
        except JournalFull:
            raise
        except JournalError as error:
            self._evidence_trouble = str(error)
        else:
            self._evidence_trouble = None

    def _clean(self, day: str, hour_ms: int, seq: int) -> None:
        with self._lock, told(path_of(self._directory, day)):
            if self._day is not None and self._day.day == day:
                self._day.clean(hour_ms, seq)
            elif day in self._lengths:
                other = SampleDay(self._directory, day)
                other.clean(hour_ms, seq)
                other.close()

    def _length(self, day: str) -> int:
        # One damaged day must not keep the daemon from starting, nor the others from being kept.
        try:
            with reading(path_of(self._directory, day)) as connection:
                length = 0 if connection is None else length_of(connection)
                older = connection is not None and dirty_hours(connection, 0) is None
            if older:
                with told(path_of(self._directory, day)):
                    SampleDay(self._directory, day).close()
            return length
        except JournalError as error:
            self._problems.append(str(error))
            return 0

    def _open(self, day: str) -> SampleDay:
        """The day's file, kept open until another day is written."""
        if self._day is None or self._day.day != day:
            if self._day is not None:
                self._day.close()
                self._day = None
            self._day = SampleDay(self._directory, day)
        return self._day


class RollupLog:
    """The rollups of one kind as a log: what a shipper follows."""

    def __init__(self, journal: SqliteJournal, kind: str) -> None:
        self._journal = journal
        lengths: dict[str, int] = {}
        for label in days_in(journal.directory, kind):
            with reading(path_of(journal.directory, label, kind)) as connection:
                lengths[label] = 0 if connection is None else rolled.length_of(connection)
        self.files = RollupFiles(journal.directory, kind, lengths)

    def read_after(self, cursor: str | None, limit: int) -> JournalBatch:
        """As of a journal; a batch may be empty although others follow."""
        start = Cursor.parse(cursor).within(self.files.lengths)
        place, samples = self.files.read_after(start, limit)
        return JournalBatch(str(place), samples)

    def lag(self, cursor: str | None) -> int:
        """How many rows lie behind; those that were summed up again may count twice."""
        return Cursor.parse(cursor).lag(dict(self.files.lengths))

    def head(self, back: int = 0) -> str:
        return str(Cursor.head(dict(self.files.lengths), back))

    def save_cursor(self, name: str, cursor: str) -> None:
        self._journal.save_cursor(name, cursor)

    def load_cursor(self, name: str) -> str | None:
        return self._journal.load_cursor(name)


def _by_file(samples: Sequence[Sample]) -> list[tuple[str, list[Sample]]]:
    """Which file takes which samples: all to the newest one's day, unless days lie between them."""
    days: dict[str, list[Sample]] = {}
    for sample in samples:
        days.setdefault(day_of(stamp_ms(sample.at_s)), []).append(sample)
    ordered = sorted(days)
    if len(ordered) == 1 or (len(ordered) == 2 and next_day(ordered[0]) == ordered[1]):
        return [(ordered[-1], list(samples))]
    return [(day, days[day]) for day in ordered]
