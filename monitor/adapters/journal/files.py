"""The day files: their names, their tables, and how they are opened."""

from __future__ import annotations

import os
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

from monitor.adapters.journal.rows import SQL_TYPE, quoted
from monitor.core.errors import JournalError
from monitor.core.schema import MEASUREMENTS

LAYOUT = 1
"""`PRAGMA user_version` of a day file. A new column needs no new number, another meaning does."""

DAY_MS = 86_400_000
BUSY_S = 5.0
FILE_MODE = 0o660
DIRECTORY_MODE = 0o2770

_NAME = re.compile(r"samples-(\d{8})\.db")


def day_of(at_ms: int) -> str:
    """The UTC day of a moment, `YYYYMMDD`."""
    return datetime.fromtimestamp(at_ms // 1000, UTC).strftime("%Y%m%d")


def start_of(day: str) -> int:
    """The Unix milliseconds at which a day begins."""
    return int(datetime.strptime(day, "%Y%m%d").replace(tzinfo=UTC).timestamp()) * 1000


def next_day(day: str) -> str:
    return day_of(start_of(day) + DAY_MS)


def path_of(directory: Path, day: str) -> Path:
    return directory / f"samples-{day}.db"


def days_in(directory: Path) -> list[str]:
    """The days that have a file, the oldest first; none when there is no directory."""
    try:
        names = [entry.name for entry in os.scandir(directory)]
    except FileNotFoundError:
        return []
    except OSError as error:
        raise JournalError(
            f"the journal's directory {directory} cannot be read: {error.strerror}"
        ) from error
    return sorted(match[1] for name in names if (match := _NAME.fullmatch(name)))


def make_directory(directory: Path) -> None:
    """The journal's directory; a new one is for the group, and so is what is made in it."""
    if directory.is_dir():
        return
    try:
        directory.mkdir(parents=True, exist_ok=True)
        directory.chmod(DIRECTORY_MODE)  # mkdir alone heeds the umask and drops the group's bit
    except OSError as error:
        raise JournalError(
            f"the journal's directory {directory} cannot be made: {error.strerror}"
        ) from error


def size_of(directory: Path, day: str) -> int:
    """Bytes on the disk, the write-ahead log included."""
    path = path_of(directory, day)
    return sum(each.stat().st_size for each in _with_companions(path) if each.exists())


def remove(directory: Path, day: str) -> None:
    """Remove one day. A reader that has it open keeps what it sees until it closes."""
    for each in reversed(_with_companions(path_of(directory, day))):
        each.unlink(missing_ok=True)


def _with_companions(path: Path) -> list[Path]:
    return [path, path.with_name(f"{path.name}-wal"), path.with_name(f"{path.name}-shm")]


@contextmanager
def told(path: Path) -> Iterator[None]:
    """SQLite's errors as one sentence that names the file."""
    try:
        yield
    except sqlite3.Error as error:
        raise JournalError(_sentence(path, error)) from error
    except OSError as error:
        raise JournalError(f"the journal {path} cannot be opened: {error.strerror}") from error


def _sentence(path: Path, error: sqlite3.Error) -> str:
    match getattr(error, "sqlite_errorname", ""):
        case "SQLITE_FULL":
            return (
                f"the disk of the journal {path} is full: samples are not kept until there is "
                f"space again (remove what is not needed, or lower max_mb)"
            )
        case "SQLITE_CORRUPT" | "SQLITE_NOTADB":
            return f"the journal {path} is damaged ({error}): move it away, a new one is begun"
        case "SQLITE_CANTOPEN" | "SQLITE_READONLY" | "SQLITE_PERM":
            return (
                f"the journal {path} cannot be opened ({error}): it and its directory must be "
                f"writable for this user or its group"
            )
        case _:
            return f"the journal {path} failed: {error}"


@contextmanager
def reading(path: Path) -> Iterator[sqlite3.Connection | None]:
    """A read-only connection for one question; None when the day has no (finished) file.

    Opened anew each time: safe from any thread, and a file that is removed is let go.
    """
    with told(path):
        if not path.exists():
            yield None
            return
        uri = f"{path.absolute().as_uri()}?mode=ro"
        with closing(sqlite3.connect(uri, uri=True, timeout=BUSY_S)) as connection:
            layout = connection.execute("PRAGMA user_version").fetchone()[0]
            _refuse_newer(path, layout)
            yield connection if layout else None


def open_for_writing(path: Path) -> sqlite3.Connection:
    """The day's file, made or brought up to the present columns; autocommit, any thread."""
    # Made here first: SQLite gives its -wal and -shm the mode that this file has.
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, FILE_MODE)
    try:
        if os.fstat(handle).st_uid == os.geteuid():
            os.fchmod(handle, FILE_MODE)
    finally:
        os.close(handle)
    connection = sqlite3.connect(
        path, isolation_level=None, timeout=BUSY_S, check_same_thread=False
    )
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("BEGIN IMMEDIATE")
        _refuse_newer(path, connection.execute("PRAGMA user_version").fetchone()[0])
        _make_tables(connection)
        connection.execute(f"PRAGMA user_version = {LAYOUT}")
        connection.execute("COMMIT")
    except (sqlite3.Error, JournalError):
        connection.close()
        raise
    return connection


def _refuse_newer(path: Path, layout: int) -> None:
    if layout > LAYOUT:
        raise JournalError(
            f"the journal {path} was written by a newer pantau: install that version, "
            f"or move the file away"
        )


def _make_tables(connection: sqlite3.Connection) -> None:
    connection.execute(
        "CREATE TABLE IF NOT EXISTS series (id INTEGER PRIMARY KEY, measurement TEXT NOT NULL,"
        " identity TEXT NOT NULL, UNIQUE (measurement, identity))"
    )
    connection.execute(
        "CREATE TABLE IF NOT EXISTS batch (first_seq INTEGER PRIMARY KEY,"
        " last_seq INTEGER NOT NULL, t_min INTEGER NOT NULL, t_max INTEGER NOT NULL)"
    )
    for measurement in MEASUREMENTS:
        table = quoted(measurement.name)
        connection.execute(
            f"CREATE TABLE IF NOT EXISTS {table} (seq INTEGER PRIMARY KEY,"
            f" series INTEGER NOT NULL, t INTEGER NOT NULL)"
        )
        have = columns_of(connection, measurement.name)
        for field in measurement.fields:
            if field.name not in have:
                connection.execute(
                    f"ALTER TABLE {table} ADD COLUMN {quoted(field.name)} {SQL_TYPE[field.kind]}"
                )


def columns_of(connection: sqlite3.Connection, table: str) -> frozenset[str]:
    """The columns that a file of whatever age has; none when it lacks the table."""
    return frozenset(
        row[0] for row in connection.execute("SELECT name FROM pragma_table_info(?)", (table,))
    )
