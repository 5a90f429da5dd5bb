"""Access to the data directory: the daemon's user writes, its group reads, others nothing.

Some files are for the page only, not for the whole group: the list of users, the keys. Where the
installation made the directory `page`, whose files get the group of the page's user (setgid), they
are made in there and renamed to their place: so the daemon needs no right to change groups.
"""

from __future__ import annotations

import errno
import os
import pwd
import stat
from contextlib import suppress
from pathlib import Path

DIRECTORY_MODE = 0o750
FILE_MODE = 0o640
PAGE_DIRECTORY = "page"
PAGE_FILES = ("users.json", "signed-out.json", "session.key", "link.key")
"""Read by the daemon and the page only."""


def find_user(name: str) -> int | None:
    """The number of a system user; None where there is none of that name.

    A number stands for itself: in a container users may have no name.
    """
    if name.isdecimal():
        return int(name)
    try:
        return pwd.getpwnam(name).pw_uid
    except KeyError:
        return None


def user_name(uid: int) -> str:
    """The name of a system user; `uid 1234` for one without a name."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid {uid}"


def staging_of(path: Path) -> Path:
    """The directory in which a file is made before it is renamed to its place."""
    directory = path.parent / PAGE_DIRECTORY
    for_page = path.name in PAGE_FILES and directory.is_dir() and not directory.is_symlink()
    return directory if for_page else path.parent


def give_to_owner(descriptor: int, data_dir: Path, staging: Path) -> None:
    """What root makes belongs to the daemon, and to the group that reads it."""
    if os.geteuid() == 0:
        with suppress(PermissionError):
            os.fchown(descriptor, data_dir.stat().st_uid, staging.stat().st_gid)


def open_trusted(path: Path) -> int:
    """Open a file of the data directory for reading; a descriptor.

    It must be a plain file of root, of this user or of the directory's owner: a key or a list of
    users that somebody else has put there decides nothing. Raises OSError.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    found = os.fstat(descriptor)
    trusted = {0, os.geteuid(), path.parent.stat().st_uid}
    if not stat.S_ISREG(found.st_mode) or found.st_uid not in trusted:
        os.close(descriptor)
        raise PermissionError(errno.EPERM, f"it is {user_name(found.st_uid)}'s, or no plain file")
    return descriptor


def restrict_access(data_dir: Path) -> None:
    """Take from group and others what an earlier version gave them: files of this user only."""
    for folder, folders, files in os.walk(data_dir):
        for name in ("", *folders):
            if Path(folder, name) != data_dir / PAGE_DIRECTORY:
                _restrict(Path(folder, name), DIRECTORY_MODE)
        for name in files:
            _restrict(Path(folder, name), FILE_MODE)


def _restrict(path: Path, most: int) -> None:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return  # a link, a socket, or another user's
    try:
        found = os.fstat(descriptor)
        mode = stat.S_IMODE(found.st_mode)
        is_plain = stat.S_ISDIR(found.st_mode) or stat.S_ISREG(found.st_mode)
        if is_plain and found.st_uid == os.geteuid() and mode & ~most:
            os.fchmod(descriptor, mode & most)
    finally:
        os.close(descriptor)
