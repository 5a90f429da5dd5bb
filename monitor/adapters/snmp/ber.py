"""The outer shape of SNMP datagrams, on bytes: what has to be known before a library decodes them.

A datagram comes from anybody. Before pyasn1 gets it, its shape is walked once: definite
lengths that add up, single-byte tags, eight levels at most, integers of at most nine bytes
(RFC 3416: 64 bits and a sign). What passes cannot recurse or grow in the decoder.

Pure, and the only place that knows how BER looks (X.690, 8.1).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

SEQUENCE = 0x30
INTEGER = 0x02
OCTET_STRING = 0x04

_CONSTRUCTED = 0x20
_LONG_TAG = 0x1F
_DEEPEST = 8
_LONGEST_INTEGER = 9
_LONGEST_OID = 640  # 128 arcs (RFC 3416, 4.1) of at most five bytes
_OID = 0x06
_COUNTER32, _GAUGE32, _TIMETICKS, _COUNTER64 = 0x41, 0x42, 0x43, 0x46
_UNSIGNED = frozenset({_COUNTER32, _GAUGE32, _TIMETICKS, _COUNTER64})
_INTEGERS = _UNSIGNED | {INTEGER}


class ShapeError(ValueError):
    """These bytes are not one well-formed SNMP message."""


class BerPiece(NamedTuple):
    """One tag-length-value: its tag, where it starts, and where its content starts and stops."""

    tag: int
    at: int
    start: int
    stop: int


class Label(NamedTuple):
    """What pairs a message with its request. version: 0 v1, 1 v2c, 3 v3 (as on the wire).

    number: the request-id of version 1 and 2c, the msgID of version 3.
    """

    version: int
    number: int


def whole(data: bytes) -> bytes:
    """The one message that `data` begins with, safe to decode; padding after it is cut off.

    Raises ShapeError.
    """
    outer = _piece(data, 0, len(data))
    if outer.tag != SEQUENCE:
        raise ShapeError("not a sequence")
    _check_inside(data, outer, _DEEPEST)
    return data[: outer.stop]


def label(data: bytes) -> Label:
    """The version and the number of a message; reads no further than it must.

    Raises ShapeError.
    """
    outer = _piece(data, 0, len(data))
    if outer.tag != SEQUENCE:
        raise ShapeError("not a sequence")
    version_at = _piece(data, outer.start, outer.stop)
    version = _integer(data, version_at)
    second = _piece(data, version_at.stop, outer.stop)
    if version == 3:
        if second.tag != SEQUENCE:
            raise ShapeError("no header of version 3")
        return Label(version, _integer(data, _piece(data, second.start, second.stop)))
    if version not in (0, 1):
        raise ShapeError("an unknown version")
    pdu = _piece(data, second.stop, outer.stop)
    if second.tag != OCTET_STRING or pdu.tag & 0xE0 != 0xA0:
        raise ShapeError("no community and PDU")
    return Label(version, _integer(data, _piece(data, pdu.start, pdu.stop)))


def digest_span(data: bytes) -> tuple[int, int]:
    """Where msgAuthenticationParameters stand in a message of version 3 (RFC 3414, 2.4).

    Found by structure: looking for the digest's bytes, or for a run of zeros, can find them
    in an engine id that happens to hold the same. Raises ShapeError.
    """
    outer = _piece(data, 0, len(data))
    parts = list(_pieces(data, outer.start, outer.stop))
    if len(parts) != 4 or parts[2].tag != OCTET_STRING:
        raise ShapeError("not a message of version 3")
    security = _piece(data, parts[2].start, parts[2].stop)
    fields = list(_pieces(data, security.start, security.stop))
    if len(fields) != 6 or fields[4].tag != OCTET_STRING:
        raise ShapeError("no security parameters of the user-based model")
    return fields[4].start, fields[4].stop


def mend_unsigned(data: bytes) -> bytes:
    """The same message with the leading 00 that some agents leave out of large counters.

    A Counter32, Gauge32, TimeTicks or Counter64 cannot be negative; one whose first bit is
    set lacks the zero byte before it, and pyasn1 then rejects the whole answer. Well-formed
    values come back as they are. `data` comes from `whole`.
    """
    return b"".join(_mended(data, piece) for piece in _pieces(data, 0, len(data)))


def _mended(data: bytes, piece: BerPiece) -> bytes:
    if piece.tag & _CONSTRUCTED:
        content = b"".join(_mended(data, inner) for inner in _pieces(data, piece.start, piece.stop))
    else:
        content = data[piece.start : piece.stop]
        if piece.tag in _UNSIGNED and content and content[0] & 0x80:
            content = b"\0" + content
    return bytes((piece.tag,)) + _length(len(content)) + content


def _length(size: int) -> bytes:
    if size < 0x80:
        return bytes((size,))
    digits = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((0x80 | len(digits),)) + digits


def _check_inside(data: bytes, piece: BerPiece, levels: int) -> None:
    size = piece.stop - piece.start
    if piece.tag & _CONSTRUCTED:
        if levels == 0:
            raise ShapeError("nested too deep")
        # Strings in pieces (X.690, 8.7.3) are not SNMP: RFC 3417, 8 (2) asks for the plain form.
        if piece.tag & 0xC0 == 0 and piece.tag != SEQUENCE:
            raise ShapeError("a string in pieces")
        for inner in _pieces(data, piece.start, piece.stop):
            _check_inside(data, inner, levels - 1)
    elif piece.tag in _INTEGERS and not 1 <= size <= _LONGEST_INTEGER:
        raise ShapeError("an integer of an impossible length")
    elif piece.tag == _OID and not 1 <= size <= _LONGEST_OID:
        raise ShapeError("an object identifier of an impossible length")


def _pieces(data: bytes, at: int, stop: int) -> Iterator[BerPiece]:
    while at < stop:
        piece = _piece(data, at, stop)
        yield piece
        at = piece.stop


def _piece(data: bytes, at: int, stop: int) -> BerPiece:
    if at + 2 > stop:
        raise ShapeError("cut short")
    tag, first = data[at], data[at + 1]
    if tag & _LONG_TAG == _LONG_TAG:
        raise ShapeError("a tag of several bytes")
    start, size = at + 2, first
    if first & 0x80:
        digits = first & 0x7F
        if not 1 <= digits <= 4 or start + digits > stop:
            raise ShapeError("an indefinite or impossible length")
        size = int.from_bytes(data[start : start + digits], "big")
        start += digits
    if start + size > stop:
        raise ShapeError("cut short")
    return BerPiece(tag, at, start, start + size)


def _integer(data: bytes, piece: BerPiece) -> int:
    if piece.tag != INTEGER or not 1 <= piece.stop - piece.start <= _LONGEST_INTEGER:
        raise ShapeError("no integer where one is due")
    return int.from_bytes(data[piece.start : piece.stop], "big", signed=True)
