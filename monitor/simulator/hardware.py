"""What a router tells of itself beside its ports: make, load, memory, temperature, voltage.

The makes differ in where they keep these, as real ones do (TRAPS: vendor OIDs).
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum

from monitor.simulator.mib import (
    CISCO,
    CISCO_CPU,
    CISCO_MEMORY,
    CISCO_TEMPERATURE,
    HR_PROCESSOR,
    HR_STORAGE,
    MIKROTIK,
    MIKROTIK_HEALTH,
    ObjectKind,
    Oid,
    Teller,
    Value,
    always,
    text,
)

_DAY_S = 86_400.0
_WARMEST_S = 7.0 * 3600  # 14:00 WIB, seconds after midnight UTC
_HR_RAM: Oid = (1, 3, 6, 1, 2, 1, 25, 2, 1, 2)
_HR_DISK: Oid = (1, 3, 6, 1, 2, 1, 25, 2, 1, 4)
_RAM_ROW, _DISK_ROW = 65536, 131072  # RouterOS numbers its storage so
_CORES = 2


class Make(StrEnum):
    """Whose router it is."""

    ROUTEROS_6 = "RouterOS 6"
    ROUTEROS_7 = "RouterOS 7"
    CISCO = "Cisco IOS"


@dataclass(frozen=True, slots=True)
class Hardware:
    """One router's make and constitution.

    memory_kib: how much it has. warmth_c: its temperature on average; volts: its supply.
    load: the share, 0 to 1, of its busiest port that is used at a moment.
    """

    make: Make
    memory_kib: int
    warmth_c: float
    volts: float
    load: Callable[[float], float]

    def cpu_pct(self, now_s: float) -> float:
        """Rises with the traffic."""
        return 4.0 + 55.0 * min(self.load(now_s), 1.0) + 3.0 * math.sin(now_s / 37.0)

    def memory_used_kib(self, now_s: float) -> int:
        """A quarter of it, and a little more by day."""
        return int(self.memory_kib * (0.25 + 0.08 * self.load(now_s)))

    def temperature_c(self, now_s: float) -> float:
        """Warmest in the early afternoon."""
        day = math.cos(math.tau * (now_s - _WARMEST_S) / _DAY_S)
        return self.warmth_c + 4.0 * day + 5.0 * self.load(now_s)

    def voltage_v(self, now_s: float) -> float:
        """Nearly constant."""
        return self.volts + 0.15 * math.sin(now_s / 211.0)


def made_up_hardware(
    name: str, is_node: bool, load: Callable[[float], float], seed: int
) -> Hardware:
    """The same for the same name and seed: MikroTik mostly, Cisco at some nodes."""
    dice = random.Random(f"{seed}:hardware:{name}")  # noqa: S311 - a made-up router, no secret
    chances = (1, 4, 5) if is_node else (3, 7, 0)
    (make,) = dice.choices(tuple(Make), weights=chances)
    return Hardware(
        make=make,
        memory_kib=dice.choice((262_144, 524_288, 1_048_576)),
        warmth_c=dice.uniform(36.0, 46.0),
        volts=dice.choice((12.1, 24.2, 48.3)),
        load=load,
    )


def describe(hardware: Hardware) -> tuple[str, Oid]:
    """sysDescr and sysObjectID of its make."""
    if hardware.make is Make.CISCO:
        words = "Cisco IOS Software, ISR Software (X86_64_LINUX_IOSD), Version 15.7(3)M3"
        return words, (*CISCO, 1, 1861)
    if hardware.make is Make.ROUTEROS_6:
        return "RouterOS RB3011UiAS", (*MIKROTIK, 1)
    return "RouterOS RB4011iGS+", (*MIKROTIK, 1)


def hardware_objects(hardware: Hardware) -> Iterable[tuple[Oid, Teller]]:
    """Load, memory, temperature and voltage, where its make keeps them."""
    if hardware.make is Make.CISCO:
        return _cisco(hardware)
    sensors = _routeros_6 if hardware.make is Make.ROUTEROS_6 else _routeros_7
    return (*_host_resources(hardware), *sensors(hardware))


def _host_resources(hardware: Hardware) -> Iterable[tuple[Oid, Teller]]:
    for core in range(1, _CORES + 1):
        yield (*HR_PROCESSOR, 2, core), _integer(hardware.cpu_pct)
    rows: tuple[tuple[int, Oid, str, int, Callable[[float], float]], ...] = (
        (_RAM_ROW, _HR_RAM, "main memory", hardware.memory_kib, hardware.memory_used_kib),
        (_DISK_ROW, _HR_DISK, "system disk", 131_072, lambda _now_s: 41_300),
    )
    for row, kind, name, size, used in rows:
        yield (*HR_STORAGE, 1, row), always(Value(ObjectKind.INTEGER, row))
        yield (*HR_STORAGE, 2, row), always(Value(ObjectKind.OID, kind))
        yield (*HR_STORAGE, 3, row), always(text(name))
        yield (*HR_STORAGE, 4, row), always(Value(ObjectKind.INTEGER, 1024))
        yield (*HR_STORAGE, 5, row), always(Value(ObjectKind.INTEGER, size))
        yield (*HR_STORAGE, 6, row), _integer(used)


def _routeros_6(hardware: Hardware) -> Iterable[tuple[Oid, Teller]]:
    """mtxrHealth: tenths of a volt, tenths of a degree."""
    yield (*MIKROTIK_HEALTH, 8, 0), _integer(hardware.voltage_v, 10)
    yield (*MIKROTIK_HEALTH, 10, 0), _integer(hardware.temperature_c, 10)


def _routeros_7(hardware: Hardware) -> Iterable[tuple[Oid, Teller]]:
    """mtxrGaugeTable: name, value, unit (1: degrees, 3: tenths of a volt)."""
    gauges: tuple[tuple[int, str, Teller, int], ...] = (
        (13, "voltage", _integer(hardware.voltage_v, 10), 3),
        (14, "temperature", _integer(hardware.temperature_c), 1),
    )
    for row, name, teller, unit in gauges:
        yield (*MIKROTIK_HEALTH, 100, 1, 2, row), always(text(name))
        yield (*MIKROTIK_HEALTH, 100, 1, 3, row), teller
        yield (*MIKROTIK_HEALTH, 100, 1, 4, row), always(Value(ObjectKind.INTEGER, unit))


def _cisco(hardware: Hardware) -> Iterable[tuple[Oid, Teller]]:
    used = hardware.memory_used_kib
    yield (*CISCO_CPU, 7, 1), _integer(hardware.cpu_pct, kind=ObjectKind.GAUGE32)
    yield (*CISCO_MEMORY, 2, 1), always(text("Processor"))
    yield (*CISCO_MEMORY, 5, 1), _integer(used, 1024, ObjectKind.GAUGE32)
    yield (
        (*CISCO_MEMORY, 6, 1),
        _integer(lambda now_s: hardware.memory_kib - used(now_s), 1024, ObjectKind.GAUGE32),
    )
    yield (*CISCO_TEMPERATURE, 2, 1), always(text("chassis"))
    yield (*CISCO_TEMPERATURE, 3, 1), _integer(hardware.temperature_c, kind=ObjectKind.GAUGE32)


def _integer(
    reading: Callable[[float], float], times: int = 1, kind: ObjectKind = ObjectKind.INTEGER
) -> Teller:
    return lambda now_s: Value(kind, max(round(reading(now_s) * times), 0))
