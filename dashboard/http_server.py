"""The web server: waitress, with limits on what slow or many clients may hold.

waitress reads requests and sends responses in its main loop; a worker thread gets a request only
when it is complete, and does not wait while its response is sent. What it does not limit is added
here: the time that a request may take to arrive and a response to be read, and the connections of
one address. Where a limit on connections is reached, the one that has waited longest gives way to
the new one: a browser sends a whole request at once, so it is served while others hold the rest.
"""

from __future__ import annotations

import ipaddress
import logging
import signal
import socket
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Protocol

from waitress import wasyncore
from waitress.adjustments import Adjustments
from waitress.channel import HTTPChannel
from waitress.server import TcpWSGIServer
from waitress.task import WSGITask

log = logging.getLogger("dashboard.http_server")

THREADS = 16
GRACEFUL_S = 5.0
MAX_HEADER_BYTES = 16_384
MAX_BODY_BYTES = 65_536
SPILL_BYTES = 262_144
"""Of a response that is not read yet; more of it waits in a temporary file."""


class Application(Protocol):
    """What WSGI (PEP 3333) calls an application."""

    def __call__(self, environ: dict[str, Any], start_response: Any, /) -> Iterable[bytes]: ...


@dataclass(frozen=True, slots=True)
class Limits:
    """Times in seconds. first_s: from connecting to the first byte. header_s, body_s: from a
    request's first byte to the end of its header, of its body. idle_s: between two requests.
    stalled_s: in which nothing of a response was read. response_s: until all of it was.

    connections: of everybody; per_address: of one, but not of a proxy.
    """

    first_s: float = 20.0
    header_s: float = 10.0
    body_s: float = 20.0
    idle_s: float = 75.0
    stalled_s: float = 20.0
    response_s: float = 120.0
    connections: int = 900
    per_address: int = 64


class Task(WSGITask):  # type: ignore[misc]  # waitress has no types
    """One request being answered."""

    def set_close_on_finish(self) -> None:
        """Keep the connection after a response without a body (304), which needs no length.

        waitress would end it, and an open page asks each second and mostly gets 304.
        """
        asked = self.request.headers.get("CONNECTION", "").lower() == "close"
        if self.version == "1.0" or self.has_body or asked:
            super().set_close_on_finish()


class Channel(HTTPChannel):  # type: ignore[misc]  # waitress has no types
    """A connection that knows since when it waits for its client, and for what."""

    server: LimitedServer
    task_class = Task

    def __init__(
        self, server: LimitedServer, sock: socket.socket, addr: Any, adj: Any, map: Any = None
    ) -> None:
        self.since_s = self.progress_s = server.steady()
        self.group = group_of(addr[0])
        self.served = False
        self._unsent = 0
        super().__init__(server, sock, addr, adj, map=map)

    def received(self, data: bytes) -> bool:
        """Called with what the client sent."""
        if self.request is None:
            self.since_s = self.server.steady()
        return bool(super().received(data))

    def service(self) -> None:
        """Answer one request; called in a worker thread."""
        super().service()
        self.served = True
        self.since_s = self.progress_s = self.server.steady()

    @property
    def is_waiting(self) -> bool:
        """Whether the client has to act: no request of it is being answered."""
        return not self.requests

    def is_late(self, now_s: float, limits: Limits) -> bool:
        """Whether the client has taken too long. Called about once a second."""
        waited_s = now_s - self.since_s
        unsent = self.total_outbufs_len
        if unsent:
            if unsent != self._unsent:
                self._unsent, self.progress_s = unsent, now_s
            return waited_s > limits.response_s or now_s - self.progress_s > limits.stalled_s
        self._unsent = 0
        if self.requests:
            return False
        if self.request is not None:
            allowed_s = limits.body_s if self.request.headers_finished else limits.header_s
            return waited_s > allowed_s
        return waited_s > (limits.idle_s if self.served else limits.first_s)


