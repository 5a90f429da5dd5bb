"""One ICMP socket for all targets of a family: sends, reads answers, reads ICMP errors."""

from __future__ import annotations

import socket
import struct
from collections.abc import Callable
from typing import NamedTuple

from monitor.adapters.icmp.opening import IP_RECVERR, IPV6_RECVERR, Opened, SocketMode
from monitor.adapters.icmp.wire import Family, Fault, Quote

PACKET_ROOM = 256
ANSWER_EXTRA_ROOM = 64
ERROR_EXTRA_ROOM = 512

MOST_AT_ONCE = 20_000
"""Packets that one `answers` reads at most, so that a flood cannot hold the event loop."""

SO_MEMINFO = 55
MEMINFO_ALLOCATED, MEMINFO_ROOM, MEMINFO_DROPS = 0, 1, 8

FROM_ICMP = {Family.V4: 2, Family.V6: 3}
"""SO_EE_ORIGIN_ICMP and SO_EE_ORIGIN_ICMP6: somebody on the way said so, not this machine."""

_STAMP = struct.Struct("@ll")
_EXTENDED = struct.Struct("@IBBBBII")
_MEMINFO = struct.Struct("@9I")


Place = tuple[str, int] | tuple[str, int, int, int]
"""An address as the socket wants it."""

IcmpAnswer = tuple[int, int, str, float | None]
"""Index, nonce, source and receive stamp of an echo reply with our identifier and a good
checksum; whether it answers anything, the book has to say. A bare tuple: millions an hour."""


class Trouble(NamedTuple):
    """An ICMP error about a request of ours. router: who said so."""

    quote: Quote
    destination: str
    router: str
    kind: int
    code: int
    stamp_s: float | None


class IcmpSocket:
    """The socket. `faults` collects what came in and was nothing; its owner empties it."""

    def __init__(self, family: Family, opened: Opened, steady_s: Callable[[], float]) -> None:
        self.family = family
        self.mode: SocketMode = opened.mode
        self.faults: list[Fault] = []
        self._sock = opened.sock
        self._form = opened.form
        self._steady_s = steady_s
        self._troubles: list[Trouble] = []
        self._drops = 0
        self._was_full = False

    def fileno(self) -> int:
        return self._sock.fileno()

    def close(self) -> None:
        self._sock.close()

    def send(self, index: int, nonce: int, place: Place) -> float:
        """Send one request; the steady time right before it left.

        Raises OSError when it cannot go: no route, no room, no permission.
        """
        packet = self._form.request(index, nonce)
        sent_s = self._steady_s()
        try:
            self._sock.sendto(packet, place)
        except OSError:
            return self._send_again(packet, place)
        return sent_s

    def _send_again(self, packet: bytearray, place: Place) -> float:
        """After an error that may be of an *earlier* request.

        The kernel hands the next call on a socket the ICMP errors that have come meanwhile.
        Take those away; an error that then remains is this request's own.
        """
        self._collect_troubles()
        while True:
            sent_s = self._steady_s()
            try:
                self._sock.sendto(packet, place)
            except OSError:
                if not self._collect_troubles():
                    raise
            else:
                return sent_s

    def answers(self) -> tuple[list[IcmpAnswer], bool]:
        """All answers that have come; and whether that was really all."""
        found: list[IcmpAnswer] = []
        receive = self._sock.recvmsg
        read = self._form.read
        for _ in range(MOST_AT_ONCE):
            try:
                packet, extra, _, source = receive(PACKET_ROOM, ANSWER_EXTRA_ROOM)
            except BlockingIOError:
                return found, True
            except OSError:
                continue  # a pending ICMP error: the error queue has it too
            marks = read(packet)
            if isinstance(marks, Fault):
                self.faults.append(marks)
            else:
                found.append((*marks, source[0], _stamp(extra)))
        return found, False

    def troubles(self) -> list[Trouble]:
        """All ICMP errors that have come."""
        self._collect_troubles()
        found, self._troubles = self._troubles, []
        return found

    def dropped(self) -> bool:
        """Whether the kernel had to drop packets since the last call, for want of room.

        Ask before reading. In IPv6 a raw socket with a filter also counts packets with a wrong
        checksum as drops: there, only a full buffer is believed.
        """
        info = _MEMINFO.unpack(self._sock.getsockopt(socket.SOL_SOCKET, SO_MEMINFO, _MEMINFO.size))
        full = info[MEMINFO_ALLOCATED] * 2 > info[MEMINFO_ROOM]
        new = info[MEMINFO_DROPS] != self._drops
        believed = self.family is Family.V4 or full or self._was_full
        self._drops = info[MEMINFO_DROPS]
        self._was_full = full
        if new and not believed:
            self.faults.append(Fault.MALFORMED)
        return new and believed

    def sent_this(self, quote: Quote, index: int, nonce: int) -> bool:
        """Whether what an ICMP error repeats is our request with this index and nonce."""
        if quote.nonce is not None:
            return quote.nonce == nonce
        return self.family is Family.V4 and self._form.is_checksum_of(quote.checksum, index, nonce)

    def _collect_troubles(self) -> int:
        """Empty the error queue; how many messages were in it."""
        for count in range(MOST_AT_ONCE):
            try:
                quoted, extra, _, place = self._sock.recvmsg(
                    PACKET_ROOM, ERROR_EXTRA_ROOM, socket.MSG_ERRQUEUE
                )
            except BlockingIOError:
                return count
            except OSError:
                continue
            trouble = self._read_trouble(quoted, extra, place)
            if isinstance(trouble, Fault):
                self.faults.append(trouble)
            elif trouble is not None:
                self._troubles.append(trouble)
        return MOST_AT_ONCE

    def _read_trouble(
        self, quoted: bytes, extra: list[tuple[int, int, bytes]], place: tuple[str, int] | None
    ) -> Trouble | Fault | None:
        said = next((data for level, kind, data in extra if _is_error(level, kind)), None)
        if said is None or len(said) < _EXTENDED.size or not place:
            return Fault.MALFORMED
        _, origin, kind, code, *_ = _EXTENDED.unpack_from(said)
        if origin != FROM_ICMP[self.family]:
            return None
        quote = self._form.read_quote(quoted)
        if isinstance(quote, Fault):
            return quote
        router = self._router(said[_EXTENDED.size :])
        return Trouble(quote, place[0], router, kind, code, _stamp(extra))

    def _router(self, address: bytes) -> str:
        """From a struct sockaddr_in or sockaddr_in6 (ip(7), ipv6(7)); "?" when it is not told."""
        if self.family is Family.V4 and len(address) >= 8:
            return socket.inet_ntop(socket.AF_INET, address[4:8])
        if self.family is Family.V6 and len(address) >= 24:
            return socket.inet_ntop(socket.AF_INET6, address[8:24])
        return "?"


def _is_error(level: int, kind: int) -> bool:
    return (level, kind) in (
        (socket.IPPROTO_IP, IP_RECVERR),
        (socket.IPPROTO_IPV6, IPV6_RECVERR),
    )


def _stamp(extra: list[tuple[int, int, bytes]]) -> float | None:
    """The kernel's receive stamp (SCM_TIMESTAMPNS), in its clock; None when there is none."""
    for level, kind, data in extra:
        if level == socket.SOL_SOCKET and kind == 35 and len(data) == _STAMP.size:
            seconds, nanoseconds = _STAMP.unpack(data)
            return seconds + nanoseconds * 1e-9 if seconds else None
    return None
