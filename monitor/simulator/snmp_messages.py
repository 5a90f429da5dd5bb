"""MIB tables and SNMP version 2c messages: request bytes in, response bytes out (pysnmp)."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any, NamedTuple

from pyasn1.codec.ber import decoder, encoder
from pyasn1.error import PyAsn1Error
from pysnmp.error import PySnmpError
from pysnmp.proto.api import v2c

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
    """Types of SNMPv2 values, and its three exceptions."""

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
    """One value. data: int for numbers, bytes for octets, an Oid, or 0 for an exception."""

    kind: ObjectKind
    data: int | bytes | Oid = 0


ValueReader = Callable[[float], Value]
"""Returns a value at a time, in seconds on the simulator's clock."""


class Mib:
    """Objects sorted by OID."""

    def __init__(self, objects: Mapping[Oid, ValueReader], endless: bool = False) -> None:
        """endless: the first row of a column follows its last one (a broken agent)."""
        self._oids = sorted(objects)
        self._readers = [objects[oid] for oid in self._oids]
        self._endless = endless

    def get(self, oid: Oid, now_s: float) -> Value:
        """The object of this OID, or the exception (RFC 3416, 4.2.1)."""
        place = bisect_left(self._oids, oid)
        if place < len(self._oids) and self._oids[place] == oid:
            return self._readers[place](now_s)
        column = oid[:-1]
        neighbours = self._oids[max(place - 1, 0) : place + 1]
        known = any(other[: len(column)] == column for other in neighbours)
        return Value(ObjectKind.NO_SUCH_INSTANCE if known else ObjectKind.NO_SUCH_OBJECT)

    def next(self, oid: Oid, now_s: float) -> tuple[Oid, Value]:
        """The first object after this OID; the same OID with END_OF_MIB after the last."""
        place = bisect_right(self._oids, oid)
        if self._endless:
            place = self._next_in_column(oid, place)
        if place == len(self._oids):
            return oid, Value(ObjectKind.END_OF_MIB)
        return self._oids[place], self._readers[place](now_s)

    def _next_in_column(self, oid: Oid, place: int) -> int:
        """The next index for an endless agent: never outside the column."""
        column = oid[:-1]
        first = bisect_left(self._oids, column)
        is_one = place > 0 and self._oids[place - 1] == oid
        leaves = place == len(self._oids) or self._oids[place][: len(column)] != column
        return first if is_one and leaves else place


def constant(value: Value) -> ValueReader:
    """A reader of a constant value."""
    return lambda _now_s: value


def text_value(words: str) -> Value:
    """A DisplayString."""
    return Value(ObjectKind.OCTETS, words.encode())


MAX_RESPONSE_BYTES = 1472
"""Maximum bytes of a response: one packet of 1500 bytes."""

_TOO_BIG, _NOT_WRITABLE = 1, 17
_MAX_REPETITIONS = 100
_HEADER_BYTES = 60
_MAKERS: dict[ObjectKind, Any] = {
    ObjectKind.INTEGER: v2c.Integer32,
    ObjectKind.OCTETS: v2c.OctetString,
    ObjectKind.OID: v2c.ObjectIdentifier,
    ObjectKind.COUNTER32: v2c.Counter32,
    ObjectKind.GAUGE32: v2c.Gauge32,
    ObjectKind.TICKS: v2c.TimeTicks,
    ObjectKind.COUNTER64: v2c.Counter64,
    ObjectKind.NO_SUCH_OBJECT: lambda _data: v2c.NoSuchObject(""),
    ObjectKind.NO_SUCH_INSTANCE: lambda _data: v2c.NoSuchInstance(""),
    ObjectKind.END_OF_MIB: lambda _data: v2c.EndOfMibView(""),
}


def answer_request(
    request: bytes, community: bytes, mib: Mib, now_s: float, max_varbinds: int | None = None
) -> bytes | None:
    """The response of the agent; None: no response.

    There is none for a wrong community, another version or what is no request, as with routers.
    max_varbinds: additional limit of objects in a message; None: as many as fit.
    """
    try:
        message, _ = decoder.decode(request, asn1Spec=v2c.Message())
        if int(v2c.apiMessage.get_version(message)) != 1:
            return None
        if bytes(v2c.apiMessage.get_community(message)) != community:
            return None
        return _respond(message, mib, now_s, max_varbinds)
    except (PyAsn1Error, PySnmpError):
        return None


_HUGE_VARBINDS = 4_500 * bytes.fromhex("300c06082b060102010101000500")


