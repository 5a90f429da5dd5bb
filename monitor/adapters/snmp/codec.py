"""Protocol data units: built with pysnmp's types, and read back into plain Python values.

Behind this module nobody sees a pyasn1 object. Requests are made once for a set of objects
and sent many times with another request-id ("resolved once"): making one costs as much as
encoding it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple

from pyasn1.codec.ber import decoder, encoder
from pyasn1.error import PyAsn1Error
from pyasn1.type import univ
from pysnmp.proto import rfc1905
from pysnmp.proto.api import v2c

from monitor.adapters.snmp import ber
from monitor.adapters.snmp.trouble import Odd, Oddity

Oid = tuple[int, ...]


class Absent(StrEnum):
    """What stands in an answer where a value is due (RFC 3416, 2.5)."""

    NO_OBJECT = "noSuchObject"
    NO_INSTANCE = "noSuchInstance"
    END_OF_VIEW = "endOfMibView"
    EMPTY = "null"


Value = int | bytes | Oid | Absent


class VarBind(NamedTuple):
    """One object of an answer."""

    oid: Oid
    value: Value


@dataclass(frozen=True, slots=True)
class SnmpRequest:
    """A GET (`repetitions` 0) or a GETBULK of some objects, and its PDU, ready made."""

    oids: tuple[Oid, ...]
    repetitions: int
    pdu: Any


class SnmpAnswer(NamedTuple):
    """A response PDU. error: its error-status (RFC 3416, 3), 0: none."""

    number: int
    error: int
    error_index: int
    varbinds: tuple[VarBind, ...]


TOO_BIG = 1

_ABSENT: dict[Any, Absent] = {
    rfc1905.NoSuchObject: Absent.NO_OBJECT,
    rfc1905.NoSuchInstance: Absent.NO_INSTANCE,
    rfc1905.EndOfMibView: Absent.END_OF_VIEW,
}


def get_request(oids: Sequence[Oid]) -> SnmpRequest:
    """A GET of these very instances."""
    pdu = v2c.GetRequestPDU()
    v2c.apiPDU.set_defaults(pdu)
    _ask(pdu, oids)
    return SnmpRequest(tuple(oids), 0, pdu)


def bulk_request(after: Oid, repetitions: int) -> SnmpRequest:
    """A GETBULK of what follows `after`."""
    pdu = v2c.GetBulkRequestPDU()
    v2c.apiBulkPDU.set_defaults(pdu)
    v2c.apiBulkPDU.set_max_repetitions(pdu, repetitions)
    _ask(pdu, (after,))
    return SnmpRequest((after,), repetitions, pdu)


def numbered(request: SnmpRequest, number: int) -> Any:
    """The PDU of `request` with this request-id; shared, so it is encoded before the next call."""
    v2c.apiPDU.set_request_id(request.pdu, number)
    return request.pdu


def encode(message: Any) -> bytes:
    """The bytes of a message that we built ourselves."""
    return bytes(encoder.encode(message))


def decode(data: bytes, spec: Any) -> Any:
    """One message read by pyasn1 as `spec`. Raises Odd(MALFORMED) for anything else."""
    try:
        message = ber.whole(data)
    except ber.ShapeError as error:
        raise Odd(Oddity.MALFORMED, str(error)) from error
    try:
        return decoder.decode(message, asn1Spec=spec)[0]
    except PyAsn1Error:
        mended = ber.mend_unsigned(message)
    try:
        return decoder.decode(mended, asn1Spec=spec)[0]
    except PyAsn1Error as error:
        # Its text can be pages long and hold the community: the type says enough.
        raise Odd(Oddity.MALFORMED, type(error).__name__) from error


def answer(pdu: Any) -> SnmpAnswer:
    """A decoded response or report, in plain values. Raises Odd for a PDU of another kind."""
    if not isinstance(pdu, rfc1905.ResponsePDU | rfc1905.ReportPDU):
        raise Odd(Oddity.WRONG_ANSWER, "not a response")
    varbinds = tuple(
        VarBind(tuple(varbind[0]), _plain(varbind[1].getComponent(1))) for varbind in pdu[3]
    )
    return SnmpAnswer(int(pdu[0]), int(pdu[1]), int(pdu[2]), varbinds)


def _ask(pdu: Any, oids: Sequence[Oid]) -> None:
    v2c.apiPDU.set_varbinds(pdu, [(univ.ObjectIdentifier(oid), v2c.null) for oid in oids])


def _plain(value: Any) -> Value:
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
