"""One socket for all routers: sends requests, and gives each answer to the one who waits for it.

A datagram counts as an answer when its number is one that is waited for, when it comes from
the address and port that were asked, and when its content answers the question. Anything
else is counted and passed over; the wait goes on, so that a forged datagram ends nothing. When
the time is up, the last thing that was wrong is the reason.
"""

from __future__ import annotations

import asyncio
import ipaddress
import secrets
import socket
from collections import Counter
from dataclasses import dataclass, field
from errno import EMFILE, errorcode

from monitor.adapters.snmp import ber
from monitor.adapters.snmp.codec import SnmpAnswer, SnmpRequest
from monitor.adapters.snmp.trouble import Odd, Oddity, RouterTrouble
from monitor.adapters.snmp.wire import NUMBERS, Again, MessageCodec, Outgoing
from monitor.core.errors import SnmpError

_RECEIVE_BUFFER = 4 * 2**20
_LARGEST = 65535
_A_TURN = 8
"""Datagrams decoded before the event loop gets its turn (some 1 ms each)."""

_TURNS = 5
"""Messages for one question: a discovery, two clocks, the question, one to spare."""

_RECENT = 4096


@dataclass(frozen=True, slots=True)
class Peer:
    """A router that can be asked. family: AF_INET or AF_INET6, address: host and port."""

    family: socket.AddressFamily
    address: tuple[str, int]
    wire: MessageCodec
    timeout_s: float
    retries: int


@dataclass(frozen=True, slots=True)
class PollCounters:
    """Totals since the start. `late` answers came after their wait, or twice."""

    sent: int = 0
    received: int = 0
    answered: int = 0
    timeouts: int = 0
    late: int = 0
    unexpected: int = 0
    wrong_source: int = 0
    wrong_answer: int = 0
    malformed: int = 0
    auth: int = 0


@dataclass(eq=False, slots=True)
class _Waiting:
    """A question that is out. oddity: the last datagram that was no answer to it."""

    peer: Peer
    request: SnmpRequest
    number: int
    answered: asyncio.Future[SnmpAnswer | Again]
    oddity: Odd | None = None


@dataclass(eq=False, slots=True)
class _Socket:
    """A non-blocking socket that the event loop watches."""

    sock: socket.socket
    watched_by: asyncio.AbstractEventLoop = field(repr=False)


