"""What the gate is given: whom and what it believes, and how its own page looks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from dashboard.app.gate.attempts import Attempts
from dashboard.app.gate.peers import Network, Proxy
from dashboard.app.gate.sessions import Sessions
from dashboard.i18n import Lang, Words
from monitor.core.access import Users
from monitor.core.ledger_identity import LedgerIdentity


class UsersRead(Protocol):
    """The list of users; see adapters.users_file."""

    def read(self) -> Users:
        """Raises ConfigError."""
        ...


class Passwords(Protocol):
    """See adapters.passwords."""

    def verify(self, password_hash: str | None, password: str, /) -> bool:
        """Takes as long for nobody's (None) as for a wrong one."""
        ...


@dataclass(frozen=True, slots=True)
class Trust:
    """What the gate believes: users, their passwords, keys of this server, proxies.

    proxy: names who is signed in; trusted_proxies: say only for whom they ask.
    link_key: raises ConfigError; ledger: the identity of the ledger, raises LedgerError; now: UTC
    seconds.
    """

    users: UsersRead
    passwords: Passwords
    sessions: Sessions
    attempts: Attempts
    link_key: Callable[[], bytes]
    ledger: Callable[[], LedgerIdentity]
    now: Callable[[], float]
    proxy: Proxy | None = None
    trusted_proxies: tuple[Network, ...] = ()


@dataclass(frozen=True, slots=True)
class Front:
    """How the sign-in looks, and where. prefix starts and ends with `/`."""

    organisation: str
    prefix: str
    words: Mapping[Lang, Words]
