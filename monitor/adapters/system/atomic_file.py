"""Atomic replacement of small files."""

from __future__ import annotations

import os
from pathlib import Path

from monitor.adapters.system.data_directory import give_to_owner, staging_of


def replace_file(path: Path, content: bytes, mode: int | None = None) -> None:
    """Write a file beside `path`, sync it and rename it: readers see the old or the new content.

    mode: the permissions, None: those that the umask leaves. Raises OSError.
    """
    staging = staging_of(path)
    temporary = staging / f"{path.name}.new"
    temporary.unlink(missing_ok=True)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    descriptor = os.open(temporary, flags, 0o666 if mode is None else mode)
    with os.fdopen(descriptor, "wb") as file:
        if mode is not None:
            os.fchmod(descriptor, mode)
        give_to_owner(descriptor, path.parent, staging)
        file.write(content)
        file.flush()
        os.fsync(descriptor)
    temporary.replace(path)
