"""The TUN device of the simulated network, and the rtnetlink requests that set it up.

Netlink without a library: pyroute2 takes 95 ms and 23 MB to import, for five requests.
"""

from __future__ import annotations

import errno
import fcntl
import ipaddress
import os
import socket
import struct
from collections.abc import Collection
from pathlib import Path

from monitor.core.errors import SimulatorError

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Prefix = ipaddress.IPv4Network | ipaddress.IPv6Network


class Netlink:
    """An rtnetlink socket of the current network namespace.

    Every method raises OSError with the kernel's errno.
    """

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE)
        self._socket.bind((0, 0))
        self._sequence = 0

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()

    def device_up(self, device: str, mtu: int | None = None, queue: int | None = None) -> None:
        """Set a device up; mtu in bytes and the length of its queue in packets, if given."""
        index = socket.if_nametoindex(device)
        body = struct.pack("=BxHiII", socket.AF_UNSPEC, 0, index, _IFF_UP, _IFF_UP)
        if mtu is not None:
            body += _attribute(_IFLA_MTU, struct.pack("=I", mtu))
        if queue is not None:
            body += _attribute(_IFLA_TXQLEN, struct.pack("=I", queue))
        self._request(_RTM_NEWLINK, body)

    def add_address(self, device: str, address: Address) -> None:
        """Add an address to a device, without a route."""
        index = socket.if_nametoindex(device)
        body = struct.pack("=BBBBi", _family(address), address.max_prefixlen, 0, 0, index)
        body += _attribute(_IFA_LOCAL, address.packed) + _attribute(_IFA_ADDRESS, address.packed)
        self._request(_RTM_NEWADDR, body, _NLM_F_CREATE)

    def add_route(self, device: str, prefix: Prefix) -> None:
        """Add a route for a prefix."""
        self._request(_RTM_NEWROUTE, self._route(device, prefix), _NLM_F_CREATE)

    def delete_route(self, device: str, prefix: Prefix) -> None:
        """Delete the route of a prefix."""
        self._request(_RTM_DELROUTE, self._route(device, prefix))

    def _route(self, device: str, prefix: Prefix) -> bytes:
        head = struct.pack(
            "=BBBBBBBBI",
            _family(prefix.network_address),
            prefix.prefixlen,
            0,
            0,
            _RT_TABLE_MAIN,
            _RTPROT_BOOT,
            _RT_SCOPE_LINK if prefix.version == 4 else 0,
            _RTN_UNICAST,
            0,
        )
        index = struct.pack("=i", socket.if_nametoindex(device))
        destination = _attribute(_RTA_DST, prefix.network_address.packed)
        return head + destination + _attribute(_RTA_OIF, index)

    def _request(self, kind: int, body: bytes, flags: int = 0) -> None:
        """Send one request and read the acknowledgement."""
        self._sequence += 1
        flags |= _NLM_F_REQUEST_ACK
        head = struct.pack("=IHHII", 16 + len(body), kind, flags, self._sequence, 0)
        self._socket.send(head + body)
        answer = self._socket.recv(65536)
        (answered,) = struct.unpack_from("=H", answer, 4)
        if answered != _NLMSG_ERROR:
            raise OSError(errno.EPROTO, "unexpected answer of the kernel")
        (code,) = struct.unpack_from("=i", answer, 16)
        if code:
            raise OSError(-code, os.strerror(-code))


def _family(address: Address) -> int:
    return int(socket.AF_INET if address.version == 4 else socket.AF_INET6)


def _attribute(kind: int, data: bytes) -> bytes:
    """A netlink attribute, padded to 4 bytes."""
    return struct.pack("=HH", 4 + len(data), kind) + data + b"\0" * (-len(data) % 4)


DEVICE_FILE = Path("/dev/net/tun")
_PING_GROUPS = Path("/proc/sys/net/ipv4/ping_group_range")
_NAME = "indramayu"
_MTU = 1500
_QUEUE = 50_000  # packets: a round of 10,000 requests may come at once
_SET_INTERFACE = 0x400454CA  # TUNSETIFF
_TUN, _NO_PACKET_INFO = 0x0001, 0x1000
_GET_FLAGS, _UP = 0x8913, 0x1  # SIOCGIFFLAGS, IFF_UP
_V4 = ipaddress.ip_network("10.77.0.0/16")
_V6 = ipaddress.ip_network("fd77::/64")
# linux/netlink.h, rtnetlink.h, if_link.h
_NLM_F_REQUEST_ACK, _NLM_F_CREATE = 0x1 | 0x4, 0x400
_RTM_NEWLINK, _RTM_NEWADDR, _RTM_NEWROUTE, _RTM_DELROUTE = 16, 20, 24, 25
_IFLA_MTU, _IFLA_TXQLEN, _IFA_ADDRESS, _IFA_LOCAL, _RTA_DST, _RTA_OIF = 4, 13, 1, 2, 1, 4
_RT_TABLE_MAIN, _RTPROT_BOOT, _RT_SCOPE_LINK, _RTN_UNICAST = 254, 3, 253, 1
_IFF_UP, _NLMSG_ERROR = 1, 2


