"""A made-up router's objects: what a test turns, and what an agent tells of it."""

from __future__ import annotations

from dataclasses import dataclass, field

Objects = dict[str, tuple[str, int | str]]
"""OID → pass_persist type and value."""

_SYSTEM = "1.3.6.1.2.1.1"
_IF = "1.3.6.1.2.1.2.2.1"
_IFX = "1.3.6.1.2.1.31.1.1.1"

MIKROTIK = "1.3.6.1.4.1.14988.1"
CISCO = "1.3.6.1.4.1.9.1.1208"
NET_SNMP = "1.3.6.1.4.1.8072.3.2.10"


@dataclass
class Port:
    """One port; its counters are whole numbers without a width, the agent cuts them."""

    name: str
    index: int
    in_octets: int = 1_000_000
    out_octets: int = 2_000_000
    in_errors: int = 3
    out_errors: int = 4
    in_discards: int = 5
    out_discards: int = 6
    oper: int = 1
    speed_mbps: int = 1000
    alias: str = ""
    discontinuity: int = 0
    wide: bool = True


@dataclass
class MadeUpRouter:
    """A router; uptime_ticks without a width. more: further objects, vendors' and others."""

    name: str = "router-uji"
    description: str = "RouterOS RB4011iGS+"
    object_id: str = MIKROTIK
    uptime_ticks: int = 100_000
    ports: list[Port] = field(
        default_factory=lambda: [Port("ether1", 1), Port("ether2", 2, speed_mbps=100)]
    )
    more: Objects = field(default_factory=dict)

    def advance(self, seconds: float, in_bps: float = 0.0, out_bps: float = 0.0) -> None:
        """Time passes, and traffic through every port with it."""
        self.uptime_ticks += round(seconds * 100)
        for port in self.ports:
            port.in_octets += round(in_bps * seconds / 8)
            port.out_octets += round(out_bps * seconds / 8)

    def port(self, name: str) -> Port:
        return next(port for port in self.ports if port.name == name)

    def objects(self) -> Objects:
        """Everything that the agent tells."""
        told: Objects = {
            f"{_SYSTEM}.1.0": ("string", self.description),
            f"{_SYSTEM}.2.0": ("objectid", f".{self.object_id}"),
            f"{_SYSTEM}.3.0": ("timeticks", self.uptime_ticks % 2**32),
            f"{_SYSTEM}.5.0": ("string", self.name),
        }
        for port in self.ports:
            told.update(_port_objects(port))
        return told | self.more


def _port_objects(port: Port) -> Objects:
    i = port.index
    told: Objects = {
        f"{_IF}.8.{i}": ("integer", port.oper),
        f"{_IF}.10.{i}": ("counter", port.in_octets % 2**32),
        f"{_IF}.13.{i}": ("counter", port.in_discards % 2**32),
        f"{_IF}.14.{i}": ("counter", port.in_errors % 2**32),
        f"{_IF}.16.{i}": ("counter", port.out_octets % 2**32),
        f"{_IF}.19.{i}": ("counter", port.out_discards % 2**32),
        f"{_IF}.20.{i}": ("counter", port.out_errors % 2**32),
        f"{_IFX}.1.{i}": ("string", port.name),
        f"{_IFX}.15.{i}": ("gauge", port.speed_mbps),
        f"{_IFX}.18.{i}": ("string", port.alias),
        f"{_IFX}.19.{i}": ("timeticks", port.discontinuity),
    }
    if port.wide:
        told[f"{_IFX}.6.{i}"] = ("counter64", port.in_octets % 2**64)
        told[f"{_IFX}.10.{i}"] = ("counter64", port.out_octets % 2**64)
    return told
