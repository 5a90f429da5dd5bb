"""Encode SNMP requests and decode responses with pysnmp."""

from __future__ import annotations

from typing import Any, NamedTuple

from pyasn1.codec.ber import decoder, encoder
from pysnmp.proto.api import v2c

from monitor.simulator.snmp_messages import MAX_RESPONSE_BYTES, Oid
from tests.simulator.networks import COMMUNITY

REQUEST_ID = 4711


class Told(NamedTuple):
    """A response: its error and its objects, each with the name of its type and its value."""

    status: int
    place: int
    objects: list[tuple[Oid, str, Any]]


def asked(pdu: Any, oids: list[Oid], value: Any = None, proto: Any = v2c) -> bytes:
    """A request in bytes; of a GETBULK: one non-repeater."""
    proto.apiPDU.set_defaults(pdu)
    proto.apiPDU.set_request_id(pdu, REQUEST_ID)
    proto.apiPDU.set_varbinds(pdu, [(oid, value or proto.Null("")) for oid in oids])
    return message_of(pdu, proto)


def asked_bulk(oids: list[Oid], still: int, times: int) -> bytes:
    """A GETBULK in bytes."""
    pdu = v2c.GetBulkRequestPDU()
    v2c.apiBulkPDU.set_defaults(pdu)
    v2c.apiBulkPDU.set_request_id(pdu, REQUEST_ID)
    v2c.apiBulkPDU.set_non_repeaters(pdu, still)
    v2c.apiBulkPDU.set_max_repetitions(pdu, times)
    v2c.apiBulkPDU.set_varbinds(pdu, [(oid, v2c.Null("")) for oid in oids])
    return message_of(pdu, v2c)


def message_of(pdu: Any, proto: Any) -> bytes:
    """The message around a PDU."""
    message = proto.Message()
    proto.apiMessage.set_defaults(message)
    proto.apiMessage.set_community(message, COMMUNITY)
    proto.apiMessage.set_pdu(message, pdu)
    return bytes(encoder.encode(message))


def told(response: bytes | None) -> Told:
    """Decode a response."""
    assert response is not None
    assert len(response) <= MAX_RESPONSE_BYTES
    message, rest = decoder.decode(response, asn1Spec=v2c.Message())
    assert rest == b""
    pdu = v2c.apiMessage.get_pdu(message)
    assert isinstance(pdu, v2c.ResponsePDU)
    assert int(v2c.apiPDU.get_request_id(pdu)) == REQUEST_ID
    return Told(
        int(v2c.apiPDU.get_error_status(pdu)),
        int(v2c.apiPDU.get_error_index(pdu, True)),
        [(tuple(oid), type(v).__name__, v) for oid, v in v2c.apiPDU.get_varbinds(pdu)],
    )


def oids_of(response: bytes | None) -> list[Oid]:
    """The OIDs of a response."""
    return [oid for oid, _, _ in told(response).objects]
