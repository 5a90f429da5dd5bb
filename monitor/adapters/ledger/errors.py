"""Errors of SQLAlchemy and SQLite as LedgerError: one sentence for an operator."""

from __future__ import annotations

import errno
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, SQLAlchemyError

from monitor.adapters.ledger.database_file import existing_copies
from monitor.core.errors import RIGHTS, LedgerError, LedgerFull, RecordRefused

MIN_FREE_BYTES: Final = 65_536
"""What SQLite needs to open a ledger: for its log and the index of the log."""

FULL: Final = "SQLITE_FULL"

MESSAGES: Final[tuple[tuple[str, str], ...]] = (
    (
        FULL,
        "the disk that holds the ledger {where} is full: free some space, and a running daemon"
        " goes on by itself",
    ),
    (
        "SQLITE_BUSY",
        "another program keeps the ledger {where} locked for writing: end that program (nothing"
        " but the daemon may write there)",
    ),
    (
        "SQLITE_READONLY",
        "the ledger {where} may not be written: give the daemon's user write access to the file,"
        " to those beside it that end in -wal and -shm, and to their directory",
    ),
    (
        "SQLITE_CANTOPEN",
        "the ledger {where} cannot be opened: its directory must exist, and this user needs"
        " access to the file and to those beside it that end in -wal and -shm",
    ),
    (
        "SQLITE_IOERR",
        "the disk that holds the ledger {where} reports an error ({words}): see the kernel's log"
        " and look at the disk",
    ),
    ("SQLITE_CORRUPT", "the ledger {where} is damaged ({words}): {mend}"),
    ("SQLITE_NOTADB", "the ledger {where} is damaged ({words}): {mend}"),
)


@contextmanager
def ledger_errors(where: str, path: Path | None) -> Iterator[None]:
    """Raise errors of the database inside as LedgerError that names `where`."""
    try:
        yield
    except (IntegrityError, DataError) as error:
        raise RecordRefused(_message(where, path, error)) from error
    except SQLAlchemyError as error:
        kind = LedgerFull if _error_name(path, error).startswith(FULL) else LedgerError
        raise kind(_message(where, path, error)) from error
    except PermissionError as error:
        raise LedgerError(f"the ledger {where} is not for this user: {RIGHTS}") from error
    except OSError as error:
        kind = LedgerFull if error.errno in (errno.ENOSPC, errno.EDQUOT) else LedgerError
        raise kind(f"the ledger {where} cannot be used: {error.strerror or error}") from error
    except ValueError as error:
        raise RecordRefused(
            f"the ledger {where} and this version of pantau do not agree on a value ({error}):"
            " was it written by another version, or by hand?"
        ) from error


def how_to_mend(path: Path | None) -> str:
    """What to do about a file that cannot be read: the newest copy by name, where there is one."""
    if path is None:
        return "restore it from a backup"
    copies = existing_copies(path)
    away = f"stop the daemon, move {path.name}, {path.name}-wal and {path.name}-shm away"
    if not copies:
        return f"{away} and put a backup in their place, or start without its history"
    return f"{away} and put a backup or the copy {copies[-1].name} in their place"


def _message(where: str, path: Path | None, error: SQLAlchemyError) -> str:
    cause = error.orig if isinstance(error, DBAPIError) else error
    words = str(cause).splitlines()[0] if str(cause) else type(error).__name__
    name = _error_name(path, error)
    for prefix, message in MESSAGES:
        if name.startswith(prefix):
            return message.format(where=where, words=words, mend=how_to_mend(path))
    return f"the ledger {where} refuses: {words}"


def _error_name(path: Path | None, error: SQLAlchemyError) -> str:
    """SQLite's name of the error; empty for one that has none."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    name = getattr(cause, "sqlite_errorname", None) or ""
    if name.startswith(("SQLITE_IOERR", "SQLITE_CANTOPEN")) and _disk_is_full(path):
        return FULL  # reported when there is no room to create the log
    return str(name)


def _disk_is_full(path: Path | None) -> bool:
    if path is None or not path.parent.is_dir():
        return False
    return shutil.disk_usage(path.parent).free < MIN_FREE_BYTES
