"""Limits on what clients of the Unix socket may hold: connections, and time.

A client that sends half a request, or does not read its response, holds one connection for a short
time; one user can hold so many of them that the others still find room and the daemon still has
descriptors for its own files.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

from monitor.api.peer import uid_at


@dataclass(frozen=True, slots=True)
class ConnectionLimits:
    """Times in seconds: for the header of a request, its body, and a response that is not read."""

    header_s: float = 5.0
    body_s: float = 5.0
    stalled_s: float = 10.0
    idle_s: float = 10.0
    per_user: int = 64
    connections: int = 200


class Connections:
    """All open connections. make_protocol: of aiohttp, for one connection."""

    def __init__(
        self, make_protocol: Callable[[], asyncio.Protocol], limits: ConnectionLimits
    ) -> None:
        self._make_protocol = make_protocol
        self._limits = limits
        self._open: dict[asyncio.BaseTransport, _Connection] = {}
        self._of_user: Counter[int] = Counter()

    def __call__(self) -> asyncio.Protocol:
        """A protocol for a new connection, as `create_unix_server` asks for it."""
        return _Connection(self, self._make_protocol(), self._limits)

    def header_arrived(self, transport: asyncio.BaseTransport | None) -> None:
        """A whole header has been read from that connection."""
        connection = None if transport is None else self._open.get(transport)
        if connection is not None:
            connection.stop_waiting()

    def admit(self, connection: _Connection, transport: asyncio.Transport) -> int | None:
        """Count a new connection; the user who has it, None when there are too many."""
        uid = uid_at(transport.get_extra_info("socket"))
        limits = self._limits
        if len(self._open) >= limits.connections or self._of_user[uid] >= limits.per_user:
            return None
        self._open[transport] = connection
        self._of_user[uid] += 1
        return uid

    def release(self, transport: asyncio.BaseTransport, uid: int) -> None:
        """That connection has ended."""
        self._open.pop(transport, None)
        self._of_user[uid] -= 1
        if self._of_user[uid] <= 0:
            del self._of_user[uid]


class _Connection(asyncio.Protocol):
    """Passes everything on to aiohttp's protocol, and ends the connection of a slow client."""

    def __init__(
        self, connections: Connections, inner: asyncio.Protocol, limits: ConnectionLimits
    ) -> None:
        self._connections = connections
        self._inner = inner
        self._limits = limits
        self._transport: asyncio.Transport | None = None
        self._uid: int | None = None
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        stream = cast(asyncio.Transport, transport)
        self._transport = stream
        self._uid = self._connections.admit(self, stream)
        if self._uid is None:
            stream.abort()
            return
        self._end_after(self._limits.header_s)
        self._inner.connection_made(transport)

    def data_received(self, data: bytes) -> None:
        if self._uid is not None:
            self._inner.data_received(data)

    def eof_received(self) -> bool | None:
        return self._inner.eof_received() if self._uid is not None else None

    def pause_writing(self) -> None:
        """The client does not read: the buffer of the connection is full."""
        self._end_after(self._limits.stalled_s)
        self._inner.pause_writing()

    def resume_writing(self) -> None:
        self.stop_waiting()
        self._inner.resume_writing()

    def connection_lost(self, error: Exception | None) -> None:
        self.stop_waiting()
        if self._uid is not None and self._transport is not None:
            self._connections.release(self._transport, self._uid)
            self._inner.connection_lost(error)

    def stop_waiting(self) -> None:
        """The client did what was waited for."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _end_after(self, seconds: float) -> None:
        self.stop_waiting()
        if self._transport is not None:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(seconds, self._transport.abort)
