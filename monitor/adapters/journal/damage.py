"""Find files of the journal that cannot be read, and set them aside, so that others are begun.

A file is looked at as far as the daemon reads it at its start; damage further inside is found by
whoever reads or writes there.
"""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

from monitor.adapters.journal.day_files import (
    EVIDENCE,
    HOURS,
    KINDS,
    SAMPLES,
    days_in,
    open_for_reading,
    path_of,
    set_aside,
    start_ms_of,
)
from monitor.adapters.journal.rollup_files import last_rollup
from monitor.adapters.journal.rows import columns_of
from monitor.adapters.journal.sample_files import last_row
from monitor.core.errors import JournalError

PASSING = (
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_NOMEM,
    sqlite3.SQLITE_READONLY,
)
"""Errors that say nothing about the file: the disk's, or another program's."""

SERIES_COLUMNS = {"id", "measurement", "identity"}


def set_aside_unreadable(directory: Path) -> list[str]:
    """Rename every file that cannot be read; returns a sentence about each."""
    remarks = []
    for kind in KINDS:
        for label in days_in(directory, kind):
            path = path_of(directory, label, kind)
            fault = find_fault(path, label, kind)
            if fault is not None:
                remarks.append(set_aside_damaged(path, fault))
    return remarks


def set_aside_damaged(path: Path, fault: str) -> str:
    """Rename a file and its log; returns a sentence about it, also when that is refused."""
    try:
        aside = set_aside(path, "unreadable")
    except OSError as error:
        return (
            f"the journal {path} cannot be read ({fault}) and not be renamed ({error.strerror}):"
            " move it away"
        )
    return (
        f"the journal {path} cannot be read ({fault}): it is kept as {aside.name}, and its rows"
        " are not shown"
    )


def find_fault(path: Path, label: str, kind: str) -> str | None:
    """Why a file cannot be read; None: it can, or the disk or another program is at fault."""
    if (fault := _fault_of_name(label, kind)) is not None:
        return fault
    if path.is_dir():
        return "it is a directory"
    if not path.exists():
        return "it is a link to nothing" if path.is_symlink() else None
    if not path.is_file():
        return "it is no file"
    if not os.access(path, os.R_OK):
        return "this user may not read it"
    if path.stat().st_size == 0 and not path.with_name(f"{path.name}-wal").exists():
        return "it is empty"
    try:
        with open_for_reading(path) as connection:
            return None if connection is None else _fault_of_tables(connection, kind)
    except JournalError as error:
        return _lasting_fault(error)


def _fault_of_name(label: str, kind: str) -> str | None:
    try:
        start_ms_of(label)
    except ValueError:
        return "its name is no date"
    return None if len(label) == (6 if kind == HOURS else 8) else "its name is of another kind"


def _fault_of_tables(connection: sqlite3.Connection, kind: str) -> str | None:
    if not columns_of(connection, "series") >= SERIES_COLUMNS:
        return "it lacks the table series"
    if kind == EVIDENCE:
        connection.execute("SELECT t, series, packed FROM requests LIMIT 1").fetchone()
        return None
    last: object = last_row(connection) if kind == SAMPLES else last_rollup(connection)
    return None if isinstance(last, int) else "its rows are not numbered"


def _lasting_fault(error: JournalError) -> str | None:
    cause = error.__cause__
    if isinstance(cause, sqlite3.Error):
        code = getattr(cause, "sqlite_errorcode", 0) & 0xFF
        return None if code in PASSING else str(cause)
    return None  # of a newer version, or an error of the system
