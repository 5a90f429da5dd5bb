"""Echo requests as the kernel sends them, and the expected replies."""

from __future__ import annotations

import ipaddress
import struct

from monitor.simulator.packets import checksum

US, THEM = bytes([10, 77, 255, 254]), bytes([10, 77, 23, 1])
US6, THEM6 = (ipaddress.ip_address(text).packed for text in ("fd77::fe", "fd77::24:1"))


def echo_v4(identity: int, sequence: int, payload: bytes, kind: int = 8) -> bytes:
    """An IPv4 echo packet (kind 0: the ICMP part of its reply)."""
    source, destination = (US, THEM) if kind == 8 else (THEM, US)
    icmp = struct.pack("!BBHHH", kind, 0, 0, identity, sequence) + payload
    icmp = icmp[:2] + checksum(icmp).to_bytes(2, "big") + icmp[4:]
    head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(icmp), 7, 0x4000, 64, 1, 0)
    total = checksum(head + source + destination)
    return head[:10] + total.to_bytes(2, "big") + source + destination + icmp


def echo_v6(payload: bytes, kind: int = 128) -> bytes:
    """An IPv6 echo packet."""
    source, destination = (US6, THEM6) if kind == 128 else (THEM6, US6)
    icmp = struct.pack("!BBHHH", kind, 0, 0, 5, 6) + payload
    pseudo = source + destination + struct.pack("!II", len(icmp), 58)
    icmp = icmp[:2] + checksum(pseudo + icmp).to_bytes(2, "big") + icmp[4:]
    return struct.pack("!IHBB", 0x60000000, len(icmp), 58, 64) + source + destination + icmp
