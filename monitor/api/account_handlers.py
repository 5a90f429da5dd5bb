"""Handlers for the accounts of the page: for commands of the group, which may not write the file
itself, and for the page, which ends sessions.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Callable
from dataclasses import replace

from aiohttp import web

from monitor.api.context import ApiContext, json_response
from monitor.api.validation import MAX_LINE_LENGTH, MAX_NAME_LENGTH, RequestFields, clean_line
from monitor.core.access import User, UserRole, Users, parse_user_name
from monitor.core.documents import Document
from monitor.core.errors import ConfigError, Conflict, InvalidRequest, NotAllowed, NotFound

log = logging.getLogger("monitor.api.accounts")

_PASSWORD_HASH = re.compile(r"\$argon2id\$[A-Za-z0-9$,=+/]{20,180}")
_TOKEN_HASH = re.compile(r"[0-9a-f]{64}")
LONGEST_SESSION_S = 31 * 86_400.0


class AccountHandlers:
    """Every change is logged with the system user who asked for it."""

    def __init__(self, context: ApiContext) -> None:
        self._context = context
        self._accounts = context.accounts

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/users", self._list),
            web.post("/users", self._add),
            web.post("/wall-token", self._wall_token),
            web.post("/users/{name}", self._change),
            web.post("/users/{name}/remove", self._remove),
            web.post("/sessions/end", self._end_session),
        ]

    async def _list(self, _: web.Request) -> web.Response:
        return json_response(_document(await asyncio.to_thread(self._accounts.users.read)))

    async def _add(self, request: web.Request) -> web.Response:
        fields = await self._context.peers.fields(request, "name", "role", "password")
        name = _user_name(fields.text("name", MAX_NAME_LENGTH))
        role, password_hash = _role(fields), _password_hash(fields)
        user = User(name, UserRole.VIEWER if role is None else role, password_hash)

        def edit(users: Users) -> Users:
            if users.find(name) is not None:
                raise Conflict(f"there is a user {name} already: pantau user password {name}")
            return users.with_user(user)

        return await self._edit(request, edit, f"user {name} added as {user.role.value}")

    async def _change(self, request: web.Request) -> web.Response:
        fields = await self._context.peers.fields(request, "role", "password")
        name = _name_in(request)
        role, password_hash = _role(fields), _password_hash(fields)
        if role is None and password_hash is None:
            raise InvalidRequest('give "role" or "password"')

        def edit(users: Users) -> Users:
            user = _existing(users, name)
            return users.with_user(
                replace(
                    user,
                    role=user.role if role is None else role,
                    password_hash=user.password_hash if password_hash is None else password_hash,
                )
            )

        what = "password changed" if role is None else f"role changed to {role.value}"
        return await self._edit(request, edit, f"user {name}: {what}")

    async def _remove(self, request: web.Request) -> web.Response:
        await self._context.peers.fields(request)
        name = _name_in(request)

        def edit(users: Users) -> Users:
            return users.without_user(_existing(users, name).name)

        return await self._edit(request, edit, f"user {name} removed")

    async def _wall_token(self, request: web.Request) -> web.Response:
        fields = await self._context.peers.fields(request, "hash")
        hashed = fields.text("hash", MAX_LINE_LENGTH) or None
        if hashed is not None and _TOKEN_HASH.fullmatch(hashed) is None:
            raise InvalidRequest('"hash" is no SHA-256 in hexadecimal digits')

        def edit(users: Users) -> Users:
            return users.with_wall_token_hash(hashed)

        what = "removed" if hashed is None else "replaced"
        return await self._edit(request, edit, f"token of the wall display {what}")

    async def _end_session(self, request: web.Request) -> web.Response:
        fields = await self._context.peers.fields(request, "session", "name", "until")
        if not self._context.peers.peer(request).speaks_for_others:
            raise NotAllowed("only the user that serves the page ends sessions")
        session, name = fields.optional("session"), fields.optional("name")
        until_s, now_s = fields.time("until"), self._context.now_s()
        if session is None or name is None or until_s is None:
            raise InvalidRequest('give "session", "name" and "until"')
        until_s = min(until_s, now_s + LONGEST_SESSION_S)
        await asyncio.to_thread(self._accounts.sign_outs.end, session, name, until_s, now_s)
        return json_response({"name": name})

    async def _edit(
        self, request: web.Request, edit: Callable[[Users], Users], what: str
    ) -> web.Response:
        users = await asyncio.to_thread(self._accounts.users.change, edit)
        log.info("%s, by %s", what, self._context.peers.peer(request).name)
        return json_response(_document(users))


def _name_in(request: web.Request) -> str:
    return _user_name(clean_line(request.match_info["name"], MAX_NAME_LENGTH))


def _user_name(text: str) -> str:
    try:
        return parse_user_name(text)
    except ConfigError as error:
        raise InvalidRequest(str(error)) from error


def _existing(users: Users, name: str) -> User:
    found = users.find(name)
    if found is None:
        raise NotFound(f"there is no user {name!r}: pantau user list shows them")
    return found


def _role(fields: RequestFields) -> UserRole | None:
    text = fields.optional("role")
    if text is None:
        return None
    if text not in tuple(UserRole):
        raise InvalidRequest(f'"role" must be one of {", ".join(UserRole)}')
    return UserRole(text)


def _password_hash(fields: RequestFields) -> str | None:
    text = fields.text("password", MAX_LINE_LENGTH)
    if text and _PASSWORD_HASH.fullmatch(text) is None:
        raise InvalidRequest('"password" is no argon2id hash: pantau user makes it')
    return text or None


def _document(users: Users) -> Document:
    """Names and roles; no hash."""
    return {
        "users": [
            {"name": each.name, "role": each.role.value, "password": each.password_hash is not None}
            for each in users.users
        ],
        "wall": users.wall_token_hash is not None,
    }
