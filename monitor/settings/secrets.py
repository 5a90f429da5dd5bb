"""Look up secrets by name. Their texts are in no configuration file, log, repr or error message.

Places, in this order:
1. `$CREDENTIALS_DIRECTORY/<name>`, or `secrets_<name>` there (systemd's LoadCredential= of a file,
   of the folder: `LoadCredential=secrets:/etc/pantau/secrets`),
2. `<config>/secrets/<name>` (mode 0600),
3. the environment variable `PANTAU_SECRET_<NAME>`: capitals, `-` written as `_`.

The meaning of the text is up to its user: a community or a version 3 user for SNMP
(core.snmp_credentials), a token for InfluxDB. A trailing line end is removed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from monitor.core.errors import ConfigError
from monitor.settings.paths import is_secret_name

_MOST_BYTES = 65_536
SYSTEMD_CREDENTIALS = "/run/credentials/"
"""Where systemd puts the credentials of a service."""

_OTHERS_MODE = 0o077
"""Mode bits of everybody but the owner."""


@dataclass(frozen=True, slots=True, repr=False)
class Secret:
    """A text that is only shown by `reveal()`."""

    _text: str

    def reveal(self) -> str:
        return self._text

    def __repr__(self) -> str:
        return "Secret(…)"

    def __str__(self) -> str:
        return repr(self)


class SecretUnavailable(ConfigError):
    """No place has a secret of this name, or this user may not read it."""


class SecretStore:
    """Reads the three places anew at each call."""

    def __init__(self, config_dir: Path, environ: Mapping[str, str]) -> None:
        self._config_dir = config_dir
        self._environ = environ

    def get(self, name: str) -> Secret:
        """Raises SecretUnavailable; ConfigError if it is open to others, empty or not text."""
        if not is_secret_name(name):
            # Without the name: it may be the secret itself.
            raise ConfigError("this is not the name of a secret: use letters, digits, - and _")
        systemd_dir = self._environ.get("CREDENTIALS_DIRECTORY")
        for file in (name, f"secrets_{name}") if systemd_dir else ():
            # systemd sets the mode: 0440 where an ACL gives access to the unit's user.
            text = _read(Path(str(systemd_dir)) / file, private=False)
            if text is not None:
                return _secret(name, text)
        text = _read(self._config_dir / "secrets" / name, private=True)
        if text is None:
            text = self._environ.get(secret_variable(name))
        if text is None:
            raise SecretUnavailable(f"the secret {name} is missing: {self.remedy(name)}")
        return _secret(name, text)

    def remedy(self, name: str) -> str:
        """How to provide a missing secret."""
        file = self._config_dir / "secrets" / name
        systemd_dir = self._environ.get("CREDENTIALS_DIRECTORY", "")
        if systemd_dir.startswith(SYSTEMD_CREDENTIALS):
            return (
                f"write it into {file} (mode 0600), then `systemctl restart pantau`: "
                "systemd hands secrets over when the service starts, not at a reload"
            )
        return f"write it into {file} (mode 0600) or set {secret_variable(name)}"

    def reveal_all(self, names: Iterable[str]) -> dict[str, str]:
        """Name → text of several secrets. Raises as `get` does."""
        return {name: self.get(name).reveal() for name in names}


def secret_variable(name: str) -> str:
    """The name of the environment variable that may hold the secret."""
    return "PANTAU_SECRET_" + name.upper().replace("-", "_")


def _secret(name: str, text: str) -> Secret:
    stripped = text.rstrip("\r\n")
    if not stripped.strip():
        raise ConfigError(f"the secret {name} is empty: write its text into it")
    return Secret(stripped)


def _read(path: Path, *, private: bool) -> str | None:
    """The text of a file, None if it does not exist. private: refuse a mode open to others."""
    try:
        with path.open("rb") as file:
            mode = path.stat().st_mode
            raw = file.read(_MOST_BYTES + 1)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise SecretUnavailable(
            f"the secret in {path} cannot be read ({error.strerror}): "
            "let the user that runs pantau own it"
        ) from error
    if private and mode & _OTHERS_MODE:
        raise ConfigError(
            f"the secret in {path} is open to other users (mode {mode & 0o7777:04o}): "
            f"run chmod 600 {path}"
        )
    if len(raw) > _MOST_BYTES:
        raise ConfigError(f"the secret in {path} is larger than 64 kB: it is not one of ours")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        # Not `from error`: a UnicodeDecodeError holds the bytes of the secret.
        raise ConfigError(f"the secret in {path} is not UTF-8 text: save it again") from None
