"""Space that is held in reserve, given up when the disk is full so that this can be said.

Without it nobody could write that the disk is full: the ledger and the outbox lie on the same one.
Once it is given up no samples are written until there is room for it again: else they would eat
the reserve within minutes.
"""

from __future__ import annotations

import os
from pathlib import Path

from monitor.adapters.journal.files import FILE_MODE, free_in

NAME = "ballast"
SIZE = 8_000_000
BESIDE = 2_000_000
"""This much must be free beside it, for samples to be written again."""


class Ballast:
    """The file, and whether samples may be written."""

    def __init__(self, directory: Path, size: int = SIZE) -> None:
        self._path = directory / NAME
        self._size = size
        self.given_up = False
        self._lay()

    def may_write(self) -> bool:
        """False while it is given up and there is no room for it yet."""
        if self.given_up and self._lay():
            self.given_up = False
        return not self.given_up

    def give_up(self) -> None:
        """The disk is full: let the reserve go, if there is one."""
        if self._path.exists():
            self._path.unlink(missing_ok=True)
            self.given_up = True

    def _lay(self) -> bool:
        """Is it there? Laid when there is room for it and for something beside."""
        if self._path.exists():
            return True
        directory = self._path.parent
        if free_in(directory) < self._size + BESIDE:
            return False
        beside = self._path.with_suffix(".new")
        try:
            handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, FILE_MODE)
            try:
                os.fchmod(handle, FILE_MODE)  # open alone heeds the umask
                os.posix_fallocate(handle, 0, self._size)
            finally:
                os.close(handle)
            beside.replace(self._path)
        except OSError:  # no room after all, or a file system that cannot: go on without
            beside.unlink(missing_ok=True)
            return False
        return True
