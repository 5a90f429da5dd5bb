"""The users of the web page, in one file of the data directory.

It stands there and not with the configuration: commands write it while everything runs, a
container mounts its configuration read-only, and the page's own user can read the data directory
(its group) but nothing that is root's alone. Mode 0640: the group reads, nobody else.
"""

from __future__ import annotations

import fcntl
import json
import os
import threading
from collections.abc import Callable
from pathlib import Path

from monitor.core.access import Users, parse_users, users_document
from monitor.core.errors import ConfigError

USERS_FILE = "users.json"
MODE = 0o640
MOST_BYTES = 1_000_000


class UsersFile:
    """Reads anew when the file was changed. Any number of threads may ask."""

    def __init__(self, data_dir: Path) -> None:
        self.path = data_dir / USERS_FILE
        self._lock = threading.Lock()
        self._read: tuple[tuple[int, int, int] | None, Users] | None = None

    def read(self) -> Users:
        """Everybody; nobody when there is no file. Raises ConfigError: unreadable, damaged."""
        version = self._version()
        with self._lock:
            if self._read is None or self._read[0] != version:
                self._read = (version, Users() if version is None else self._load())
            return self._read[1]

    def change(self, how: Callable[[Users], Users]) -> Users:
        """Write what `how` makes of the users, whole or not at all; one change at a time.

        Raises ConfigError, also what `how` raises.
        """
        try:
            lock = os.open(f"{self.path}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise self._trouble("cannot be changed", error) from error
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            users = how(self.read())
            self._write(users)
        except OSError as error:
            raise self._trouble("cannot be changed", error) from error
        finally:
            os.close(lock)
        return users

    def _version(self) -> tuple[int, int, int] | None:
        try:
            status = self.path.stat()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise self._trouble("cannot be looked at", error) from error
        return status.st_mtime_ns, status.st_size, status.st_ino

    def _load(self) -> Users:
        try:
            with self.path.open("rb") as file:
                raw = file.read(MOST_BYTES + 1)
        except FileNotFoundError:
            return Users()
        except OSError as error:
            raise self._trouble("cannot be read", error) from error
        try:
            return parse_users(json.loads(raw))
        except (ValueError, RecursionError) as error:
            raise ConfigError(
                f"{self.path} is damaged: put back a copy, or remove it and add the users anew"
            ) from error
        except ConfigError as error:
            raise ConfigError(
                f"{self.path} is damaged ({error}): put back a copy, or remove it and add anew"
            ) from error

    def _write(self, users: Users) -> None:
        new = self.path.with_suffix(".new")
        new.unlink(missing_ok=True)
        text = json.dumps(users_document(users), indent=1).encode() + b"\n"
        descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, MODE)
        with os.fdopen(descriptor, "wb") as file:
            os.fchmod(descriptor, MODE)
            file.write(text)
            file.flush()
            os.fsync(descriptor)
        new.replace(self.path)

    def _trouble(self, what: str, error: OSError) -> ConfigError:
        return ConfigError(
            f"{self.path} {what} ({error.strerror}): its directory belongs to the user that runs "
            "pantau; run this as root or as that user"
        )
