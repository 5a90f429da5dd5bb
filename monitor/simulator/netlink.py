"""How the kernel is told about addresses, routes and devices (rtnetlink), without `ip`.

Numbers are those of linux/netlink.h, rtnetlink.h and if_link.h.
"""

from __future__ import annotations

import errno
import ipaddress
import os
import socket
import struct

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Prefix = ipaddress.IPv4Network | ipaddress.IPv6Network

_REQUEST_ACK = 0x1 | 0x4
_CREATE = 0x400
_NEW_LINK, _NEW_ADDRESS, _NEW_ROUTE, _DELETE_ROUTE = 16, 20, 24, 25
_MTU, _QUEUE = 4, 13  # IFLA_MTU, IFLA_TXQLEN
_ADDRESS, _LOCAL = 1, 2  # IFA_ADDRESS, IFA_LOCAL
_DESTINATION, _OUT_DEVICE = 1, 4  # RTA_DST, RTA_OIF
_IFF_UP = 1
_MAIN_TABLE, _BY_BOOT, _LINK_SCOPE, _UNICAST = 254, 3, 253, 1
_ERROR = 2


class Netlink:
    """A conversation with the kernel about the network namespace in which it was opened.

    Every method raises OSError with the kernel's errno.
    """

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE)
        self._socket.bind((0, 0))
        self._sequence = 0

    def close(self) -> None:
        """End it."""
        self._socket.close()

    def device_up(self, device: str, mtu: int | None = None, queue: int | None = None) -> None:
        """Set a device up; mtu in bytes and the length of its queue in packets, if given."""
        index = socket.if_nametoindex(device)
        body = struct.pack("=BxHiII", socket.AF_UNSPEC, 0, index, _IFF_UP, _IFF_UP)
        if mtu is not None:
            body += _attribute(_MTU, struct.pack("=I", mtu))
        if queue is not None:
            body += _attribute(_QUEUE, struct.pack("=I", queue))
        self._ask(_NEW_LINK, body)

    def add_address(self, device: str, address: Address) -> None:
        """Give a device one address of its own, with no route beside it."""
        index = socket.if_nametoindex(device)
        body = struct.pack("=BBBBi", _family(address), address.max_prefixlen, 0, 0, index)
        body += _attribute(_LOCAL, address.packed) + _attribute(_ADDRESS, address.packed)
        self._ask(_NEW_ADDRESS, body, _CREATE)

    def add_route(self, device: str, prefix: Prefix) -> None:
        """Send a prefix to a device."""
        self._ask(_NEW_ROUTE, self._route(device, prefix), _CREATE)

    def delete_route(self, device: str, prefix: Prefix) -> None:
        """Take that back."""
        self._ask(_DELETE_ROUTE, self._route(device, prefix))

    def _route(self, device: str, prefix: Prefix) -> bytes:
        head = struct.pack(
            "=BBBBBBBBI",
            _family(prefix.network_address),
            prefix.prefixlen,
            0,
            0,
            _MAIN_TABLE,
            _BY_BOOT,
            _LINK_SCOPE if prefix.version == 4 else 0,
            _UNICAST,
            0,
        )
        index = struct.pack("=i", socket.if_nametoindex(device))
        destination = _attribute(_DESTINATION, prefix.network_address.packed)
        return head + destination + _attribute(_OUT_DEVICE, index)

    def _ask(self, kind: int, body: bytes, flags: int = 0) -> None:
        """Send one request and read the kernel's word on it."""
        self._sequence += 1
        flags |= _REQUEST_ACK
        head = struct.pack("=IHHII", 16 + len(body), kind, flags, self._sequence, 0)
        self._socket.send(head + body)
        answer = self._socket.recv(65536)
        (answered,) = struct.unpack_from("=H", answer, 4)
        if answered != _ERROR:
            raise OSError(errno.EPROTO, "the kernel answered something else")
        (code,) = struct.unpack_from("=i", answer, 16)
        if code:
            raise OSError(-code, os.strerror(-code))


def _family(address: Address) -> int:
    return int(socket.AF_INET if address.version == 4 else socket.AF_INET6)


def _attribute(kind: int, data: bytes) -> bytes:
    """A netlink attribute, padded to 4 bytes."""
    return struct.pack("=HH", 4 + len(data), kind) + data + b"\0" * (-len(data) % 4)
