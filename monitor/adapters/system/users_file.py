"""The users file of the web page: users.json in the data directory, mode 0640.

It is not part of the configuration: commands change it while everything runs, a container mounts
its configuration read-only, and the web server's user can read the data directory through its
group but nothing that only root can read.
"""

from __future__ import annotations

import fcntl
import json
import os
import threading
from collections.abc import Callable
from pathlib import Path

from monitor.adapters.system.atomic_file import replace_file
from monitor.adapters.system.data_directory import give_to_owner, open_trusted
from monitor.core.access import Users, users_document, users_from_document
from monitor.core.errors import ConfigError

USERS_FILE = "users.json"
MARKER_FILE = "had-users"
"""Is there once a user was added: without users the page is open to everybody, and a file that is
lost must not open it."""

MODE = 0o640
MAX_BYTES = 1_000_000

_Version = tuple[int, int, int]
"""Modification time in ns, size and inode."""


class UsersFile:
    """Reads the file again when it has changed. Thread-safe."""

    def __init__(self, data_dir: Path) -> None:
        self.path = data_dir / USERS_FILE
        self._lock = threading.Lock()
        self._cached: tuple[_Version | None, Users] | None = None

    def read(self) -> Users:
        """All users; none when there never was a file.

        Raises ConfigError: unreadable, damaged, or lost although there were users.
        """
        version = self._version()
        if version is None:
            self._require_never_used()
        with self._lock:
            if self._cached is None or self._cached[0] != version:
                self._cached = (version, Users() if version is None else self._load())
            return self._cached[1]

    def remember(self) -> None:
        """Note that there are users, for files of versions that did not. Raises ConfigError."""
        if self._version() is not None and self.read().users:
            self._mark()

    def change(self, edit: Callable[[Users], Users]) -> Users:
        """Replace the file atomically by what `edit` makes of the users; one change at a time.

        Raises ConfigError, and whatever `edit` raises.
        """
        try:
            flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
            lock = os.open(f"{self.path}.lock", flags, 0o600)
        except OSError as error:
            raise self._config_error("cannot be changed", error) from error
        try:
            give_to_owner(lock, self.path.parent, self.path.parent)
            fcntl.flock(lock, fcntl.LOCK_EX)
            users = edit(self.read())
            text = json.dumps(users_document(users), indent=1).encode() + b"\n"
            replace_file(self.path, text, MODE)
            if users.users:
                self._mark()
        except OSError as error:
            raise self._config_error("cannot be changed", error) from error
        finally:
            os.close(lock)
        return users

    def _mark(self) -> None:
        marker = self.path.with_name(MARKER_FILE)
        try:
            if not marker.exists():
                replace_file(marker, b"", MODE)
        except OSError as error:
            raise self._config_error("cannot be marked", error) from error

    def _require_never_used(self) -> None:
        marker = self.path.with_name(MARKER_FILE)
        try:
            is_lost = marker.exists()
        except OSError as error:
            raise self._config_error("cannot be looked at", error) from error
        if is_lost:
            raise ConfigError(
                f"{self.path} is gone although there were users: nobody is let in; put back a copy,"
                f" or remove {marker} to begin without users"
            )

    def _version(self) -> _Version | None:
        try:
            status = self.path.stat()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise self._config_error("cannot be looked at", error) from error
        return status.st_mtime_ns, status.st_size, status.st_ino

    def _load(self) -> Users:
        try:
            with os.fdopen(open_trusted(self.path), "rb") as file:
                raw = file.read(MAX_BYTES + 1)
        except FileNotFoundError:
            self._require_never_used()
            return Users()
        except OSError as error:
            raise self._config_error("cannot be read", error) from error
        try:
            return users_from_document(json.loads(raw))
        except (ValueError, RecursionError) as error:
            raise ConfigError(
                f"{self.path} is damaged: put back a copy, or remove it and add the users anew"
            ) from error
        except ConfigError as error:
            raise ConfigError(
                f"{self.path} is damaged ({error}): put back a copy, or remove it and add anew"
            ) from error

    def _config_error(self, problem: str, error: OSError) -> ConfigError:
        return ConfigError(
            f"{self.path} {problem} ({error.strerror}): its directory belongs to the user that "
            "runs pantau; run this as root or as that user"
        )
