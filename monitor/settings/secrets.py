"""Secrets by name: never in the configuration, never in a log, a repr or an error.

Where a secret is looked for, in this order:
1. `$CREDENTIALS_DIRECTORY/<name>`, or `secrets_<name>` there (systemd's LoadCredential= of a file,
   of the folder: `LoadCredential=secrets:/etc/pantau/secrets`),
2. `<config>/secrets/<name>` (mode 0600),
3. the environment variable `PANTAU_SECRET_<NAME>`: capitals, `-` written as `_`.

What the text means belongs to its user: a community or a version 3 user for SNMP
(core.credentials), a token for InfluxDB. The line end after it does not count.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from monitor.core.errors import ConfigError
from monitor.settings.paths import SECRET_NAME

_MOST_BYTES = 65_536
SYSTEMD_CREDENTIALS = "/run/credentials/"
"""Where systemd puts what it hands to a service."""

_OTHERS = 0o077
"""The mode bits of everybody but the owner."""


@dataclass(frozen=True, slots=True, repr=False)
class Secret:
    """A text that shows itself only when asked: `reveal()`."""

    _text: str

    def reveal(self) -> str:
        return self._text

    def __repr__(self) -> str:
        return "Secret(…)"

    def __str__(self) -> str:
        return repr(self)


class SecretUnavailable(ConfigError):
    """No place has a secret of this name, or this user may not read it there."""


class SecretStore:
    """The three places above, looked into anew at each question."""

    def __init__(self, config_dir: Path, environ: Mapping[str, str]) -> None:
        self._config_dir = config_dir
        self._environ = environ

    def get(self, name: str) -> Secret:
        """Raises SecretOutOfReach, or ConfigError: open to others, empty, not text."""
        if SECRET_NAME.fullmatch(name) is None:
            raise ConfigError(f"{name!r} is not the name of a secret: use letters, digits, - and _")
        given = self._environ.get("CREDENTIALS_DIRECTORY")
        for file in (name, f"secrets_{name}") if given else ():
            # Their mode is systemd's affair: it is 0440 wherever an ACL lets the unit's user in.
            text = _read(Path(str(given)) / file, private=False)
            if text is not None:
                return _secret(name, text)
        text = _read(self._config_dir / "secrets" / name, private=True)
        if text is None:
            text = self._environ.get(secret_variable(name))
        if text is None:
            raise SecretUnavailable(f"the secret {name} is missing: {self.remedy(name)}")
        return _secret(name, text)

    def remedy(self, name: str) -> str:
        """Where to write a secret that is missing."""
        file = self._config_dir / "secrets" / name
        given = self._environ.get("CREDENTIALS_DIRECTORY", "")
        if given.startswith(SYSTEMD_CREDENTIALS):
            return (
                f"write it into {file} (mode 0600), then `systemctl restart pantau`: "
                "systemd hands secrets over when the service starts, not at a reload"
            )
        return f"write it into {file} (mode 0600) or set {secret_variable(name)}"

    def texts(self, names: Iterable[str]) -> dict[str, str]:
        """The bare texts of several, for an adapter's `open`. Raises as `get` does."""
        return {name: self.get(name).reveal() for name in names}


def secret_variable(name: str) -> str:
    """The environment variable that may hold the secret `name`."""
    return "PANTAU_SECRET_" + name.upper().replace("-", "_")


def _secret(name: str, text: str) -> Secret:
    bare = text.rstrip("\r\n")
    if not bare.strip():
        raise ConfigError(f"the secret {name} is empty: write its text into it")
    return Secret(bare)


def _read(path: Path, *, private: bool) -> str | None:
    """The text of a file, None when there is none."""
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
    if private and mode & _OTHERS:
        raise ConfigError(
            f"the secret in {path} is open to other users (mode {mode & 0o7777:04o}): "
            f"run chmod 600 {path}"
        )
    if len(raw) > _MOST_BYTES:
        raise ConfigError(f"the secret in {path} is larger than 64 kB: it is not one of ours")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        # Not `from` the decoding error: that one holds the bytes.
        raise ConfigError(f"the secret in {path} is not UTF-8 text: save it again") from None
