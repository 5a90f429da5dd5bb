"""The sessions of the page that were ended: signed-out.json in the data directory.

The daemon writes it, the page reads it.
"""

from __future__ import annotations

import json
import os
import threading
from pathlib import Path

from monitor.adapters.system.atomic_file import replace_file
from monitor.adapters.system.data_directory import FILE_MODE, open_trusted
from monitor.core.errors import ConfigError
from monitor.core.sign_outs import SignOuts, sign_outs_document, sign_outs_from_document

SIGN_OUTS_FILE = "signed-out.json"
MAX_BYTES = 20_000_000

_Version = tuple[int, int, int]
"""Modification time in ns, size and inode."""


class SignOutsFile:
    """Reads the file again when it has changed. Thread-safe."""

    def __init__(self, data_dir: Path) -> None:
        self.path = data_dir / SIGN_OUTS_FILE
        self._lock = threading.Lock()
        self._cached: tuple[_Version | None, SignOuts] | None = None

    def read(self) -> SignOuts:
        """All of them. Raises ConfigError: unreadable, damaged; nobody is then signed in."""
        version = self._version()
        with self._lock:
            if self._cached is None or self._cached[0] != version:
                self._cached = (version, SignOuts() if version is None else self._load())
            return self._cached[1]

    def end(self, session: str, name: str, until_s: float, now_s: float) -> None:
        """One more; on disk when this returns. Raises ConfigError."""
        found = self.read().with_session(session, name, until_s, now_s)
        text = json.dumps(sign_outs_document(found)).encode() + b"\n"
        try:
            replace_file(self.path, text, FILE_MODE)
        except OSError as error:
            raise self._config_error("written", error) from error

    def _version(self) -> _Version | None:
        try:
            status = self.path.stat()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise self._config_error("looked at", error) from error
        return status.st_mtime_ns, status.st_size, status.st_ino

    def _load(self) -> SignOuts:
        try:
            with os.fdopen(open_trusted(self.path), "rb") as file:
                raw = file.read(MAX_BYTES + 1)
            return sign_outs_from_document(json.loads(raw))
        except FileNotFoundError:
            return SignOuts()
        except OSError as error:
            raise self._config_error("read", error) from error
        except (ValueError, RecursionError, ConfigError) as error:
            raise ConfigError(
                f"{self.path} is damaged: remove it together with session.key, so that everybody "
                "signs in anew, and restart the daemon"
            ) from error

    def _config_error(self, action: str, error: OSError) -> ConfigError:
        return ConfigError(
            f"{self.path} cannot be {action} ({error.strerror}): its directory belongs to the "
            "user that runs the daemon"
        )
