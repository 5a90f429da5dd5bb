"""The SQLite file of the ledger: create, open, check and copy it.

Exactly one connection may write, and the daemon has it: SQLite before 3.51.3 (Debian 12 has
3.40) can lose a reset of the write-ahead log when two connections write or checkpoint. A
reader opens read-only, so that it can do neither.
"""

from __future__ import annotations

import glob
import os
import sqlite3
import time
from collections.abc import Mapping
from pathlib import Path

from sqlalchemy import (
    URL,
    Connection,
    Engine,
    NullPool,
    Pool,
    QueuePool,
    create_engine,
    event,
    make_url,
)
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, OperationalError

from monitor.core.errors import LedgerError

FILE_MODE = 0o640
"""The daemon's group may read. SQLite gives `-wal` and `-shm` the same mode; a reader that may not
write `-shm` reads a live log all the same (SQLite 3.22 and later)."""

READ_ATTEMPTS = 5
READ_PAUSE_S = 0.02

WRITER_BUSY_S = 2.0
READER_BUSY_S = 1.0


def location(where: str | Path) -> Path | URL:
    """A path, or the URL of a server for anything like `postgresql://…`."""
    if isinstance(where, Path) or "://" not in where:
        return Path(where)
    try:
        url = make_url(where)
    except ArgumentError as error:
        raise LedgerError(f"{where} is neither a path nor the URL of a database") from error
    if url.get_backend_name() != "sqlite":
        return url
    if not url.database or url.database == ":memory:":
        raise LedgerError(f"{where} names no file: a ledger must outlive the daemon")
    return Path(url.database)


def name_of(place: Path | URL) -> str:
    """For messages; a password stays out of them."""
    return str(place) if isinstance(place, Path) else place.render_as_string(hide_password=True)


def sqlite_path(place: Path | URL) -> Path | None:
    return place if isinstance(place, Path) else None


def create_file(path: Path) -> bool:
    """Create an empty file with the right mode; False when there is a file already."""
    try:
        descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, FILE_MODE)
    except FileExistsError:
        return False
    os.fchmod(descriptor, FILE_MODE)  # os.open applies the umask
    os.close(descriptor)
    return True


def inode_of(path: Path) -> tuple[int, int] | None:
    """Which file has this name now (device, inode); None when there is none."""
    try:
        status = path.stat()
    except FileNotFoundError:
        return None
    return status.st_dev, status.st_ino


def remove_log(path: Path) -> None:
    """Remove the log of a file that nobody has open any more, and the log's index."""
    for suffix in ("-wal", "-shm"):
        path.with_name(f"{path.name}{suffix}").unlink(missing_ok=True)


def set_aside(path: Path, why: str) -> Path:
    """Rename a file and its log to `<name>.<why>-1`, `-2` …; returns the new path."""
    count = 1
    while os.path.lexists(aside := path.with_name(f"{path.name}.{why}-{count}")):
        count += 1
    for suffix in ("-wal", "-shm", ""):
        companion = path.with_name(f"{path.name}{suffix}")
        if companion.exists():
            companion.rename(aside.with_name(f"{aside.name}{suffix}"))
    return aside


def _refuse_strange_link(path: Path) -> None:
    """Root's own link to another disk is followed, another user's is not."""
    if path.is_symlink():
        trusted = {0, os.geteuid(), path.parent.stat().st_uid}
        if path.lstat().st_uid not in trusted:
            raise LedgerError(f"{path} is a link that another user made: remove it")


def writer_engine(place: Path | URL, *, foreign_keys: bool = True) -> Engine:
    """An engine with one connection; a second thread waits for it."""
    if not isinstance(place, Path):
        return _server_engine(place, QueuePool, {"pool_size": 1, "max_overflow": 0})

    def connect() -> sqlite3.Connection:
        _refuse_strange_link(place)
        connection = sqlite3.connect(
            place, timeout=WRITER_BUSY_S, isolation_level=None, check_same_thread=False
        )
        mode = connection.execute("PRAGMA journal_mode = WAL").fetchone()[0]
        if mode != "wal":
            raise LedgerError(
                f"the file system of {place} cannot hold a write-ahead log (SQLite says"
                f" {mode}): put data_dir on a local disk"
            )
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute(f"PRAGMA foreign_keys = {'ON' if foreign_keys else 'OFF'}")
        return connection

    engine = create_engine(
        "sqlite+pysqlite://", creator=connect, poolclass=QueuePool, pool_size=1, max_overflow=0
    )
    # Take the write lock first: a transaction that reads before it writes could otherwise not
    # get it any more when something was committed in between.
    event.listen(engine, "begin", _begin_immediate)
    return engine


