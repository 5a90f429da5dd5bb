"""SNMP objects of a router's hardware: model, CPU, memory, temperature, voltage.

Models use different OIDs for these, as real ones do.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum

from monitor.simulator.snmp_messages import (
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
    Value,
    ValueReader,
    constant,
    text_value,
)

_DAY_S = 86_400.0
_WARMEST_S = 7.0 * 3600  # 14:00 WIB, seconds after midnight UTC
_HR_RAM: Oid = (1, 3, 6, 1, 2, 1, 25, 2, 1, 2)
_HR_DISK: Oid = (1, 3, 6, 1, 2, 1, 25, 2, 1, 4)
_RAM_ROW, _DISK_ROW = 65536, 131072  # storage indexes of RouterOS
_CORES = 2


class RouterModel(StrEnum):
    """Router operating systems."""

    ROUTEROS_6 = "RouterOS 6"
    ROUTEROS_7 = "RouterOS 7"
    CISCO = "Cisco IOS"


@dataclass(frozen=True, slots=True)
class RouterHardware:
    """Hardware of one router.

    memory_kib: total. mean_temperature_c: average over the day. volts: supply voltage.
    load: utilisation of the busiest interface at a time, 0 to 1.
    """

    model: RouterModel
    memory_kib: int
    mean_temperature_c: float
    volts: float
    load: Callable[[float], float]

    def cpu_pct(self, now_s: float) -> float:
        """CPU load; rises with the traffic."""
        return 4.0 + 55.0 * min(self.load(now_s), 1.0) + 3.0 * math.sin(now_s / 37.0)

    def memory_used_kib(self, now_s: float) -> int:
        """Memory used; rises with the traffic."""
        return int(self.memory_kib * (0.25 + 0.08 * self.load(now_s)))

    def temperature_c(self, now_s: float) -> float:
        """Temperature; highest in the early afternoon."""
        day = math.cos(math.tau * (now_s - _WARMEST_S) / _DAY_S)
        return self.mean_temperature_c + 4.0 * day + 5.0 * self.load(now_s)

    def voltage_v(self, now_s: float) -> float:
        """Voltage; nearly constant."""
        return self.volts + 0.15 * math.sin(now_s / 211.0)


def random_hardware(
    name: str, is_node: bool, load: Callable[[float], float], seed: int
) -> RouterHardware:
    """Hardware that is deterministic in name and seed: mostly MikroTik, Cisco at some nodes."""
    rng = random.Random(f"{seed}:hardware:{name}")  # noqa: S311 - simulated router, no secret
    weights = (1, 4, 5) if is_node else (3, 7, 0)
    (model,) = rng.choices(tuple(RouterModel), weights=weights)
    return RouterHardware(
        model=model,
        memory_kib=rng.choice((262_144, 524_288, 1_048_576)),
        mean_temperature_c=rng.uniform(36.0, 46.0),
        volts=rng.choice((12.1, 24.2, 48.3)),
        load=load,
    )


def system_description(hardware: RouterHardware) -> tuple[str, Oid]:
    """sysDescr and sysObjectID of the model."""
    if hardware.model is RouterModel.CISCO:
        description = "Cisco IOS Software, ISR Software (X86_64_LINUX_IOSD), Version 15.7(3)M3"
        return description, (*CISCO, 1, 1861)
    if hardware.model is RouterModel.ROUTEROS_6:
        return "RouterOS RB3011UiAS", (*MIKROTIK, 1)
    return "RouterOS RB4011iGS+", (*MIKROTIK, 1)


def hardware_objects(hardware: RouterHardware) -> Iterable[tuple[Oid, ValueReader]]:
    """Objects of CPU, memory, temperature and voltage, at the OIDs of the model."""
    if hardware.model is RouterModel.CISCO:
        return _cisco(hardware)
    sensors = _routeros_6 if hardware.model is RouterModel.ROUTEROS_6 else _routeros_7
    return (*_host_resources(hardware), *sensors(hardware))


def _host_resources(hardware: RouterHardware) -> Iterable[tuple[Oid, ValueReader]]:
    for core in range(1, _CORES + 1):
        yield (*HR_PROCESSOR, 2, core), _integer(hardware.cpu_pct)
    rows: tuple[tuple[int, Oid, str, int, Callable[[float], float]], ...] = (
        (_RAM_ROW, _HR_RAM, "main memory", hardware.memory_kib, hardware.memory_used_kib),
        (_DISK_ROW, _HR_DISK, "system disk", 131_072, lambda _now_s: 41_300),
    )
    for row, kind, name, size, used in rows:
        yield (*HR_STORAGE, 1, row), constant(Value(ObjectKind.INTEGER, row))
        yield (*HR_STORAGE, 2, row), constant(Value(ObjectKind.OID, kind))
        yield (*HR_STORAGE, 3, row), constant(text_value(name))
        yield (*HR_STORAGE, 4, row), constant(Value(ObjectKind.INTEGER, 1024))
        yield (*HR_STORAGE, 5, row), constant(Value(ObjectKind.INTEGER, size))
        yield (*HR_STORAGE, 6, row), _integer(used)


def _routeros_6(hardware: RouterHardware) -> Iterable[tuple[Oid, ValueReader]]:
    """mtxrHealth: tenths of a volt, tenths of a degree."""
    yield (*MIKROTIK_HEALTH, 8, 0), _integer(hardware.voltage_v, 10)
    yield (*MIKROTIK_HEALTH, 10, 0), _integer(hardware.temperature_c, 10)


def _routeros_7(hardware: RouterHardware) -> Iterable[tuple[Oid, ValueReader]]:
    """mtxrGaugeTable: name, value, unit (1: degrees, 3: tenths of a volt)."""
    gauges: tuple[tuple[int, str, ValueReader, int], ...] = (
        (13, "voltage", _integer(hardware.voltage_v, 10), 3),
        (14, "temperature", _integer(hardware.temperature_c), 1),
    )
    for row, name, reader, unit in gauges:
        yield (*MIKROTIK_HEALTH, 100, 1, 2, row), constant(text_value(name))
        yield (*MIKROTIK_HEALTH, 100, 1, 3, row), reader
        yield (*MIKROTIK_HEALTH, 100, 1, 4, row), constant(Value(ObjectKind.INTEGER, unit))


def _cisco(hardware: RouterHardware) -> Iterable[tuple[Oid, ValueReader]]:
    used = hardware.memory_used_kib
    yield (*CISCO_CPU, 7, 1), _integer(hardware.cpu_pct, kind=ObjectKind.GAUGE32)
    yield (*CISCO_MEMORY, 2, 1), constant(text_value("Processor"))
    yield (*CISCO_MEMORY, 5, 1), _integer(used, 1024, ObjectKind.GAUGE32)
    yield (
        (*CISCO_MEMORY, 6, 1),
        _integer(lambda now_s: hardware.memory_kib - used(now_s), 1024, ObjectKind.GAUGE32),
    )
    yield (*CISCO_TEMPERATURE, 2, 1), constant(text_value("chassis"))
    yield (*CISCO_TEMPERATURE, 3, 1), _integer(hardware.temperature_c, kind=ObjectKind.GAUGE32)


def _integer(
    reading: Callable[[float], float], times: int = 1, kind: ObjectKind = ObjectKind.INTEGER
) -> ValueReader:
    return lambda now_s: Value(kind, max(round(reading(now_s) * times), 0))