def huge_response(request: bytes) -> bytes | None:
    """A response of 63 kB with 4,500 times sysDescr.0 = NULL; None: not a request.

    It is put together from bytes: encoding so many objects would take the simulator a second.
    """
    try:
        message, _ = decoder.decode(request, asn1Spec=v2c.Message())
        community = bytes(v2c.apiMessage.get_community(message))
        number = int(v2c.apiPDU.get_request_id(v2c.apiMessage.get_pdu(message)))
    except (PyAsn1Error, PySnmpError):
        return None
    head = encoder.encode(v2c.Integer32(number)) + b"\x02\x01\0" * 2
    pdu = _tagged(0xA2, head + _tagged(0x30, _HUGE_VARBINDS))
    return _tagged(0x30, b"\x02\x01\x01" + _tagged(0x04, community) + pdu)


def _tagged(tag: int, content: bytes) -> bytes:
    """One BER element with a length of three bytes."""
    return bytes((tag, 0x83)) + len(content).to_bytes(3, "big") + content


def _respond(message: Any, mib: Mib, now_s: float, max_varbinds: int | None) -> bytes | None:
    pdu = v2c.apiMessage.get_pdu(message)
    asked = [(tuple(oid), None) for oid, _ in v2c.apiPDU.get_varbinds(pdu)]
    oids: list[Oid] = [oid for oid, _ in asked]
    if isinstance(pdu, v2c.GetRequestPDU):
        found = [(oid, mib.get(oid, now_s)) for oid in oids]
    elif isinstance(pdu, v2c.GetNextRequestPDU):
        found = [mib.next(oid, now_s) for oid in oids]
    elif isinstance(pdu, v2c.GetBulkRequestPDU):
        still = max(int(v2c.apiBulkPDU.get_non_repeaters(pdu)), 0)
        times = max(int(v2c.apiBulkPDU.get_max_repetitions(pdu)), 0)
        found = _bulk(oids, still, min(times, _MAX_REPETITIONS), mib, now_s)
        return _fitting(message, found[:max_varbinds])
    elif isinstance(pdu, v2c.SetRequestPDU):
        return _encode(message, None, _NOT_WRITABLE, 1)
    else:
        return None
    if max_varbinds is not None and len(oids) > max_varbinds:
        return _encode(message, [], _TOO_BIG)
    whole = _encode(message, found)
    return whole if len(whole) <= MAX_RESPONSE_BYTES else _encode(message, [], _TOO_BIG)


def _bulk(
    oids: list[Oid], still: int, times: int, mib: Mib, now_s: float
) -> list[tuple[Oid, Value]]:
    """RFC 3416, 4.2.3: each of the first `still` once, the others in `times` rounds."""
    found = [mib.next(oid, now_s) for oid in oids[:still]]
    walking = oids[still:]
    for _ in range(times):
        row = [mib.next(oid, now_s) for oid in walking]
        found.extend(row)
        walking = [oid for oid, _ in row]
        if all(value.kind is ObjectKind.END_OF_MIB for _, value in row):
            break
        if _size(found) > MAX_RESPONSE_BYTES:
            break
    return found


def _fitting(message: Any, found: list[tuple[Oid, Value]]) -> bytes:
    """Encode as many objects of a GETBULK as fit into a packet."""
    while _size(found) > MAX_RESPONSE_BYTES:
        found.pop()
    whole = _encode(message, found)
    while len(whole) > MAX_RESPONSE_BYTES and found:
        found.pop()
        whole = _encode(message, found)
    return whole


def _size(found: list[tuple[Oid, Value]]) -> int:
    """Estimated size in bytes."""
    return _HEADER_BYTES + sum(
        len(oid) + 6 + (len(value.data) if isinstance(value.data, bytes | tuple) else 5)
        for oid, value in found
    )


def _encode(
    message: Any,
    found: list[tuple[Oid, Value]] | None,
    error_status: int = 0,
    error_index: int = 0,
) -> bytes:
    """Encode the response to a message. found: None returns the objects of the request."""
    response = v2c.apiMessage.get_response(message)
    pdu = v2c.apiMessage.get_pdu(response)
    if found is None:
        asked = v2c.apiMessage.get_pdu(message)
        v2c.apiPDU.set_varbinds(pdu, v2c.apiPDU.get_varbinds(asked))
    else:
        made = [(oid, _MAKERS[value.kind](value.data)) for oid, value in found]
        v2c.apiPDU.set_varbinds(pdu, made)
    if error_status:
        v2c.apiPDU.set_error_status(pdu, error_status)
        v2c.apiPDU.set_error_index(pdu, error_index)
    return bytes(encoder.encode(response))