class SnmpExchange:
    """Asks routers. One for the process; it belongs to the event loop that opened it."""

    def __init__(self) -> None:
        self._sockets: dict[socket.AddressFamily, _Socket] = {}
        self._waiting: dict[ber.Label, _Waiting] = {}
        # The last labels that were used, oldest first; a dict is an ordered set.
        self._recent: dict[ber.Label, None] = {}
        self._counts: Counter[str] = Counter()

    def open(self, family: socket.AddressFamily) -> None:
        """Get a socket of this family, once. Raises SnmpError."""
        if family in self._sockets:
            return
        loop = asyncio.get_running_loop()
        try:
            sock = socket.socket(family, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        except OSError as error:
            kind = "IPv6" if family == socket.AF_INET6 else "IPv4"
            hint = "; raise the limit of open files" if error.errno == EMFILE else ""
            raise SnmpError(f"no {kind} socket for SNMP: {error.strerror}{hint}") from error
        # The kernel gives what net.core.rmem_max allows; more room, fewer answers lost in a burst.
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        loop.add_reader(sock, self._readable, sock)
        self._sockets[family] = _Socket(sock, loop)

    def close(self) -> None:
        """Give the sockets back; whoever still waits is told `closed`."""
        for opened in self._sockets.values():
            opened.watched_by.remove_reader(opened.sock)
            opened.sock.close()
        self._sockets.clear()
        for waiting in self._waiting.values():
            if not waiting.answered.done():
                waiting.answered.set_exception(RouterTrouble("closed"))

    def counters(self) -> PollCounters:
        """What was seen since the start."""
        return PollCounters(**self._counts)

    async def ask(self, peer: Peer, request: SnmpRequest, deadline_s: float) -> SnmpAnswer:
        """The router's answer, error-status and all. Raises RouterTrouble.

        deadline_s: on the event loop's clock, whatever the peer's time-out and retries allow.
        """
        for _ in range(_TURNS):
            reply = await self._converse(peer, request, deadline_s)
            if isinstance(reply, SnmpAnswer):
                return reply
        raise RouterTrouble(Oddity.AUTH, "the router asks for its engine id or clock for ever")

    async def _converse(
        self, peer: Peer, request: SnmpRequest, deadline_s: float
    ) -> SnmpAnswer | Again:
        """One message and what it brings; repeats are the same bytes, so any answer will do."""
        loop = asyncio.get_running_loop()
        number, outgoing = self._numbered(peer, request)
        waiting = _Waiting(peer, request, number, loop.create_future())
        self._waiting[outgoing.label] = waiting
        try:
            for _ in range(1 + peer.retries):
                wait_s = min(peer.timeout_s, deadline_s - loop.time())
                if wait_s <= 0:
                    break
                self._send(peer, outgoing)
                done, _ = await asyncio.wait({waiting.answered}, timeout=wait_s)
                if done:
                    return waiting.answered.result()
        finally:
            del self._waiting[outgoing.label]
            self._recent[outgoing.label] = None
            if len(self._recent) > _RECENT:
                del self._recent[next(iter(self._recent))]
            waiting.answered.cancel()
        self._counts["timeouts"] += 1
        peer.wire.forget()
        if waiting.oddity is not None:
            raise RouterTrouble(waiting.oddity.oddity, waiting.oddity.detail)
        raise RouterTrouble("timeout", f"no answer from {peer.address[0]} port {peer.address[1]}")

    def _numbered(self, peer: Peer, request: SnmpRequest) -> tuple[int, Outgoing]:
        while True:
            number = 1 + secrets.randbelow(NUMBERS - 1)
            outgoing = peer.wire.message(request, number)
            if outgoing.label not in self._waiting:
                return number, outgoing

    def _send(self, peer: Peer, outgoing: Outgoing) -> None:
        opened = self._sockets.get(peer.family)
        if opened is None:
            raise RouterTrouble("closed")
        try:
            opened.sock.sendto(outgoing.data, peer.address)
        except BlockingIOError:
            # A full send buffer: the repeat will find room, as it would for a lost datagram.
            return
        except OSError as error:
            name = errorcode.get(error.errno or 0, "OSError")
            raise RouterTrouble("not-sent", name) from error
        self._counts["sent"] += 1

    def _readable(self, sock: socket.socket) -> None:
        for _ in range(_A_TURN):
            try:
                data, sender = sock.recvfrom(_LARGEST)
            except (BlockingIOError, InterruptedError):
                return
            except OSError:
                # An ICMP error about an earlier datagram; the one who waits will time out.
                continue
            self._counts["received"] += 1
            self._take(data, (sender[0], sender[1]))

    def _take(self, data: bytes, sender: tuple[str, int]) -> None:
        try:
            label = ber.label(data)
        except ber.ShapeError as error:
            self._counts["malformed"] += 1
            self._remark(sender, Odd(Oddity.MALFORMED, str(error)))
            return
        waiting = self._waiting.get(label)
        if waiting is None or waiting.answered.done():
            if waiting is not None or label in self._recent:
                self._counts["late"] += 1
            else:
                self._counts["unexpected"] += 1
                self._remark(sender, Odd(Oddity.WRONG_ANSWER, "another request-id"))
            return
        if not _same_address(sender, waiting.peer.address):
            self._note(waiting, Odd(Oddity.WRONG_SOURCE, f"{sender[0]} port {sender[1]} answered"))
            return
        try:
            reply = waiting.peer.wire.read(data, waiting.request, waiting.number)
        except Odd as odd:
            self._note(waiting, odd)
            return
        self._counts["answered"] += 1
        waiting.answered.set_result(reply)

    def _note(self, waiting: _Waiting, odd: Odd) -> None:
        self._counts[odd.oddity.replace("-", "_")] += 1
        waiting.oddity = odd

    def _remark(self, sender: tuple[str, int], odd: Odd) -> None:
        """Remember it for whoever waits for this sender: its number told us nothing."""
        for waiting in self._waiting.values():
            if _same_address(sender, waiting.peer.address):
                waiting.oddity = odd


def family_of(address: str) -> socket.AddressFamily:
    """AF_INET or AF_INET6. Raises ValueError for anything but an IP address."""
    version = ipaddress.ip_address(address).version
    return socket.AF_INET if version == 4 else socket.AF_INET6


def _same_address(one: tuple[str, int], other: tuple[str, int]) -> bool:
    return one[1] == other[1] and ipaddress.ip_address(one[0]) == ipaddress.ip_address(other[0])
