"""Who asks, as the gate found out; the rest of the application reads it here."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from flask import Request, g

from monitor.core.access import UserRole


class Way(StrEnum):
    """How somebody came in."""

    OPEN = "open"
    SESSION = "session"
    PROXY = "proxy"
    WALL = "wall"
    LINK = "link"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Visitor:
    """role None: may see nothing but the sign-in. name None: nobody is signed in.

    local: asks from this very machine.
    """

    way: Way = Way.NONE
    role: UserRole | None = None
    name: str | None = None
    local: bool = False

    def may(self, needed: UserRole) -> bool:
        """Is that allowed?"""
        return self.role is not None and self.role.includes(needed)


def visitor() -> Visitor:
    """Who asks now; without a gate (tests of pages alone) somebody who may look."""
    found = g.get("visitor")
    return found if isinstance(found, Visitor) else Visitor(Way.OPEN, UserRole.VIEWER)


def named(_request: Request) -> str | None:
    """The name of who is signed in, for what they do; None: they give their own."""
    return visitor().name
