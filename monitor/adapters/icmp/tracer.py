"""Traces of paths: echo requests with TTL 1, 2, 3 … through the socket of the ordinary requests.

The TTL goes with each packet as ancillary data (ip(7), ipv6(7)), so that the socket's own stays.
Routers answer "time exceeded", which the kernel reports on the error queue like every ICMP error:
the filters for replies stay as narrow as they are. Such an answer need quote only the ICMP header,
so that a request is known by its sequence and checksum.

Requests of traces are kept apart from the ordinary ones. They become no outcome, and count neither
as sent nor as lost.
"""

from __future__ import annotations

import asyncio
from typing import NamedTuple

from monitor.adapters.icmp.icmp_socket import IcmpError, IcmpSocket
from monitor.adapters.icmp.outstanding import Destination
from monitor.adapters.icmp.packets import Family, icmp_error_name
from monitor.core.paths.model import Hop

ATTEMPTS = 2
"""A hop that does not answer is asked again once: routers limit how often they answer."""

SEND_EVERY_S = 0.05

REMEMBERED = 4_096
"""Requests that are remembered, so that their late answers are known. Those under way are fewer:
20 traces of 40 requests."""

SEQUENCES = 1 << 16

TIME_EXCEEDED = {Family.V4: 11, Family.V6: 3}
"""RFC 792, RFC 4443; with code 0: in transit."""


class HopRequest(NamedTuple):
    """A request of a trace that was sent."""

    sent_s: float
    nonce: int
    ttl: int
    trace: RunningTrace


class RunningTrace:
    """What is known of a path so far. last_ttl: beyond it nothing needs to be asked any more."""

    def __init__(self, destination: Destination, max_hops: int) -> None:
        self.destination = destination
        self.last_ttl = max_hops
        self.reached = False
        self._hops: dict[int, Hop] = {}
        self._ended = False
        self._answered = asyncio.Event()

    def missing(self) -> list[int]:
        """The TTLs that nobody has answered, ascending."""
        return [ttl for ttl in range(1, self.last_ttl + 1) if ttl not in self._hops]

    def hops(self) -> tuple[Hop, ...]:
        """From TTL 1 to the last one that was answered, without gaps."""
        furthest = max((ttl for ttl in self._hops if ttl <= self.last_ttl), default=0)
        return tuple(self._hops.get(ttl, Hop(ttl)) for ttl in range(1, furthest + 1))

    def add(self, hop: Hop, *, reached: bool = False) -> None:
        """An answer. Late ones after the end, and second ones, change nothing."""
        if self._ended or hop.ttl in self._hops:
            return
        self._hops[hop.ttl] = hop
        if (reached or hop.error is not None) and hop.ttl <= self.last_ttl:
            self.last_ttl = hop.ttl
            self.reached = reached
        self._answered.set()

    def end(self) -> None:
        self._ended = True

    async def answered(self, timeout_s: float) -> None:
        """Wait until nothing is missing any more, at most so long."""
        try:
            async with asyncio.timeout(timeout_s):
                while self.missing():
                    self._answered.clear()
                    await self._answered.wait()
        except TimeoutError:
            pass


class HopRequests:
    """The requests of traces, by index: those under way and the latest ended ones."""

    def __init__(self) -> None:
        self.by_index: dict[int, HopRequest] = {}
        self._by_sequence: dict[int, int] = {}

    def add(self, index: int, request: HopRequest) -> None:
        self.by_index[index] = request
        self._by_sequence[index % SEQUENCES] = index
        if len(self.by_index) > REMEMBERED:
            oldest = next(iter(self.by_index))
            del self.by_index[oldest]
            if self._by_sequence.get(oldest % SEQUENCES) == oldest:
                del self._by_sequence[oldest % SEQUENCES]

    def match_error(self, sock: IcmpSocket, error: IcmpError) -> HopRequest | None:
        """The request that an ICMP error is about; None: it is about no trace."""
        quote = error.quote
        index = self._by_sequence.get(quote.sequence) if quote.index is None else quote.index
        request = None if index is None else self.by_index.get(index)
        if (
            index is None
            or request is None
            or request.trace.destination.address != error.destination
            or not sock.is_quote_of(quote, index, request.nonce)
        ):
            return None
        return request


def hop_of_error(family: Family, error: IcmpError, ttl: int, rtt_ms: float | None) -> Hop:
    """The hop that an ICMP error shows; anything but "time exceeded" carries its name."""
    if error.kind == TIME_EXCEEDED[family] and error.code == 0:
        return Hop(ttl, error.router, rtt_ms)
    return Hop(ttl, error.router, rtt_ms, icmp_error_name(family, error.kind, error.code))
