"""A router's own facts: CPU, memory, temperature, voltage.

The rows that hold them are found once by walks (see vendors), then read by GET beside everything
else. A fact that vanishes is looked up again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from statistics import fmean

from monitor.adapters.snmp.errors import PollError
from monitor.adapters.snmp.messages import Oid, Value, VarBind, integer_value, string_value
from monitor.adapters.snmp.session import ObjectGroup, SnmpSession
from monitor.adapters.snmp.vendors import GENERIC, Combine, FactSource, Vendor, vendor_of

_RETRY_S = 900.0
_MAX_ROWS = 128

_PLAUSIBLE: dict[str, tuple[float, float]] = {
    "cpu": (0.0, 1.0),
    "memory": (0.0, 1.0),
    "temperature_c": (-40.0, 150.0),
    "voltage_v": (0.5, 1000.0),
}
"""A value outside these bounds is a sensor that does not exist (0 V, 2^31 - 1 °C)."""


@dataclass(frozen=True, slots=True)
class _Located:
    """Where one fact of this router is: rows of a column, as instance suffixes."""

    source: FactSource
    rows: tuple[Oid, ...]


class FactReader:
    """Locates and reads the facts of one router."""

    def __init__(self, session: SnmpSession) -> None:
        self._session = session
        self._vendor: Vendor = GENERIC
        self._located: dict[str, _Located] = {}
        self._retry_at_s: dict[str, float] = {}

    def clear(self) -> None:
        """Forget everything: the router may be another one."""
        self._located.clear()
        self._retry_at_s.clear()

    async def locate(self, object_id: Oid | None, now_s: float, deadline_s: float) -> None:
        """Look up the facts that are not located yet.

        A router may not answer for a part of its tree, or refuse it: that fact is not looked up
        again for a while, and the others follow at the next poll.
        """
        vendor = vendor_of(object_id)
        if vendor is not self._vendor:
            self._vendor = vendor
            self.clear()
        walks: dict[Oid, list[VarBind]] = {}
        for fact in _PLAUSIBLE:
            if fact in self._located or now_s < self._retry_at_s.get(fact, now_s):
                continue
            self._retry_at_s[fact] = now_s + _RETRY_S
            try:
                located = await self._locate(_sources(vendor, fact), walks, deadline_s)
            except PollError:
                return
            if located is not None:
                self._located[fact] = located

    def suspend(self, now_s: float) -> None:
        """Read no facts for a while: the router refuses a message that holds them."""
        self._located.clear()
        self._retry_at_s = dict.fromkeys(_PLAUSIBLE, now_s + _RETRY_S)

    def groups(self) -> list[ObjectGroup]:
        """The objects to read for the facts that were located."""
        return [
            ObjectGroup((), _cell_oids(located.source, row))
            for located in self._located.values()
            for row in located.rows
        ]

    def read(self, values: Mapping[Oid, Value]) -> dict[str, float]:
        """The facts in a reading of `groups`, by field of DeviceSample."""
        facts: dict[str, float] = {}
        for fact, located in list(self._located.items()):
            cells = [_cell(located.source, row, values) for row in located.rows]
            low, high = _PLAUSIBLE[fact]
            plausible = [cell for cell in cells if cell is not None and low <= cell <= high]
            if plausible:
                facts[fact] = _combined(located.source.combine, plausible)
            if any(cell is None for cell in cells):
                del self._located[fact]
        return facts

    async def _locate(
        self, sources: Iterable[FactSource], walks: dict[Oid, list[VarBind]], deadline_s: float
    ) -> _Located | None:
        """The first source that has any row."""
        for source in sources:
            rows = await self._rows(source, walks, deadline_s)
            if rows:
                return _Located(source, rows)
        return None

    async def _rows(
        self, source: FactSource, walks: dict[Oid, list[VarBind]], deadline_s: float
    ) -> tuple[Oid, ...]:
        column = await self._walk(source.column, walks, deadline_s)
        rows = [_suffix(source.column, c) for c in column if integer_value(c.value) is not None]
        where, order = source.where, source.order
        if rows and where is not None:
            cells = await self._walk(where.column, walks, deadline_s)
            matching = {_suffix(where.column, cell) for cell in cells if cell.value == where.equals}
            rows = [row for row in rows if row in matching]
        if rows and order is not None:
            cells = await self._walk(order.column, walks, deadline_s)
            rank = {
                _suffix(order.column, cell): order.names.index(name)
                for cell in cells
                if (name := string_value(cell.value)) in order.names
            }
            rows.sort(key=lambda row: rank.get(row, len(order.names)))
        return tuple(rows[:1] if source.combine is Combine.FIRST else rows)

    async def _walk(
        self, column: Oid, walks: dict[Oid, list[VarBind]], deadline_s: float
    ) -> list[VarBind]:
        if column not in walks:
            count = iter(range(1, _MAX_ROWS + 1))
            walks[column] = await self._session.walk(
                column, deadline_s, enough=lambda _: next(count) == _MAX_ROWS
            )
        return walks[column]


def _sources(vendor: Vendor, fact: str) -> tuple[FactSource, ...]:
    sources: tuple[FactSource, ...] = getattr(vendor, fact)
    return sources


def _suffix(column: Oid, cell: VarBind) -> Oid:
    return cell.oid[len(column) :]


def _cell_oids(source: FactSource, row: Oid) -> tuple[Oid, ...]:
    columns = (source.column, source.total, source.remainder)
    return tuple((*column, *row) for column in columns if column is not None)


def _cell(source: FactSource, row: Oid, values: Mapping[Oid, Value]) -> float | None:
    value = integer_value(values.get((*source.column, *row)))
    if value is None:
        return None
    if source.total is not None:
        total = integer_value(values.get((*source.total, *row)))
        return value / total if total else None
    if source.remainder is not None:
        remainder = integer_value(values.get((*source.remainder, *row)))
        return value / (value + remainder) if remainder is not None and value + remainder else None
    return value * source.scale


def _combined(combine: Combine, cells: list[float]) -> float:
    match combine:
        case Combine.FIRST:
            return cells[0]
        case Combine.MEAN:
            return fmean(cells)
        case Combine.HIGHEST:
            return max(cells)
