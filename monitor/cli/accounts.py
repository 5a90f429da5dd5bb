"""The accounts of the page, as commands change them.

Root and the owner of the data directory write the file itself, also while no daemon runs. Other
users of the daemon's group may not write there: the daemon does it for them, and logs who asked.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import quote

from monitor.adapters.system.local_api_client import LocalApiClient
from monitor.adapters.system.users_file import UsersFile
from monitor.cli.daemon_client import WRITE_TIMEOUT_S
from monitor.core.access import User, UserRole, Users, token_hash
from monitor.core.errors import ConfigError
from monitor.settings.quick_settings import read_data_dir

ROOT = 0


@dataclass(frozen=True, slots=True)
class Account:
    """A user without the hash of the password."""

    name: str
    role: UserRole
    has_password: bool


@dataclass(frozen=True, slots=True)
class AccountList:
    """Who may sign in, and whether the wall display has a token."""

    accounts: tuple[Account, ...]
    has_wall_token: bool


class AccountStore(Protocol):
    """All raise PantauError; each change returns what there is after it."""

    def list(self) -> AccountList: ...
    def add(self, user: User) -> AccountList: ...
    def set_role(self, name: str, role: UserRole) -> AccountList: ...
    def set_password(self, name: str, password_hash: str) -> AccountList: ...
    def remove(self, name: str) -> AccountList: ...
    def set_wall_token(self, token: str | None) -> AccountList: ...


def accounts_of(config: Path) -> AccountStore:
    """In the file for who may write it, else through the daemon."""
    data_dir = read_data_dir(config)
    try:
        owner = data_dir.stat().st_uid
    except OSError:
        owner = os.geteuid()
    if os.geteuid() in (ROOT, owner):
        return FileAccounts(UsersFile(data_dir))
    return DaemonAccounts(LocalApiClient(data_dir, WRITE_TIMEOUT_S))


class FileAccounts:
    """In users.json."""

    def __init__(self, file: UsersFile) -> None:
        self._file = file

    def list(self) -> AccountList:
        return _listed(self._file.read())

    def add(self, user: User) -> AccountList:
        def edit(users: Users) -> Users:
            if users.find(user.name) is not None:
                raise ConfigError(
                    f"there is a user {user.name} already: pantau user password {user.name}"
                )
            return users.with_user(user)

        return self._change(edit)

    def set_role(self, name: str, role: UserRole) -> AccountList:
        return self._change(
            lambda users: users.with_user(replace(_existing(users, name), role=role))
        )

    def set_password(self, name: str, password_hash: str) -> AccountList:
        return self._change(
            lambda users: users.with_user(
                replace(_existing(users, name), password_hash=password_hash)
            )
        )

    def remove(self, name: str) -> AccountList:
        return self._change(lambda users: users.without_user(_existing(users, name).name))

    def set_wall_token(self, token: str | None) -> AccountList:
        return self._change(lambda users: users.with_wall_token(token))

    def _change(self, edit: Callable[[Users], Users]) -> AccountList:
        return _listed(self._file.change(edit))


class DaemonAccounts:
    """Through the local API."""

    def __init__(self, api: LocalApiClient) -> None:
        self._api = api

    def list(self) -> AccountList:
        return _from_document(self._api.get("/users"))

    def add(self, user: User) -> AccountList:
        fields = {"name": user.name, "role": user.role.value, "password": user.password_hash}
        return self._post("", fields)

    def set_role(self, name: str, role: UserRole) -> AccountList:
        return self._post(f"/{quote(name, safe='')}", {"role": role.value})

    def set_password(self, name: str, password_hash: str) -> AccountList:
        return self._post(f"/{quote(name, safe='')}", {"password": password_hash})

    def remove(self, name: str) -> AccountList:
        return self._post(f"/{quote(name, safe='')}/remove", {})

    def set_wall_token(self, token: str | None) -> AccountList:
        hashed = None if token is None else token_hash(token)
        return _from_document(self._api.post("/wall-token", {"hash": hashed}))

    def _post(self, path: str, fields: Mapping[str, object]) -> AccountList:
        return _from_document(self._api.post(f"/users{path}", fields))


def _existing(users: Users, name: str) -> User:
    found = users.find(name.strip())
    if found is None:
        raise ConfigError(f"there is no user {name!r}: pantau user list shows them")
    return found


def _listed(users: Users) -> AccountList:
    accounts = (
        Account(each.name, each.role, each.password_hash is not None) for each in users.users
    )
    return AccountList(tuple(accounts), users.wall_token_hash is not None)


def _from_document(document: Mapping[str, Any]) -> AccountList:
    accounts = (
        Account(each["name"], UserRole(each["role"]), bool(each["password"]))
        for each in document["users"]
    )
    return AccountList(tuple(accounts), bool(document["wall"]))
