"""Checks and repairs of SNMP datagrams as bytes (BER, X.690, 8.1), before pyasn1 decodes them.

A datagram may come from anybody. Its structure is walked once: definite lengths that add up,
single-byte tags, eight levels and 120 elements at most, integers of at most nine bytes (RFC 3416:
64 bits and a sign). What passes can neither recurse nor grow in the decoder. No I/O here.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

SEQUENCE = 0x30
INTEGER = 0x02
OCTET_STRING = 0x04

_CONSTRUCTED = 0x20
_LONG_TAG = 0x1F
_MAX_DEPTH = 8
_MAX_INTEGER_BYTES = 9
_MAX_ELEMENTS = 120
"""A response to 20 objects, the most in one request, has some 75 elements; decoding one is slow."""

MAX_MESSAGE_BYTES = 8192
"""A response to 20 objects has 6 kB with strings of 255 bytes (DisplayString, RFC 2579)."""

_MAX_OID_BYTES = 640  # 128 arcs (RFC 3416, 4.1) of at most five bytes
_OID = 0x06
_COUNTER32, _GAUGE32, _TIMETICKS, _COUNTER64 = 0x41, 0x42, 0x43, 0x46
_UNSIGNED = frozenset({_COUNTER32, _GAUGE32, _TIMETICKS, _COUNTER64})
_INTEGERS = _UNSIGNED | {INTEGER}


class BerError(ValueError):
    """The bytes are not one well-formed SNMP message."""


class Tlv(NamedTuple):
    """One tag-length-value: its tag, its position, and where its content starts and stops."""

    tag: int
    at: int
    start: int
    stop: int


class MessageId(NamedTuple):
    """Pairs a response with its request. version: as on the wire, 0 v1, 1 v2c, 3 v3.

    number: the request-id of version 1 and 2c, the msgID of version 3.
    """

    version: int
    number: int


def checked_message(data: bytes) -> bytes:
    """The message that `data` begins with, safe to decode; padding after it is cut off.

    Raises BerError.
    """
    outer = _element(data, 0, len(data))
    if outer.tag != SEQUENCE:
        raise BerError("not a sequence")
    _check_inside(data, outer, _MAX_DEPTH, _MAX_ELEMENTS)
    return data[: outer.stop]


def message_id(data: bytes) -> MessageId:
    """The version and the number of a message; reads no further than necessary.

    Raises BerError.
    """
    return _message_id(data, len(data))


def message_id_of_beginning(data: bytes) -> MessageId:
    """`message_id` of a message of which only the beginning is there. Raises BerError."""
    try:
        return _message_id(data, 2**32)
    except IndexError as error:
        raise BerError("cut short") from error


def _message_id(data: bytes, stop: int) -> MessageId:
    outer = _element(data, 0, stop)
    if outer.tag != SEQUENCE:
        raise BerError("not a sequence")
    version_at = _element(data, outer.start, outer.stop)
    version = _integer(data, version_at)
    second = _element(data, version_at.stop, outer.stop)
    if version == 3:
        if second.tag != SEQUENCE:
            raise BerError("no header of version 3")
        return MessageId(version, _integer(data, _element(data, second.start, second.stop)))
    if version not in (0, 1):
        raise BerError("an unknown version")
    pdu = _element(data, second.stop, outer.stop)
    if second.tag != OCTET_STRING or pdu.tag & 0xE0 != 0xA0:
        raise BerError("no community and PDU")
    return MessageId(version, _integer(data, _element(data, pdu.start, pdu.stop)))


def digest_span(data: bytes) -> tuple[int, int]:
    """Start and stop of msgAuthenticationParameters in a version 3 message (RFC 3414, 2.4).

    Found by structure: a search for the digest's bytes, or for a run of zeros, may find an
    engine id that contains the same. Raises BerError.
    """
    outer = _element(data, 0, len(data))
    parts = list(_elements(data, outer.start, outer.stop))
    if len(parts) != 4 or parts[2].tag != OCTET_STRING:
        raise BerError("not a message of version 3")
    security = _element(data, parts[2].start, parts[2].stop)
    fields = list(_elements(data, security.start, security.stop))
    if len(fields) != 6 or fields[4].tag != OCTET_STRING:
        raise BerError("no security parameters of the user-based model")
    return fields[4].start, fields[4].stop


def repair_unsigned(data: bytes) -> bytes:
    """Add the leading 00 that some agents omit from large counters.

    A Counter32, Gauge32, TimeTicks or Counter64 cannot be negative; one whose first bit is set
    lacks the zero byte before it, and pyasn1 then rejects the whole message. Well-formed values
    are returned unchanged. data: from `checked_message`.
    """
    return b"".join(_repaired(data, element) for element in _elements(data, 0, len(data)))


def _repaired(data: bytes, element: Tlv) -> bytes:
    if element.tag & _CONSTRUCTED:
        content = b"".join(
            _repaired(data, inner) for inner in _elements(data, element.start, element.stop)
        )
    else:
        content = data[element.start : element.stop]
        if element.tag in _UNSIGNED and content and content[0] & 0x80:
            content = b"\0" + content
    return bytes((element.tag,)) + _length(len(content)) + content


def _length(size: int) -> bytes:
    if size < 0x80:
        return bytes((size,))
    digits = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((0x80 | len(digits),)) + digits


def _check_inside(data: bytes, element: Tlv, levels: int, elements: int) -> int:
    """Check what is inside, at most so many elements; returns how many more there may be."""
    size = element.stop - element.start
    if element.tag & _CONSTRUCTED:
        if levels == 0:
            raise BerError("nested too deep")
        # Strings in pieces (X.690, 8.7.3) are not SNMP: RFC 3417, 8 (2) asks for the plain form.
        if element.tag & 0xC0 == 0 and element.tag != SEQUENCE:
            raise BerError("a string in pieces")
        for inner in _elements(data, element.start, element.stop):
            if elements == 0:
                raise BerError("more objects than any request asks for")
            elements = _check_inside(data, inner, levels - 1, elements - 1)
    elif element.tag in _INTEGERS and not 1 <= size <= _MAX_INTEGER_BYTES:
        raise BerError("an integer of an impossible length")
    elif element.tag in _UNSIGNED and size == _MAX_INTEGER_BYTES and data[element.start]:
        # The ninth byte of an unsigned integer has room for the sign alone.
        raise BerError("an integer of an impossible length")
    elif element.tag == _OID and not 1 <= size <= _MAX_OID_BYTES:
        raise BerError("an object identifier of an impossible length")
    return elements


def _elements(data: bytes, at: int, stop: int) -> Iterator[Tlv]:
    while at < stop:
        element = _element(data, at, stop)
        yield element
        at = element.stop


def _element(data: bytes, at: int, stop: int) -> Tlv:
    if at + 2 > stop:
        raise BerError("cut short")
    tag, first = data[at], data[at + 1]
    if tag & _LONG_TAG == _LONG_TAG:
        raise BerError("a tag of several bytes")
    start, size = at + 2, first
    if first & 0x80:
        digits = first & 0x7F
        if not 1 <= digits <= 4 or start + digits > stop:
            raise BerError("an indefinite or impossible length")
        size = int.from_bytes(data[start : start + digits], "big")
        start += digits
    if start + size > stop:
        raise BerError("cut short")
    return Tlv(tag, at, start, start + size)


def _integer(data: bytes, element: Tlv) -> int:
    if element.tag != INTEGER or not 1 <= element.stop - element.start <= _MAX_INTEGER_BYTES:
        raise BerError("no integer where one is due")
    return int.from_bytes(data[element.start : element.stop], "big", signed=True)
