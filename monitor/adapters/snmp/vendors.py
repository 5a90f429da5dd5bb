"""Where each vendor's routers keep their facts: a table, selected by sysObjectID.

A new vendor is a new `Vendor` in this file: its branch of the enterprise tree, and for each fact
the columns to try, best first. A scalar is a column with the one row `.0`. The OIDs are from the
vendors' MIB files, which are named beside them.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from monitor.adapters.snmp.messages import Oid

# HOST-RESOURCES-MIB (RFC 2790)
HR_STORAGE_RAM: Oid = (1, 3, 6, 1, 2, 1, 25, 2, 1, 2)
HR_STORAGE_TYPE: Oid = (1, 3, 6, 1, 2, 1, 25, 2, 3, 1, 2)
HR_STORAGE_SIZE: Oid = (1, 3, 6, 1, 2, 1, 25, 2, 3, 1, 5)
HR_STORAGE_USED: Oid = (1, 3, 6, 1, 2, 1, 25, 2, 3, 1, 6)
HR_PROCESSOR_LOAD: Oid = (1, 3, 6, 1, 2, 1, 25, 3, 3, 1, 2)

_ENTERPRISES: Oid = (1, 3, 6, 1, 4, 1)


class Combine(StrEnum):
    """How the rows of a column become one number."""

    FIRST = "first"
    MEAN = "mean"
    HIGHEST = "highest"


@dataclass(frozen=True, slots=True)
class RowFilter:
    """Only the rows whose cell in `column` is `equals`."""

    column: Oid
    equals: int | Oid


@dataclass(frozen=True, slots=True)
class RowOrder:
    """Rows whose cell in `column` is one of `names` come first, in that order."""

    column: Oid
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FactSource:
    """Where a fact can be read: the cells of `column` times `scale`.

    total: a column; the fact is the cell divided by the same row's cell there.
    remainder: a column; the fact is the cell divided by itself plus the same row's cell there.
    """

    column: Oid
    scale: float = 1.0
    combine: Combine = Combine.FIRST
    where: RowFilter | None = None
    order: RowOrder | None = None
    total: Oid | None = None
    remainder: Oid | None = None


@dataclass(frozen=True, slots=True)
class Vendor:
    """One vendor's routers. Units: cpu and memory 0 to 1, temperature °C, voltage V."""

    name: str
    root: Oid
    cpu: tuple[FactSource, ...] = ()
    memory: tuple[FactSource, ...] = ()
    temperature_c: tuple[FactSource, ...] = ()
    voltage_v: tuple[FactSource, ...] = ()


_PERCENT = 0.01
_TENTH = 0.1
_THOUSANDTH = 0.001

_HOST_CPU = FactSource(HR_PROCESSOR_LOAD, _PERCENT, Combine.MEAN)
_HOST_MEMORY = FactSource(
    HR_STORAGE_USED, where=RowFilter(HR_STORAGE_TYPE, HR_STORAGE_RAM), total=HR_STORAGE_SIZE
)

GENERIC = Vendor("generic", (), cpu=(_HOST_CPU,), memory=(_HOST_MEMORY,))
"""Any agent with HOST-RESOURCES-MIB (RFC 2790)."""

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


def _mikrotik_gauge(unit: int, scale: float, names: tuple[str, ...]) -> FactSource:
    """A sensor in the gauge table of RouterOS 7, selected by unit and ordered by name."""
    return FactSource(
        (*_MT_GAUGE, 3),
        scale,
        where=RowFilter((*_MT_GAUGE, 4), unit),
        order=RowOrder((*_MT_GAUGE, 2), names),
    )


VENDORS: tuple[Vendor, ...] = (
    Vendor(
        "mikrotik",  # MIKROTIK-MIB
        _MIKROTIK,
        cpu=(_HOST_CPU,),
        memory=(_HOST_MEMORY,),
        temperature_c=(
            FactSource((*_MT_HEALTH, 10), _TENTH),  # mtxrHlTemperature
            _mikrotik_gauge(
                _MT_CELSIUS, 1.0, ("temperature", "cpu-temperature", "board-temperature1")
            ),
        ),
        voltage_v=(
            FactSource((*_MT_HEALTH, 8), _TENTH),  # mtxrHlVoltage
            _mikrotik_gauge(_MT_DECIVOLT, _TENTH, ("voltage", "psu1-voltage", "psu2-voltage")),
        ),
    ),
    Vendor(
        "cisco",
        _CISCO,
        # CISCO-PROCESS-MIB: cpmCPUTotal1minRev
        cpu=(FactSource((*_CISCO, 9, 109, 1, 1, 1, 1, 7), _PERCENT, Combine.MEAN),),
        # CISCO-MEMORY-POOL-MIB; the first pool is the processor's
        memory=(FactSource((*_CISCO_POOL, 5), remainder=(*_CISCO_POOL, 6)),),
        # CISCO-ENVMON-MIB: ciscoEnvMonTemperatureStatusValue, ciscoEnvMonVoltageStatusValue (mV)
        temperature_c=(FactSource((*_CISCO_ENVIRONMENT, 3, 1, 3), combine=Combine.HIGHEST),),
        voltage_v=(FactSource((*_CISCO_ENVIRONMENT, 2, 1, 3), _THOUSANDTH),),
    ),
    Vendor(
        "juniper",  # JUNIPER-MIB: jnxOperatingTable; parts without a sensor have 0
        _JUNIPER,
        cpu=(FactSource((*_JUNIPER_OPERATING, 8), _PERCENT, Combine.HIGHEST),),
        memory=(FactSource((*_JUNIPER_OPERATING, 11), _PERCENT, Combine.HIGHEST),),
        temperature_c=(FactSource((*_JUNIPER_OPERATING, 7), combine=Combine.HIGHEST),),
    ),
    Vendor(
        "huawei",  # HUAWEI-ENTITY-EXTENT-MIB: parts without a sensor have 0 or 2^31 - 1
        _HUAWEI,
        cpu=(FactSource((*_HUAWEI_ENTITY, 5), _PERCENT, Combine.HIGHEST),),
        memory=(FactSource((*_HUAWEI_ENTITY, 7), _PERCENT, Combine.HIGHEST),),
        temperature_c=(FactSource((*_HUAWEI_ENTITY, 11), combine=Combine.HIGHEST),),
    ),
)


def vendor_of(object_id: Oid | None) -> Vendor:
    """The vendor in whose branch `object_id` (sysObjectID) lies; otherwise GENERIC."""
    if object_id is not None:
        for vendor in VENDORS:
            if object_id[: len(vendor.root)] == vendor.root:
                return vendor
    return GENERIC
