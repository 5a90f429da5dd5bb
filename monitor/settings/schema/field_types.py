"""Kinds of values that TOML does not have: addresses, ids, names of secrets, time zones.

Each function takes a value and gives it back, perhaps in its usual form; what is wrong is said
in words that follow the value: `address = "gateway"`, then "is not an IPv4 or IPv6 address".
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

from monitor.settings.paths import SECRET_NAME
from monitor.settings.problems import nearest_word

WRONG = "wrong_value"
"""The type of the errors made here; their message is complete."""

_SLUG = re.compile(r"[a-z0-9]+(?:[-_][a-z0-9]+)*")
_BUCKET = re.compile(r"[A-Za-z0-9_.-]+")
_PREFIX = re.compile(r"[A-Za-z0-9_.~/-]*")
_CREDENTIALS = re.compile(r"://[^/\s]*@")
_HEADER = re.compile(r"[A-Za-z0-9]+(?:-[A-Za-z0-9]+)*")
_TAKEN_HEADERS = frozenset(
    {"cookie", "host", "origin", "authorization", "content-type", "content-length", "referer"}
    | {"x-forwarded-for", "x-forwarded-proto", "x-pantau-secret", "connection", "user-agent"}
)
_WORD = re.compile(r"[A-Za-z0-9_]+")
_SHORTEST_TOKEN = 20
_TOKEN_CHANGES = 4
_LONGEST_ID = 63
_LONGEST_TEXT = 200
_LONGEST_SECRET_NAME = 40


def _wrong(why: str) -> PydanticCustomError:
    # The text must be a literal template to pydantic; ours may hold braces of its own.
    return PydanticCustomError(WRONG, "{why}", {"why": why})


def one_or_many(value: Any) -> Any:
    """A text alone is a list of one."""
    return [value] if isinstance(value, str) else value


def some(value: list[str]) -> list[str]:
    """At least one."""
    if not value:
        raise _wrong("is empty")
    return value


def one_line(value: str) -> str:
    if not value.strip():
        raise _wrong("is empty")
    if len(value) > _LONGEST_TEXT:
        raise _wrong(f"is longer than {_LONGEST_TEXT} characters")
    if not value.isprintable():
        raise _wrong("holds a line end or another character that cannot be printed")
    return value


def slug(value: str) -> str:
    """An id: it becomes a tag of every sample and a part of addresses on the web page."""
    if len(value) > _LONGEST_ID:
        raise _wrong(f"is longer than {_LONGEST_ID} characters")
    if _SLUG.fullmatch(value) is None:
        raise _wrong("may hold only a-z, 0-9 and single - or _ between them")
    return value


def address(value: str) -> str:
    """An IPv4 or IPv6 address of one machine, in its usual form."""
    try:
        parsed = ipaddress.ip_address(value)
    except ValueError:
        raise _wrong("is not an IPv4 or IPv6 address") from None
    if parsed.is_unspecified or parsed.is_multicast or str(parsed) == "255.255.255.255":
        raise _wrong("is not the address of one machine")
    return str(parsed)


def peer(value: str) -> str:
    """An address, or a network (`10.9.0.0/24`), of those that are believed."""
    try:
        network = ipaddress.ip_network(value)
    except ValueError:
        raise _wrong("is not an IPv4 or IPv6 address, nor a network such as 10.9.0.0/24") from None
    if network.prefixlen == 0:
        raise _wrong("is every address there is: name the proxy's own")
    return str(network)


def header_name(value: str) -> str:
    """The name of an HTTP header (a token, RFC 9110, 5.1), one that is not in use otherwise."""
    if _HEADER.fullmatch(value) is None:
        raise _wrong("is not the name of a header: letters, digits and - between them")
    if value.casefold() in _TAKEN_HEADERS:
        raise _wrong("is a header with a meaning of its own: choose one such as X-Remote-User")
    return value


def secret_name(value: str) -> str:
    if len(value) > _LONGEST_SECRET_NAME:
        raise _wrong("is too long for the name of a secret: it looks like the secret itself")
    if SECRET_NAME.fullmatch(value) is None:
        raise _wrong("is not the name of a secret (letters, digits, - and _)")
    return value


def timezone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        guess = nearest_word(value, available_timezones())
        raise _wrong("is not a time zone" + (f", did you mean {guess}?" if guess else "")) from None
    return value


def http_url(value: str) -> str:
    try:
        parts = urlsplit(value)
        _ = parts.port  # a wrong port is found only when it is asked for
    except ValueError:
        raise _wrong("is not a web address") from None
    if parts.scheme not in {"http", "https"} or not parts.hostname or not value.isprintable():
        raise _wrong("is not an address that begins with http:// or https://")
    if parts.username is not None or parts.password is not None:
        raise _wrong("holds a user or password: name a secret with token = instead")
    return value.rstrip("/")


def open_address(value: str) -> str:
    """A web address that may stand in a file: whoever reads it may not act on it."""
    try:
        parts = urlsplit(value)
        _ = parts.port
    except ValueError:
        raise _wrong("is not a web address") from None
    if parts.scheme not in {"http", "https"} or not parts.hostname or not value.isprintable():
        raise _wrong("is not an address that begins with http:// or https://")
    return no_secret(value.rstrip("/"))


def no_secret(value: str) -> str:
    """Passwords in addresses, and what looks like a token."""
    if _CREDENTIALS.search(value) is not None:
        raise _wrong("holds a user or password: put the whole address into a secret, name it: url")
    if any(_is_token_like(word) for word in _WORD.findall(value)):
        raise _wrong("seems to hold a token: put the whole address into a secret and name it: url")
    return value


def _is_token_like(word: str) -> bool:
    """Long, of letters and digits that no word of people mixes so."""
    changes = sum(one.isdigit() != other.isdigit() for one, other in pairwise(word))
    return len(word) >= _SHORTEST_TOKEN and changes >= _TOKEN_CHANGES


def local_moment(value: datetime) -> datetime:
    """Turns are counted by the clock on the wall."""
    if value.tzinfo is not None:
        raise _wrong("has a time zone: write the local time without Z or +07:00")
    return value


def opening(value: list[time]) -> list[time]:
    """From and until, or nothing."""
    if value and (len(value) != 2 or value[0] >= value[1]):
        raise _wrong("is not the time of opening and a later time of closing")
    return value


def bucket(value: str) -> str:
    if _BUCKET.fullmatch(value) is None:
        raise _wrong("may hold only letters, digits, and . _ -")
    return value


def url_prefix(value: str) -> str:
    """`pantau`, `/pantau` and `/pantau/` are all `/pantau/`."""
    if _PREFIX.fullmatch(value) is None:
        raise _wrong("is not a path of a web address")
    inner = value.strip("/")
    return f"/{inner}/" if inner else "/"
