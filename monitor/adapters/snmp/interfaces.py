"""The interfaces of a router: their rows in IF-MIB, found by ifName, and their counters.

An ifIndex identifies nothing: routers renumber their interfaces at a reboot or when a module is
inserted. Therefore ifName is read beside the counters in the same message; if it is another name,
or none, the table is walked again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from monitor.adapters.snmp.messages import (
    SYS_UPTIME,
    Oid,
    Value,
    VarBind,
    is_present,
    string_value,
    unsigned_value,
)
from monitor.adapters.snmp.session import ObjectGroup, Reading, SnmpSession
from monitor.core.samples.snmp_poll import InterfaceCounters

# IF-MIB (RFC 2863): ifTable and ifXTable
IF_OPER_STATUS: Oid = (1, 3, 6, 1, 2, 1, 2, 2, 1, 8)
IF_IN_OCTETS: Oid = (1, 3, 6, 1, 2, 1, 2, 2, 1, 10)
IF_IN_DISCARDS: Oid = (1, 3, 6, 1, 2, 1, 2, 2, 1, 13)
IF_IN_ERRORS: Oid = (1, 3, 6, 1, 2, 1, 2, 2, 1, 14)
IF_OUT_OCTETS: Oid = (1, 3, 6, 1, 2, 1, 2, 2, 1, 16)
IF_OUT_DISCARDS: Oid = (1, 3, 6, 1, 2, 1, 2, 2, 1, 19)
IF_OUT_ERRORS: Oid = (1, 3, 6, 1, 2, 1, 2, 2, 1, 20)
IF_NAME: Oid = (1, 3, 6, 1, 2, 1, 31, 1, 1, 1, 1)
IF_HC_IN_OCTETS: Oid = (1, 3, 6, 1, 2, 1, 31, 1, 1, 1, 6)
IF_HC_OUT_OCTETS: Oid = (1, 3, 6, 1, 2, 1, 31, 1, 1, 1, 10)
IF_HIGH_SPEED: Oid = (1, 3, 6, 1, 2, 1, 31, 1, 1, 1, 15)
IF_ALIAS: Oid = (1, 3, 6, 1, 2, 1, 31, 1, 1, 1, 18)
IF_DISCONTINUITY: Oid = (1, 3, 6, 1, 2, 1, 31, 1, 1, 1, 19)

_RETRY_MISSING_S = 120.0

# In the order in which the messages of a small router are split: octets stay with the name.
_OCTETS_64 = (IF_HC_IN_OCTETS, IF_HC_OUT_OCTETS)
_OCTETS_32 = (IF_IN_OCTETS, IF_OUT_OCTETS)
_OTHER_COUNTERS = (
    IF_DISCONTINUITY,
    IF_OPER_STATUS,
    IF_IN_ERRORS,
    IF_OUT_ERRORS,
    IF_IN_DISCARDS,
    IF_OUT_DISCARDS,
)
_ATTRIBUTES = (IF_HIGH_SPEED, IF_ALIAS)
_OPER_STATUS = range(1, 8)  # RFC 2863, ifOperStatus
_ROW_LENGTH = len(IF_NAME) + 1
_UNKNOWN_SPEED = 2**32 - 1


@dataclass(frozen=True, slots=True)
class _Attributes:
    """What changes seldom and need not be of the same moment as the counters."""

    speed_bps: int | None = None
    alias: str | None = None


class InterfaceReader:
    """Where the interfaces of one router are in its tables."""

    def __init__(self, session: SnmpSession) -> None:
        self._session = session
        self._index: dict[str, int] = {}
        self._is_32_bit: set[str] = set()
        self._attributes: dict[str, _Attributes] = {}
        self._retry_at_s: float | None = None

    def clear(self) -> None:
        """Forget everything: the router renumbered its interfaces, or is another one."""
        self._index.clear()
        self._is_32_bit.clear()
        self._attributes.clear()
        self._retry_at_s = None

    async def locate(self, names: Sequence[str], now_s: float, deadline_s: float) -> None:
        """Walk ifName for the names whose rows are not known yet. Raises PollError.

        A name that the router does not have is looked up again after two minutes.
        """
        unknown = {name for name in names if name not in self._index}
        if not unknown or (self._retry_at_s is not None and now_s < self._retry_at_s):
            return

        def enough(row: VarBind) -> bool:
            unknown.discard(string_value(row.value) or "")
            return not unknown

        rows = await self._session.walk(IF_NAME, deadline_s, enough)
        wanted = set(names)
        for row in rows:
            name = string_value(row.value)
            # Of two interfaces with one name the first is used, every time.
            if name in wanted and name not in self._index and len(row.oid) == _ROW_LENGTH:
                self._index[name] = row.oid[-1]
        self._retry_at_s = now_s + _RETRY_MISSING_S

    def counter_groups(self, names: Iterable[str]) -> list[ObjectGroup]:
        """The objects to read for the counters of the interfaces that were located."""
        return [
            ObjectGroup(
                ((*IF_NAME, index),),
                tuple(
                    (*column, index)
                    for column in (_OCTETS_32 if name in self._is_32_bit else _OCTETS_64)
                    + _OTHER_COUNTERS
                ),
            )
            for name in names
            if (index := self._index.get(name)) is not None
        ]

    def attribute_groups(self, names: Iterable[str]) -> list[ObjectGroup]:
        """The objects to read for speed and alias."""
        return [
            ObjectGroup((), tuple((*column, self._index[name]) for column in _ATTRIBUTES))
            for name in names
            if name in self._index
        ]

    def located(self, names: Iterable[str]) -> list[str]:
        """Those of `names` that the router has."""
        return [name for name in names if name in self._index]

    def have_moved(self, names: Iterable[str], readings: Sequence[Reading]) -> bool:
        """Whether the row of an interface now has another name."""
        return any(
            string_value(reading[oid]) != name
            for name in self.located(names)
            for reading in readings
            if (oid := (*IF_NAME, self._index[name])) in reading
        )

    def switch_to_32_bit(self, names: Iterable[str], readings: Sequence[Reading]) -> list[str]:
        """The interfaces that turn out to have no 64-bit counters; from now on 32-bit is read."""
        found = [
            name
            for name in self.located(names)
            if name not in self._is_32_bit
            and not all(
                is_present(_latest(readings, (*column, self._index[name]))) for column in _OCTETS_64
            )
        ]
        self._is_32_bit.update(found)
        return found

    def update_attributes(self, names: Iterable[str], values: Mapping[Oid, Value]) -> None:
        """Remember speed and alias from a reading of `attribute_groups`."""
        for name in self.located(names):
            index = self._index[name]
            self._attributes[name] = _Attributes(
                speed_bps=_speed_bps(values.get((*IF_HIGH_SPEED, index))),
                alias=string_value(values.get((*IF_ALIAS, index))) or None,
            )

    def counters(self, name: str, readings: Sequence[Reading]) -> InterfaceCounters | None:
        """The counters of one interface; None when its row has another name.

        uptime_ticks is from the message that held the octets.
        """
        index = self._index[name]
        if string_value(_latest(readings, (*IF_NAME, index))) != name:
            return None
        is_64_bit = name not in self._is_32_bit
        octets, bits = (_OCTETS_64, 64) if is_64_bit else (_OCTETS_32, 32)
        with_octets = [reading for reading in readings if (*octets[0], index) in reading]
        attributes = self._attributes.get(name, _Attributes())

        def read(column: Oid, width: int = 32) -> int | None:
            return unsigned_value(_latest(readings, (*column, index)), width)

        oper = read(IF_OPER_STATUS)
        return InterfaceCounters(
            name=name,
            index=index,
            in_octets=read(octets[0], bits),
            out_octets=read(octets[1], bits),
            high_capacity=is_64_bit,
            in_errors=read(IF_IN_ERRORS),
            out_errors=read(IF_OUT_ERRORS),
            in_discards=read(IF_IN_DISCARDS),
            out_discards=read(IF_OUT_DISCARDS),
            oper=oper if oper in _OPER_STATUS else None,
            speed_bps=attributes.speed_bps,
            discontinuity=read(IF_DISCONTINUITY),
            alias=attributes.alias,
            uptime_ticks=uptime_ticks(with_octets or readings),
        )


def uptime_ticks(readings: Sequence[Reading]) -> int | None:
    """sysUpTime of the last message that holds it."""
    return unsigned_value(_latest(readings, SYS_UPTIME), 32)


def _latest(readings: Sequence[Reading], oid: Oid) -> Value | None:
    """The value in the last message that holds it."""
    for reading in reversed(readings):
        if oid in reading:
            return reading[oid]
    return None


def _speed_bps(value: Value | None) -> int | None:
    """ifHighSpeed (Mbit/s) in bit/s; None for 0 and 2^32 - 1: the agent does not know."""
    mbps = unsigned_value(value, 32)
    if not mbps or mbps == _UNKNOWN_SPEED:
        return None
    return mbps * 1_000_000
