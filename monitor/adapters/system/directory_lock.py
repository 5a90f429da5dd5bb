"""An exclusive lock on the data directory: one daemon at a time.

The kernel releases it (flock(2)) when its holder ends, however it ends.
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from types import TracebackType

from monitor.core.errors import AlreadyRunning, PantauError

LOCK_NAME = "pantau.lock"


class DirectoryLock:
    """Context manager that holds the lock; the lock file contains the holder's process id."""

    def __init__(self, data_dir: Path) -> None:
        self._path = data_dir / LOCK_NAME
        self._descriptor = -1

    def __enter__(self) -> DirectoryLock:
        """Raises AlreadyRunning when another process holds it, PantauError without permission."""
        try:
            flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
            self._descriptor = os.open(self._path, flags, 0o640)
        except OSError as error:
            raise PantauError(
                f"the data directory cannot be used: {self._path}: {error.strerror}; "
                "make it and give it to the user that runs the daemon"
            ) from error
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            holder = self._path.read_text().strip() or "?"
            os.close(self._descriptor)
            raise AlreadyRunning(
                f"another daemon (process {holder}) holds {self._path.parent}: "
                "stop it first, or give this one another data_dir"
            ) from error
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, f"{os.getpid()}\n".encode(), 0)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        os.close(self._descriptor)
