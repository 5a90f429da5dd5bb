"""Users of the web page, their roles, and the access token of the wall display.

Only hashes of passwords and tokens are held; hashing a password is adapters.system.passwords.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from monitor.core.errors import ConfigError

PASSWORD_MIN_LENGTH = 10
PASSWORD_MAX_LENGTH = 200
_USER_NAME = re.compile(r"[a-z0-9](?:[a-z0-9._@-]{0,58}[a-z0-9])?")


class UserRole(StrEnum):
    """A user's rights, in ascending order: each role includes the ones before it."""

    VIEWER = "see"
    OPERATOR = "operate"
    ADMIN = "administer"

    def includes(self, required: UserRole) -> bool:
        """Whether this role has all rights of `required`."""
        order = tuple(UserRole)
        return order.index(self) >= order.index(required)


@dataclass(frozen=True, slots=True)
class User:
    """A user. password_hash: argon2; None: signs in through a reverse proxy only."""

    name: str
    role: UserRole
    password_hash: str | None = field(default=None, repr=False)

    @property
    def password_fingerprint(self) -> str:
        """Changes with the password; a session that was opened with another one is invalid."""
        return hashlib.sha256((self.password_hash or "").encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Users:
    """All users, sorted by name. wall_token_hash: None when the wall display has no token."""

    users: tuple[User, ...] = ()
    wall_token_hash: str | None = field(default=None, repr=False)

    def find(self, name: str) -> User | None:
        """The user with this name, in any case."""
        wanted = name.casefold()
        return next((user for user in self.users if user.name == wanted), None)

    def with_user(self, user: User) -> Users:
        """A copy with this user added, or replaced when the name exists."""
        others = [each for each in self.users if each.name != user.name]
        return replace(self, users=tuple(sorted([*others, user], key=lambda each: each.name)))

    def without_user(self, name: str) -> Users:
        """A copy without the user of this name."""
        return replace(self, users=tuple(each for each in self.users if each.name != name))

    def with_wall_token(self, token: str | None) -> Users:
        """A copy with another token for the wall display; None removes it."""
        return self.with_wall_token_hash(None if token is None else token_hash(token))

    def with_wall_token_hash(self, hashed: str | None) -> Users:
        """The same, of a token whose hash only is known."""
        return replace(self, wall_token_hash=hashed)

    @property
    def wall_generation(self) -> str | None:
        """Changes with the token of the wall display and does not disclose it; None: no token."""
        hashed = self.wall_token_hash
        return None if hashed is None else hashlib.sha256(hashed.encode()).hexdigest()[:16]

    def is_wall_token(self, token: str) -> bool:
        """Whether this is the wall display's token; compared in constant time."""
        expected = self.wall_token_hash
        return expected is not None and hmac.compare_digest(expected, token_hash(token))


def parse_user_name(text: str) -> str:
    """Normalise a user name to lower case. Raises ConfigError for an invalid one."""
    name = text.strip().casefold()
    if _USER_NAME.fullmatch(name) is None:
        raise ConfigError(
            "that is no name for a user: 1 to 60 letters (a-z), digits and . _ @ -, "
            "with a letter or digit at both ends"
        )
    return name


def check_password(text: str) -> str:
    """Return the password. Raises ConfigError when it is too short or too long."""
    if not PASSWORD_MIN_LENGTH <= len(text) <= PASSWORD_MAX_LENGTH:
        raise ConfigError(
            f"a password has {PASSWORD_MIN_LENGTH} to {PASSWORD_MAX_LENGTH} characters: "
            "three or four words that nobody else would put together are good"
        )
    return text


def users_document(users: Users) -> dict[str, object]:
    """The users as the JSON object of the users file."""
    return {
        "users": [
            {"name": user.name, "role": user.role.value, "password": user.password_hash}
            for user in users.users
        ],
        "wall": users.wall_token_hash,
    }


def users_from_document(document: object) -> Users:
    """The inverse of `users_document`. Raises ConfigError for any other object."""
    if not isinstance(document, Mapping) or not isinstance(document.get("users"), list):
        raise ConfigError("it holds no list of users")
    wall = document.get("wall")
    if wall is not None and not isinstance(wall, str):
        raise ConfigError("its wall token is no text")
    users = Users(wall_token_hash=wall)
    for entry in document["users"]:
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
    return User(parse_user_name(entry["name"]), UserRole(role), password)


def token_hash(token: str) -> str:
    """SHA-256 of a token: tokens are random and long, so that no slow hash is needed."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
