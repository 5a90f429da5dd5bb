"""Sessions of the page that were ended before their cookie expires.

A session is listed until its cookie could no longer count. A name with too many of them gets a time
instead: every session that was begun by then is over.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

from monitor.core.errors import ConfigError

MOST_OF_A_NAME = 50
MOST_NAMES = 1000


@dataclass(frozen=True, slots=True)
class EndedSession:
    """until_s: when its cookie expires by itself (Unix seconds)."""

    name: str
    until_s: float


@dataclass(frozen=True, slots=True)
class SignOuts:
    """sessions: by the hash of a session's id. names: those begun until then (Unix s) are over."""

    sessions: Mapping[str, EndedSession] = field(default_factory=dict)
    names: Mapping[str, float] = field(default_factory=dict)

    def has_ended(self, session: str, name: str, begun_s: float) -> bool:
        """Whether the session of this id, begun then under that name, was ended."""
        return session_hash(session) in self.sessions or begun_s <= self.names.get(name, -1.0)

    def with_session(self, session: str, name: str, until_s: float, now_s: float) -> SignOuts:
        """A copy in which this one has ended, without those whose cookies have expired."""
        sessions = {key: each for key, each in self.sessions.items() if each.until_s > now_s}
        names = dict(self.names)
        sessions[session_hash(session)] = EndedSession(name, until_s)
        if sum(each.name == name for each in sessions.values()) > MOST_OF_A_NAME:
            sessions = {key: each for key, each in sessions.items() if each.name != name}
            names[name] = now_s
        return SignOuts(
            sessions, dict(sorted(names.items(), key=lambda item: item[1])[-MOST_NAMES:])
        )


def session_hash(session: str) -> str:
    """What is stored of a session's id: enough to know it again, not to make a cookie of it."""
    return hashlib.sha256(session.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def sign_outs_document(found: SignOuts) -> dict[str, object]:
    """As a JSON object."""
    return {
        "sessions": {key: [each.name, each.until_s] for key, each in found.sessions.items()},
        "names": dict(found.names),
    }


def sign_outs_from_document(document: object) -> SignOuts:
    """The inverse of `sign_outs_document`. Raises ConfigError for any other object."""
    if not isinstance(document, Mapping):
        raise ConfigError("it is no list of ended sessions")
    try:
        sessions = {
            str(key): EndedSession(str(name), float(until_s))
            for key, (name, until_s) in document["sessions"].items()
        }
        names = {str(name): float(until_s) for name, until_s in document["names"].items()}
    except (KeyError, AttributeError, TypeError, ValueError) as error:
        raise ConfigError("it is no list of ended sessions") from error
    return SignOuts(sessions, names)
