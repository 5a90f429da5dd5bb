"""What people do from the page, handed to the daemon: it alone writes the ledger.

Checked here as far as a person can be told in their own language; the daemon checks again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol
from urllib.parse import quote

from monitor.core.alerting.handling import REPORTED_CAUSES
from monitor.core.errors import ApiError

LONGEST_TEXT = 1000
LONGEST_NAME = 60
LONGEST_TICKET = 80
LONGEST_MIN = 480
LONGEST_WINDOW_MIN = 10_080


class Verb(StrEnum):
    """What can be done about an incident; the last part of the address."""

    ACKNOWLEDGE = "acknowledge"
    RELEASE = "release"
    SNOOZE = "snooze"
    NOTE = "note"
    TICKET = "ticket"
    CAUSE = "cause"


class Doer(Protocol):
    """The daemon's local API, as the page needs it."""

    def post(self, path: str, body: Mapping[str, object], /) -> Mapping[str, object]:
        """Raises ApiError when it does not answer, InvalidRequest when it refuses."""
        ...


class Wrong(Exception):
    """What was sent cannot be done; `key` is the text of the catalogue that says why."""

    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.key = key


@dataclass(frozen=True, slots=True)
class Request:
    """One checked action: where it goes, and what is sent."""

    path: str
    body: Mapping[str, object]


def request_of(number: int, verb: Verb, asked: Mapping[str, Any], who: str | None) -> Request:
    """Check what a browser sent. who: who is signed in, None where nobody need be. Raises Wrong.

    asked: `who`, `text` (why, note, number or cause), `minutes`.
    """
    body: dict[str, object] = {"who": _who(asked, who)}
    text = _text(asked, LONGEST_TICKET if verb is Verb.TICKET else LONGEST_TEXT)
    if verb in (Verb.NOTE, Verb.TICKET, Verb.CAUSE):
        if not text:
            raise Wrong("act.empty")
        if verb is Verb.CAUSE and text not in REPORTED_CAUSES:
            raise Wrong("act.no_cause")
        body[_FIELDS[verb]] = text
    else:
        body["why"] = text
    if verb in (Verb.ACKNOWLEDGE, Verb.SNOOZE):
        minutes = _minutes(asked, LONGEST_MIN, needed=verb is Verb.SNOOZE)
        if minutes is not None:
            body["for_s"] = minutes * 60
    return Request(f"/incidents/{number}/{verb}", body)


def window_of(asked: Mapping[str, Any], who: str | None) -> Request:
    """A maintenance window from now on. asked: `who`, `target`, `minutes`, `text`. Raises Wrong."""
    target, why = asked.get("target"), _text(asked, LONGEST_TEXT)
    if not isinstance(target, str) or not target:
        raise Wrong("act.no_target")
    if not why:
        raise Wrong("act.empty")
    minutes = _minutes(asked, LONGEST_WINDOW_MIN, needed=True)
    body = {"who": _who(asked, who), "targets": [target], "why": why}
    return Request("/maintenance", body | {"for_s": (minutes or 0) * 60})


def end_of(asked: Mapping[str, Any], who: str | None) -> Request:
    """The end of a window, now. asked: `who`, and its `name`: its number or the key of its line.

    Raises Wrong.
    """
    name = asked.get("name")
    if not isinstance(name, str) or not name:
        raise Wrong("act.no_name")
    return Request(f"/maintenance/{quote(name, safe='')}/end", {"who": _who(asked, who)})


_FIELDS: Mapping[Verb, str] = {Verb.NOTE: "text", Verb.TICKET: "number", Verb.CAUSE: "cause"}


def _who(asked: Mapping[str, Any], who: str | None) -> str:
    if who is not None:
        return who
    named = asked.get("who")
    name = _clean(named) if isinstance(named, str) else ""
    if not name or len(name) > LONGEST_NAME:
        raise Wrong("act.no_name")
    return name


def _text(asked: Mapping[str, Any], longest: int) -> str:
    text = asked.get("text", "")
    if not isinstance(text, str):
        raise Wrong("act.empty")
    kept = _clean(text)
    if len(kept) > longest:
        raise Wrong("act.too_long")
    return kept


def _minutes(asked: Mapping[str, Any], longest: int, *, needed: bool) -> int | None:
    minutes = asked.get("minutes")
    if minutes is None and not needed:
        return None
    if type(minutes) is not int or not 1 <= minutes <= longest:
        raise Wrong("act.minutes")
    return minutes


def _clean(text: str) -> str:
    """One line, nothing in it that acts."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


class NoDaemon:
    """A `Doer` where there is no daemon to ask: nothing can be done."""

    def post(self, path: str, body: Mapping[str, object], /) -> Mapping[str, object]:
        """Refuses everything, truthfully."""
        raise ApiError(f"no daemon is set up here: {path} with {len(body)} fields was not sent")