class TunDevice:
    """A TUN device that is up and to which every configured address is routed.

    fd: non-blocking; each read returns one IP packet, each write sends one.
    """

    def __init__(self, addresses: Collection[str], device_file: Path = DEVICE_FILE) -> None:
        """Create it in the current network namespace, which must be unused.

        Raises SimulatorError when that fails or the namespace is in use, so that the machine's own
        routes are never changed.
        """
        _require_unused_namespace()
        self._routes = _prefixes(addresses)
        self._own = _own_addresses(addresses, self._routes)
        self.fd = _open(device_file)
        self._netlink = Netlink()
        try:
            self._set_up()
        except OSError as error:
            self.close()
            raise SimulatorError(
                f"the kernel refused to set up the simulated network's device: {error.strerror}"
            ) from error

    def set_route(self, present: bool) -> None:
        """Add or delete the routes; without them sending fails with ENETUNREACH."""
        change = self._netlink.add_route if present else self._netlink.delete_route
        for prefix in self._routes:
            change(_NAME, prefix)

    def close(self) -> None:
        """Close the file, which removes the device."""
        self._netlink.close()
        os.close(self.fd)

    def _set_up(self) -> None:
        self._netlink.device_up("lo")
        self._netlink.device_up(_NAME, _MTU, _QUEUE)
        for address in self._own:
            self._netlink.add_address(_NAME, address)
        self.set_route(present=True)


def allow_ping_sockets() -> None:
    """Allow ICMP datagram sockets to all users of this namespace, where possible."""
    # In a user namespace only the mapped groups can be named, and /proc may be read-only.
    for groups in ("0 2147483647", "0 0"):
        try:
            _PING_GROUPS.write_text(groups)
        except OSError:
            continue
        return


def _open(device_file: Path) -> int:
    try:
        fd = os.open(device_file, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError as error:
        raise SimulatorError(
            f"{device_file} is missing: load the module with `modprobe tun` "
            "(in a container: start it with --device /dev/net/tun)"
        ) from error
    except PermissionError as error:
        raise SimulatorError(
            f"{device_file} may not be opened: run as root, or `chmod 0666 {device_file}` as root"
        ) from error
    except OSError as error:
        raise SimulatorError(
            f"{device_file} does not work ({error.strerror}): load the module with `modprobe tun`"
        ) from error
    try:
        request = struct.pack("16sH22x", _NAME.encode(), _TUN | _NO_PACKET_INFO)
        fcntl.ioctl(fd, _SET_INTERFACE, request)
    except OSError as error:
        os.close(fd)
        raise SimulatorError(
            f"a TUN device cannot be made here ({error.strerror}): "
            "this needs CAP_NET_ADMIN in the namespace"
        ) from error
    return fd


def _require_unused_namespace() -> None:
    """Raise SimulatorError if a device is up: in a new network namespace not even lo is."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        for _, name in socket.if_nameindex():
            request = struct.pack("16s24x", name.encode())
            (flags,) = struct.unpack_from("=H", fcntl.ioctl(probe, _GET_FLAGS, request), 16)
            if flags & _UP:
                raise SimulatorError(
                    f"this network namespace is in use ({name} is up) and is left alone: "
                    "start with `unshare -n`, or through Simulation.start"
                )


def _prefixes(addresses: Collection[str]) -> tuple[Prefix, ...]:
    """The prefixes routed to the device: the two test nets, and any other configured address."""
    known = [ipaddress.ip_address(address) for address in addresses]
    nets: list[Prefix] = [_V4]
    if any(address.version == 6 for address in known):
        nets.append(_V6)
    inside = tuple(nets)
    nets.extend(
        ipaddress.ip_network(address)
        for address in known
        if not any(address in net for net in inside)
    )
    return tuple(nets)


def _own_addresses(addresses: Collection[str], routes: Collection[Prefix]) -> tuple[Address, ...]:
    """The monitor's own addresses: the last unused one of each net."""
    taken = {ipaddress.ip_address(address) for address in addresses}
    found: list[Address] = []
    for net in (_V4, _V6):
        if net in routes:
            offset = next(n for n in range(2, len(taken) + 3) if net[-n] not in taken)
            found.append(net[-offset])
    return tuple(found)
