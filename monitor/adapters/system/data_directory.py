"""Access to the data directory: the daemon's user writes, its group reads, others nothing.

Some files are for the page only, not for the whole group: the list of users, the keys. They get
the group of the user that serves the page, where this process may give it.
"""

from __future__ import annotations

import os
import pwd
import stat
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

DIRECTORY_MODE = 0o750
FILE_MODE = 0o640


PAGE_FILES = ("users.json", "signed-out.json", "session.key", "link.key")
"""Read by the daemon and the page only."""


@dataclass(frozen=True, slots=True)
class PageUser:
    """The system user that serves the page; uid and gid None: there is no such user here."""

    uid: int | None = None
    gid: int | None = None


def find_page_user(name: str) -> PageUser:
    """A user by its name or number."""
    try:
        found = pwd.getpwuid(int(name)) if name.isdecimal() else pwd.getpwnam(name)
    except KeyError:
        # In a container users may be numbers only.
        return PageUser(int(name)) if name.isdecimal() else PageUser()
    return PageUser(found.pw_uid, found.pw_gid)


def user_name(uid: int) -> str:
    """The name of a system user; `uid 1234` for one without a name."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid {uid}"


def give_to_page(descriptor: int, directory: Path, gid: int | None) -> None:
    """Let the page, and nobody else of the group, read a file that was just made in `directory`.

    Made by root it belongs to the owner of the directory. gid: None leaves the group. Where this
    process may not give it away the file stays as it is: the page may be in that group, too.
    """
    owner = directory.stat().st_uid if os.geteuid() == 0 else -1
    group = directory.stat().st_gid if gid is None and os.geteuid() == 0 else gid
    with suppress(PermissionError):
        os.fchown(descriptor, owner, -1 if group is None else group)


def restrict_access(directory: Path, page_gid: int | None) -> None:
    """Take from group and others what an earlier version gave them: files of this user only.

    page_gid: the group of PAGE_FILES, None: the directory's.
    """
    for name in PAGE_FILES:
        _share(directory / name, page_gid)
    for folder, folders, files in os.walk(directory):
        for name in ("", *folders):
            _restrict(Path(folder, name), DIRECTORY_MODE)
        for name in files:
            _restrict(Path(folder, name), FILE_MODE)


def _share(path: Path, page_gid: int | None) -> None:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return
    try:
        if page_gid is not None and os.fstat(descriptor).st_uid == os.geteuid():
            give_to_page(descriptor, path.parent, page_gid)
            os.fchmod(descriptor, FILE_MODE)
    finally:
        os.close(descriptor)


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
