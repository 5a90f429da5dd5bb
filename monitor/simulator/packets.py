"""Encode and decode IPv4, IPv6, ICMP and UDP packets of the TUN device.

Only what the simulator needs: no IP options, no reassembly of fragments.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

ICMP, UDP, ICMPV6 = 1, 17, 58
_QUOTE_V4 = 576 - 28  # RFC 1812, 4.3.2.3: an ICMP error is at most 576 bytes
_QUOTE_LEAST = 28
_QUOTE_V6 = 1280 - 48  # RFC 4443, 3.1: not over the smallest MTU
_ROUTER_TTL = 62
_CODES_V6 = {0: 0, 1: 3, 3: 4, 13: 1}
"""ICMPv4 "unreachable" codes → ICMPv6 ones (RFC 792, RFC 4443): net, host, port, prohibited."""


class Datagram(NamedTuple):
    """A UDP datagram; addresses packed, ports as numbers."""

    source: bytes
    destination: bytes
    source_port: int
    destination_port: int
    payload: bytes


def checksum(data: bytes) -> int:
    """The internet checksum (RFC 1071) of `data`, 0 to 65535."""
    if len(data) % 2:
        data += b"\0"
    total: int = sum(struct.unpack(f"!{len(data) // 2}H", data))
    total = (total >> 16) + (total & 0xFFFF)
    total += total >> 16
    return ~total & 0xFFFF


def echo_reply_v4(request: bytes) -> bytes:
    """The reply to an echo request in an IPv4 packet without options.

    The addresses are swapped, which leaves the checksum unchanged; for the type, which changes
    from 8 to 0, the checksum is updated incrementally (RFC 1624).
    """
    patched = ((request[22] << 8) | request[23]) + 0x0800
    patched = (patched & 0xFFFF) + (patched >> 16)
    return b"".join(
        (
            request[:12],
            request[16:20],
            request[12:16],
            b"\0\0",
            patched.to_bytes(2, "big"),
            request[24:],
        )
    )


def echo_reply_v6(request: bytes) -> bytes:
    """The same for IPv6: type 128 becomes 129, so the checksum decreases by 0x0100."""
    patched = ((request[42] << 8) | request[43]) + 0xFEFF
    patched = (patched & 0xFFFF) + (patched >> 16)
    return b"".join(
        (
            request[:8],
            request[24:40],
            request[8:24],
            b"\x81\0",
            patched.to_bytes(2, "big"),
            request[44:],
        )
    )


def unreachable(request: bytes, router: bytes, code: int, quote_bytes: int | None) -> bytes:
    """ICMP "destination unreachable" about a packet, sent by `router` (packed address).

    code: of ICMPv4 (0 net, 1 host, 3 port, 13 prohibited), translated for IPv6.
    quote_bytes: how much of the request is sent back; None: as much as the RFCs allow.
    """
    if request[0] >> 4 == 4:
        quote = request[: _QUOTE_V4 if quote_bytes is None else quote_bytes]
        body = struct.pack("!BBHI", 3, code, 0, 0) + quote
        body = body[:2] + checksum(body).to_bytes(2, "big") + body[4:]
        return _ipv4(router, request[12:16], ICMP, body)
    quote = request[: _QUOTE_V6 if quote_bytes is None else quote_bytes]
    body = struct.pack("!BBHI", 1, _CODES_V6.get(code, 0), 0, 0) + quote
    total = checksum(_pseudo_v6(router, request[8:24], ICMPV6, len(body)) + body)
    body = body[:2] + total.to_bytes(2, "big") + body[4:]
    return _ipv6(router, request[8:24], ICMPV6, body)


def time_exceeded(request: bytes, router: bytes) -> bytes:
    """ICMP "time exceeded in transit" about a packet, sent by `router` (packed address).

    In IPv4 only the IP header and 8 bytes are sent back, as by old routers (RFC 792).
    """
    if request[0] >> 4 == 4:
        body = struct.pack("!BBHI", 11, 0, 0, 0) + request[:_QUOTE_LEAST]
        body = body[:2] + checksum(body).to_bytes(2, "big") + body[4:]
        return _ipv4(router, request[12:16], ICMP, body)
    body = struct.pack("!BBHI", 3, 0, 0, 0) + request[:_QUOTE_V6]
    total = checksum(_pseudo_v6(router, request[8:24], ICMPV6, len(body)) + body)
    body = body[:2] + total.to_bytes(2, "big") + body[4:]
    return _ipv6(router, request[8:24], ICMPV6, body)


def read_datagram(packet: bytes) -> Datagram | None:
    """The UDP datagram in a packet; None when it holds none, or only a part of one."""
    if len(packet) < 28:
        return None
    if packet[0] == 0x45:
        if packet[9] != UDP or (packet[6] & 0x3F) or packet[7]:  # a fragment
            return None
        source, destination, start = packet[12:16], packet[16:20], 20
    elif packet[0] >> 4 == 6 and packet[6] == UDP:
        source, destination, start = packet[8:24], packet[24:40], 40
    else:
        return None
    if len(packet) < start + 8:
        return None
    source_port, destination_port, length = struct.unpack_from("!HHH", packet, start)
    if length < 8 or start + length > len(packet):
        return None
    payload = packet[start + 8 : start + length]
    return Datagram(source, destination, source_port, destination_port, payload)


def write_datagram(datagram: Datagram) -> bytes:
    """The packet that carries a UDP datagram, checksums and all."""
    length = 8 + len(datagram.payload)
    head = struct.pack("!HHH", datagram.source_port, datagram.destination_port, length)
    source, destination = datagram.source, datagram.destination
    if len(source) == 4:
        pseudo = source + destination + struct.pack("!BBH", 0, UDP, length)
    else:
        pseudo = _pseudo_v6(source, destination, UDP, length)
    # A checksum of 0 would mean "none" (RFC 768).
    total = checksum(pseudo + head + b"\0\0" + datagram.payload) or 0xFFFF
    body = head + total.to_bytes(2, "big") + datagram.payload
    carry = _ipv4 if len(source) == 4 else _ipv6
    return carry(source, destination, UDP, body)


def _ipv4(source: bytes, destination: bytes, protocol: int, body: bytes) -> bytes:
    head = struct.pack("!BBHIBBH", 0x45, 0, 20 + len(body), 0, _ROUTER_TTL, protocol, 0)
    total = checksum(head + source + destination)
    return head[:10] + total.to_bytes(2, "big") + source + destination + body


def _ipv6(source: bytes, destination: bytes, protocol: int, body: bytes) -> bytes:
    head = struct.pack("!IHBB", 0x6000_0000, len(body), protocol, _ROUTER_TTL)
    return head + source + destination + body


def _pseudo_v6(source: bytes, destination: bytes, protocol: int, length: int) -> bytes:
    return source + destination + struct.pack("!II", length, protocol)
