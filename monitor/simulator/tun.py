"""The TUN device: one end is the kernel's network, the other a file that we read and write."""

from __future__ import annotations

import fcntl
import ipaddress
import os
import socket
import struct
from collections.abc import Collection
from pathlib import Path

from monitor.core.errors import SimulatorError
from monitor.simulator.netlink import Address, Netlink, Prefix

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


class Tun:
    """The device, up, with every configured address routed to it.

    fd: non-blocking; a read gives one IP packet, a write sends one.
    """

    def __init__(self, addresses: Collection[str], device_file: Path = DEVICE_FILE) -> None:
        """Make it in the present network namespace, which must be a new one.

        Raises SimulatorError in one sentence when it cannot be, or when this namespace is in use:
        the machine's own routes are never touched.
        """
        _refuse_a_namespace_in_use()
        self._routes = _prefixes(addresses)
        self._own = _own_addresses(addresses, self._routes)
        self.fd = _open(device_file)
        self._netlink = Netlink()
        try:
            self._set_up()
        except OSError as error:
            self.close()
            raise SimulatorError(
                f"the kernel refused to set up the made-up network's device: {error.strerror}"
            ) from error

    def route(self, present: bool) -> None:
        """Add or take away the routes; without them, sending fails with ENETUNREACH."""
        change = self._netlink.add_route if present else self._netlink.delete_route
        for prefix in self._routes:
            change(_NAME, prefix)

    def close(self) -> None:
        """The device goes away with its file."""
        self._netlink.close()
        os.close(self.fd)

    def _set_up(self) -> None:
        self._netlink.device_up("lo")
        self._netlink.device_up(_NAME, _MTU, _QUEUE)
        for address in self._own:
            self._netlink.add_address(_NAME, address)
        self.route(present=True)


def open_ping_sockets() -> None:
    """Allow ICMP datagram sockets to everybody in this namespace, as far as it may be allowed."""
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
        wish = struct.pack("16sH22x", _NAME.encode(), _TUN | _NO_PACKET_INFO)
        fcntl.ioctl(fd, _SET_INTERFACE, wish)
    except OSError as error:
        os.close(fd)
        raise SimulatorError(
            f"a TUN device cannot be made here ({error.strerror}): "
            "this needs CAP_NET_ADMIN in the namespace"
        ) from error
    return fd


def _refuse_a_namespace_in_use() -> None:
    """A new network namespace has no device that is up, not even lo; a machine's own has."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asker:
        for _, name in socket.if_nameindex():
            wish = struct.pack("16s24x", name.encode())
            (flags,) = struct.unpack_from("=H", fcntl.ioctl(asker, _GET_FLAGS, wish), 16)
            if flags & _UP:
                raise SimulatorError(
                    f"this network namespace is in use ({name} is up) and is left alone: "
                    "start with `unshare -n`, or through Simulation.start"
                )


def _prefixes(addresses: Collection[str]) -> tuple[Prefix, ...]:
    """What is routed to the device: the county's own nets, and any other configured address."""
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
    """The monitor's own addresses: the last ones of the nets that nobody else has."""
    taken = {ipaddress.ip_address(address) for address in addresses}
    found: list[Address] = []
    for net in (_V4, _V6):
        if net in routes:
            offset = next(n for n in range(2, len(taken) + 3) if net[-n] not in taken)
            found.append(net[-offset])
    return tuple(found)
