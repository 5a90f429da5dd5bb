"""Validation of request fields; every fault is an InvalidRequest with a sentence."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, datetime

import orjson
from aiohttp import web

from monitor.core.alerting.model import OutboxStatus
from monitor.core.errors import InvalidRequest

MAX_NAME_LENGTH = 64
MAX_LINE_LENGTH = 200
MAX_TEXT_LENGTH = 2000
MAX_NUMBER_LENGTH = 15
MAX_TARGETS = 200
MAX_ROWS = 1000


class RequestFields:
    """The JSON object of a POST; unknown fields are refused.

    acts_as: the name of who asks, where it may not name another one; see PeerCheck.
    """

    def __init__(self, body: bytes, known: frozenset[str], acts_as: str | None = None) -> None:
        """Raises InvalidRequest for what is no JSON object or has an unknown field."""
        self._acts_as = acts_as
        try:
            document = orjson.loads(body) if body.strip() else {}
        except orjson.JSONDecodeError as error:
            raise InvalidRequest(f"the body is no JSON ({error})") from error
        if not isinstance(document, dict):
            raise InvalidRequest('the body must be a JSON object such as {"who": "petugas-1"}')
        strange = sorted(set(document) - known)
        if strange:
            raise InvalidRequest(
                f"unknown field {clean_line(strange[0], MAX_NAME_LENGTH)!r}; known: "
                + ", ".join(sorted(known))
            )
        self._values: Mapping[str, object] = document

    def who(self) -> str:
        """Name of the person; required of who may name one."""
        name = self._acts_as or self._text("who", MAX_NAME_LENGTH)
        if not name:
            raise InvalidRequest('"who" is missing: every action bears the name of who does it')
        return name

    def text(self, name: str, most: int = MAX_TEXT_LENGTH) -> str:
        """A text in one line; empty when absent."""
        return self._text(name, most)

    def optional(self, name: str) -> str | None:
        """A short text; None when absent."""
        return self._text(name, MAX_NAME_LENGTH) or None

    def targets(self, name: str) -> list[str]:
        """A list of names; one name is a list of one."""
        value = self._values.get(name)
        listed = [value] if isinstance(value, str) else value
        if not isinstance(listed, list) or not all(isinstance(each, str) for each in listed):
            raise InvalidRequest(
                f'"{name}" must be a list of names such as ["anjatan", "pop-patrol"]'
            )
        if len(listed) > MAX_TARGETS:
            raise InvalidRequest(f'"{name}" holds {len(listed)} names: {MAX_TARGETS} at most')
        return [clean_line(each, MAX_LINE_LENGTH) for each in listed]

    def time(self, name: str) -> float | None:
        """A time with a zone, in Unix seconds; None when absent."""
        value = self._values.get(name)
        return None if value is None else parse_time(name, value)

    def until(self, name: str, begin_s: float) -> float | None:
        """The time `name`, or `for_s` seconds after `begin_s`; None when both are absent."""
        length = self._values.get("for_s")
        if length is None:
            return self.time(name)
        if self._values.get(name) is not None:
            raise InvalidRequest(f'give "{name}" or "for_s", not both')
        if isinstance(length, bool) or not isinstance(length, int | float):
            raise InvalidRequest('"for_s" must be a number of seconds')
        if not math.isfinite(length) or length <= 0:
            raise InvalidRequest('"for_s" must be more than 0 seconds')
        return begin_s + float(length)

    def _text(self, name: str, most: int) -> str:
        value = self._values.get(name)
        if value is None:
            return ""
        if not isinstance(value, str):
            raise InvalidRequest(f'"{name}" must be a text')
        text = clean_line(value, most + 1)
        if len(text) > most:
            raise InvalidRequest(f'"{name}" is longer than {most} characters')
        return text


def clean_line(text: str, most: int) -> str:
    """One line without control characters and repeated spaces, cut to `most` characters."""
    printable = "".join(letter if letter.isprintable() else " " for letter in text)
    return " ".join(printable.split())[:most]


def parse_time(name: str, value: object) -> float:
    """Unix seconds of a text such as `2026-11-24T08:30:00Z`. Raises InvalidRequest."""
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else None
        if moment is None or moment.tzinfo is None:
            raise InvalidRequest(
                f'"{name}" must be a time with its zone such as "2026-11-24T15:30:00+07:00"'
            )
        return round(moment.astimezone(UTC).timestamp(), 3)
    except (ValueError, OverflowError) as error:
        raise InvalidRequest(
            f'"{name}" is no time: write it as "2026-11-24T15:30:00+07:00" or with Z'
        ) from error


def number_of(request: web.Request, what: str) -> int:
    """The number in the path. what: the thing that it numbers, for the error."""
    text = request.match_info["number"]
    if not text.isascii() or not text.isdecimal() or len(text) > MAX_NUMBER_LENGTH:
        raise InvalidRequest(f"{clean_line(text, MAX_NAME_LENGTH)!r} is no number of {what}")
    return int(text)


def since_of(request: web.Request) -> float | None:
    """`since` of the query."""
    text = request.query.get("since")
    # "+07:00" arrives as " 07:00" from whoever did not quote it.
    return None if text is None else parse_time("since", text.replace(" ", "+"))


def limit_of(request: web.Request) -> int:
    """`limit` of the query: the newest so many, 1000 at most."""
    text = request.query.get("limit", str(MAX_ROWS))
    if (
        not text.isascii()
        or not text.isdecimal()
        or len(text) > MAX_NUMBER_LENGTH
        or int(text) == 0
    ):
        raise InvalidRequest(f'"limit" must be a number from 1 to {MAX_ROWS}')
    return min(int(text), MAX_ROWS)


def status_of(request: web.Request) -> OutboxStatus | None:
    """`status` of the query."""
    text = request.query.get("status")
    if text is None:
        return None
    if text not in list(OutboxStatus):
        raise InvalidRequest(f'"status" must be one of {", ".join(OutboxStatus)}')
    return OutboxStatus(text)
