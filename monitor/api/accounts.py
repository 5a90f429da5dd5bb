"""Accounts of the page and ended sessions, as the API changes them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from monitor.core.access import Users
from monitor.core.sign_outs import SignOuts


class UsersStore(Protocol):
    """See adapters.system.users_file."""

    def read(self) -> Users:
        """Raises ConfigError."""
        ...

    def change(self, edit: Callable[[Users], Users]) -> Users:
        """Raises ConfigError, and whatever `edit` raises."""
        ...


class SignOutsStore(Protocol):
    """See adapters.system.sign_outs_file."""

    def read(self) -> SignOuts:
        """Raises ConfigError."""
        ...

    def end(self, session: str, name: str, until_s: float, now_s: float) -> None:
        """Raises ConfigError."""
        ...


@dataclass(frozen=True, slots=True)
class Accounts:
    """Both may block: they are called in a worker thread."""

    users: UsersStore
    sign_outs: SignOutsStore
