"""A router's own facts: CPU, memory, temperature, voltage.

Which rows hold them is found once by walking (a table's rows are told by their cells), then
the rows are asked by GET beside everything else. A fact that vanishes is looked for again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from statistics import fmean

from monitor.adapters.snmp import values
from monitor.adapters.snmp.codec import Oid, Value, VarBind
from monitor.adapters.snmp.session import Group, Session
from monitor.adapters.snmp.trouble import RouterTrouble
from monitor.adapters.snmp.vendors import GENERIC, Combine, Quantity, Vendor, vendor_of

_LOOK_AGAIN_S = 900.0
_MOST_ROWS = 128

_PLAUSIBLE: dict[str, tuple[float, float]] = {
    "cpu": (0.0, 1.0),
    "memory": (0.0, 1.0),
    "temperature_c": (-40.0, 150.0),
    "voltage_v": (0.5, 1000.0),
}
"""What lies outside is a sensor that is not there (0 V, 2^31 - 1 °C), not a value."""


@dataclass(frozen=True, slots=True)
class _Found:
    """Where one fact of this router is: the rows of a column, as instance suffixes."""

    quantity: Quantity
    rows: tuple[Oid, ...]


class FactFinder:
    """Finds and reads the facts of one router."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._vendor: Vendor = GENERIC
        self._found: dict[str, _Found] = {}
        self._look_at_s: dict[str, float] = {}

    def forget(self) -> None:
        """The router may be another one: everything is looked for again."""
        self._found.clear()
        self._look_at_s.clear()

    async def find(self, object_id: Oid | None, now_s: float, deadline_s: float) -> None:
        """Look for what is not found yet.

        A router may keep silent to a part of its tree, or refuse it: the fact that was looked
        for there is let be for a while, and the others get their turn at the next poll.
        """
        vendor = vendor_of(object_id)
        if vendor is not self._vendor:
            self._vendor = vendor
            self.forget()
        seen: dict[Oid, list[VarBind]] = {}
        for fact in _PLAUSIBLE:
            if fact in self._found or now_s < self._look_at_s.get(fact, now_s):
                continue
            self._look_at_s[fact] = now_s + _LOOK_AGAIN_S
            try:
                found = await self._locate(_ways(vendor, fact), seen, deadline_s)
            except RouterTrouble:
                return
            if found is not None:
                self._found[fact] = found

    def leave(self, now_s: float) -> None:
        """The router refuses a message with these facts in it: do without them for a while."""
        self._found.clear()
        self._look_at_s = dict.fromkeys(_PLAUSIBLE, now_s + _LOOK_AGAIN_S)

    def groups(self) -> list[Group]:
        """What to ask for the facts that were found."""
        return [
            Group((), _cells(found.quantity, row))
            for found in self._found.values()
            for row in found.rows
        ]

    def read(self, told: Mapping[Oid, Value]) -> dict[str, float]:
        """The facts in an answer to `groups`, by field of DeviceSample."""
        facts: dict[str, float] = {}
        for fact, found in list(self._found.items()):
            cells = [_cell(found.quantity, row, told) for row in found.rows]
            low, high = _PLAUSIBLE[fact]
            sound = [cell for cell in cells if cell is not None and low <= cell <= high]
            if sound:
                facts[fact] = _combined(found.quantity.combine, sound)
            if any(cell is None for cell in cells):
                del self._found[fact]
        return facts

    async def _locate(
        self, ways: Iterable[Quantity], seen: dict[Oid, list[VarBind]], deadline_s: float
    ) -> _Found | None:
        """The first way that leads to any row."""
        for quantity in ways:
            rows = await self._rows(quantity, seen, deadline_s)
            if rows:
                return _Found(quantity, rows)
        return None

    async def _rows(
        self, quantity: Quantity, seen: dict[Oid, list[VarBind]], deadline_s: float
    ) -> tuple[Oid, ...]:
        rows = _suffixes(quantity.column, await self._walk(quantity.column, seen, deadline_s))
        where, preferred = quantity.where, quantity.preferred
        if rows and where is not None:
            cells = await self._walk(where.column, seen, deadline_s)
            fitting = {
                cell.oid[len(where.column) :] for cell in cells if cell.value == where.equals
            }
            rows = [row for row in rows if row in fitting]
        if rows and preferred is not None:
            names = await self._walk(preferred.column, seen, deadline_s)
            rank = {
                cell.oid[len(preferred.column) :]: preferred.names.index(name)
                for cell in names
                if (name := values.text(cell.value)) in preferred.names
            }
            rows.sort(key=lambda row: rank.get(row, len(preferred.names)))
        return tuple(rows[:1] if quantity.combine is Combine.FIRST else rows)

    async def _walk(
        self, column: Oid, seen: dict[Oid, list[VarBind]], deadline_s: float
    ) -> list[VarBind]:
        if column not in seen:
            count = iter(range(1, _MOST_ROWS + 1))
            seen[column] = await self._session.walk(
                column, deadline_s, enough=lambda _: next(count) == _MOST_ROWS
            )
        return seen[column]


def _ways(vendor: Vendor, fact: str) -> tuple[Quantity, ...]:
    ways: tuple[Quantity, ...] = getattr(vendor, fact)
    return ways


def _suffixes(column: Oid, rows: Iterable[VarBind]) -> list[Oid]:
    return [row.oid[len(column) :] for row in rows if values.number(row.value) is not None]


def _cells(quantity: Quantity, row: Oid) -> tuple[Oid, ...]:
    columns = (quantity.column, quantity.whole, quantity.rest)
    return tuple((*column, *row) for column in columns if column is not None)


def _cell(quantity: Quantity, row: Oid, told: Mapping[Oid, Value]) -> float | None:
    value = values.number(told.get((*quantity.column, *row)))
    if value is None:
        return None
    of = float(value)
    if quantity.whole is not None:
        whole = values.number(told.get((*quantity.whole, *row)))
        return of / whole if whole else None
    if quantity.rest is not None:
        rest = values.number(told.get((*quantity.rest, *row)))
        return of / (of + rest) if rest is not None and of + rest else None
    return of * quantity.scale


def _combined(combine: Combine, cells: list[float]) -> float:
    match combine:
        case Combine.FIRST:
            return cells[0]
        case Combine.MEAN:
            return fmean(cells)
        case Combine.HIGHEST:
            return max(cells)
