"""Validators of values that TOML has no type for: addresses, ids, names of secrets, time zones.

Each function returns the value, normalized. Error messages continue the sentence that begins with
the value: `address = "gateway"` + "is not an IPv4 or IPv6 address".
"""

from __future__ import annotations

import ipaddress
import re
from datetime import datetime, time
from itertools import pairwise
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from pydantic_core import PydanticCustomError

from monitor.settings.paths import LONGEST_SECRET_NAME, is_secret_name
from monitor.settings.problems import nearest_word

CUSTOM_ERROR = "wrong_value"
"""pydantic's type of the errors raised here; `ctx["why"]` is the complete message."""

_SLUG = re.compile(r"[a-z0-9]+(?:[-_][a-z0-9]+)*")
_BUCKET = re.compile(r"[A-Za-z0-9_.-]+")
_PREFIX = re.compile(r"[A-Za-z0-9_.~/-]*")
_CREDENTIALS = re.compile(r"://[^/\s]*@")
_SYSTEM_USER = re.compile(r"[a-z_][a-z0-9_-]{0,31}|[0-9]{1,10}")
_HEADER = re.compile(r"[A-Za-z0-9]+(?:-[A-Za-z0-9]+)*")
_RESERVED_HEADERS = frozenset(
    {"cookie", "host", "origin", "authorization", "content-type", "content-length", "referer"}
    | {"x-forwarded-for", "x-forwarded-proto", "x-pantau-secret", "connection", "user-agent"}
)
_WORD = re.compile(r"[A-Za-z0-9_]+")
_SHORTEST_TOKEN = 20
_TOKEN_CHANGES = 4
_LONGEST_ID = 63
_LONGEST_TEXT = 200


def _error(why: str) -> PydanticCustomError:
    # pydantic formats the message as a template; ours may contain braces.
    return PydanticCustomError(CUSTOM_ERROR, "{why}", {"why": why})


def one_or_many(value: Any) -> Any:
    """A string stands for a list of one."""
    return [value] if isinstance(value, str) else value


def nonempty(value: list[str]) -> list[str]:
    """A list of at least one."""
    if not value:
        raise _error("is empty")
    return value


def one_line(value: str) -> str:
    if not value.strip():
        raise _error("is empty")
    if len(value) > _LONGEST_TEXT:
        raise _error(f"is longer than {_LONGEST_TEXT} characters")
    if not value.isprintable():
        raise _error("holds a line end or another character that cannot be printed")
    return value


def slug(value: str) -> str:
    """An id: it becomes a tag of every sample and a part of web addresses."""
    if len(value) > _LONGEST_ID:
        raise _error(f"is longer than {_LONGEST_ID} characters")
    if _SLUG.fullmatch(value) is None:
        raise _error("may hold only a-z, 0-9 and single - or _ between them")
    return value


def address(value: str) -> str:
    """The IPv4 or IPv6 address of one host, normalized."""
    try:
        parsed = ipaddress.ip_address(value)
    except ValueError:
        raise _error("is not an IPv4 or IPv6 address") from None
    if parsed.is_unspecified or parsed.is_multicast or str(parsed) == "255.255.255.255":
        raise _error("is not the address of one machine")
    return str(parsed)


def trusted_peer(value: str) -> str:
    """A trusted address or network (`10.9.0.0/24`)."""
    try:
        network = ipaddress.ip_network(value)
    except ValueError:
        raise _error("is not an IPv4 or IPv6 address, nor a network such as 10.9.0.0/24") from None
    if network.prefixlen == 0:
        raise _error("is every address there is: name the proxy's own")
    return str(network)


def system_user(value: str) -> str:
    """The name or the number of a user of this machine."""
    if _SYSTEM_USER.fullmatch(value) is None:
        raise _error("is not the name of a system user")
    return value


def header_name(value: str) -> str:
    """The name of an HTTP header (a token, RFC 9110, 5.1) without a meaning of its own."""
    if _HEADER.fullmatch(value) is None:
        raise _error("is not the name of a header: letters, digits and - between them")
    if value.casefold() in _RESERVED_HEADERS:
        raise _error("is a header with a meaning of its own: choose one such as X-Remote-User")
    return value


def secret_name(value: str) -> str:
    if len(value) > LONGEST_SECRET_NAME:
        raise _error("is too long for the name of a secret: it looks like the secret itself")
    if not is_secret_name(value):
        raise _error("is not the name of a secret (letters, digits, - and _)")
    return value


def timezone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        guess = nearest_word(value, available_timezones())
        raise _error("is not a time zone" + (f", did you mean {guess}?" if guess else "")) from None
    return value


def http_url(value: str) -> str:
    try:
        parts = urlsplit(value)
        _ = parts.port  # raises ValueError for an invalid port
    except ValueError:
        raise _error("is not a web address") from None
    if parts.scheme not in {"http", "https"} or not parts.hostname or not value.isprintable():
        raise _error("is not an address that begins with http:// or https://")
    if parts.username is not None or parts.password is not None:
        raise _error("holds a user or password: name a secret with token = instead")
    return value.rstrip("/")


def address_without_secret(value: str) -> str:
    """A web address without credentials or token: files may be read by others."""
    try:
        parts = urlsplit(value)
        _ = parts.port
    except ValueError:
        raise _error("is not a web address") from None
    if parts.scheme not in {"http", "https"} or not parts.hostname or not value.isprintable():
        raise _error("is not an address that begins with http:// or https://")
    return without_secret(value.rstrip("/"))


def without_secret(value: str) -> str:
    """Refuse passwords in addresses, and words that look like a token."""
    if _CREDENTIALS.search(value) is not None:
        raise _error("holds a user or password: put the whole address into a secret, name it: url")
    if any(_looks_like_token(word) for word in _WORD.findall(value)):
        raise _error("seems to hold a token: put the whole address into a secret and name it: url")
    return value


def _looks_like_token(word: str) -> bool:
    """Long, and alternating between letters and digits more often than words do."""
    changes = sum(one.isdigit() != other.isdigit() for one, other in pairwise(word))
    return len(word) >= _SHORTEST_TOKEN and changes >= _TOKEN_CHANGES


def local_moment(value: datetime) -> datetime:
    """A local time: rotas follow the local clock."""
    if value.tzinfo is not None:
        raise _error("has a time zone: write the local time without Z or +07:00")
    return value


def opening_hours(value: list[time]) -> list[time]:
    """Opening and closing time, or [] for closed."""
    if value and (len(value) != 2 or value[0] >= value[1]):
        raise _error("is not the time of opening and a later time of closing")
    return value


def bucket(value: str) -> str:
    if _BUCKET.fullmatch(value) is None:
        raise _error("may hold only letters, digits, and . _ -")
    return value


def url_prefix(value: str) -> str:
    """`pantau`, `/pantau` and `/pantau/` are all `/pantau/`."""
    if _PREFIX.fullmatch(value) is None:
        raise _error("is not a path of a web address")
    inner = value.strip("/")
    return f"/{inner}/" if inner else "/"
