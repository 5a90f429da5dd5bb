"""Random signing keys in the data directory, created on first use."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from monitor.adapters.system.data_directory import give_to_owner, open_trusted, staging_of
from monitor.core.errors import ConfigError
from monitor.core.signing import KEY_BYTES

LINK_KEY = "link.key"
"""Signs the links of alerts; made by the daemon, read by the page."""

LINK_KEY_MODE = 0o640
SESSION_KEY = "session.key"
"""Signs sessions of the page; made by the daemon, read by the page."""

SHARED_MODE = 0o640
"""Of a key that another user, the page's, reads through its group."""

SESSION_KEY_MODE = 0o600


def load_or_create_key(path: Path, mode: int) -> bytes:
    """Read the key, or create the file with this mode. Raises ConfigError.

    Processes that start at the same time get the same key: the file appears complete (link(2)).
    """
    try:
        return _read(path)
    except FileNotFoundError:
        pass
    staging = staging_of(path)
    temporary = staging / f"{path.name}.{secrets.token_hex(8)}"
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
        try:
            with os.fdopen(descriptor, "w") as file:
                os.fchmod(descriptor, mode)
                give_to_owner(descriptor, path.parent, staging)
                file.write(secrets.token_hex(KEY_BYTES) + "\n")
                file.flush()
                os.fsync(descriptor)
            os.link(temporary, path)
        except FileExistsError:
            pass
        finally:
            temporary.unlink()
    except OSError as error:
        raise _config_error(path, "made", error) from error
    return _read(path)


def _read(path: Path) -> bytes:
    try:
        with os.fdopen(open_trusted(path), "rb") as file:
            text = file.read(1024)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise _config_error(path, "read", error) from error
    try:
        key = bytes.fromhex(text.decode())
    except ValueError:
        key = b""
    if len(key) != KEY_BYTES:
        raise ConfigError(f"the key in {path} is damaged: remove the file, another one is made")
    return key


def _config_error(path: Path, action: str, error: OSError) -> ConfigError:
    return ConfigError(
        f"the key in {path} cannot be {action} ({error.strerror}): "
        "the daemon makes it when it starts, and gives it to the user that serves the page"
    )
