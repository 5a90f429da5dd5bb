"""Network namespaces for tests: routes, interfaces and packets that touch nothing else.

A socket belongs to the namespace in which it was opened, wherever its process goes later. So a
test enters the namespace, opens what it tests, and leaves.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from tests.waiting import eventually

CLONE_NEWNET = 0x40000000
CURRENT = "/proc/thread-self/ns/net"

MISSING = (
    "this test needs network namespaces: run it as root (CAP_SYS_ADMIN), or under `unshare -Urn`"
)


class Namespace:
    """One network namespace, with lo up. Call from the main thread only."""

    def __init__(self) -> None:
        assert shutil.which("ip"), "the program ip is missing: apt install iproute2"
        self._libc = ctypes.CDLL(None, use_errno=True)
        home = os.open(CURRENT, os.O_RDONLY)
        try:
            assert self._libc.unshare(CLONE_NEWNET) == 0, MISSING
            self._namespace = os.open(CURRENT, os.O_RDONLY)
        finally:
            self._enter(home)
            os.close(home)
        self.run("ip link set lo up")
        # An IPv6 address is usable at once, without a second of duplicate address detection.
        self.sysctl("net/ipv6/conf/default/accept_dad", "0")

    def close(self) -> None:
        os.close(self._namespace)

    @contextmanager
    def inside(self) -> Iterator[None]:
        """Sockets opened and programs started in this context belong to this namespace."""
        before = os.open(CURRENT, os.O_RDONLY)
        try:
            self._enter(self._namespace)
            yield
        finally:
            self._enter(before)
            os.close(before)

    def run(self, *commands: str) -> None:
        """Run programs in this namespace; words are split at spaces."""
        with self.inside():
            for command in commands:
                subprocess.run(command.split(), check=True, timeout=10)

    def is_up(self, interface: str) -> bool:
        """Whether the interface is operational."""
        with self.inside():
            shown = subprocess.run(
                ["ip", "link", "show", "dev", interface], capture_output=True, text=True, check=True
            )
        return "state UP" in shown.stdout

    def sysctl(self, name: str, value: str) -> None:
        """Set a sysctl of this namespace, such as `net/ipv4/ip_forward`."""
        with self.inside():
            Path("/proc/sys", name).write_text(value)

    def allow_datagram_icmp(self) -> None:
        """Permit datagram ICMP sockets to every group that is mapped here."""
        try:
            self.sysctl("net/ipv4/ping_group_range", "0 2147483647")
        except OSError:
            self.sysctl("net/ipv4/ping_group_range", "0 0")

    def _enter(self, namespace: int) -> None:
        assert self._libc.setns(namespace, CLONE_NEWNET) == 0, os.strerror(ctypes.get_errno())


class VethNetwork:
    """A near namespace (the monitor) and a far one, joined by a veth pair: `cable` and `far`.

    ALIVE and ALIVE_TOO answer by their kernel; SILENT lies behind a blackhole route, REFUSED and
    FILTERED behind routes that send an ICMP error; UNROUTED has no route. The far router is
    ROUTER, the monitor is MONITOR. The same in IPv6 with …6.
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
        self.near = Namespace()
        self.far = Namespace()
        self.near.run("ip link add cable type veth peer name far")
        with self.far.inside():
            holder = subprocess.Popen(["sleep", "60"], stdout=subprocess.DEVNULL)
        try:
            self.near.run(f"ip link set far netns {holder.pid}")
        finally:
            holder.kill()
            holder.wait()
        self.near.run(
            f"ip addr add {self.MONITOR}/24 dev cable",
            "ip -6 addr add fd09::1/64 dev cable nodad",
            "ip link set cable up",
        )
        for name in ("net/ipv4/ip_forward", "net/ipv6/conf/all/forwarding"):
            self.far.sysctl(name, "1")
        self.far.sysctl("net/ipv4/icmp_ratelimit", "0")
        self.far.sysctl("net/ipv6/icmp/ratelimit", "0")
        self.far.run(
            f"ip addr add {self.ALIVE}/24 dev far",
            f"ip addr add {self.ALIVE_TOO}/24 dev far",
            "ip -6 addr add fd09::2/64 dev far nodad",
            "ip link set far up",
            "ip route add unreachable 10.8.0.0/24",
            "ip route add prohibit 10.8.1.0/24",
            "ip route add blackhole 10.8.2.0/24",
            "ip -6 route add unreachable fd08::/64",
            "ip -6 route add blackhole fd08:0:0:1::/64",
        )
        self.near.run(
            f"ip route add 10.8.0.0/16 via {self.ROUTER}",
            f"ip -6 route add fd08::/32 via {self.ROUTER6}",
        )
        self.near.allow_datagram_icmp()
        # On a busy machine the kernel activates a new link late (linkwatch): until then it drops.
        for side, interface in ((self.near, "cable"), (self.far, "far")):
            eventually(partial(side.is_up, interface))

    def close(self) -> None:
        self.near.close()
        self.far.close()
