"""A far host that a test scripts packet by packet: replies, forged replies, ICMP errors."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from tests.adapters.icmp.network import VethNetwork


def checksum(data: bytes) -> int:
    """RFC 1071 word by word, independent of the code under test."""
    if len(data) % 2:
        data += b"\0"
    total: int = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total > 0xFFFF:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def with_checksum(icmp: bytes) -> bytes:
    """The same ICMP message with a correct checksum."""
    if len(icmp) < 4:
        return icmp
    bare = icmp[:2] + b"\0\0" + icmp[4:]
    return bare[:2] + struct.pack("!H", checksum(bare)) + bare[4:]


@dataclass(frozen=True, slots=True)
class Request:
    """An echo request as it arrived. `packet` is the whole IPv4 packet, `icmp` its content."""

    packet: bytes
    icmp: bytes
    source: str
    destination: str

    def reply(self) -> bytes:
        """The correct echo reply, as an ICMP message."""
        return with_checksum(b"\0\0" + self.icmp[2:])

    def changed(self, **fields: int) -> bytes:
        """The reply with some fields changed: kind, code, identifier, sequence, index, nonce."""
        names = ("kind", "code", "checksum", "identifier", "sequence", "index", "nonce")
        values = dict(zip(names, struct.unpack_from("!BBHHHII", self.reply()), strict=True))
        values.update(fields)
        head = struct.pack("!BBHHHII", *(values[name] for name in names))
        return with_checksum(head + self.reply()[16:])

    def error(self, kind: int, code: int, quote_bytes: int = 84) -> bytes:
        """An ICMP error about this request that quotes this many bytes of its packet."""
        return with_checksum(struct.pack("!BBHI", kind, code, 0, 0) + self.packet[:quote_bytes])


Script = Callable[[Request, "ScriptedHost"], None]


@contextmanager
def scripted_host(network: VethNetwork, script: Script) -> Iterator[ScriptedHost]:
    """A ScriptedHost that is closed at the end."""
    host = ScriptedHost(network, script)
    try:
        yield host
    finally:
        host.close()


class ScriptedHost:
    """Runs `script` for each echo request to the far side, instead of the kernel's reply."""

    def __init__(self, network: VethNetwork, script: Script) -> None:
        self.requests: list[Request] = []
        self._script = script
        self._loop = asyncio.get_running_loop()
        network.far.sysctl("net/ipv4/icmp_echo_ignore_all", "1")
        with network.far.inside():
            self._sock = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
        self._network = network
        self._sock.setsockopt(socket.IPPROTO_IP, socket.IP_HDRINCL, 1)
        self._sock.setblocking(False)
        self._loop.add_reader(self._sock.fileno(), self.read_requests)

    def close(self) -> None:
        self._loop.remove_reader(self._sock.fileno())
        self._sock.close()
        self._network.far.sysctl("net/ipv4/icmp_echo_ignore_all", "0")

    def send(self, icmp: bytes, source: str, destination: str = VethNetwork.MONITOR) -> None:
        """Send an ICMP message as if `source` had sent it."""
        head = struct.pack("!BBHIBBH", 0x45, 0, 20 + len(icmp), 0, 64, socket.IPPROTO_ICMP, 0)
        packet = head + socket.inet_aton(source) + socket.inet_aton(destination) + icmp
        self._sock.sendto(packet, (destination, 0))

    def later(self, delay_s: float, icmp: bytes, source: str) -> None:
        self._loop.call_later(delay_s, self.send, icmp, source)

    def read_requests(self) -> None:
        """Read the requests that have arrived."""
        while True:
            try:
                packet = self._sock.recv(2048)
            except BlockingIOError:
                return
            icmp = packet[(packet[0] & 15) * 4 :]
            if icmp and icmp[0] == 8:
                request = Request(
                    packet,
                    icmp,
                    socket.inet_ntoa(packet[12:16]),
                    socket.inet_ntoa(packet[16:20]),
                )
                self.requests.append(request)
                self._script(request, self)
