"""Parser of SNMP credentials: the text of a secret becomes a community or a version 3 user.

Version 2c: the text is the community, nothing else.

Version 3: `key = value` lines, in any order; empty lines and lines that begin with `#` are
skipped; a value in straight quotes keeps its outer spaces:

    user = pantau
    auth = sha256
    auth_password = at least eight characters
    priv = aes128
    priv_password = at least eight characters

`user` is required. `auth` with `auth_password`, and `priv` with `priv_password`, come in pairs;
privacy needs authentication (RFC 3414, 1.4.3). `context` is optional.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from monitor.core.errors import ConfigError

AUTH_PROTOCOLS = ("md5", "sha", "sha224", "sha256", "sha384", "sha512")
"""RFC 3414 (md5, sha = SHA-1) and RFC 7860 (the others)."""

PRIV_PROTOCOLS = ("des", "3des", "aes128", "aes192", "aes256")
"""RFC 3414 (des), RFC 3826 (aes128), and the three that vendors added."""

_KEYS = ("user", "auth", "auth_password", "priv", "priv_password", "context")
_MIN_PASSWORD_LENGTH = 8


@dataclass(frozen=True, slots=True)
class SnmpV3Credential:
    """One SNMP version 3 user. Its repr contains no password.

    auth_protocol: one of AUTH_PROTOCOLS, None: the messages are not authenticated.
    priv_protocol: one of PRIV_PROTOCOLS, None: the messages are not encrypted.
    """

    user: str
    auth_protocol: str | None = None
    auth_password: str | None = field(default=None, repr=False)
    priv_protocol: str | None = None
    priv_password: str | None = field(default=None, repr=False)
    context: str = ""


def parse_community(text: str) -> str:
    """The community of version 2c. Raises ConfigError, whose text never contains the secret."""
    community = text.strip("\r\n")
    if not community:
        raise ConfigError("the community is empty: write it as the only line")
    if "\n" in community or "\r" in community:
        raise ConfigError("a community of version 2c is one line; this text has several")
    return community


def parse_v3(text: str) -> SnmpV3Credential:
    """A version 3 user. Raises ConfigError, whose text never contains a value of the secret."""
    found = _pairs(text)
    if not found.get("user"):
        raise ConfigError("a version 3 credential needs a line such as: user = pantau")
    auth = _protocol(found, "auth", AUTH_PROTOCOLS)
    priv = _protocol(found, "priv", PRIV_PROTOCOLS)
    auth_password = _password(found, "auth", auth)
    priv_password = _password(found, "priv", priv)
    if priv is not None and auth is None:
        raise ConfigError(
            "priv needs auth: version 3 encrypts only what is authenticated; "
            "add the lines auth and auth_password"
        )
    return SnmpV3Credential(
        user=found["user"],
        auth_protocol=auth,
        auth_password=auth_password,
        priv_protocol=priv,
        priv_password=priv_password,
        context=found.get("context", ""),
    )


def _pairs(text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        stripped = line.strip()
        if not stripped or stripped.startswith("#"):
            continue
        key, equals, value = (part.strip() for part in stripped.partition("="))
        key = key.lower()
        # A line without a known key may be the password itself: do not quote it.
        if not equals or key not in _KEYS:
            raise ConfigError(
                f"line {number} of the credential is not one of: "
                + ", ".join(f"{known} = …" for known in _KEYS)
            )
        if key in found:
            raise ConfigError(f"line {number} of the credential gives {key} a second time")
        found[key] = _unquoted(value)
    return found


def _unquoted(value: str) -> str:
    if len(value) >= 2 and value[0] == value[-1] and value[0] in "\"'":
        return value[1:-1]
    return value


def _protocol(found: dict[str, str], key: str, allowed: tuple[str, ...]) -> str | None:
    if key not in found:
        return None
    # Accept usual spellings: AES, AES-128, SHA-1, sha_256.
    name = found[key].lower().replace("-", "").replace("_", "")
    name = {"aes": "aes128", "sha1": "sha"}.get(name, name)
    if name not in allowed:
        raise ConfigError(f"{key} of the credential must be one of: {', '.join(allowed)}")
    return name


def _password(found: dict[str, str], key: str, protocol: str | None) -> str | None:
    password = found.get(f"{key}_password")
    if protocol is None:
        if password is not None:
            raise ConfigError(f"{key}_password stands without its line {key}")
        return None
    if password is None:
        raise ConfigError(f"{key} stands without its line {key}_password")
    if len(password) < _MIN_PASSWORD_LENGTH:
        raise ConfigError(
            f"{key}_password is shorter than {_MIN_PASSWORD_LENGTH} characters (RFC 3414, 11.2)"
        )
    return password
