"""Where each vendor keeps a router's facts: a table, chosen by sysObjectID.

Another vendor is another `Vendor` here and nothing else: its branch of the enterprise tree,
and for each fact the columns to try, best first. A scalar is a column with the one row `.0`.
Numbers are from the vendors' MIB files (named beside them).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from monitor.adapters.snmp.codec import Oid
from monitor.adapters.snmp.objects import (
    HR_PROCESSOR_LOAD,
    HR_STORAGE_RAM,
    HR_STORAGE_SIZE,
    HR_STORAGE_TYPE,
    HR_STORAGE_USED,
)

_ENTERPRISES: Oid = (1, 3, 6, 1, 4, 1)


class Combine(StrEnum):
    """How the rows of a column become one number."""

    FIRST = "first"
    MEAN = "mean"
    HIGHEST = "highest"


@dataclass(frozen=True, slots=True)
class Where:
    """Only the rows whose cell in `column` is `equals`."""

    column: Oid
    equals: int | Oid


@dataclass(frozen=True, slots=True)
class Preferred:
    """Rows whose name in `column` is one of `names` come first, in that order."""

    column: Oid
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Quantity:
    """One way to a fact: the cells of `column` times `scale`.

    whole: a column; the fact is the cell divided by that row's cell there.
    rest: a column; the fact is the cell divided by itself plus that row's cell there.
    """

    column: Oid
    scale: float = 1.0
    combine: Combine = Combine.FIRST
    where: Where | None = None
    preferred: Preferred | None = None
    whole: Oid | None = None
    rest: Oid | None = None


@dataclass(frozen=True, slots=True)
class Vendor:
    """One vendor's routers. cpu and memory come out as 0 to 1, the others in °C and V."""

    name: str
    root: Oid
    cpu: tuple[Quantity, ...] = ()
    memory: tuple[Quantity, ...] = ()
    temperature_c: tuple[Quantity, ...] = ()
    voltage_v: tuple[Quantity, ...] = ()


_PERCENT = 0.01
_TENTH = 0.1
_THOUSANDTH = 0.001

_HOST_CPU = Quantity(HR_PROCESSOR_LOAD, _PERCENT, Combine.MEAN)
_HOST_MEMORY = Quantity(
    HR_STORAGE_USED, where=Where(HR_STORAGE_TYPE, HR_STORAGE_RAM), whole=HR_STORAGE_SIZE
)

GENERIC = Vendor("generic", (), cpu=(_HOST_CPU,), memory=(_HOST_MEMORY,))
"""What HOST-RESOURCES-MIB (RFC 2790) tells of anything."""

_MIKROTIK: Oid = (*_ENTERPRISES, 14988)
_MT_HEALTH: Oid = (*_MIKROTIK, 1, 1, 3)
_MT_GAUGE: Oid = (*_MT_HEALTH, 100, 1)  # mtxrGaugeTable: 2 name, 3 value, 4 unit
_MT_CELSIUS, _MT_DECIVOLT = 1, 3

_CISCO: Oid = (*_ENTERPRISES, 9)
_CISCO_POOL: Oid = (*_CISCO, 9, 48, 1, 1, 1)  # ciscoMemoryPoolTable: 5 used, 6 free
_CISCO_ENVIRONMENT: Oid = (*_CISCO, 9, 13, 1)

_JUNIPER: Oid = (*_ENTERPRISES, 2636)
_JUNIPER_OPERATING: Oid = (*_JUNIPER, 3, 1, 13, 1)

_HUAWEI: Oid = (*_ENTERPRISES, 2011)
_HUAWEI_ENTITY: Oid = (*_HUAWEI, 5, 25, 31, 1, 1, 1, 1)


def _mikrotik_gauge(unit: int, scale: float, names: tuple[str, ...]) -> Quantity:
    """RouterOS 7 lists its sensors in a table of gauges, with their names and units."""
    return Quantity(
        (*_MT_GAUGE, 3),
        scale,
        where=Where((*_MT_GAUGE, 4), unit),
        preferred=Preferred((*_MT_GAUGE, 2), names),
    )


VENDORS: tuple[Vendor, ...] = (
    Vendor(
        "mikrotik",  # MIKROTIK-MIB
        _MIKROTIK,
        cpu=(_HOST_CPU,),
        memory=(_HOST_MEMORY,),
        temperature_c=(
            Quantity((*_MT_HEALTH, 10), _TENTH),  # mtxrHlTemperature
            _mikrotik_gauge(
                _MT_CELSIUS, 1.0, ("temperature", "cpu-temperature", "board-temperature1")
            ),
        ),
        voltage_v=(
            Quantity((*_MT_HEALTH, 8), _TENTH),  # mtxrHlVoltage
            _mikrotik_gauge(_MT_DECIVOLT, _TENTH, ("voltage", "psu1-voltage", "psu2-voltage")),
        ),
    ),
    Vendor(
        "cisco",
        _CISCO,
        # CISCO-PROCESS-MIB: cpmCPUTotal1minRev
        cpu=(Quantity((*_CISCO, 9, 109, 1, 1, 1, 1, 7), _PERCENT, Combine.MEAN),),
        # CISCO-MEMORY-POOL-MIB; the first pool is the processor's
        memory=(Quantity((*_CISCO_POOL, 5), rest=(*_CISCO_POOL, 6)),),
        # CISCO-ENVMON-MIB: ciscoEnvMonTemperatureStatusValue, ciscoEnvMonVoltageStatusValue (mV)
        temperature_c=(Quantity((*_CISCO_ENVIRONMENT, 3, 1, 3), combine=Combine.HIGHEST),),
        voltage_v=(Quantity((*_CISCO_ENVIRONMENT, 2, 1, 3), _THOUSANDTH),),
    ),
    Vendor(
        "juniper",  # JUNIPER-MIB: jnxOperatingTable; parts without a sensor say 0
        _JUNIPER,
        cpu=(Quantity((*_JUNIPER_OPERATING, 8), _PERCENT, Combine.HIGHEST),),
        memory=(Quantity((*_JUNIPER_OPERATING, 11), _PERCENT, Combine.HIGHEST),),
        temperature_c=(Quantity((*_JUNIPER_OPERATING, 7), combine=Combine.HIGHEST),),
    ),
    Vendor(
        "huawei",  # HUAWEI-ENTITY-EXTENT-MIB: parts without a sensor say 0 or 2^31 - 1
        _HUAWEI,
        cpu=(Quantity((*_HUAWEI_ENTITY, 5), _PERCENT, Combine.HIGHEST),),
        memory=(Quantity((*_HUAWEI_ENTITY, 7), _PERCENT, Combine.HIGHEST),),
        temperature_c=(Quantity((*_HUAWEI_ENTITY, 11), combine=Combine.HIGHEST),),
    ),
)


def vendor_of(object_id: Oid | None) -> Vendor:
    """The vendor whose branch `object_id` (sysObjectID) lies in; else what any agent tells."""
    if object_id is not None:
        for vendor in VENDORS:
            if object_id[: len(vendor.root)] == vendor.root:
                return vendor
    return GENERIC
