"""SNMP messages: requests built with pysnmp's types, responses as plain Python values; version 2c.

Only this module and `usm` see pyasn1 objects. A request is built once for a set of objects and
sent many times with another request-id: building it costs as much as encoding it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple, Protocol

from pyasn1.codec.ber import decoder, encoder
from pyasn1.error import PyAsn1Error
from pyasn1.type import univ
from pysnmp.proto import rfc1905
from pysnmp.proto.api import v2c

from monitor.adapters.snmp import ber
from monitor.adapters.snmp.errors import DatagramRejected, RejectReason
from monitor.core.printable import without_controls

Oid = tuple[int, ...]

SYS_DESCR: Oid = (1, 3, 6, 1, 2, 1, 1, 1, 0)  # SNMPv2-MIB (RFC 3418)
SYS_OBJECT_ID: Oid = (1, 3, 6, 1, 2, 1, 1, 2, 0)
SYS_UPTIME: Oid = (1, 3, 6, 1, 2, 1, 1, 3, 0)
SYS_NAME: Oid = (1, 3, 6, 1, 2, 1, 1, 5, 0)

TOO_BIG = 1
"""error-status tooBig (RFC 3416, 3)."""

NUMBERS = 2**31
"""msgID and request-id have 31 bits (RFC 3412, 6.1; RFC 3416, 3); zero is not used."""

_VERSION_2C = 1

Asn1 = Any
"""A pyasn1 object; untyped."""


class Absent(StrEnum):
    """What a response may hold instead of a value (RFC 3416, 2.5)."""

    NO_OBJECT = "noSuchObject"
    NO_INSTANCE = "noSuchInstance"
    END_OF_VIEW = "endOfMibView"
    EMPTY = "null"


_ABSENT: dict[Any, Absent] = {
    rfc1905.NoSuchObject: Absent.NO_OBJECT,
    rfc1905.NoSuchInstance: Absent.NO_INSTANCE,
    rfc1905.EndOfMibView: Absent.END_OF_VIEW,
}

Value = int | bytes | Oid | Absent


class VarBind(NamedTuple):
    """One object of a response."""

    oid: Oid
    value: Value


@dataclass(frozen=True, slots=True)
class SnmpRequest:
    """A GET (`repetitions` 0) or a GETBULK of some objects, with its PDU."""

    oids: tuple[Oid, ...]
    repetitions: int
    pdu: Asn1


class SnmpResponse(NamedTuple):
    """A response or report PDU. error: its error-status (RFC 3416, 3), 0: none."""

    request_id: int
    error: int
    error_index: int
    varbinds: tuple[VarBind, ...]


class EncodedRequest(NamedTuple):
    """A message ready to be sent; a repetition is the same bytes."""

    id: ber.MessageId
    data: bytes


class EngineReport(NamedTuple):
    """The router reported its engine id or its clock: send the request again with it."""

    reported: str


class MessageCodec(Protocol):
    """Encodes and decodes the messages of one router: its protocol version and its secret."""

    def encode(self, request: SnmpRequest, number: int) -> EncodedRequest:
        """The message for `request` with this number, valid now."""
        ...

    def decode(self, data: bytes, request: SnmpRequest, number: int) -> SnmpResponse | EngineReport:
        """The response in a datagram that has the number. Raises DatagramRejected."""
        ...

    def reset(self) -> bool:
        """The router did not respond and may be another one: forget its engine.

        Returns whether another engine was reported meanwhile and is to be tried at once.
        """
        ...


class CommunityCodec:
    """SNMP version 2c (RFC 1901): a community and a PDU."""

    def __init__(self, community: str) -> None:
        self._community = community.encode()

    def __repr__(self) -> str:
        return "CommunityCodec(…)"

    def encode(self, request: SnmpRequest, number: int) -> EncodedRequest:
        message = v2c.Message()
        v2c.apiMessage.set_defaults(message)
        v2c.apiMessage.set_community(message, self._community)
        v2c.apiMessage.set_pdu(message, numbered_pdu(request, number))
        return EncodedRequest(ber.MessageId(_VERSION_2C, number), encode_asn1(message))

    def decode(self, data: bytes, request: SnmpRequest, number: int) -> SnmpResponse | EngineReport:
        message = decode_asn1(data, v2c.Message())
        if bytes(message[1].asOctets()) != self._community:
            raise DatagramRejected(RejectReason.WRONG_ANSWER, "another community")
        return checked_response(request, number, plain_response(v2c.apiMessage.get_pdu(message)))

    def reset(self) -> bool:
        """Nothing is learnt about a router of version 2c."""
        return False


def get_request(oids: Sequence[Oid]) -> SnmpRequest:
    """A GET of these instances."""
    pdu = v2c.GetRequestPDU()
    v2c.apiPDU.set_defaults(pdu)
    _set_oids(pdu, oids)
    return SnmpRequest(tuple(oids), 0, pdu)


def bulk_request(after: Oid, repetitions: int) -> SnmpRequest:
    """A GETBULK of the instances that follow `after`."""
    pdu = v2c.GetBulkRequestPDU()
    v2c.apiBulkPDU.set_defaults(pdu)
    v2c.apiBulkPDU.set_max_repetitions(pdu, repetitions)
    _set_oids(pdu, (after,))
    return SnmpRequest((after,), repetitions, pdu)


def numbered_pdu(request: SnmpRequest, number: int) -> Asn1:
    """The PDU of `request` with this request-id; shared, encode it before the next call."""
    v2c.apiPDU.set_request_id(request.pdu, number)
    return request.pdu


def encode_asn1(message: Asn1) -> bytes:
    """The bytes of a message that was built here."""
    return bytes(encoder.encode(message))


def decode_asn1(data: bytes, spec: Asn1) -> Asn1:
    """One message decoded as `spec`. Raises DatagramRejected(MALFORMED) for anything else."""
    try:
        message = ber.checked_message(data)
    except ber.BerError as error:
        raise DatagramRejected(RejectReason.MALFORMED, str(error)) from error
    try:
        return decoder.decode(message, asn1Spec=spec)[0]
    except PyAsn1Error:
        repaired = ber.repair_unsigned(message)
    try:
        return decoder.decode(repaired, asn1Spec=spec)[0]
    except PyAsn1Error as error:
        # The error's text can be pages long and contain the community: its type is enough.
        raise DatagramRejected(RejectReason.MALFORMED, type(error).__name__) from error


def plain_response(pdu: Asn1) -> SnmpResponse:
    """A decoded response or report as plain values. Raises DatagramRejected for other PDUs."""
    if not isinstance(pdu, rfc1905.ResponsePDU | rfc1905.ReportPDU):
        raise DatagramRejected(RejectReason.WRONG_ANSWER, "not a response")
    varbinds = tuple(
        VarBind(tuple(varbind[0]), _plain_value(varbind[1].getComponent(1))) for varbind in pdu[3]
    )
    return SnmpResponse(int(pdu[0]), int(pdu[1]), int(pdu[2]), varbinds)


def checked_response(request: SnmpRequest, number: int, response: SnmpResponse) -> SnmpResponse:
    """`response`, if it belongs to `request`. Raises DatagramRejected."""
    if response.request_id != number:
        raise DatagramRejected(RejectReason.WRONG_ANSWER, "another request-id")
    if response.error:
        return response
    if request.repetitions:
        _check_walk(request, response)
    elif tuple(varbind.oid for varbind in response.varbinds) != request.oids:
        raise DatagramRejected(RejectReason.WRONG_ANSWER, "other objects than were asked for")
    return response


# Typed reading of values. An agent may send an INTEGER where a string is due, a negative counter,
# or noSuchInstance: that one value is None, the rest of the response stands.


def unsigned_value(value: Value | None, bits: int) -> int | None:
    """A counter, gauge or TimeTicks of this width."""
    if isinstance(value, int) and 0 <= value < 2**bits:
        return value
    return None


def integer_value(value: Value | None) -> int | None:
    """Any integer, also a negative one."""
    return value if isinstance(value, int) else None


def string_value(value: Value | None) -> str | None:
    """A string in one line, without control characters; some agents end it with a zero byte.

    Anybody who may name a router or a port could otherwise write to our terminals.
    """
    if isinstance(value, bytes):
        text = value.decode("utf-8", "replace").rstrip("\0")
        return without_controls(" ".join(text.splitlines()))
    return None


def oid_value(value: Value | None) -> Oid | None:
    """An object identifier."""
    return value if isinstance(value, tuple) else None


def is_present(value: Value | None) -> bool:
    """Whether there is a value at all."""
    return value is not None and not isinstance(value, Absent)


def _check_walk(request: SnmpRequest, response: SnmpResponse) -> None:
    """A walk must go forward, or it would never end (RFC 3416, 4.2.3: lexicographic order)."""
    count = len(response.varbinds)
    if not 1 <= count <= request.repetitions:
        raise DatagramRejected(RejectReason.WRONG_ANSWER, f"{count} objects in an answer to a walk")
    last = request.oids[0]
    for varbind in response.varbinds:
        if varbind.value is Absent.END_OF_VIEW:
            return
        if varbind.oid <= last:
            raise DatagramRejected(RejectReason.WRONG_ANSWER, "a walk that does not go forward")
        last = varbind.oid


def _set_oids(pdu: Asn1, oids: Sequence[Oid]) -> None:
    v2c.apiPDU.set_varbinds(pdu, [(univ.ObjectIdentifier(oid), v2c.null) for oid in oids])


def _plain_value(value: Asn1) -> Value:
    absent = _ABSENT.get(type(value))
    if absent is not None:
        return absent
    if isinstance(value, univ.Integer):
        return int(value)
    if isinstance(value, univ.OctetString):
        return bytes(value.asOctets())
    if isinstance(value, univ.ObjectIdentifier):
        return tuple(value)
    return Absent.EMPTY
