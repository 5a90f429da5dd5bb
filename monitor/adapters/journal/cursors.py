"""How far each shipper has read the journal's logs; saved in `cursors.json`.

A log is all files of one kind, each numbered 1, 2, 3 … in the order of writing. A cursor holds one
position a file, because a late batch goes to the day it belongs to: with a single position a clock
that was a year ahead for a minute would leave the reader a year ahead, too.
"""

from __future__ import annotations

import json
import os
import sqlite3
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from monitor.adapters.journal.day_files import (
    FILE_MODE,
    label_of,
    open_for_reading,
    path_of,
    start_ms_of,
)
from monitor.core.errors import JournalError
from monitor.core.ports import JournalBatch
from monitor.core.samples.samples import Sample
from monitor.core.samples.schema import stamp_ms

NAME = "cursors.json"
ROLLUP_CURSORS = tuple(
    f"influxdb_{log}{end}" for log in ("1m", "1h") for end in ("", "_live", "_resend")
)
"""Cursors of the logs of rollups."""

SliceReader = Callable[[sqlite3.Connection, int, int, int], Iterable[Sample]]
"""(connection, start of the file in Unix ms, after, up to): the rows with those numbers."""


@dataclass(frozen=True, slots=True)
class Cursor:
    """positions: the number of the last row read of each day (month). Text: `20261124:17 …`."""

    positions: Mapping[str, int]

    @staticmethod
    def parse(text: str | None) -> Cursor:
        """None is the beginning. Raises JournalError for a text that is no cursor."""
        positions: dict[str, int] = {}
        for word in (text or "").split():
            label, colon, number = word.partition(":")
            if not (colon and number.isdecimal() and label.isdecimal()):
                raise JournalError(
                    f"{text!r} is no place in the journal: everything kept is sent once more"
                )
            positions[label] = int(number)
        return Cursor(positions)

    def __str__(self) -> str:
        return " ".join(f"{label}:{number}" for label, number in sorted(self.positions.items()))

    def at(self, label: str) -> int:
        return self.positions.get(label, 0)

    def moved(self, label: str, number: int) -> Cursor:
        return Cursor({**self.positions, label: number})

    def within(self, lengths: Mapping[str, int]) -> Cursor:
        """Without files that are gone, and never past the end of a file.

        A power cut, or a file restored from a copy, may leave a file shorter than what was read
        of it; rows that are written there next must not count as read.
        """
        return Cursor(
            {
                label: min(number, lengths[label])
                for label, number in self.positions.items()
                if label in lengths and number
            }
        )

    def lag(self, lengths: Mapping[str, int]) -> int:
        """How many rows lie after this cursor."""
        return sum(max(0, length - self.at(label)) for label, length in lengths.items())

    @staticmethod
    def head(lengths: Mapping[str, int], back: int) -> Cursor:
        """The end of the log, or up to `back` rows before it."""
        positions = dict(lengths)
        for label in sorted(positions, reverse=True):
            step = min(back, positions[label])
            positions[label] -= step
            back -= step
        return Cursor({label: number for label, number in positions.items() if number})


def load_cursors(directory: Path) -> dict[str, str]:
    """The saved cursors by name; empty when none was saved yet. Raises JournalError."""
    path = directory / NAME
    try:
        saved = json.loads(path.read_text())
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise JournalError(
            f"{path} cannot be read ({error}): everything kept is sent once more"
        ) from error
    if not isinstance(saved, dict) or not all(isinstance(text, str) for text in saved.values()):
        raise JournalError(f"{path} holds no cursors: everything kept is sent once more")
    return saved


class CursorStore:
    """The saved cursors; thread-safe.

    lengths: of the files of raw rows, to which their cursors are limited. error: why the file
    could not be read, in which case there are no cursors.
    """

    def __init__(self, directory: Path, lengths: Mapping[str, int]) -> None:
        self.error: str | None = None
        self._directory = directory
        self._lock = threading.Lock()
        self._saved: dict[str, str] = {}
        try:
            for name, text in load_cursors(directory).items():
                cursor = Cursor.parse(text)
                raw = name not in ROLLUP_CURSORS
                self._saved[name] = str(cursor.within(lengths) if raw else cursor)
        except JournalError as error:
            self._saved = {}
            self.error = str(error)

    def load(self, name: str) -> str | None:
        return self._saved.get(name)

    def save(self, name: str, cursor: str | None) -> None:
        """Durable when it returns; None removes it. Raises JournalError."""
        with self._lock:
            if cursor == self._saved.get(name):
                return
            saved = {key: text for key, text in self._saved.items() if key != name}
            if cursor is not None:
                saved[name] = cursor
            self._write(saved)
            self._saved = saved

    def _write(self, cursors: Mapping[str, str]) -> None:
        path = self._directory / NAME
        unfinished = path.with_suffix(".new")
        try:
            flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
            with os.fdopen(os.open(unfinished, flags, FILE_MODE), "w") as file:
                json.dump(cursors, file)
                file.flush()
                os.fsync(file.fileno())
            unfinished.replace(path)
            handle = os.open(self._directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            try:
                os.fsync(handle)
            finally:
                os.close(handle)
        except OSError as error:
            raise JournalError(f"{path} cannot be written: {error.strerror}") from error


@dataclass(frozen=True, slots=True)
class FileLog:
    """`SampleLog` of one kind of files.

    lengths: the number of the last row of each file, kept up to date by the one writer.
    """

    directory: Path
    kind: str
    lengths: dict[str, int]
    read_slice: SliceReader
    cursors: CursorStore

    def read_after(self, cursor: str | None, limit: int) -> JournalBatch:
        """Of rollups a batch may be empty although others follow: numbers that were replaced."""
        lengths = dict(self.lengths)
        position = Cursor.parse(cursor).within(lengths)
        samples: list[Sample] = []
        for label, length in sorted(lengths.items()):
            begin = position.at(label)
            end = min(length, begin + limit - len(samples))
            if begin >= end:
                continue
            with open_for_reading(path_of(self.directory, label, self.kind)) as connection:
                if connection is not None:
                    samples += self.read_slice(connection, start_ms_of(label), begin, end)
            position = position.moved(label, end)
        return JournalBatch(str(position), tuple(samples))

    def lag(self, cursor: str | None) -> int:
        """How many rows lie after the cursor; rollups that were replaced count twice."""
        return Cursor.parse(cursor).lag(dict(self.lengths))

    def head(self, back: int = 0) -> str:
        return str(Cursor.head(dict(self.lengths), back))

    def span(self, since_s: float, until_s: float) -> tuple[str, str]:
        """Whole files; a late sample may lie in the file of the day (month) after its own."""
        lengths = dict(self.lengths)
        first = label_of(self.kind, stamp_ms(since_s))
        last = label_of(self.kind, stamp_ms(until_s))
        later = [label for label in lengths if label > last]
        outside = {label for label in lengths if label < first} | set(sorted(later)[1:])
        position = {label: lengths[label] for label in outside}
        return str(Cursor(position)), str(Cursor(lengths))

    def save_cursor(self, name: str, cursor: str | None) -> None:
        self.cursors.save(name, cursor)

    def load_cursor(self, name: str) -> str | None:
        return self.cursors.load(name)
