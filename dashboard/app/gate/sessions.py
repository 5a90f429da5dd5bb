"""Who is signed in: a cookie that only this server can have written.

It holds a name and times, no rights: the role is read from the list of users at each request, so
that a removal, another role or another password counts at once.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace

from monitor.core.access import User, Users
from monitor.core.signing import sign_text, verify_text

COOKIE = "pantau_masuk"
WALL_COOKIE = "pantau_tv"
IDLE_S = 12 * 3600.0
"""Longer than a shift: who did not use the page for so long signs in again."""

LONGEST_S = 30 * 86_400.0
RENEW_S = 600.0
WALL_LASTS_S = 400 * 86_400
"""The longest that browsers keep a cookie (RFC 6265bis, 5.5)."""

_PURPOSE = "session"


@dataclass(frozen=True, slots=True)
class Session:
    """Times in whole Unix seconds. stamp: of the user's password then; id: by chance."""

    id: str
    name: str
    stamp: str
    born_s: int
    seen_s: int


class Sessions:
    """Writes and reads the cookie. key: of this server, asked for when it is needed."""

    def __init__(self, key: Callable[[], bytes], now: Callable[[], float]) -> None:
        self._key = key
        self._now = now
        self._lock = threading.Lock()
        self._ended: dict[str, float] = {}

    def begin(self, user: User) -> Session:
        """Somebody gave the right password."""
        now_s = int(self._now())
        return Session(secrets.token_hex(8), user.name, user.password_fingerprint, now_s, now_s)

    def write(self, session: Session) -> str:
        """The cookie's text."""
        parts = (
            session.id,
            session.name,
            session.stamp,
            str(session.born_s),
            str(session.seen_s),
        )
        return sign_text(self._key(), _PURPOSE, "|".join(parts))

    def read(self, cookie: str, users: Users) -> tuple[Session, User] | None:
        """Who that is; None: not written here, over, signed out, or no user any more."""
        text = verify_text(self._key(), _PURPOSE, cookie)
        parts = [] if text is None else text.split("|")
        if len(parts) != 5:
            return None
        session = Session(parts[0], parts[1], parts[2], int(parts[3]), int(parts[4]))
        user = users.find(session.name)
        now_s = self._now()
        is_over = now_s - session.seen_s > IDLE_S or now_s - session.born_s > LONGEST_S
        if (
            user is None
            or is_over
            or user.password_fingerprint != session.stamp
            or session.id in self._ended
        ):
            return None
        return session, user

    def renewed(self, session: Session) -> Session | None:
        """The same, seen now; None while the cookie is fresh enough."""
        now_s = int(self._now())
        return replace(session, seen_s=now_s) if now_s - session.seen_s > RENEW_S else None

    def end(self, session: Session) -> None:
        """Signed out: a copy of the cookie is worth nothing either (until this server restarts)."""
        now_s = self._now()
        with self._lock:
            for key in [key for key, until_s in self._ended.items() if until_s < now_s]:
                del self._ended[key]
            self._ended[session.id] = now_s + IDLE_S
