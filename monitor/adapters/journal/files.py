"""The day files: their names, their tables, and how they are opened."""

from __future__ import annotations

import errno
import os
import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

from monitor.adapters.journal.rows import SQL_TYPE, quoted
from monitor.core.errors import JournalError, JournalFull
from monitor.core.samples.schema import MEASUREMENTS, Measurement

LAYOUT = 1
"""`PRAGMA user_version` of a day file. A new column needs no new number, another meaning does."""

DAY_MS = 86_400_000
BUSY_S = 5.0
FILE_MODE = 0o660
DIRECTORY_MODE = 0o2770

SAMPLES = "samples"
EVIDENCE = "evidence"
MINUTES = "minutes"
HOURS = "hours"
KINDS = (SAMPLES, EVIDENCE, MINUTES, HOURS)
"""What lies in files of its own, so that each is kept as long as it is worth keeping.

Hours have a file a month, everything else a file a day (UTC).
"""

_NAME = re.compile(r"([a-z]+)-(\d{6}|\d{8})\.db")
FULL_BELOW = 524_288
"""With less free space than this an error is taken for a full disk, whatever SQLite calls it."""


def day_of(at_ms: int) -> str:
    """The UTC day of a moment, `YYYYMMDD`."""
    return datetime.fromtimestamp(at_ms // 1000, UTC).strftime("%Y%m%d")


def start_of(day: str) -> int:
    """The Unix milliseconds at which a day (YYYYMMDD) or a month (YYYYMM) begins."""
    date = int(day[:4]), int(day[4:6]), int(day[6:8] or "1")
    return int(datetime(*date, tzinfo=UTC).timestamp()) * 1000


def next_day(day: str) -> str:
    return day_of(start_of(day) + DAY_MS)


def month_of(at_ms: int) -> str:
    """The UTC month of a moment, `YYYYMM`."""
    return day_of(at_ms)[:6]


def path_of(directory: Path, day: str, kind: str = SAMPLES) -> Path:
    return directory / f"{kind}-{day}.db"


def days_in(directory: Path, kind: str = SAMPLES) -> list[str]:
    """The days (months) that have a file, the oldest first; none when there is no directory."""
    try:
        names = [entry.name for entry in os.scandir(directory)]
    except FileNotFoundError:
        return []
    except OSError as error:
        raise JournalError(
            f"the journal's directory {directory} cannot be read: {error.strerror}"
        ) from error
    found = (_NAME.fullmatch(name) for name in names)
    return sorted(match[2] for match in found if match and match[1] == kind)


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


def size_of(directory: Path, day: str, kind: str = SAMPLES) -> int:
    """Bytes on the disk, the write-ahead log included."""
    path = path_of(directory, day, kind)
    return sum(each.stat().st_size for each in _with_companions(path) if each.exists())


def remove(directory: Path, day: str, kind: str = SAMPLES) -> None:
    """Remove one file. A reader that has it open keeps what it sees until it closes."""
    for each in reversed(_with_companions(path_of(directory, day, kind))):
        each.unlink(missing_ok=True)


def _with_companions(path: Path) -> list[Path]:
    return [path, path.with_name(f"{path.name}-wal"), path.with_name(f"{path.name}-shm")]


@contextmanager
def told(path: Path) -> Iterator[None]:
    """SQLite's errors as one sentence that names the file."""
    try:
        yield
    except sqlite3.Error as error:
        name = getattr(error, "sqlite_errorname", "")
        if name == "SQLITE_FULL" or ("IOERR" in name and free_in(path.parent) < FULL_BELOW):
            raise JournalFull(full(path)) from error
        raise JournalError(_sentence(path, error)) from error
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise JournalFull(full(path)) from error
        raise JournalError(f"the journal {path} cannot be opened: {error.strerror}") from error


def full(path: Path) -> str:
    """What is said of a full disk."""
    return (
        f"the disk of the journal {path} is full: samples are not kept until there is "
        f"space again (remove what is not needed, or lower max_mb)"
    )


def free_in(directory: Path) -> int:
    """Bytes that this user may still write there; none when nobody can tell."""
    try:
        told = os.statvfs(directory)
    except OSError:
        return 0
    return told.f_bavail * told.f_frsize


def _sentence(path: Path, error: sqlite3.Error) -> str:
    match getattr(error, "sqlite_errorname", ""):
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


def open_for_writing(
    path: Path, make_tables: Callable[[sqlite3.Connection], None], synchronous: str = "FULL"
) -> sqlite3.Connection:
    """A file, made or brought up to the present columns; autocommit, any thread."""
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
        connection.execute(f"PRAGMA synchronous = {synchronous}")
        connection.execute("BEGIN IMMEDIATE")
        _refuse_newer(path, connection.execute("PRAGMA user_version").fetchone()[0])
        make_tables(connection)
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


def make_series(connection: sqlite3.Connection) -> None:
    """The table of whose rows they are; see adapters.journal.rows.identities."""
    connection.execute(
        "CREATE TABLE IF NOT EXISTS series (id INTEGER PRIMARY KEY, measurement TEXT NOT NULL,"
        " identity TEXT NOT NULL, UNIQUE (measurement, identity))"
    )


def make_columns(connection: sqlite3.Connection, measurement: Measurement) -> None:
    """The columns that a file of an older version does not have yet."""
    have = columns_of(connection, measurement.name)
    for field in measurement.fields:
        if field.name not in have:
            connection.execute(
                f"ALTER TABLE {quoted(measurement.name)}"
                f" ADD COLUMN {quoted(field.name)} {SQL_TYPE[field.kind]}"
            )


def make_samples(connection: sqlite3.Connection) -> None:
    """The tables of a day of raw samples. `dirty`: hours to be summed up, and by which row."""
    make_series(connection)
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
        make_columns(connection, measurement)
    if not columns_of(connection, "dirty"):
        connection.execute("CREATE TABLE dirty (hour INTEGER PRIMARY KEY, seq INTEGER NOT NULL)")
        # A file of an older version: whatever it has is still to be summed up.
        connection.execute(
            "INSERT OR REPLACE INTO dirty WITH RECURSIVE hours (hour, last, seq) AS"
            " (SELECT t_min / 3600000 - (t_min < 0), t_max / 3600000, last_seq FROM batch UNION"
            " SELECT hour + 1, last, seq FROM hours WHERE hour < last) SELECT hour, seq FROM hours"
        )


def columns_of(connection: sqlite3.Connection, table: str) -> frozenset[str]:
    """The columns that a file of whatever age has; none when it lacks the table."""
    return frozenset(
        row[0] for row in connection.execute("SELECT name FROM pragma_table_info(?)", (table,))
    )
