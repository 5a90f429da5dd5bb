"""Space that is kept for opening the ledger on a full disk: SQLite needs some for its log.

A daemon that cannot open its ledger cannot start, and sends no message at all.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from monitor.adapters.ledger.database_file import FILE_MODE
from monitor.adapters.ledger.errors import MIN_FREE_BYTES

SUFFIX = ".reserve"
SIZE = 8 * MIN_FREE_BYTES
MARGIN = 1_000_000
"""This much must be free beside the reserve before it is made."""


class StartReserve:
    """The file `ledger.reserve` beside `ledger.db`."""

    def __init__(self, ledger: Path) -> None:
        self._path = ledger.with_suffix(SUFFIX)

    def keep(self) -> None:
        """Make it where it is absent or used up and there is room; no error where that fails."""
        try:
            size = self._path.lstat().st_size if self._path.exists() else 0
            if size >= SIZE or shutil.disk_usage(self._path.parent).free < SIZE + MARGIN:
                return
            flags = os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
            descriptor = os.open(self._path, flags, FILE_MODE)
            try:
                os.fchmod(descriptor, FILE_MODE)  # os.open applies the umask
                os.posix_fallocate(descriptor, 0, SIZE)
            finally:
                os.close(descriptor)
        except OSError:
            return

    def give_back(self) -> bool:
        """Give back what one attempt needs; others may take it first. False: nothing is left."""
        try:
            descriptor = os.open(self._path, os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except OSError:
            return False
        try:
            size = os.fstat(descriptor).st_size
            os.ftruncate(descriptor, max(0, size - MIN_FREE_BYTES))
        except OSError:
            return False
        finally:
            os.close(descriptor)
        return size > 0
