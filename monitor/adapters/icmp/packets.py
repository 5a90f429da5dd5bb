"""ICMP echo packets: building requests, parsing replies and quoted requests, naming errors.

No sockets here. ICMP header (RFC 792, RFC 4443), then the payload:

     0        type, code            8   index, 32 bits: which request this is
     2        checksum             12   nonce, 32 random bits, so that no reply can be forged
     4        identifier           16   filling, up to the usual 56 bytes of a ping
     6        sequence: the low 16 bits of the index

The Internet checksum (RFC 1071) is a sum of 16-bit words in ones' complement, that is modulo
65,535; as 2^16 is 1 modulo 65,535, a whole packet, or a 32-bit field, taken as one big number
has the same remainder as the sum of its words. So a checksum costs one `%`.
"""

from __future__ import annotations

import errno
import struct
from dataclasses import dataclass
from enum import Enum

from icmplib.exceptions import ICMPLibError
from icmplib.models import ICMPReply

HEADER_BYTES = 8
MATCHABLE_BYTES = 16
"""Header, index and nonce: a shorter reply cannot be matched with a request."""

PAYLOAD_BYTES = 56
CHECKSUM_MODULUS = 0xFFFF

_HEADER_AND_MARKS = struct.Struct("!BBHHHII")
_CHECKSUM_TO_NONCE = struct.Struct("!HHHII")
_HEADER = struct.Struct("!BBHHH")

_SPELLING = (("prohibed", "prohibited"),)


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


class Rejection(Enum):
    """Why a received packet is no reply to any request of this process."""

    MALFORMED = "malformed"
    FOREIGN = "foreign"


@dataclass(frozen=True, slots=True)
class QuotedRequest:
    """What an ICMP error quotes of the request that it is about.

    Routers need not quote more than 8 bytes (RFC 792): then `index` and `nonce` are None.
    """

    sequence: int
    checksum: int
    index: int | None
    nonce: int | None


class EchoCodec:
    """Builds the requests of one socket and parses what comes back.

    template: an echo request with `identifier`, sequence 0 and a payload whose first 8 bytes
    are zero.
    has_ip_header: replies come with their IPv4 header and an unchecked checksum (raw IPv4);
    otherwise the kernel has removed the header and verified the checksum.
    """

    __slots__ = ("_base", "_buffer", "_reply", "_request", "has_ip_header", "identifier")

    def __init__(
        self, family: Family, identifier: int, template: bytes, *, has_ip_header: bool
    ) -> None:
        self.identifier = identifier
        self.has_ip_header = has_ip_header
        self._request = family.request
        self._reply = family.reply
        self._buffer = bytearray(template)
        self._base = int.from_bytes(template[:2] + b"\0\0" + template[4:], "big") % CHECKSUM_MODULUS

    def request(self, index: int, nonce: int) -> bytearray:
        """The packet to send; valid until the next call, which overwrites it."""
        sequence = index & 0xFFFF
        _CHECKSUM_TO_NONCE.pack_into(
            self._buffer, 2, self._checksum(index, nonce), self.identifier, sequence, index, nonce
        )
        return self._buffer

    def parse_reply(self, packet: bytes) -> tuple[int, int] | Rejection:
        """(index, nonce) of an echo reply with our identifier."""
        if self.has_ip_header:
            packet = packet[(packet[0] & 0x0F) * 4 :] if packet else packet
        if len(packet) < MATCHABLE_BYTES:
            return Rejection.MALFORMED
        kind, code, _, identifier, sequence, index, nonce = _HEADER_AND_MARKS.unpack_from(packet)
        if kind != self._reply or identifier != self.identifier:
            return Rejection.FOREIGN
        if code or sequence != index & 0xFFFF:
            return Rejection.MALFORMED
        if self.has_ip_header and not checksum_is_valid(packet):
            return Rejection.MALFORMED
        return index, nonce

    def parse_quote(self, quoted: bytes) -> QuotedRequest | Rejection:
        """The request that an ICMP error is about; `quoted` begins with its ICMP header."""
        if len(quoted) < HEADER_BYTES:
            return Rejection.MALFORMED
        kind, _, checksum, identifier, sequence = _HEADER.unpack_from(quoted)
        if kind != self._request or identifier != self.identifier:
            return Rejection.FOREIGN
        if len(quoted) < MATCHABLE_BYTES:
            return QuotedRequest(sequence, checksum, None, None)
        index, nonce = _HEADER_AND_MARKS.unpack_from(quoted)[5:]
        if sequence != index & 0xFFFF:
            return Rejection.MALFORMED
        return QuotedRequest(sequence, checksum, index, nonce)

    def has_checksum(self, index: int, nonce: int, checksum: int) -> bool:
        """Whether our request `index` was sent with this checksum.

        For IPv4 alone: in IPv6 the sum covers the addresses, too (RFC 4443, 2.3).
        """
        return (checksum - self._checksum(index, nonce)) % CHECKSUM_MODULUS == 0

    def _checksum(self, index: int, nonce: int) -> int:
        total = self._base + (index & 0xFFFF) + index + nonce
        return CHECKSUM_MODULUS - total % CHECKSUM_MODULUS


def checksum_is_valid(packet: bytes) -> bool:
    """Whether the Internet checksum of an ICMPv4 packet is right (an odd byte is padded)."""
    if len(packet) & 1:
        packet += b"\0"
    total = int.from_bytes(packet, "big")
    return total != 0 and total % CHECKSUM_MODULUS == 0


def template_payload() -> bytes:
    """The payload of a request template: zero index and nonce, then the program's name."""
    marks = MATCHABLE_BYTES - HEADER_BYTES
    return bytes(marks) + (b"pantau  " * PAYLOAD_BYTES)[: PAYLOAD_BYTES - marks]


def icmp_error_name(family: Family, kind: int, code: int) -> str:
    """An ICMP error in lower case, named by icmplib: `host unreachable`, `packet filtered`."""
    reply = ICMPReply(
        source=None,
        family=4 if family is Family.V4 else 6,
        id=0,
        sequence=0,
        type=kind,
        code=code,
        bytes_received=0,
        time=0.0,
    )
    try:
        reply.raise_for_status()
    except ICMPLibError as error:
        name = str(error).removeprefix("Destination ")
        for wrong, right in _SPELLING:
            name = name.replace(wrong, right)
        return name[:1].lower() + name[1:]
    return f"ICMP type {kind}, code {code}"


def errno_name(error: OSError) -> str:
    """`ENETUNREACH`; `errno 512` where the number has no name."""
    return errno.errorcode.get(error.errno or 0, f"errno {error.errno}")
