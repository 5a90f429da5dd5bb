"""Keys that this machine makes for itself, once, and keeps in the data directory."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from monitor.core.errors import ConfigError
from monitor.core.signing import KEY_BYTES

LINK_KEY = "link.key"
"""Signs the links of alerts: the daemon writes them, the page (same group) opens them."""

LINK_KEY_MODE = 0o640
SESSION_KEY = "session.key"
"""Signs who is signed in: the page's alone."""

SESSION_KEY_MODE = 0o600


def load_or_create_key(path: Path, mode: int) -> bytes:
    """The key in that file; made, if there is none. Raises ConfigError.

    Whoever comes first makes it; all others find the very same, whole.
    """
    try:
        return _read(path)
    except FileNotFoundError:
        pass
    new = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    try:
        descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
        try:
            with os.fdopen(descriptor, "w") as file:
                os.fchmod(descriptor, mode)
                file.write(secrets.token_hex(KEY_BYTES) + "\n")
                file.flush()
                os.fsync(descriptor)
            os.link(new, path)
        except FileExistsError:
            pass
        finally:
            new.unlink()
    except OSError as error:
        raise _trouble(path, "made", error) from error
    return _read(path)


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            text = file.read(1024)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise _trouble(path, "read", error) from error
    try:
        key = bytes.fromhex(text.decode())
    except ValueError:
        key = b""
    if len(key) != KEY_BYTES:
        raise ConfigError(f"the key in {path} is damaged: remove the file, another one is made")
    return key


def _trouble(path: Path, what: str, error: OSError) -> ConfigError:
    return ConfigError(
        f"the key in {path} cannot be {what} ({error.strerror}): "
        "give the file and its directory to the user that runs this"
    )
