"""Our echo requests as bytes, and the reading of what comes back. No sockets here.

ICMP header (RFC 792, RFC 4443), then our payload:

     0        type, code            8   index, 32 bits: which request this is
     2        checksum             12   nonce, 32 bits: random, known to nobody else
     4        identifier           16   filling, up to the 56 bytes that every ping has
     6        sequence: the low 16 bits of the index

The Internet checksum (RFC 1071) is a sum of 16-bit words in ones' complement, that is modulo
65,535; and as 2^16 is 1 modulo 65,535, a whole packet, or a 32-bit field, taken as one big
number gives the same remainder as the sum of its words. So a checksum costs one `%`.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import Enum

HEADER_BYTES = 8
MARKED_BYTES = 16
"""Header, index and nonce: an answer shorter than this cannot be matched."""

PAYLOAD_BYTES = 56
ONES = 0xFFFF

_FIELDS = struct.Struct("!BBHHHII")
_CHANGING = struct.Struct("!HHHII")
_QUOTED = struct.Struct("!BBHHH")


class Family(Enum):
    """ICMP of IPv4 and of IPv6; the value is (name, type of request, type of reply)."""

    V4 = ("IPv4", 8, 0)
    V6 = ("IPv6", 128, 129)

    @property
    def label(self) -> str:
        return self.value[0]

    @property
    def request(self) -> int:
        return self.value[1]

    @property
    def reply(self) -> int:
        return self.value[2]


class Fault(Enum):
    """Why a packet is no answer to anything of ours."""

    MALFORMED = "malformed"
    FOREIGN = "foreign"


@dataclass(frozen=True, slots=True)
class Quote:
    """What an ICMP error repeats of the request that it is about.

    Routers need not repeat more than 8 bytes (RFC 792): then `index` and `nonce` are None.
    """

    sequence: int
    checksum: int
    index: int | None
    nonce: int | None


class EchoForm:
    """The form of every request of one socket.

    template: an echo request with `identifier`, sequence 0 and a payload whose first 8 bytes
    are zero. whole_packet: answers come with their IPv4 header and unchecked checksum (raw
    IPv4); else the kernel has taken off the one and checked the other.
    """

    __slots__ = ("_base", "_buffer", "_reply", "_request", "identifier", "whole_packet")

    def __init__(
        self, family: Family, identifier: int, template: bytes, *, whole_packet: bool
    ) -> None:
        self.identifier = identifier
        self.whole_packet = whole_packet
        self._request = family.request
        self._reply = family.reply
        self._buffer = bytearray(template)
        self._base = int.from_bytes(template[:2] + b"\0\0" + template[4:], "big") % ONES

    def request(self, index: int, nonce: int) -> bytearray:
        """The packet to send; valid until the next call, which writes over it."""
        sequence = index & 0xFFFF
        _CHANGING.pack_into(
            self._buffer, 2, self._checksum(index, nonce), self.identifier, sequence, index, nonce
        )
        return self._buffer

    def read(self, packet: bytes) -> tuple[int, int] | Fault:
        """(index, nonce) of an echo reply to us, or what is wrong with it."""
        if self.whole_packet:
            packet = packet[(packet[0] & 0x0F) * 4 :] if packet else packet
        if len(packet) < MARKED_BYTES:
            return Fault.MALFORMED
        kind, code, _, identifier, sequence, index, nonce = _FIELDS.unpack_from(packet)
        if kind != self._reply or identifier != self.identifier:
            return Fault.FOREIGN
        if code or sequence != index & 0xFFFF:
            return Fault.MALFORMED
        if self.whole_packet and not checksum_holds(packet):
            return Fault.MALFORMED
        return index, nonce

    def read_quote(self, quoted: bytes) -> Quote | Fault:
        """Which request an ICMP error is about; `quoted` begins with that request's ICMP header."""
        if len(quoted) < HEADER_BYTES:
            return Fault.MALFORMED
        kind, _, checksum, identifier, sequence = _QUOTED.unpack_from(quoted)
        if kind != self._request or identifier != self.identifier:
            return Fault.FOREIGN
        if len(quoted) < MARKED_BYTES:
            return Quote(sequence, checksum, None, None)
        index, nonce = _FIELDS.unpack_from(quoted)[5:]
        if sequence != index & 0xFFFF:
            return Fault.MALFORMED
        return Quote(sequence, checksum, index, nonce)

    def is_checksum_of(self, checksum: int, index: int, nonce: int) -> bool:
        """Whether our request `index` went out with this checksum.

        For IPv4 alone: in IPv6 the sum covers the addresses too (RFC 4443, 2.3).
        """
        return (checksum - self._checksum(index, nonce)) % ONES == 0

    def _checksum(self, index: int, nonce: int) -> int:
        return ONES - (self._base + (index & 0xFFFF) + index + nonce) % ONES


def checksum_holds(packet: bytes) -> bool:
    """Whether the Internet checksum of an ICMPv4 packet is right (an odd byte is padded)."""
    if len(packet) & 1:
        packet += b"\0"
    total = int.from_bytes(packet, "big")
    return total != 0 and total % ONES == 0


def filling() -> bytes:
    """The payload of the template: no index and no nonce yet, then the name of the program."""
    marks = MARKED_BYTES - HEADER_BYTES
    return bytes(marks) + (b"pantau  " * PAYLOAD_BYTES)[: PAYLOAD_BYTES - marks]
