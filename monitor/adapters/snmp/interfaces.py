"""A router's ports, found by ifName: where each is in the tables, and what an answer says of it.

An index is never an identity: routers number their ports anew at a reboot, or when a module
is put in. So ifName is asked beside the counters in the same message; when it is another
port's name, or none, the table is walked again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from monitor.adapters.snmp import objects, values
from monitor.adapters.snmp.codec import Oid, Value, VarBind
from monitor.adapters.snmp.session import Group, Reading, Session
from monitor.core.samples.snmp_poll import InterfaceCounters

_LOOK_AGAIN_S = 120.0

# In the order in which a small router's answers are cut: octets stay with the name.
_WIDE = (objects.IF_HC_IN_OCTETS, objects.IF_HC_OUT_OCTETS)
_NARROW = (objects.IF_IN_OCTETS, objects.IF_OUT_OCTETS)
_OTHERS = (
    objects.IF_DISCONTINUITY,
    objects.IF_OPER_STATUS,
    objects.IF_IN_ERRORS,
    objects.IF_OUT_ERRORS,
    objects.IF_IN_DISCARDS,
    objects.IF_OUT_DISCARDS,
)
_SLOW = (objects.IF_HIGH_SPEED, objects.IF_ALIAS)
_OPER = range(1, 8)  # RFC 2863, ifOperStatus


@dataclass(frozen=True, slots=True)
class _Slow:
    """What changes seldom, and does not have to be of the same moment as the counters."""

    speed_bps: int | None = None
    alias: str | None = None


class PortFinder:
    """Knows where the ports of one router are."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._index: dict[str, int] = {}
        self._narrow: set[str] = set()
        self._slow: dict[str, _Slow] = {}
        self._look_at_s: float | None = None

    def forget(self) -> None:
        """The router numbered its ports anew, or is another one."""
        self._index.clear()
        self._narrow.clear()
        self._slow.clear()
        self._look_at_s = None

    async def find(self, names: Sequence[str], now_s: float, deadline_s: float) -> None:
        """Walk ifName for the names that are not known yet. Raises RouterTrouble.

        A name that the router does not have is looked for again after two minutes.
        """
        unknown = {name for name in names if name not in self._index}
        if not unknown or (self._look_at_s is not None and now_s < self._look_at_s):
            return

        def enough(row: VarBind) -> bool:
            unknown.discard(values.text(row.value) or "")
            return not unknown

        rows = await self._session.walk(objects.IF_NAME, deadline_s, enough)
        wanted = set(names)
        for row in rows:
            name = values.text(row.value)
            # Of two ports with one name the first is meant, as it was the last time.
            if name in wanted and name not in self._index and len(row.oid) == _ROW:
                self._index[name] = row.oid[-1]
        self._look_at_s = now_s + _LOOK_AGAIN_S

    def groups(self, names: Iterable[str]) -> list[Group]:
        """What to ask for the counters of the ports that were found."""
        return [
            Group(
                ((*objects.IF_NAME, index),),
                tuple(
                    (*column, index)
                    for column in (_NARROW if name in self._narrow else _WIDE) + _OTHERS
                ),
            )
            for name in names
            if (index := self._index.get(name)) is not None
        ]

    def slow_groups(self, names: Iterable[str]) -> list[Group]:
        """What to ask for speed and description."""
        return [
            Group((), tuple((*column, self._index[name]) for column in _SLOW))
            for name in names
            if name in self._index
        ]

    def known(self, names: Iterable[str]) -> list[str]:
        """Those of `names` that the router has."""
        return [name for name in names if name in self._index]

    def moved(self, names: Iterable[str], readings: Sequence[Reading]) -> bool:
        """Whether an index now carries another name than the one it was found under."""
        return any(
            values.text(reading[oid]) != name
            for name in self.known(names)
            for reading in readings
            if (oid := (*objects.IF_NAME, self._index[name])) in reading
        )

    def narrow(self, names: Iterable[str], readings: Sequence[Reading]) -> list[str]:
        """The ports that turn out to have no 64-bit counters; they are asked for 32-bit ones."""
        found = [
            name
            for name in self.known(names)
            if name not in self._narrow
            and not all(
                values.told(_look(readings, (*column, self._index[name]))) for column in _WIDE
            )
        ]
        self._narrow.update(found)
        return found

    def learn_slow(self, names: Iterable[str], told: Mapping[Oid, Value]) -> None:
        """Keep speed and description from an answer to `slow_groups`."""
        for name in self.known(names):
            index = self._index[name]
            self._slow[name] = _Slow(
                speed_bps=values.speed_bps(told.get((*objects.IF_HIGH_SPEED, index))),
                alias=values.text(told.get((*objects.IF_ALIAS, index))) or None,
            )

    def counters(self, name: str, readings: Sequence[Reading]) -> InterfaceCounters | None:
        """One port's counters; None when the answers hold another name for it.

        uptime_ticks is from the very message that held the octets.
        """
        index = self._index[name]
        if values.text(_look(readings, (*objects.IF_NAME, index))) != name:
            return None
        wide = name not in self._narrow
        octets, bits = (_WIDE, 64) if wide else (_NARROW, 32)
        of_octets = [reading for reading in readings if (*octets[0], index) in reading]
        slow = self._slow.get(name, _Slow())

        def read(column: Oid, width: int = 32) -> int | None:
            return values.count(_look(readings, (*column, index)), width)

        oper = read(objects.IF_OPER_STATUS)
        return InterfaceCounters(
            name=name,
            index=index,
            in_octets=read(octets[0], bits),
            out_octets=read(octets[1], bits),
            high_capacity=wide,
            in_errors=read(objects.IF_IN_ERRORS),
            out_errors=read(objects.IF_OUT_ERRORS),
            in_discards=read(objects.IF_IN_DISCARDS),
            out_discards=read(objects.IF_OUT_DISCARDS),
            oper=oper if oper in _OPER else None,
            speed_bps=slow.speed_bps,
            discontinuity=read(objects.IF_DISCONTINUITY),
            alias=slow.alias,
            uptime_ticks=uptime_of(of_octets or readings),
        )


_ROW = len(objects.IF_NAME) + 1


def uptime_of(readings: Sequence[Reading]) -> int | None:
    """sysUpTime of the last message that holds it."""
    return values.count(_look(readings, objects.SYS_UPTIME), 32)


def _look(readings: Sequence[Reading], oid: Oid) -> Value | None:
    """The last told value: a later message is the fresher one."""
    for reading in reversed(readings):
        if oid in reading:
            return reading[oid]
    return None
