"""Real network namespaces for tests: routes, ports and packets that touch nothing else.

A socket belongs to the namespace in which it was made, wherever its process goes later. So a
test enters, opens what it tests, and leaves.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

CLONE_NEWNET = 0x40000000
HERE = "/proc/thread-self/ns/net"

MISSING = (
    "this test needs network namespaces: run it as root (CAP_SYS_ADMIN), or under `unshare -Urn`"
)


class PrivateNetwork:
    """One network namespace, with lo up. Call from the main thread only."""

    def __init__(self) -> None:
        assert shutil.which("ip"), "the program ip is missing: apt install iproute2"
        self._libc = ctypes.CDLL(None, use_errno=True)
        home = os.open(HERE, os.O_RDONLY)
        try:
            assert self._libc.unshare(CLONE_NEWNET) == 0, MISSING
            self._inside = os.open(HERE, os.O_RDONLY)
        finally:
            self._enter(home)
            os.close(home)
        self.ip("link set lo up")
        # An IPv6 address is usable at once, without a second of looking for another owner.
        self.sysctl("net/ipv6/conf/default/accept_dad", "0")

    def close(self) -> None:
        os.close(self._inside)

    @contextmanager
    def inside(self) -> Iterator[None]:
        """Sockets and programs started in here belong to this namespace."""
        before = os.open(HERE, os.O_RDONLY)
        try:
            self._enter(self._inside)
            yield
        finally:
            self._enter(before)
            os.close(before)

    def ip(self, command: str) -> None:
        """`ip …` in this namespace."""
        self.run(f"ip {command}")

    def run(self, command: str) -> None:
        """A program in this namespace; words are split at spaces."""
        with self.inside():
            subprocess.run(command.split(), check=True, timeout=10)

    def sysctl(self, name: str, value: str) -> None:
        """A setting of this namespace's network, such as `net/ipv4/ip_forward`."""
        with self.inside():
            Path("/proc/sys", name).write_text(value)

    def allow_datagram_icmp(self) -> None:
        """Every group may open datagram ICMP sockets in here, as far as groups are mapped."""
        try:
            self.sysctl("net/ipv4/ping_group_range", "0 2147483647")
        except OSError:
            self.sysctl("net/ipv4/ping_group_range", "0 0")

    def _enter(self, namespace: int) -> None:
        assert self._libc.setns(namespace, CLONE_NEWNET) == 0, os.strerror(ctypes.get_errno())


class TwoSides:
    """A monitor's side and a far side, joined by a cable (a veth pair).

    ALIVE answers by its kernel; SILENT lies behind a router that swallows everything;
    REFUSED and FILTERED lie behind a router that says so; nothing leads to UNROUTED.
    The far side's router is ROUTER, the monitor is MONITOR. The same in IPv6 with …6.
    """

    MONITOR = "10.9.0.1"
    ROUTER = ALIVE = "10.9.0.2"
    ALIVE_TOO = "10.9.0.3"
    NEIGHBOUR = "10.9.0.9"
    REFUSED, FILTERED, SILENT, UNROUTED = "10.8.0.1", "10.8.1.1", "10.8.2.1", "10.7.0.1"
    ROUTER6 = ALIVE6 = "fd09::2"
    SILENT_TOO = "10.8.2.2"
    REFUSED6, SILENT6, UNROUTED6 = "fd08::1", "fd08:0:0:1::1", "fd07::1"

    def __init__(self) -> None:
        self.near = PrivateNetwork()
        self.far = PrivateNetwork()
        self.near.ip("link add cable type veth peer name far")
        with self.far.inside():
            holder = subprocess.Popen(["sleep", "60"], stdout=subprocess.DEVNULL)
        try:
            self.near.ip(f"link set far netns {holder.pid}")
        finally:
            holder.kill()
            holder.wait()
        self.near.ip(f"addr add {self.MONITOR}/24 dev cable")
        self.near.ip("-6 addr add fd09::1/64 dev cable nodad")
        self.near.ip("link set cable up")
        self.far.ip(f"addr add {self.ALIVE}/24 dev far")
        self.far.ip(f"addr add {self.ALIVE_TOO}/24 dev far")
        self.far.ip("-6 addr add fd09::2/64 dev far nodad")
        self.far.ip("link set far up")
        for name in ("net/ipv4/ip_forward", "net/ipv6/conf/all/forwarding"):
            self.far.sysctl(name, "1")
        self.far.sysctl("net/ipv4/icmp_ratelimit", "0")
        self.far.sysctl("net/ipv6/icmp/ratelimit", "0")
        self.far.ip("route add unreachable 10.8.0.0/24")
        self.far.ip("route add prohibit 10.8.1.0/24")
        self.far.ip("route add blackhole 10.8.2.0/24")
        self.far.ip("-6 route add unreachable fd08::/64")
        self.far.ip("-6 route add blackhole fd08:0:0:1::/64")
        self.near.ip(f"route add 10.8.0.0/16 via {self.ROUTER}")
        self.near.ip(f"-6 route add fd08::/32 via {self.ROUTER6}")
        self.near.allow_datagram_icmp()

    def pull_cable(self) -> None:
        self.far.ip("link set far down")

    def close(self) -> None:
        self.near.close()
        self.far.close()
