"""SNMP version 2c messages: a request in bytes → the answer in bytes, by pysnmp's message API."""

from __future__ import annotations

from typing import Any

from pyasn1.codec.ber import decoder, encoder
from pyasn1.error import PyAsn1Error
from pysnmp.error import PySnmpError
from pysnmp.proto.api import v2c

from monitor.simulator.mib import Mib, ObjectKind, Oid, Value

LARGEST_ANSWER = 1472
"""Bytes of an answer that fit into one packet of 1500."""

_TOO_BIG, _NOT_WRITABLE = 1, 17
_MOST_REPETITIONS = 100
_ROOM_FOR_HEADS = 60

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


def answer(
    request: bytes, community: bytes, mib: Mib, now_s: float, most: int | None = None
) -> bytes | None:
    """What the agent sends back; None: it keeps silent.

    It is silent to another community, another version and to what is no request, as routers are.
    most: so many objects fit into one of its messages, beside the size; None: as many as fit.
    """
    try:
        message, _ = decoder.decode(request, asn1Spec=v2c.Message())
        if int(v2c.apiMessage.get_version(message)) != 1:
            return None
        if bytes(v2c.apiMessage.get_community(message)) != community:
            return None
        return _respond(message, mib, now_s, most)
    except (PyAsn1Error, PySnmpError):
        return None


def _respond(message: Any, mib: Mib, now_s: float, most: int | None) -> bytes | None:
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
        found = _bulk(oids, still, min(times, _MOST_REPETITIONS), mib, now_s)
        return _fitting(message, found[:most])
    elif isinstance(pdu, v2c.SetRequestPDU):
        return _encode(message, None, _NOT_WRITABLE, 1)
    else:
        return None
    if most is not None and len(oids) > most:
        return _encode(message, [], _TOO_BIG)
    whole = _encode(message, found)
    return whole if len(whole) <= LARGEST_ANSWER else _encode(message, [], _TOO_BIG)


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
        if _size(found) > LARGEST_ANSWER:
            break
    return found


def _fitting(message: Any, found: list[tuple[Oid, Value]]) -> bytes:
    """As many of a GETBULK's objects as fit: the rest is asked for again."""
    while _size(found) > LARGEST_ANSWER:
        found.pop()
    whole = _encode(message, found)
    while len(whole) > LARGEST_ANSWER and found:
        found.pop()
        whole = _encode(message, found)
    return whole


def _size(found: list[tuple[Oid, Value]]) -> int:
    """About how many bytes these take; never too many by much."""
    return _ROOM_FOR_HEADS + sum(
        len(oid) + 6 + (len(value.data) if isinstance(value.data, bytes | tuple) else 5)
        for oid, value in found
    )


def _encode(
    message: Any,
    found: list[tuple[Oid, Value]] | None,
    error_status: int = 0,
    error_index: int = 0,
) -> bytes:
    """The answer to a message. found: None gives the request's own objects back."""
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
