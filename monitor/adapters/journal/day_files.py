"""The journal's files: their names, how they are opened, and their errors.

    samples-YYYYMMDD.db   raw rows, a UTC day        sample_files.py
    evidence-YYYYMMDD.db  every request, packed      evidence_files.py
    minutes-YYYYMMDD.db   1-minute rollups           rollup_files.py
    hours-YYYYMM.db       1-hour rollups, a month    rollup_files.py

A label is the part of the name that says which day (YYYYMMDD) or month (YYYYMM) a file is for.
"""

from __future__ import annotations

import errno
import os
import re
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

from monitor.core.errors import JournalDamaged, JournalError, JournalFull

LAYOUT = 1
"""`PRAGMA user_version` of a file. A new column needs no new number, another meaning does."""

DAY_MS = 86_400_000
BUSY_S = 5.0
FILE_MODE = 0o640
DIRECTORY_MODE = 0o750
READ_ATTEMPTS = 5
READ_PAUSE_S = 0.02

SAMPLES = "samples"
EVIDENCE = "evidence"
MINUTES = "minutes"
HOURS = "hours"
KINDS = (SAMPLES, EVIDENCE, MINUTES, HOURS)
"""Each has files of its own, because each has a retention of its own."""

_NAME = re.compile(r"([a-z]+)-(\d{6}|\d{8})\.db")
FULL_BELOW = 524_288
"""With fewer bytes free than this an I/O error is taken for a full disk."""

DAMAGED = ("SQLITE_CORRUPT", "SQLITE_NOTADB")


def day_of(at_ms: int) -> str:
    """The UTC day of a moment, `YYYYMMDD`."""
    return datetime.fromtimestamp(at_ms // 1000, UTC).strftime("%Y%m%d")


def month_of(at_ms: int) -> str:
    """The UTC month of a moment, `YYYYMM`."""
    return day_of(at_ms)[:6]


def label_of(kind: str, at_ms: int) -> str:
    """The label of the file that holds the rows of a moment."""
    return month_of(at_ms) if kind == HOURS else day_of(at_ms)


def start_ms_of(label: str) -> int:
    """The Unix milliseconds at which a day or a month begins."""
    date = int(label[:4]), int(label[4:6]), int(label[6:8] or "1")
    return int(datetime(*date, tzinfo=UTC).timestamp()) * 1000


def next_day(day: str) -> str:
    return day_of(start_ms_of(day) + DAY_MS)


def path_of(directory: Path, label: str, kind: str = SAMPLES) -> Path:
    return directory / f"{kind}-{label}.db"


def days_in(directory: Path, kind: str = SAMPLES) -> list[str]:
    """The labels that have a file, the oldest first; none when there is no directory."""
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


def days_overlapping(directory: Path, start_ms: int, end_ms: int, kind: str = SAMPLES) -> list[str]:
    """The days whose files may hold raw rows or evidence of [start_ms, end_ms)."""
    if end_ms <= start_ms:
        return []
    # A batch over midnight lies whole in the later day's file: look one day further.
    first, last = day_of(start_ms), next_day(day_of(end_ms - 1))
    return [day for day in days_in(directory, kind) if first <= day <= last]


def create_directory(directory: Path) -> None:
    """Create the journal's directory; its group may read."""
    if directory.is_dir():
        return
    try:
        directory.mkdir(parents=True, exist_ok=True)
        directory.chmod(DIRECTORY_MODE)  # mkdir alone applies the umask
    except OSError as error:
        raise JournalError(
            f"the journal's directory {directory} cannot be made: {error.strerror}"
        ) from error


def size_of(directory: Path, label: str, kind: str = SAMPLES) -> int:
    """Bytes on the disk, the write-ahead log included."""
    path = path_of(directory, label, kind)
    return sum(each.stat().st_size for each in _with_companions(path) if each.exists())


def size_of_all(directory: Path, kind: str) -> int:
    """Bytes of all files of one kind."""
    return sum(size_of(directory, label, kind) for label in days_in(directory, kind))


def remove(directory: Path, label: str, kind: str = SAMPLES) -> None:
    """Remove one file. A reader that has it open keeps what it sees until it closes."""
    for each in reversed(_with_companions(path_of(directory, label, kind))):
        each.unlink(missing_ok=True)


def _with_companions(path: Path) -> list[Path]:
    return [path, path.with_name(f"{path.name}-wal"), path.with_name(f"{path.name}-shm")]


def inode_of(path: Path) -> tuple[int, int] | None:
    """Which file has this name now (device, inode); None when there is none."""
    try:
        status = path.stat()
    except FileNotFoundError:
        return None
    return status.st_dev, status.st_ino


def inodes_of(path: Path) -> tuple[tuple[int, int] | None, ...]:
    """Of a file and of its log."""
    return inode_of(path), inode_of(path.with_name(f"{path.name}-wal"))


def set_aside(path: Path, why: str) -> Path:
    """Rename a file and its log to `<name>.<why>-1`, `-2` …; returns the new path."""
    count = 1
    while os.path.lexists(aside := path.with_name(f"{path.name}.{why}-{count}")):
        count += 1
    for suffix in ("-wal", "-shm", ""):
        companion = path.with_name(f"{path.name}{suffix}")
        if os.path.lexists(companion):
            companion.rename(aside.with_name(f"{aside.name}{suffix}"))
    return aside


def put_back(
    connection: sqlite3.Connection, path: Path, opened: tuple[tuple[int, int] | None, ...]
) -> str:
    """Write a file anew that was taken away or replaced while it is open; closes the connection.

    The open connection still reads all of it. opened: `inodes_of` it. Returns what was done, in a
    sentence; a strange file in its place is kept.
    """
    create_directory(path.parent)
    restored = path.with_name(f"{path.name}.restored")
    restored.unlink(missing_ok=True)
    os.close(os.open(restored, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, FILE_MODE))
    with closing(sqlite3.connect(restored)) as copy:
        connection.backup(copy)
    there, log = inodes_of(path)
    companions = _with_companions(path)[1:]
    if log == opened[1]:
        for each in companions:
            each.unlink(missing_ok=True)  # it must not come beside another file
    what = "was taken away while the daemon has it open: it was written anew, with all its rows"
    if there is not None and there != opened[0]:
        aside = set_aside(path, "replaced")
        what = (
            "was replaced while the daemon has it open: the daemon's own is in its place again, "
            f"the other file is {aside.name}"
        )
    connection.close()  # removes the log by its name
    for each in companions:
        each.unlink(missing_ok=True)
    restored.replace(path)
    return f"the journal {path} {what}"


@contextmanager
def open_for_reading(path: Path) -> Iterator[sqlite3.Connection | None]:
    """A read-only connection for one query; None when there is no (finished) file.

    Opened anew each time: safe from any thread, and a file that is removed is released. Nothing is
    written, not even `-shm`: a user who may only read can do all this.
    """
    with journal_errors(path):
        if not path.exists():
            yield None
            return
        connection, layout = _open_read_only(path)
        with closing(connection):
            _refuse_newer(path, layout)
            yield connection if layout else None


def _open_read_only(path: Path) -> tuple[sqlite3.Connection, int]:
    """A connection, and the layout of its file.

    Without a log (`-wal`) nobody writes the file: it is read as one that does not change, since
    SQLite would else have to create a log. A daemon that begins to write it meanwhile writes into
    a log first.
    """
    log = path.with_name(f"{path.name}-wal")
    for attempt in range(1, READ_ATTEMPTS + 1):
        how = "mode=ro" if log.exists() else "mode=ro&immutable=1"
        connection = sqlite3.connect(f"{path.absolute().as_uri()}?{how}", uri=True, timeout=BUSY_S)
        try:
            return connection, connection.execute("PRAGMA user_version").fetchone()[0]
        except sqlite3.OperationalError as error:
            connection.close()
            # The log is being started anew: for a moment only a writer may read it; or it has
            # just been removed.
            code = error.sqlite_errorcode & 0xFF
            passes = code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN)
            if not passes or attempt == READ_ATTEMPTS:
                raise
            time.sleep(READ_PAUSE_S)
    raise AssertionError("unreachable")


