"""The numbers given out without the ledger, kept in the times of an empty file.

A full disk refuses to store a byte, but lets the times of a file be set. The file is made at the
first start, while there is room. mtime: the incident id, atime: the sequence (seconds).
"""

from __future__ import annotations

import os
from pathlib import Path

from monitor.core.alerting.given_out import GivenOut

FILE_MODE = 0o640


class GivenOutFile:
    """`GivenOutStore` in the times of one file."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def load(self) -> GivenOut:
        try:
            found = self._path.stat()
        except FileNotFoundError:
            self.save(GivenOut())
            return GivenOut()
        return GivenOut(max(0, int(found.st_mtime)), max(0, int(found.st_atime)))

    def save(self, numbers: GivenOut) -> None:
        descriptor = os.open(
            self._path, os.O_RDONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, FILE_MODE
        )
        try:
            os.utime(descriptor, (numbers.sequence, numbers.incident))
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