def reader_engine(place: Path | URL) -> Engine:
    """An engine with a new read-only connection for each query: it never blocks the writer."""
    if not isinstance(place, Path):
        return _server_engine(place, NullPool, {})
    log = place.with_name(f"{place.name}-wal")

    def connect() -> sqlite3.Connection:
        # Without a log no process has the ledger open, and the file itself is read. Opening it
        # as usual would create a log: refused to a user who may not write in the directory, and
        # for one who may, a file that the daemon's user perhaps cannot open. A daemon that starts
        # meanwhile writes into a log first, not into this file.
        how = "mode=ro" if log.exists() else "mode=ro&immutable=1"
        return sqlite3.connect(
            f"{place.absolute().as_uri()}?{how}",
            uri=True,
            timeout=READER_BUSY_S,
            isolation_level=None,
            check_same_thread=False,
        )

    engine = create_engine("sqlite+pysqlite://", creator=connect, poolclass=NullPool)
    # Python's sqlite3 begins nothing for a SELECT; two of them shall see the same moment.
    event.listen(engine, "begin", _begin_reading)
    return engine


def check_integrity(connection: Connection) -> str | None:
    """The first fault that SQLite finds in the structure of the file, or None."""
    result = str(connection.exec_driver_sql("PRAGMA quick_check(1)").scalar_one())
    return None if result == "ok" else result.splitlines()[-1]


def copy_path(path: Path, revision: str) -> Path:
    """The path of the copy that is made before the migration to `revision`."""
    return path.with_name(f"{path.name}.before-{revision}")


def existing_copies(path: Path) -> list[Path]:
    """All such copies that exist, by revision."""
    return sorted(path.parent.glob(f"{glob.escape(path.name)}.before-*"))


def copy_database(source: sqlite3.Connection, path: Path, target: Path) -> None:
    """A whole copy, with what is still in the log; complete and synced, or not there at all.

    source: the connection that has `path` open; there must not be a second one that writes.
    """
    unfinished = path.with_name(f"{path.name}.unfinished-copy")
    try:
        unfinished.unlink(missing_ok=True)
        create_file(unfinished)
        copied = sqlite3.connect(unfinished)
        try:
            source.backup(copied)
        finally:
            copied.close()
        _sync(unfinished)
        unfinished.replace(target)
        _sync(target.parent)
    except (sqlite3.Error, OSError) as error:
        unfinished.unlink(missing_ok=True)
        needed_mb = (path.stat().st_size if path.exists() else 0) // 1_000_000 + 1
        raise LedgerError(
            f"no copy of the ledger can be made at {target} ({error}), so nothing was changed:"
            f" see that {needed_mb} MB are free there, and start again"
        ) from error


def _server_engine(url: URL, pool: type[Pool], size: Mapping[str, int]) -> Engine:
    try:
        # The queries of one transaction see one moment, as they do in a file.
        return create_engine(url, isolation_level="REPEATABLE READ", poolclass=pool, **size)
    except (NoSuchModuleError, ImportError) as error:
        raise LedgerError(
            f"the ledger {name_of(url)} needs a driver that is not installed ({error})"
        ) from error


def _begin_immediate(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _begin_reading(connection: Connection) -> None:
    """Begin, and look at the file: from here on the transaction sees one moment.

    While the log is being started anew, only a writer may read it for a moment: tried again.
    """
    for attempt in range(1, READ_ATTEMPTS + 1):
        connection.exec_driver_sql("BEGIN")
        try:
            connection.exec_driver_sql("SELECT 1 FROM sqlite_schema LIMIT 1")
        except OperationalError as error:
            code = getattr(error.orig, "sqlite_errorcode", 0) & 0xFF
            connection.exec_driver_sql("ROLLBACK")
            if code != sqlite3.SQLITE_READONLY or attempt == READ_ATTEMPTS:
                raise
            time.sleep(READ_PAUSE_S)
        else:
            return


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
