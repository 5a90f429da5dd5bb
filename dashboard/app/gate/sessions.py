"""The cookies of the gate: who is signed in, the wall display, known browsers.

Only this server can have written them. They hold names and times, no rights: the role is read from
the list of users at each request, so that a removal, another role or another password counts at
once. Sessions that were ended are kept by the daemon, which this server reads: they stay ended when
it restarts.
"""

from __future__ import annotations

import logging
import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

from monitor.core.access import User, Users
from monitor.core.errors import PantauError
from monitor.core.sign_outs import SignOuts
from monitor.core.signing import sign_text, verify_text

log = logging.getLogger("dashboard.sessions")

COOKIE = "pantau_masuk"
WALL_COOKIE = "pantau_tv"
DEVICE_COOKIE = "pantau_kenal"
IDLE_S = 12 * 3600.0
"""Longer than a shift: who did not use the page for so long signs in again."""

LONGEST_S = 30 * 86_400.0
RENEW_S = 600.0
WALL_LASTS_S = 400 * 86_400
"""The longest that browsers keep a cookie (RFC 6265bis, 5.5)."""

WALL_RENEW_S = 30 * 86_400.0
DEVICE_LASTS_S = 180 * 86_400
REPORT_AGAIN_S = 10.0

_SESSION, _WALL, _DEVICE = "session", "wall", "device"


@dataclass(frozen=True, slots=True)
class Session:
    """Times in whole Unix seconds. stamp: of the user's password then; id: by chance."""

    id: str
    name: str
    stamp: str
    born_s: int
    seen_s: int


class SignOutsRead(Protocol):
    """The ended sessions; see adapters.sign_outs_file."""

    def read(self) -> SignOuts:
        """Raises ConfigError."""
        ...


Report = Callable[[str, str, float], None]
"""Tell the daemon that a session has ended: its id, the user's name, until when its cookie could
count (Unix seconds). Raises PantauError."""


class Sessions:
    """Writes and reads the cookies. key: of this server, asked for when it is needed."""

    def __init__(
        self,
        key: Callable[[], bytes],
        now: Callable[[], float],
        sign_outs: SignOutsRead,
        report: Report,
    ) -> None:
        self._key = key
        self._now = now
        self._sign_outs = sign_outs
        self._report = report
        self._lock = threading.Lock()
        self._ended: dict[str, float] = {}
        self._unreported: dict[str, tuple[str, float]] = {}
        self._reported_s = 0.0

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
        return sign_text(self._key(), _SESSION, "|".join(parts))

    def read(self, cookie: str, users: Users) -> tuple[Session, User] | None:
        """Who that is; None: not written here, over, signed out, or no user any more.

        Raises ConfigError when it cannot be known who was signed out.
        """
        parts = self._parts(_SESSION, cookie, 5)
        if parts is None:
            return None
        session = Session(parts[0], parts[1], parts[2], int(parts[3]), int(parts[4]))
        user = users.find(session.name)
        now_s = self._now()
        is_over = now_s - session.seen_s > IDLE_S or now_s - session.born_s > LONGEST_S
        if user is None or is_over or user.password_fingerprint != session.stamp:
            return None
        if session.id in self._ended:
            return None
        if self._sign_outs.read().has_ended(session.id, session.name, session.born_s):
            return None
        return session, user

    def renewed(self, session: Session) -> Session | None:
        """The same, seen now; None while the cookie is fresh enough."""
        now_s = int(self._now())
        return replace(session, seen_s=now_s) if now_s - session.seen_s > RENEW_S else None

    def end(self, session: Session) -> None:
        """Signed out: a copy of the cookie is worth nothing either, here at once, and after a
        restart as soon as the daemon has been told.
        """
        now_s = self._now()
        with self._lock:
            for key in [key for key, until_s in self._ended.items() if until_s < now_s]:
                del self._ended[key]
            self._ended[session.id] = now_s + IDLE_S
            self._unreported[session.id] = (session.name, now_s + IDLE_S)
        self._report_all()

    def report_again(self) -> None:
        """Tell the daemon what it could not be told before; in the background, not too often."""
        if self._unreported and self._now() - self._reported_s > REPORT_AGAIN_S:
            self._reported_s = self._now()
            threading.Thread(target=self._report_all, daemon=True).start()

    def write_wall(self, users: Users) -> str:
        """The cookie of a wall display: names the generation of its token, and is not the token."""
        return sign_text(self._key(), _WALL, f"{users.wall_generation}|{int(self._now())}")

    def reads_wall(self, cookie: str, users: Users) -> bool:
        """Whether this is the cookie of a wall display with the present token."""
        parts = self._parts(_WALL, cookie, 2)
        return parts is not None and parts[0] == users.wall_generation

    def wall_is_old(self, cookie: str) -> bool:
        """Whether the cookie should be written anew; also one of version 0.1, which is a token."""
        parts = self._parts(_WALL, cookie, 2)
        return parts is None or self._now() - int(parts[1]) > WALL_RENEW_S

    def write_device(self, name: str, device: str | None) -> str:
        """The cookie of a browser in which this user has signed in. device: its id so far."""
        return sign_text(self._key(), _DEVICE, f"{name}|{device or secrets.token_hex(8)}")

    def read_device(self, cookie: str, name: str) -> str | None:
        """The id of a browser in which this user has signed in; None for any other."""
        parts = self._parts(_DEVICE, cookie, 2)
        return parts[1] if parts is not None and parts[0] == name else None

    def _parts(self, purpose: str, cookie: str, count: int) -> list[str] | None:
        text = verify_text(self._key(), purpose, cookie)
        parts = [] if text is None else text.split("|")
        return parts if len(parts) == count else None

    def _report_all(self) -> None:
        self._reported_s = self._now()
        for session, (name, until_s) in list(self._unreported.items()):
            try:
                self._report(session, name, until_s)
            except PantauError as error:
                log.warning("a sign-out is kept in memory until the daemon takes it: %s", error)
                return
            with self._lock:
                self._unreported.pop(session, None)
