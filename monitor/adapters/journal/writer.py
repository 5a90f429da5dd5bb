"""The daemon's journal: the one writer of the files, and the logs that the shippers follow."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from monitor.adapters.journal.cursors import Cursor, CursorStore, FileLog
from monitor.adapters.journal.damage import set_aside_damaged, set_aside_unreadable
from monitor.adapters.journal.day_files import (
    EVIDENCE,
    HOURS,
    MINUTES,
    SAMPLES,
    create_directory,
    day_of,
    days_in,
    full_message,
    journal_errors,
    label_of,
    next_day,
    open_for_reading,
    path_of,
)
from monitor.adapters.journal.disk_reserve import DiskReserve
from monitor.adapters.journal.downsampling import dirty_hours_in, sum_up_hour
from monitor.adapters.journal.evidence_files import EvidenceFile, has_requests
from monitor.adapters.journal.reader import JournalReader
from monitor.adapters.journal.retention import (
    JournalUsage,
    PruneResult,
    RetentionPolicy,
    measure_usage,
    prune_files,
)
from monitor.adapters.journal.rollup_files import last_rollup, read_rollup_slice, write_rollups
from monitor.adapters.journal.sample_files import SampleFile, dirty_hours, last_row, read_slice
from monitor.core.errors import JournalDamaged, JournalError, JournalFull
from monitor.core.ports import JournalBatch
from monitor.core.samples.resolution import HOUR_MS
from monitor.core.samples.samples import Rollup, Sample
from monitor.core.samples.schema import seconds, stamp_ms
from monitor.core.state_history import StateHistory

GRACE_S = 120.0
"""An hour is summed up so long after its end, when most late rows have come."""


MOST_NAMES = 5


class SqliteJournal(JournalReader):
    """`Journal`: thread-safe, one a directory (ensured by the lock on the data directory).

    directory: <data_dir>/journal, created if absent. minutes, hours: the logs of rollups.
    Raises JournalError.
    """

    def __init__(self, directory: Path, evidence: bool = True) -> None:
        super().__init__(directory)
        create_directory(directory)
        self._lock = threading.RLock()
        self._roll_up_lock = threading.Lock()
        self._sample_file: SampleFile | None = None
        self._evidence_file: EvidenceFile | None = None
        self._keep_evidence = evidence
        self._evidence_error: str | None = None
        self._problems: list[str] = []
        self._device = directory.stat().st_dev
        self._reserve = DiskReserve(directory)
        self._problems += set_aside_unreadable(directory)
        lengths = {day: self._open_length(day) for day in days_in(directory)}
        cursors = CursorStore(directory, lengths)
        if cursors.error is not None:
            self._problems.append(cursors.error)
        self._cursors = cursors
        self._log = FileLog(directory, SAMPLES, lengths, read_slice, cursors)
        self.minutes, self.hours = (
            FileLog(directory, kind, self._rollup_lengths(kind), read_rollup_slice, cursors)
            for kind in (MINUTES, HOURS)
        )

    @property
    def problems(self) -> tuple[str, ...]:
        """Faults found in the files, a sentence each."""
        return tuple(self._problems)

    @property
    def evidence_error(self) -> str | None:
        """Why requests are not kept although rows are; None while they are."""
        return self._evidence_error

    def keep_evidence(self, keep: bool) -> None:
        """Keep requests for replay from now on, or not."""
        self._keep_evidence = keep

    def append(self, samples: Sequence[Sample]) -> None:
        """Write one transaction, in the file of the newest sample's day; durable on return.

        Only samples that lie two days apart or more go to a file and a transaction each. Raises
        JournalFull on a full disk, and until there is room for the disk reserve again.
        """
        if not samples:
            return
        with self._lock:
            self._see_to_files()
            if not self._reserve.may_write():
                raise JournalFull(full_message(self._directory))
            try:
                for day, batch in _by_file(samples):
                    self._append_evidence(day, batch)
                    self._append_rows(day, batch)
            except JournalFull:
                self._reserve.release()
                raise

    def roll_up(
        self,
        now_s: float,
        history_of: Callable[[float, float], StateHistory] | None = None,
        max_hours: int | None = None,
    ) -> int:
        """Sum up hours that are over and have new rows, the oldest first; returns how many.

        history_of: the states of all targets in [start, end) (UTC); may raise StoreError, and the
        hour waits. max_hours: no more than this in one call.
        """
        with self._roll_up_lock:
            done = 0
            for hour_ms, marks in sorted(dirty_hours_in(self._directory).items()):
                if hour_ms + HOUR_MS > stamp_ms(now_s - GRACE_S) or done == max_hours:
                    break
                start_s, end_s = seconds(hour_ms), seconds(hour_ms + HOUR_MS)
                history = None if history_of is None else history_of(start_s, end_s)
                try:
                    sum_up_hour(self._directory, hour_ms, history, self._write_rollups)
                    for day, seq in marks:
                        self._clear_dirty(day, hour_ms, seq)
                except JournalFull:
                    raise
                except JournalError as error:  # a damaged file holds up its own hours only
                    if str(error) not in self._problems:
                        self._problems.append(str(error))
                else:
                    done += 1
            return done

    def read_after(self, cursor: str | None, limit: int) -> JournalBatch:
        return self._log.read_after(cursor, limit)

    def lag(self, cursor: str | None) -> int:
        return self._log.lag(cursor)

    def head(self, back: int = 0) -> str:
        return self._log.head(back)

    def span(self, since_s: float, until_s: float) -> tuple[str, str]:
        return self._log.span(since_s, until_s)

    def save_cursor(self, name: str, cursor: str | None) -> None:
        self._cursors.save(name, cursor)

    def load_cursor(self, name: str) -> str | None:
        return self._cursors.load(name)

    def usage(self, max_mb: int, shipper: str | None = None) -> JournalUsage:
        """Bytes on the disk, and how much of the quota is not shipped."""
        with self._lock:
            return measure_usage(self._directory, max_mb, self._unshipped(shipper))

    def prune(
        self, at_s: float, policy: RetentionPolicy, shipper: str | None = None
    ) -> PruneResult:
        """Remove whole files: see adapters.journal.retention.

        shipper: the name of the cursor that must have passed a day before it is removed for its
        age; None: there is no shipper. The files of today always stay.
        """
        with self._lock:
            unshipped = self._unshipped(shipper)
            self._see_to_files()
            pruned = prune_files(self._directory, at_s, policy, unshipped, self._before_removal)
            evidence = self._evidence_file
            if evidence is not None and not evidence.is_in_place():
                evidence.close()  # it was removed here, so it is not put back
                self._evidence_file = None
            for log in (self.minutes, self.hours):
                labels = set(days_in(self._directory, log.kind))
                for label in [label for label in log.lengths if label not in labels]:
                    del log.lengths[label]
            return pruned

    def close(self) -> None:
        with self._lock:
            for file in (self._sample_file, self._evidence_file):
                if file is not None:
                    file.close()
            self._sample_file = self._evidence_file = None

    def check(self) -> None:
        """See that the files are in their place; put back those that are open."""
        with self._lock:
            self._see_to_files()

    def _see_to_files(self) -> None:
        """SQLite would go on writing into files that have no name any more."""
        with journal_errors(self._directory):
            self._check_directory()
            if self._sample_file is not None and not self._sample_file.is_in_place():
                self._problems.append(self._sample_file.put_back())
                self._sample_file = None
            if self._evidence_file is not None and not self._evidence_file.is_in_place():
                self._problems.append(self._evidence_file.put_back())
                self._evidence_file = None
        gone: list[str] = []
        for log in (self._log, self.minutes, self.hours):
            present = set(days_in(self._directory, log.kind))
            for label in [each for each in log.lengths if each not in present]:
                del log.lengths[label]
                gone.append(f"{log.kind}-{label}.db")
        if gone:
            more = f" and {len(gone) - MOST_NAMES} others" if len(gone) > MOST_NAMES else ""
            self._problems.append(
                f"files of the journal {self._directory} were taken away, and their history with"
                f" them: {', '.join(gone[:MOST_NAMES])}{more}"
            )

    def _check_directory(self) -> None:
        """Nothing is put into another disk's directory: the right one may only be unmounted."""
        there = self._directory if self._directory.exists() else self._directory.parent
        if not there.exists():
            raise JournalError(
                f"the journal's directory {self._directory} is gone with the one above it: put it"
                " back, the daemon goes on by itself"
            )
        if there.stat().st_dev != self._device:
            raise JournalError(
                f"the journal's directory {self._directory} is on another disk now: mount the"
                " right one again, the daemon goes on by itself"
            )
        if there != self._directory:
            create_directory(self._directory)
            self._reserve = DiskReserve(self._directory)
            self._problems.append(
                f"the journal's directory {self._directory} was taken away: it was made anew"
            )

    def _unshipped(self, shipper: str | None) -> dict[str, int]:
        """How many rows of each day are not shipped; days without any are left out."""
        if shipper is None:
            return {}
        names = [shipper]
        if self._cursors.load(f"{shipper}_resend") is not None:
            names.append(f"{shipper}_resend")  # rows of one measurement, some of which are not
        cursors = [Cursor.parse(self._cursors.load(name)) for name in names]
        lag = {
            day: length - min(cursor.at(day) for cursor in cursors)
            for day, length in self._log.lengths.items()
        }
        return {day: rows for day, rows in lag.items() if rows > 0}

    def _before_removal(self, day: str) -> None:
        if self._sample_file is not None and self._sample_file.day == day:
            self._sample_file.close()
            self._sample_file = None
        self._log.lengths.pop(day, None)

    def _append_rows(self, day: str, batch: Sequence[Sample]) -> None:
        """A file that turns out to be damaged is set aside, and another is begun."""
        path = path_of(self._directory, day)
        try:
            with journal_errors(path):
                self._log.lengths[day] = self._open(day).append(batch)
        except JournalDamaged as error:
            if self._sample_file is not None:
                self._sample_file.close()
                self._sample_file = None
            self._log.lengths.pop(day, None)
            self._set_aside(path, error)
            with journal_errors(path):
                self._log.lengths[day] = self._open(day).append(batch)

    def _set_aside(self, path: Path, error: JournalDamaged) -> None:
        self._problems.append(set_aside_damaged(path, str(error.__cause__)))

    def _append_evidence(self, day: str, batch: Sequence[Sample]) -> None:
        """A damaged file of evidence keeps no row from being written; a full disk does."""
        if not (self._keep_evidence and has_requests(batch)):
            return
        try:
            try:
                self._append_requests(day, batch)
            except JournalDamaged as error:
                if self._evidence_file is not None:
                    self._evidence_file.close()
                    self._evidence_file = None
                self._set_aside(path_of(self._directory, day, EVIDENCE), error)
                self._append_requests(day, batch)
        except JournalFull:
            raise
        except JournalError as error:
            self._evidence_error = str(error)
        else:
            self._evidence_error = None

    def _append_requests(self, day: str, batch: Sequence[Sample]) -> None:
        with journal_errors(path_of(self._directory, day, EVIDENCE)):
            if self._evidence_file is None or self._evidence_file.day != day:
                if self._evidence_file is not None:
                    self._evidence_file.close()
                    self._evidence_file = None
                self._evidence_file = EvidenceFile(self._directory, day)
            self._evidence_file.append(batch)

    def _write_rollups(self, kind: str, rollups: Sequence[Rollup]) -> None:
        log = self.minutes if kind == MINUTES else self.hours
        try:
            log.lengths.update(write_rollups(self._directory, kind, rollups))
        except JournalDamaged as error:
            for label in {label_of(kind, stamp_ms(rollup.at_s)) for rollup in rollups}:
                self._set_aside_if_damaged(log, label, error)
            raise  # the hour stays dirty, and is summed up again

    def _set_aside_if_damaged(self, log: FileLog, label: str, error: JournalDamaged) -> None:
        path = path_of(self._directory, label, log.kind)
        with self._lock:
            if str(path) in str(error):
                log.lengths.pop(label, None)
                self._set_aside(path, error)

    def _clear_dirty(self, day: str, hour_ms: int, seq: int) -> None:
        with self._lock, journal_errors(path_of(self._directory, day)):
            if self._sample_file is not None and self._sample_file.day == day:
                self._sample_file.clear_dirty(hour_ms, seq)
            elif day in self._log.lengths:
                other = SampleFile(self._directory, day)
                other.clear_dirty(hour_ms, seq)
                other.close()

    def _open_length(self, day: str) -> int:
        """The number of the last row of a file that is there at the start.

        A file of an older version gets its new tables. A damaged one is noted and counts as empty:
        it must not keep the daemon from starting.
        """
        try:
            with open_for_reading(path_of(self._directory, day)) as connection:
                length = 0 if connection is None else last_row(connection)
                older = connection is not None and dirty_hours(connection, 0) is None
            if older:
                with journal_errors(path_of(self._directory, day)):
                    SampleFile(self._directory, day).close()
            return length
        except JournalError as error:
            self._problems.append(str(error))
            return 0

    def _rollup_lengths(self, kind: str) -> dict[str, int]:
        """The number of the last row of each file of rollups; damaged ones as in `_open_length`."""
        lengths: dict[str, int] = {}
        for label in days_in(self._directory, kind):
            try:
                with open_for_reading(path_of(self._directory, label, kind)) as connection:
                    lengths[label] = 0 if connection is None else last_rollup(connection)
            except JournalError as error:
                self._problems.append(str(error))
                lengths[label] = 0
        return lengths

    def _open(self, day: str) -> SampleFile:
        """The day's file, kept open until another day is written."""
        if self._sample_file is None or self._sample_file.day != day:
            if self._sample_file is not None:
                self._sample_file.close()
                self._sample_file = None
            self._sample_file = SampleFile(self._directory, day)
        return self._sample_file


def _by_file(samples: Sequence[Sample]) -> list[tuple[str, list[Sample]]]:
    """Which file takes which samples: all to the newest one's day, unless days lie between them."""
    days: dict[str, list[Sample]] = {}
    for sample in samples:
        days.setdefault(day_of(stamp_ms(sample.at_s)), []).append(sample)
    ordered = sorted(days)
    if len(ordered) == 1 or (len(ordered) == 2 and next_day(ordered[0]) == ordered[1]):
        return [(ordered[-1], list(samples))]
    return [(day, days[day]) for day in ordered]
