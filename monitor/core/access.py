"""Who may see and do what on the web page: users with a role, and the wall's token. Pure."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from monitor.core.errors import ConfigError

SHORTEST_PASSWORD = 10
LONGEST_PASSWORD = 200
_NAME = re.compile(r"[a-z0-9](?:[a-z0-9._@-]{0,58}[a-z0-9])?")


class UserRole(StrEnum):
    """What somebody may do; each may also do what stands before it."""

    SEE = "see"
    OPERATE = "operate"
    ADMINISTER = "administer"

    def may(self, needed: UserRole) -> bool:
        """Does this role include the other?"""
        order = tuple(UserRole)
        return order.index(self) >= order.index(needed)


@dataclass(frozen=True, slots=True)
class User:
    """password: its argon2 hash; None: only a reverse proxy can say that somebody is this user."""

    name: str
    role: UserRole
    password: str | None = field(default=None, repr=False)

    @property
    def stamp(self) -> str:
        """Changes with the password: a session that holds another one is over."""
        return hashlib.sha256((self.password or "").encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Users:
    """Everybody who may sign in, by name; wall: the hash of the wall's token, None: it has none."""

    users: tuple[User, ...] = ()
    wall: str | None = field(default=None, repr=False)

    def find(self, name: str) -> User | None:
        """The user of that name; capitals make no difference."""
        wanted = name.casefold()
        return next((user for user in self.users if user.name == wanted), None)

    def with_user(self, user: User) -> Users:
        """With this one in place of whoever had the name."""
        others = [each for each in self.users if each.name != user.name]
        return replace(self, users=tuple(sorted([*others, user], key=lambda each: each.name)))

    def without(self, name: str) -> Users:
        """Without the user of that name."""
        return replace(self, users=tuple(each for each in self.users if each.name != name))

    def with_wall(self, token: str | None) -> Users:
        """With another token for the wall; None: with none. Only its hash is kept."""
        return replace(self, wall=None if token is None else _hashed(token))

    def is_wall(self, token: str) -> bool:
        """Is this the wall's token? Answers in a time that says nothing about it."""
        return self.wall is not None and hmac.compare_digest(self.wall, _hashed(token))


def user_name(text: str) -> str:
    """A name as it is kept: small letters. Raises ConfigError for what is no name."""
    name = text.strip().casefold()
    if _NAME.fullmatch(name) is None:
        raise ConfigError(
            "that is no name for a user: 1 to 60 letters (a-z), digits and . _ @ -, "
            "with a letter or digit at both ends"
        )
    return name


def check_password(text: str) -> str:
    """The same text; raises ConfigError for one that is too short to resist, or too long."""
    if not SHORTEST_PASSWORD <= len(text) <= LONGEST_PASSWORD:
        raise ConfigError(
            f"a password has {SHORTEST_PASSWORD} to {LONGEST_PASSWORD} characters: "
            "three or four words that nobody else would put together are good"
        )
    return text


def users_document(users: Users) -> dict[str, object]:
    """As it is kept in a file."""
    return {
        "users": [
            {"name": user.name, "role": user.role.value, "password": user.password}
            for user in users.users
        ],
        "wall": users.wall,
    }


def parse_users(told: object) -> Users:
    """The inverse of `users_document`; raises ConfigError for anything else."""
    if not isinstance(told, Mapping) or not isinstance(told.get("users"), list):
        raise ConfigError("it holds no list of users")
    wall = told.get("wall")
    if wall is not None and not isinstance(wall, str):
        raise ConfigError("its wall token is no text")
    users = Users(wall=wall)
    for entry in told["users"]:
        users = users.with_user(_user(entry))
    return users


def _user(entry: Any) -> User:
    if not isinstance(entry, Mapping) or not isinstance(entry.get("name"), str):
        raise ConfigError("one of its users has no name")
    role, password = entry.get("role"), entry.get("password")
    if role not in tuple(UserRole):
        raise ConfigError(f"the role of {entry['name']!r} is none of {', '.join(UserRole)}")
    if password is not None and not isinstance(password, str):
        raise ConfigError(f"the password of {entry['name']!r} is no text")
    return User(user_name(entry["name"]), UserRole(role), password)


def _hashed(token: str) -> str:
    """A token is random and long: one round of a fast hash is enough."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
