"""Atomic replacement of small files."""

from __future__ import annotations

import errno
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

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


@contextmanager
def new_file(path: Path, mode: int = 0o666) -> Iterator[BinaryIO]:
    """A file that takes the place of `path` when the block ends without an error.

    For commands that root may run in a directory where others can write: no link of theirs is
    followed, no file of theirs written. Raises OSError, also when `path` is a link or a device.
    """
    try:
        found = path.lstat().st_mode
    except FileNotFoundError:
        found = stat.S_IFREG
    if not stat.S_ISREG(found):
        kind = "a link" if stat.S_ISLNK(found) else "no plain file"
        raise OSError(errno.ELOOP, f"it is {kind}: name another file")
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    descriptor = os.open(temporary, flags, mode)
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
