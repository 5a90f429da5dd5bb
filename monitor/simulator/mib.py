"""A table of SNMP objects: what GET and GETNEXT find in it, and how a router's is put together."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import NamedTuple

Oid = tuple[int, ...]

SYSTEM: Oid = (1, 3, 6, 1, 2, 1, 1)
IF_TABLE: Oid = (1, 3, 6, 1, 2, 1, 2, 2, 1)
IF_NUMBER: Oid = (1, 3, 6, 1, 2, 1, 2, 1, 0)
IFX_TABLE: Oid = (1, 3, 6, 1, 2, 1, 31, 1, 1, 1)
HR_STORAGE: Oid = (1, 3, 6, 1, 2, 1, 25, 2, 3, 1)
HR_PROCESSOR: Oid = (1, 3, 6, 1, 2, 1, 25, 3, 3, 1)
MIKROTIK: Oid = (1, 3, 6, 1, 4, 1, 14988)
MIKROTIK_HEALTH: Oid = (*MIKROTIK, 1, 1, 3)
CISCO: Oid = (1, 3, 6, 1, 4, 1, 9)
CISCO_CPU: Oid = (*CISCO, 9, 109, 1, 1, 1, 1)
CISCO_MEMORY: Oid = (*CISCO, 9, 48, 1, 1, 1)
CISCO_TEMPERATURE: Oid = (*CISCO, 9, 13, 1, 3, 1)


class ObjectKind(StrEnum):
    """The types of SNMPv2 values, and its three ways to say that there is none."""

    INTEGER = "integer"
    OCTETS = "octets"
    OID = "oid"
    COUNTER32 = "counter32"
    GAUGE32 = "gauge32"
    TICKS = "ticks"
    COUNTER64 = "counter64"
    NO_SUCH_OBJECT = "no-such-object"
    NO_SUCH_INSTANCE = "no-such-instance"
    END_OF_MIB = "end-of-mib"


class Value(NamedTuple):
    """One value. data: int for numbers, bytes for octets, an Oid, or 0 where there is none."""

    kind: ObjectKind
    data: int | bytes | Oid = 0


Teller = Callable[[float], Value]
"""Tells a value as it is at a moment, in seconds on the simulator's timeline."""


class Mib:
    """Objects in the order of their OIDs."""

    def __init__(self, objects: Mapping[Oid, Teller], endless: bool = False) -> None:
        """endless: what follows the last row of a column is its first row (a broken agent)."""
        self._oids = sorted(objects)
        self._tellers = [objects[oid] for oid in self._oids]
        self._endless = endless

    def get(self, oid: Oid, now_s: float) -> Value:
        """The object of exactly this OID, or why there is none (RFC 3416, 4.2.1)."""
        place = bisect_left(self._oids, oid)
        if place < len(self._oids) and self._oids[place] == oid:
            return self._tellers[place](now_s)
        column = oid[:-1]
        neighbours = self._oids[max(place - 1, 0) : place + 1]
        known = any(other[: len(column)] == column for other in neighbours)
        return Value(ObjectKind.NO_SUCH_INSTANCE if known else ObjectKind.NO_SUCH_OBJECT)

    def next(self, oid: Oid, now_s: float) -> tuple[Oid, Value]:
        """The first object after this OID; the same OID with END_OF_MIB after the last."""
        place = bisect_right(self._oids, oid)
        if self._endless:
            place = self._round(oid, place)
        if place == len(self._oids):
            return oid, Value(ObjectKind.END_OF_MIB)
        return self._oids[place], self._tellers[place](now_s)

    def _round(self, oid: Oid, place: int) -> int:
        """Where an endless agent goes on after an object: never out of its column."""
        column = oid[:-1]
        first = bisect_left(self._oids, column)
        is_one = place > 0 and self._oids[place - 1] == oid
        leaves = place == len(self._oids) or self._oids[place][: len(column)] != column
        return first if is_one and leaves else place


def always(value: Value) -> Teller:
    """A teller of something that never changes."""
    return lambda _now_s: value


def text(words: str) -> Value:
    """A DisplayString."""
    return Value(ObjectKind.OCTETS, words.encode())
