"""Whether the route to a target leads over a network interface without carrier (no cable).

A packet sent over such an interface gives neither an error nor a reply: it would look like a
silent target. The kernel (rtnetlink(7)) reports which interfaces are up without carrier, and over
which interface an address is routed. Both are read only after a change, and the route only while
some interface has no carrier.

Our own netlink code instead of pyroute2: that library takes 13 MB and 0.2 s to import (measured),
for two requests and one subscription.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import struct
from collections.abc import Iterator

RTM_NEWLINK, RTM_GETLINK, RTM_NEWROUTE, RTM_GETROUTE = 16, 18, 24, 26
NLMSG_ERROR, NLMSG_DONE = 2, 3
NLM_F_REQUEST, NLM_F_DUMP = 0x001, 0x300
IFF_UP, IFF_LOOPBACK, IFF_LOWER_UP = 0x1, 0x8, 0x10000
RTA_DST, RTA_OIF = 1, 4

CHANGE_GROUPS = 0x1 | 0x10 | 0x40 | 0x100 | 0x400
"""RTMGRP_LINK, _IPV4_IFADDR, _IPV4_ROUTE, _IPV6_IFADDR, _IPV6_ROUTE."""

RECEIVE_BYTES = 1 << 16
TIMEOUT_S = 0.5

_NLMSGHDR = struct.Struct("=IHHII")
_IFINFOMSG = struct.Struct("=BxHiII")
_RTMSG = struct.Struct("=BBBBBBBBI")
_RTATTR = struct.Struct("=HH")
_INTERFACE = struct.Struct("=I")

log = logging.getLogger(__name__)


class CarrierMonitor:
    """Follows the kernel's notifications of link, address and route changes.

    version: increases with each change; routes that were looked up before are outdated.
    """

    def __init__(self) -> None:
        self.version = 0
        self._down: frozenset[int] = frozenset()
        self._notifications: socket.socket | None = None
        self._queries: socket.socket | None = None

    def open(self) -> None:
        """Subscribe. Without AF_NETLINK (a sandbox) every interface counts as having carrier."""
        try:
            self._queries = _rtnetlink()
            self._notifications = _rtnetlink()
        except OSError as error:
            log.warning(
                "a pulled cable looks like a silent target: no AF_NETLINK socket: %s", error
            )
            self.close()
            return
        self._queries.settimeout(TIMEOUT_S)
        self._notifications.setblocking(False)
        self._notifications.bind((0, CHANGE_GROUPS))
        loop = asyncio.get_running_loop()
        loop.add_reader(self._notifications.fileno(), self._on_notification)
        self._read_interfaces()

    def close(self) -> None:
        if self._notifications is not None:
            asyncio.get_running_loop().remove_reader(self._notifications.fileno())
            self._notifications.close()
        if self._queries is not None:
            self._queries.close()
        self._notifications = self._queries = None
        self._down = frozenset()

    @property
    def any_down(self) -> bool:
        """Whether some interface is up without carrier."""
        return bool(self._down)

    def is_down(self, interface: int | None) -> bool:
        """Whether this interface (by index) is up without carrier."""
        return interface in self._down

    def interface_to(self, address: str) -> int | None:
        """The index of the interface over which the kernel routes this address; None: no route."""
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        packed = socket.inet_pton(family, address)
        body = _RTMSG.pack(family, len(packed) * 8, 0, 0, 0, 0, 0, 0, 0)
        body += _RTATTR.pack(_RTATTR.size + len(packed), RTA_DST) + packed
        for kind, message in self._query(RTM_GETROUTE, NLM_F_REQUEST, body):
            if kind == RTM_NEWROUTE:
                return _outgoing_interface(message[_RTMSG.size :])
        return None

    def _on_notification(self) -> None:
        if self._notifications is None:
            return
        try:
            while self._notifications.recv(RECEIVE_BYTES):
                pass
        except BlockingIOError:
            pass
        except OSError as error:  # ENOBUFS: some were dropped; everything is read again anyway
            log.debug("netlink notifications were missed: %s", error)
        self.version += 1
        self._read_interfaces()

    def _read_interfaces(self) -> None:
        down = set()
        request = _IFINFOMSG.pack(0, 0, 0, 0, 0)
        for kind, message in self._query(RTM_GETLINK, NLM_F_REQUEST | NLM_F_DUMP, request):
            if kind == RTM_NEWLINK:
                _, _, interface, flags, _ = _IFINFOMSG.unpack_from(message)
                if flags & IFF_UP and not flags & (IFF_LOWER_UP | IFF_LOOPBACK):
                    down.add(interface)
        if self._queries is not None:
            self._down = frozenset(down)

    def _query(self, kind: int, flags: int, body: bytes) -> list[tuple[int, bytes]]:
        """Send a request; the messages of the response as (type, body), empty after a failure."""
        queries = self._queries
        if queries is None:
            return []
        messages: list[tuple[int, bytes]] = []
        try:
            queries.send(_NLMSGHDR.pack(_NLMSGHDR.size + len(body), kind, flags, 1, 0) + body)
            while True:
                for answer_kind, answer in _messages(queries.recv(RECEIVE_BYTES)):
                    if answer_kind in (NLMSG_DONE, NLMSG_ERROR):
                        return messages
                    messages.append((answer_kind, answer))
                if not flags & NLM_F_DUMP:
                    return messages
        except OSError as error:
            log.warning("a pulled cable looks like a silent target from now on: netlink: %s", error)
            self.close()
            return []


def _rtnetlink() -> socket.socket:
    return socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE)


def _messages(data: bytes) -> Iterator[tuple[int, bytes]]:
    while len(data) >= _NLMSGHDR.size:
        length, kind, *_ = _NLMSGHDR.unpack_from(data)
        if length < _NLMSGHDR.size:
            return
        yield kind, data[_NLMSGHDR.size : length]
        data = data[(length + 3) & ~3 :]


def _outgoing_interface(attributes: bytes) -> int | None:
    while len(attributes) >= _RTATTR.size:
        length, kind = _RTATTR.unpack_from(attributes)
        if length < _RTATTR.size:
            return None
        if kind == RTA_OIF:
            return int(_INTERFACE.unpack_from(attributes, _RTATTR.size)[0])
        attributes = attributes[(length + 3) & ~3 :]
    return None