def open_for_writing(
    path: Path, create_tables: Callable[[sqlite3.Connection], None], synchronous: str = "FULL"
) -> sqlite3.Connection:
    """Open or create a file with the present tables and columns; autocommit, any thread."""
    # Created here first: SQLite gives its -wal and -shm the mode that this file has.
    # A link in its place is refused: root must not write where another user points it to.
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, FILE_MODE)
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
        create_tables(connection)
        connection.execute(f"PRAGMA user_version = {LAYOUT}")
        connection.execute("COMMIT")
    except (sqlite3.Error, JournalError):
        connection.close()
        raise
    return connection


@contextmanager
def write_transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """Commit what is written inside, or roll all of it back."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:  # SQLite itself rolls back for some errors
            connection.execute("ROLLBACK")
        raise


@contextmanager
def journal_errors(path: Path) -> Iterator[None]:
    """Raise errors of SQLite and of the system as JournalError or JournalFull, naming the file."""
    try:
        yield
    except sqlite3.Error as error:
        name = getattr(error, "sqlite_errorname", "")
        if name == "SQLITE_FULL" or ("IOERR" in name and free_bytes(path.parent) < FULL_BELOW):
            raise JournalFull(full_message(path)) from error
        kind = JournalDamaged if name in DAMAGED else JournalError
        raise kind(_error_message(path, error)) from error
    except IsADirectoryError as error:
        raise JournalDamaged(f"the journal {path} is a directory: move it away") from error
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise JournalFull(full_message(path)) from error
        raise JournalError(f"the journal {path} cannot be opened: {error.strerror}") from error


def full_message(path: Path) -> str:
    """The message for a full disk."""
    return (
        f"the disk of the journal {path} is full: samples are not kept until there is "
        f"space again (remove what is not needed, or lower max_mb)"
    )


def free_bytes(directory: Path) -> int:
    """Bytes that this user may still write there; 0 when they cannot be read."""
    try:
        status = os.statvfs(directory)
    except OSError:
        return 0
    return status.f_bavail * status.f_frsize


def _error_message(path: Path, error: sqlite3.Error) -> str:
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


def _refuse_newer(path: Path, layout: int) -> None:
    if layout > LAYOUT:
        raise JournalError(
            f"the journal {path} was written by a newer pantau: install that version, "
            f"or move the file away"
        )
