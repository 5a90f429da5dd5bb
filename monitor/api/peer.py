"""Who is at the other end of the Unix socket, as the kernel says it (SO_PEERCRED).

Root, the daemon's own user and the page's user may act in the name of a person (`who`). Any other
user of the socket's group acts under its own system user name, whatever it says.
"""

from __future__ import annotations

import os
import socket
import struct
from collections.abc import Callable
from dataclasses import dataclass

from aiohttp import web

from monitor.adapters.system.data_directory import user_name
from monitor.api.validation import RequestFields
from monitor.core.errors import NotAllowed

ROOT = 0
_CREDENTIALS = struct.Struct("3i")  # struct ucred: pid, uid, gid


@dataclass(frozen=True, slots=True)
class SocketPeer:
    """The process that sent a request. speaks_for_others: it may name a person."""

    uid: int
    name: str
    speaks_for_others: bool


class PeerCheck:
    """page_uid: of the system user that serves the page, None where there is none."""

    def __init__(self, page_uid: Callable[[], int | None]) -> None:
        self._page_uid = page_uid

    async def fields(self, request: web.Request, *known: str) -> RequestFields:
        """The fields of a POST, `who` among them."""
        peer = self.peer(request)
        acts_as = None if peer.speaks_for_others else peer.name
        return RequestFields(await request.read(), frozenset({"who", *known}), acts_as)

    def peer(self, request: web.Request) -> SocketPeer:
        """Who sent this request."""
        transport = request.transport
        found = None if transport is None else transport.get_extra_info("socket")
        if found is None:
            raise NotAllowed("the connection has ended")
        uid = uid_at(found)
        return SocketPeer(uid, user_name(uid), uid in (ROOT, os.geteuid(), self._page_uid()))


def uid_at(connection: socket.socket) -> int:
    """The user of the process that connected."""
    raw = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    return int(_CREDENTIALS.unpack(raw)[1])
