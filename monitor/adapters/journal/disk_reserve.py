"""A file that reserves disk space, removed when the disk is full so that the alert can be written.

The ledger and its outbox lie on the same disk. Once the file is removed no samples are written
until there is room for it again: they would fill the freed space within minutes.
"""

from __future__ import annotations

import os
from pathlib import Path

from monitor.adapters.journal.day_files import FILE_MODE, free_bytes

NAME = "ballast"
SIZE = 8_000_000
MARGIN = 2_000_000
"""This much must be free beside the reserve before it is created again."""


class DiskReserve:
    """The file `ballast` in the journal's directory. size: bytes."""

    def __init__(self, directory: Path, size: int = SIZE) -> None:
        self._path = directory / NAME
        self._size = size
        self._released = False
        self._create()

    def may_write(self) -> bool:
        """False after `release` until there is room for the file again."""
        if self._released and self._create():
            self._released = False
        return not self._released

    def release(self) -> None:
        """Remove the file, because the disk is full."""
        if self._path.exists():
            self._path.unlink(missing_ok=True)
            self._released = True

    def _create(self) -> bool:
        """Create the file where it is absent and there is room; False when it is still absent."""
        if self._path.exists():
            return True
        if free_bytes(self._path.parent) < self._size + MARGIN:
            return False
        unfinished = self._path.with_suffix(".new")
        try:
            flags = os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
            handle = os.open(unfinished, flags, FILE_MODE)
            try:
                os.fchmod(handle, FILE_MODE)  # os.open alone applies the umask
                os.posix_fallocate(handle, 0, self._size)
            finally:
                os.close(handle)
            unfinished.replace(self._path)
        except OSError:  # no room after all, or a file system without fallocate: go on without
            unfinished.unlink(missing_ok=True)
            return False
        return True
