"""UDP transport: one socket for each address family, retries, matching of responses.

A datagram is a response when its number is awaited, when it comes from the address and port that
were asked, and when its content fits the request. Anything else is counted and ignored; the wait
continues, so that a forged datagram ends nothing. After the time-out, the last rejection is the
reason of the failure. A router whose answers are wrong again and again is ignored for a while, see
trust.py.
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
from monitor.adapters.snmp.errors import WRONG, DatagramRejected, PollError, RejectReason
from monitor.adapters.snmp.messages import (
    NUMBERS,
    EncodedRequest,
    EngineReport,
    MessageCodec,
    SnmpRequest,
    SnmpResponse,
)
from monitor.adapters.snmp.trust import MAX_WRONG, PeerTrust
from monitor.core.errors import SnmpError

_RECEIVE_BUFFER_BYTES = 4 * 2**20
_MAX_READS = 8
_MAX_READ_S = 0.005
"""Datagrams, and time, until the event loop goes on: decoding takes some 1 ms each."""

_MAX_EXCHANGES = 5
"""Messages for one request: a discovery, two clocks, the request, one to spare."""

_RECENT = 4096


@dataclass(frozen=True, slots=True)
class Peer:
    """How a router is reached. family: AF_INET or AF_INET6; address: host and port."""

    family: socket.AddressFamily
    address: tuple[str, int]
    codec: MessageCodec
    timeout_s: float
    retries: int
    trust: PeerTrust = field(default_factory=PeerTrust, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class PollCounters:
    """Totals since the start.

    late: responses after their wait, and duplicates. ignored: from a router that is ignored.
    """

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
    too_large: int = 0
    ignored: int = 0


@dataclass(eq=False, slots=True)
class _PendingRequest:
    """A request that awaits its response. rejected: the last datagram that was none."""

    peer: Peer
    request: SnmpRequest
    number: int
    response: asyncio.Future[SnmpResponse | EngineReport]
    rejected: DatagramRejected | None = None


@dataclass(eq=False, slots=True)
class _OpenSocket:
    """A non-blocking socket and the event loop that watches it."""

    sock: socket.socket
    loop: asyncio.AbstractEventLoop = field(repr=False)


class SnmpTransport:
    """Sends requests and awaits responses. One for the process and its event loop."""

    def __init__(self) -> None:
        self._sockets: dict[socket.AddressFamily, _OpenSocket] = {}
        self._pending: dict[ber.MessageId, _PendingRequest] = {}
        # The last message ids that were used, oldest first; a dict is an ordered set.
        self._recent: dict[ber.MessageId, None] = {}
        self._counts: Counter[str] = Counter()
        self._ignored: dict[tuple[str, int], PeerTrust] = {}

    def open(self, family: socket.AddressFamily) -> None:
        """Open the socket of this family, once. Raises SnmpError."""
        if family in self._sockets:
            return
        loop = asyncio.get_running_loop()
        try:
            sock = socket.socket(family, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        except OSError as error:
            kind = "IPv6" if family == socket.AF_INET6 else "IPv4"
            hint = "; raise the limit of open files" if error.errno == EMFILE else ""
            raise SnmpError(f"no {kind} socket for SNMP: {error.strerror}{hint}") from error
        # The kernel limits this to net.core.rmem_max; a larger buffer loses less in a burst.
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER_BYTES)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        loop.add_reader(sock, self._on_readable, sock)
        self._sockets[family] = _OpenSocket(sock, loop)

    def close(self) -> None:
        """Close the sockets; pending requests fail with the reason `closed`."""
        for opened in self._sockets.values():
            opened.loop.remove_reader(opened.sock)
            opened.sock.close()
        self._sockets.clear()
        for pending in self._pending.values():
            if not pending.response.done():
                pending.response.set_exception(PollError("closed"))

    def counters(self) -> PollCounters:
        """The totals since the start."""
        return PollCounters(**self._counts)

    async def request(self, peer: Peer, request: SnmpRequest, deadline_s: float) -> SnmpResponse:
        """The router's response, whatever its error-status. Raises PollError.

        deadline_s: on the event loop's clock; limits the peer's time-out and retries.
        """
        for _ in range(_MAX_EXCHANGES):
            reply = await self._exchange(peer, request, deadline_s)
            if isinstance(reply, SnmpResponse):
                return reply
        raise PollError(
            RejectReason.AUTH, "the router reports another engine id or clock each time"
        )

    async def _exchange(
        self, peer: Peer, request: SnmpRequest, deadline_s: float
    ) -> SnmpResponse | EngineReport:
        """Send one message and its retries: the same bytes, so that a late response counts."""
        loop = asyncio.get_running_loop()
        ignored_s = peer.trust.ignored_s(loop.time())
        if ignored_s:
            raise PollError("ignored", "its answers were wrong", ignored_s)
        # Another router at this address, or the same one with other settings, is listened to.
        self._ignored.pop(peer.address, None)
        number, encoded = self._encode(peer, request)
        pending = _PendingRequest(peer, request, number, loop.create_future())
        self._pending[encoded.id] = pending
        try:
            for _ in range(1 + peer.retries):
                wait_s = min(peer.timeout_s, deadline_s - loop.time())
                if wait_s <= 0:
                    break
                self._send(peer, encoded)
                done, _ = await asyncio.wait({pending.response}, timeout=wait_s)
                if done:
                    return pending.response.result()
        finally:
            del self._pending[encoded.id]
            self._recent[encoded.id] = None
            if len(self._recent) > _RECENT:
                del self._recent[next(iter(self._recent))]
            pending.response.cancel()
        self._counts["timeouts"] += 1
        if peer.codec.reset():
            return EngineReport("another engine")
        if pending.rejected is not None:
            ignored_s = peer.trust.ignored_s(loop.time())
            raise PollError(pending.rejected.reason, pending.rejected.detail, ignored_s)
        raise PollError("timeout", f"no answer from {peer.address[0]} port {peer.address[1]}")

    def _encode(self, peer: Peer, request: SnmpRequest) -> tuple[int, EncodedRequest]:
        """The message with a random number that is not in use."""
        while True:
            number = 1 + secrets.randbelow(NUMBERS - 1)
            encoded = peer.codec.encode(request, number)
            if encoded.id not in self._pending:
                return number, encoded

    def _send(self, peer: Peer, encoded: EncodedRequest) -> None:
        opened = self._sockets.get(peer.family)
        if opened is None:
            raise PollError("closed")
        try:
            opened.sock.sendto(encoded.data, peer.address)
        except BlockingIOError:
            # The send buffer is full: a retry follows, as for a lost datagram.
            return
        except OSError as error:
            name = errorcode.get(error.errno or 0, "OSError")
            raise PollError("not-sent", name) from error
        self._counts["sent"] += 1

    def _on_readable(self, sock: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        until_s = loop.time() + _MAX_READ_S
        for _ in range(_MAX_READS):
            if loop.time() > until_s:
                return
            try:
                # One byte more than allowed shows that a datagram is longer.
                data, source = sock.recvfrom(ber.MAX_MESSAGE_BYTES + 1)
            except (BlockingIOError, InterruptedError):
                return
            except OSError:
                # An ICMP error about an earlier datagram; its request will time out.
                continue
            self._counts["received"] += 1
            self._on_datagram(data, (source[0], source[1]))

    def _on_datagram(self, data: bytes, source: tuple[str, int]) -> None:
        if self._is_ignored(source):
            self._counts["ignored"] += 1
            return
        is_too_large = len(data) > ber.MAX_MESSAGE_BYTES
        try:
            message_id = (ber.message_id_of_beginning if is_too_large else ber.message_id)(data)
        except ber.BerError as error:
            self._counts["malformed"] += 1
            self._note_source(source, DatagramRejected(RejectReason.MALFORMED, str(error)))
            return
        pending = self._pending.get(message_id)
        if pending is None or pending.response.done():
            if pending is not None or message_id in self._recent:
                self._counts["late"] += 1
            else:
                self._counts["unexpected"] += 1
                rejected = DatagramRejected(RejectReason.WRONG_ANSWER, "another request-id")
                self._note_source(source, rejected)
            return
        if not _same_address(source, pending.peer.address):
            detail = f"{source[0]} port {source[1]} answered"
            self._reject(pending, DatagramRejected(RejectReason.WRONG_SOURCE, detail))
            return
        if is_too_large:
            detail = f"an answer of more than {ber.MAX_MESSAGE_BYTES // 1024} kB"
            self._reject(pending, DatagramRejected(RejectReason.TOO_LARGE, detail))
            return
        try:
            reply = pending.peer.codec.decode(data, pending.request, pending.number)
        except DatagramRejected as rejected:
            self._reject(pending, rejected)
            return
        self._counts["answered"] += 1
        pending.peer.trust.on_right()
        pending.response.set_result(reply)

    def _reject(self, pending: _PendingRequest, rejected: DatagramRejected) -> None:
        self._counts[rejected.reason.replace("-", "_")] += 1
        pending.rejected = rejected
        if rejected.reason in WRONG:
            self._distrust(pending.peer)

    def distrust(self, peer: Peer, detail: str) -> PollError:
        """Ignore a router at once, for a poll that cost too much; returns the error to raise."""
        self._distrust(peer, MAX_WRONG)
        ignored_s = peer.trust.ignored_s(asyncio.get_running_loop().time())
        return PollError("walk-too-long", detail, ignored_s)

    def _distrust(self, peer: Peer, weight: int = 1) -> None:
        now_s = asyncio.get_running_loop().time()
        peer.trust.on_wrong(now_s, weight)
        if not peer.trust.ignored_s(now_s):
            return
        self._ignored[peer.address] = peer.trust
        for pending in self._pending.values():
            # Not waiting any longer frees the number: what else it answers is not even decoded.
            if pending.peer.trust is peer.trust and not pending.response.done():
                rejected = pending.rejected
                reason = "ignored" if rejected is None else rejected.reason
                detail = "" if rejected is None else rejected.detail
                error = PollError(reason, detail, peer.trust.ignored_s(now_s))
                pending.response.set_exception(error)

    def _is_ignored(self, source: tuple[str, int]) -> bool:
        trust = self._ignored.get(source)
        if trust is None:
            return False
        if trust.ignored_s(asyncio.get_running_loop().time()):
            return True
        del self._ignored[source]
        return False

    def _note_source(self, source: tuple[str, int], rejected: DatagramRejected) -> None:
        """Note a datagram without a known number for the requests to its source."""
        for pending in self._pending.values():
            if _same_address(source, pending.peer.address):
                pending.rejected = rejected


def address_family(address: str) -> socket.AddressFamily:
    """AF_INET or AF_INET6. Raises ValueError for anything but an IP address."""
    version = ipaddress.ip_address(address).version
    return socket.AF_INET if version == 4 else socket.AF_INET6


def _same_address(one: tuple[str, int], other: tuple[str, int]) -> bool:
    return one[1] == other[1] and ipaddress.ip_address(one[0]) == ipaddress.ip_address(other[0])
