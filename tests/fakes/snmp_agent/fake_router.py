"""A router's SNMP objects: set by a test, served by an agent."""

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
class FakeInterface:
    """An interface; its counters have no width, `objects` cuts them."""

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
class FakeRouter:
    """A router; uptime_ticks has no width.

    more: further objects, such as vendors'.   absent: objects that it does not have.
    """

    name: str = "router-uji"
    description: str = "RouterOS RB4011iGS+"
    object_id: str = MIKROTIK
    uptime_ticks: int = 100_000
    interfaces: list[FakeInterface] = field(
        default_factory=lambda: [
            FakeInterface("ether1", 1),
            FakeInterface("ether2", 2, speed_mbps=100),
        ]
    )
    more: Objects = field(default_factory=dict)
    absent: set[str] = field(default_factory=set)

    def advance(self, seconds: float, in_bps: float = 0.0, out_bps: float = 0.0) -> None:
        """Let time pass, with this traffic through every interface."""
        self.uptime_ticks += round(seconds * 100)
        for interface in self.interfaces:
            interface.in_octets += round(in_bps * seconds / 8)
            interface.out_octets += round(out_bps * seconds / 8)

    def interface(self, name: str) -> FakeInterface:
        return next(interface for interface in self.interfaces if interface.name == name)

    def objects(self) -> Objects:
        """All objects of the agent."""
        objects: Objects = {
            f"{_SYSTEM}.1.0": ("string", self.description),
            f"{_SYSTEM}.2.0": ("objectid", f".{self.object_id}"),
            f"{_SYSTEM}.3.0": ("timeticks", self.uptime_ticks % 2**32),
            f"{_SYSTEM}.5.0": ("string", self.name),
        }
        for interface in self.interfaces:
            objects.update(_interface_objects(interface))
        return {oid: cell for oid, cell in (objects | self.more).items() if oid not in self.absent}


def _interface_objects(interface: FakeInterface) -> Objects:
    i = interface.index
    objects: Objects = {
        f"{_IF}.8.{i}": ("integer", interface.oper),
        f"{_IF}.10.{i}": ("counter", interface.in_octets % 2**32),
        f"{_IF}.13.{i}": ("counter", interface.in_discards % 2**32),
        f"{_IF}.14.{i}": ("counter", interface.in_errors % 2**32),
        f"{_IF}.16.{i}": ("counter", interface.out_octets % 2**32),
        f"{_IF}.19.{i}": ("counter", interface.out_discards % 2**32),
        f"{_IF}.20.{i}": ("counter", interface.out_errors % 2**32),
        f"{_IFX}.1.{i}": ("string", interface.name),
        f"{_IFX}.15.{i}": ("gauge", interface.speed_mbps),
        f"{_IFX}.18.{i}": ("string", interface.alias),
        f"{_IFX}.19.{i}": ("timeticks", interface.discontinuity),
    }
    if interface.wide:
        objects[f"{_IFX}.6.{i}"] = ("counter64", interface.in_octets % 2**64)
        objects[f"{_IFX}.10.{i}"] = ("counter64", interface.out_octets % 2**64)
    return objects
