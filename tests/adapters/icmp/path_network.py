"""The monitor, two routers and a target in four namespaces, joined in a row by veth pairs."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from tests.adapters.icmp.network import Namespace
from tests.waiting import eventually


class PathNetwork:
    """monitor – FIRST – SECOND – TARGET, in IPv4 and IPv6; each router forwards by its kernel."""

    FIRST, SECOND, TARGET = "10.9.1.2", "10.9.2.2", "10.9.3.2"
    FIRST6, SECOND6, TARGET6 = "fd09:1::2", "fd09:2::2", "fd09:3::2"

    def __init__(self) -> None:
        self.places = [Namespace() for _ in range(4)]
        self.monitor, self.first, self.second, self.target = self.places
        for number in (1, 2, 3):
            self._join(number)
        for router in (self.first, self.second):
            router.sysctl("net/ipv4/ip_forward", "1")
            router.sysctl("net/ipv6/conf/all/forwarding", "1")
        for place in self.places[1:]:
            place.sysctl("net/ipv4/icmp_ratelimit", "0")
            place.sysctl("net/ipv6/icmp/ratelimit", "0")
        self.monitor.run(
            "ip route add 10.9.0.0/16 via 10.9.1.2", "ip -6 route add fd09::/16 via fd09:1::2"
        )
        self.first.run("ip route add 10.9.3.0/24 via 10.9.2.2")
        self.first.run("ip -6 route add fd09:3::/64 via fd09:2::2")
        self.second.run("ip route add 10.9.1.0/24 via 10.9.2.1")
        self.second.run("ip -6 route add fd09:1::/64 via fd09:2::1")
        self.target.run("ip route add default via 10.9.3.1")
        self.target.run("ip -6 route add default via fd09:3::1")
        self.monitor.allow_datagram_icmp()
        for number in (1, 2, 3):
            eventually(partial(self.places[number - 1].is_up, f"down{number}"))
            eventually(partial(self.places[number].is_up, f"up{number}"))

    def close(self) -> None:
        for place in self.places:
            place.close()

    @contextmanager
    def cut(self, number: int) -> Iterator[None]:
        """Nothing passes place `number` (1: the first router, 3: the target) any more."""
        place = self.places[number]
        commands = [f"ip -4 route {{}} blackhole {self.TARGET}/32 metric 1"]
        commands += [f"ip -6 route {{}} blackhole {self.TARGET6}/128 metric 1"]
        ignored = ("net/ipv4/icmp_echo_ignore_all", "net/ipv6/icmp/echo_ignore_all")
        if number == 3:
            for name in ignored:
                place.sysctl(name, "1")
        else:
            place.run(*(command.format("add") for command in commands))
        try:
            yield
        finally:
            if number == 3:
                for name in ignored:
                    place.sysctl(name, "0")
            else:
                place.run(*(command.format("del") for command in commands))

    def _join(self, number: int) -> None:
        """A cable from place number - 1 (`down`, address …1) to place number (`up`, …2)."""
        near, far = self.places[number - 1], self.places[number]
        near.run(f"ip link add down{number} type veth peer name up{number}")
        with far.inside():
            holder = subprocess.Popen(["sleep", "60"], stdout=subprocess.DEVNULL)
        try:
            near.run(f"ip link set up{number} netns {holder.pid}")
        finally:
            holder.kill()
            holder.wait()
        for place, end, host in ((near, "down", 1), (far, "up", 2)):
            place.run(
                f"ip addr add 10.9.{number}.{host}/24 dev {end}{number}",
                f"ip -6 addr add fd09:{number}::{host}/64 dev {end}{number} nodad",
                f"ip link set {end}{number} up",
            )