class LimitedServer(TcpWSGIServer):  # type: ignore[misc]
    """Serves one application on one address until SIGTERM or SIGINT.

    is_proxy: whether the connections of this address are those of many people, and not counted by
    address. steady: seconds that never jump. Raises OSError when it cannot listen.
    """

    channel_class = Channel

    def __init__(
        self,
        application: Application,
        host: str,
        port: int,
        steady: Callable[[], float],
        is_proxy: Callable[[str], bool] = lambda _: False,
        limits: Limits | None = None,
    ) -> None:
        self.steady = steady
        self._limits = limits or Limits()
        self._is_proxy = is_proxy
        self._looked_s = steady()
        self._ends = False
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        adjustments = Adjustments(
            threads=THREADS,
            ident=None,
            # The application itself decides whose forwarding headers it believes.
            clear_untrusted_proxy_headers=False,
            max_request_header_size=MAX_HEADER_BYTES,
            max_request_body_size=MAX_BODY_BYTES,
            outbuf_overflow=SPILL_BYTES,
            log_socket_errors=False,
        )
        sockinfo = (family, socket.SOCK_STREAM, 0, (host, port))
        super().__init__(application, adj=adjustments, sockinfo=sockinfo)

    def serve(self) -> None:
        """Run until a signal; then answer what was asked, for GRACEFUL_S at most."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_end)
        while not self._ends:
            self._poll()
        self.accepting = False
        self.del_channel()
        self.socket.close()
        until_s = self.steady() + GRACEFUL_S
        while self._is_busy() and self.steady() < until_s:
            self._poll(timeout_s=0.1)
        self.task_dispatcher.shutdown(timeout=1)

    def readable(self) -> bool:
        """Whether to accept: always. Called before each poll: it also ends late connections."""
        now_s = self.steady()
        if now_s - self._looked_s >= 1.0:
            self._looked_s = now_s
            self.end_late(now_s)
        return bool(self.accepting)

    def end_late(self, now_s: float) -> None:
        """End every connection whose client has taken too long."""
        for channel in list(self.active_channels.values()):
            if channel.is_late(now_s, self._limits):
                # Not `will_close`: that waits until the socket can be written, which one whose
                # client reads nothing never can.
                channel.handle_close()

    def handle_accept(self) -> None:
        """Accept one connection; make room for it."""
        try:
            accepted = self.accept()
        except OSError as error:
            log.error("a connection cannot be accepted: %s", error)
            _end_oldest(list(self.active_channels.values()))
            return
        if accepted is None:
            return
        connection, address = accepted
        try:
            if self._has_room(address[0]):
                self.set_socket_options(connection)
                self.channel_class(self, connection, address, self.adj, map=self._map)
            else:
                connection.close()
        except OSError:  # it has ended already
            connection.close()

    def _has_room(self, address: str) -> bool:
        """Whether one more fits, after the longest waiting one was ended where it did not."""
        channels = list(self.active_channels.values())
        if not self._is_proxy(address):
            group = group_of(address)
            same = [each for each in channels if each.group == group]
            if len(same) >= self._limits.per_address and not _end_oldest(same):
                return False
        return len(channels) < self._limits.connections or _end_oldest(channels)

    def _poll(self, timeout_s: float = 1.0) -> None:
        wasyncore.poll2(timeout_s, self._map)

    def _is_busy(self) -> bool:
        channels = self.active_channels.values()
        return any(each.requests or each.total_outbufs_len for each in channels)

    def _on_end(self, _number: int, _frame: object) -> None:
        self._ends = True
        self.pull_trigger()


def _end_oldest(channels: list[Channel]) -> bool:
    """End at once the connection that has waited longest for its client; False: none waits."""
    waiting = [each for each in channels if each.is_waiting]
    if not waiting:
        return False
    min(waiting, key=lambda each: each.since_s).handle_close()
    return True


def group_of(address: str) -> str:
    """The address itself; of an IPv6 address its /64, which one household has to itself."""
    if ":" not in address:
        return address
    plain = ipaddress.IPv6Address(address.partition("%")[0])
    if plain.ipv4_mapped is not None:
        return str(plain.ipv4_mapped)
    return str(ipaddress.ip_network((plain, 64), strict=False))
