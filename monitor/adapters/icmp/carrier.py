"""Whether the way to a target leads over a port of ours that has no cable in it.

A packet that is sent over such a port gives no error and no answer: it would look like a
silent link. The kernel (rtnetlink(7)) says which ports are up without a carrier, and over
which port an address is reached; both are asked only when something changed, and the second
only while there is a port without a carrier.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import struct
from collections.abc import Iterator

LINK_NEW, ROUTE_NEW, ROUTE_GET, LINK_GET = 16, 24, 26, 18
DONE, ERROR = 3, 2
REQUEST, DUMP = 0x001, 0x300
IS_UP, IS_LOOPBACK, HAS_CARRIER = 0x1, 0x8, 0x10000
TO_ADDRESS, OVER_PORT = 1, 4

CHANGES = 0x1 | 0x10 | 0x40 | 0x100 | 0x400
"""RTMGRP_LINK, _IPV4_IFADDR, _IPV4_ROUTE, _IPV6_IFADDR, _IPV6_ROUTE."""

ROOM = 1 << 16
PATIENCE_S = 0.5

_HEADER = struct.Struct("=IHHII")
_LINK = struct.Struct("=BxHiII")
_ROUTE = struct.Struct("=BBBBBBBBI")
_ATTRIBUTE = struct.Struct("=HH")
_PORT = struct.Struct("=I")

log = logging.getLogger(__name__)


class Carrier:
    """Listens to the kernel's news of ports and routes. `news` grows with each of them."""

    def __init__(self) -> None:
        self.news = 0
        self._dead: frozenset[int] = frozenset()
        self._listening: socket.socket | None = None
        self._asking: socket.socket | None = None

    def open(self) -> None:
        """Without the kernel's news (a sandbox without AF_NETLINK) no port is ever called dead."""
        try:
            self._asking = _rtnetlink()
            self._listening = _rtnetlink()
        except OSError as error:
            log.warning("cannot tell a pulled cable from a silent link: AF_NETLINK: %s", error)
            self.close()
            return
        self._asking.settimeout(PATIENCE_S)
        self._listening.setblocking(False)
        self._listening.bind((0, CHANGES))
        asyncio.get_running_loop().add_reader(self._listening.fileno(), self._on_news)
        self._find_dead()

    def close(self) -> None:
        if self._listening is not None:
            asyncio.get_running_loop().remove_reader(self._listening.fileno())
            self._listening.close()
        if self._asking is not None:
            self._asking.close()
        self._listening = self._asking = None
        self._dead = frozenset()

    @property
    def any_dead(self) -> bool:
        return bool(self._dead)

    def is_dead(self, port: int | None) -> bool:
        return port in self._dead

    def port_to(self, address: str) -> int | None:
        """The index of the port over which the kernel would send; None when there is no route."""
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        packed = socket.inet_pton(family, address)
        body = _ROUTE.pack(family, len(packed) * 8, 0, 0, 0, 0, 0, 0, 0)
        body += _ATTRIBUTE.pack(_ATTRIBUTE.size + len(packed), TO_ADDRESS) + packed
        for kind, answer in self._ask(ROUTE_GET, REQUEST, body):
            if kind == ROUTE_NEW:
                return _port_in(answer[_ROUTE.size :])
        return None

    def _on_news(self) -> None:
        if self._listening is None:
            return
        try:
            while self._listening.recv(ROOM):
                pass
        except BlockingIOError:
            pass
        except OSError as error:  # ENOBUFS: there was more news than room; all of it is asked
            log.debug("news of ports was missed: %s", error)
        self.news += 1
        self._find_dead()

    def _find_dead(self) -> None:
        dead = set()
        for kind, answer in self._ask(LINK_GET, REQUEST | DUMP, _LINK.pack(0, 0, 0, 0, 0)):
            if kind == LINK_NEW:
                _, _, port, flags, _ = _LINK.unpack_from(answer)
                if flags & IS_UP and not flags & (HAS_CARRIER | IS_LOOPBACK):
                    dead.add(port)
        if self._asking is not None:
            self._dead = frozenset(dead)

    def _ask(self, what: int, flags: int, body: bytes) -> list[tuple[int, bytes]]:
        """The messages of the kernel's answer, as (type, body); none when it has no answer."""
        asking = self._asking
        if asking is None:
            return []
        found: list[tuple[int, bytes]] = []
        try:
            asking.send(_HEADER.pack(_HEADER.size + len(body), what, flags, 1, 0) + body)
            while True:
                for kind, answer in _messages(asking.recv(ROOM)):
                    if kind in (DONE, ERROR):
                        return found
                    found.append((kind, answer))
                if not flags & DUMP:
                    return found
        except OSError as error:
            log.warning("the kernel no longer tells about ports and routes: %s", error)
            self.close()
            return []


def _rtnetlink() -> socket.socket:
    return socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE)


def _messages(data: bytes) -> Iterator[tuple[int, bytes]]:
    while len(data) >= _HEADER.size:
        length, kind, *_ = _HEADER.unpack_from(data)
        if length < _HEADER.size:
            return
        yield kind, data[_HEADER.size : length]
        data = data[(length + 3) & ~3 :]


def _port_in(attributes: bytes) -> int | None:
    while len(attributes) >= _ATTRIBUTE.size:
        length, kind = _ATTRIBUTE.unpack_from(attributes)
        if length < _ATTRIBUTE.size:
            return None
        if kind == OVER_PORT:
            return int(_PORT.unpack_from(attributes, _ATTRIBUTE.size)[0])
        attributes = attributes[(length + 3) & ~3 :]
    return None
