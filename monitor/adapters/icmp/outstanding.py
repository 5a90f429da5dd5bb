"""Echo requests that are out: matching with replies and errors, deadlines, totals."""

from __future__ import annotations

import os
from array import array
from collections import Counter, deque
from collections.abc import Iterator
from typing import Any, NamedTuple

from monitor.adapters.icmp.icmp_socket import IcmpSocket, SocketAddress
from monitor.adapters.icmp.packets import QuotedRequest
from monitor.core.model import Target
from monitor.core.ports import ProbeCounters

INDEXES = 1 << 32
SEQUENCES = 1 << 16

REMEMBERED = 16_384
"""How many completed requests, at least, are remembered to recognise late and duplicate replies."""

NONCES_PER_READ = 1_024


class Destination:
    """Where the requests of one target go. Replaced when its address changes.

    address: as text, without a zone.   socket_address: as sendto() takes it.
    socket: None when this machine has no socket of its family.
    live: false after the target was removed or moved: its outcomes are no longer delivered.
    interface: the outgoing network interface by index, looked up at `route_version`.
    """

    __slots__ = (
        *("address", "interface", "live", "name", "route_version"),
        *("socket", "socket_address", "timeout_s"),
    )

    def __init__(
        self,
        target: Target,
        address: str,
        socket_address: SocketAddress,
        socket: IcmpSocket | None,
    ) -> None:
        self.name = target.name
        self.timeout_s = target.rules.timeout_s
        self.address = address
        self.socket_address = socket_address
        self.socket = socket
        self.live = True
        self.interface: int | None = None
        self.route_version = -1

    def merged_with(self, former: Destination | None) -> Destination:
        """The former destination with the new time-out, if the address has not changed."""
        if (
            former is None
            or former.socket_address != self.socket_address
            or former.socket is not self.socket
        ):
            return self
        former.timeout_s = self.timeout_s
        return former


class OutstandingRequest(NamedTuple):
    """A request without an outcome. deadline_s: by the time-out at the time of sending."""

    sent_s: float
    deadline_s: float
    nonce: int
    destination: Destination


class ProbeTotals:
    """Counters since the start; fields as in ProbeCounters."""

    __slots__ = (
        *("duplicate", "errors", "foreign", "late", "lost", "malformed"),
        *("not_measured", "received", "sent", "spoofed", "stalled_rounds", "trace_requests"),
        "unmeasured",
    )

    def __init__(self) -> None:
        self.sent = self.received = self.lost = self.not_measured = 0
        self.late = self.duplicate = self.foreign = self.spoofed = self.malformed = 0
        self.stalled_rounds = self.trace_requests = 0
        self.errors: Counter[str] = Counter()
        self.unmeasured: Counter[str] = Counter()

    def counters(self) -> ProbeCounters:
        totals: dict[str, Any] = {name: getattr(self, name) for name in self.__slots__}
        totals |= {"errors": dict(self.errors), "unmeasured": dict(self.unmeasured)}
        return ProbeCounters(**totals)


class OutstandingRequests:
    """All requests that are out, by index.

    Deadlines are held in one queue for each time-out: requests with the same time-out expire in
    the order of sending. A completed request stays in its queue until it reaches the front.
    """

    def __init__(self, totals: ProbeTotals) -> None:
        self._totals = totals
        self._open: dict[int, OutstandingRequest] = {}
        self._queues: dict[float, deque[tuple[float, int]]] = {}
        # Two generations of completed requests: index -> nonce << 1 | whether it was answered.
        self._completed: dict[int, int] = {}
        self._completed_before: dict[int, int] = {}
        self._next_index = int.from_bytes(os.urandom(4), "big")
        self._nonces: Iterator[int] = iter(())

    def __len__(self) -> int:
        return len(self._open)

    def next_index_and_nonce(self) -> tuple[int, int]:
        """What marks the next request."""
        index = self._next_index
        self._next_index = (index + 1) % INDEXES
        for nonce in self._nonces:
            return index, nonce
        self._nonces = iter(array("I", os.urandom(4 * NONCES_PER_READ)))
        return index, next(self._nonces)

    def add(self, index: int, nonce: int, destination: Destination, sent_s: float) -> None:
        """Register a request that was sent."""
        deadline_s = sent_s + destination.timeout_s
        self._open[index] = OutstandingRequest(sent_s, deadline_s, nonce, destination)
        queue = self._queues.get(destination.timeout_s)
        if queue is None:
            queue = self._queues[destination.timeout_s] = deque()
        queue.append((deadline_s, index))

    def match_reply(self, index: int, nonce: int, source: str) -> OutstandingRequest | None:
        """The request that a reply answers; otherwise None, and the reply is counted."""
        request = self._open.get(index)
        if request is None:
            self._count_unmatched(index, nonce)
            return None
        if request.nonce != nonce or request.destination.address != source:
            self._totals.spoofed += 1
            return None
        return request

    def match_error(
        self, quote: QuotedRequest, destination: str
    ) -> tuple[int, OutstandingRequest] | None:
        """The request that an ICMP error is about; otherwise None, and the error is counted."""
        index = self._index_of(quote.sequence) if quote.index is None else quote.index
        request = self._open.get(index)
        if request is None:
            if quote.nonce is not None:
                self._count_unmatched(index, quote.nonce)
            else:
                self._totals.foreign += 1
            return None
        socket = request.destination.socket
        if (
            request.destination.address != destination
            or socket is None
            or not socket.is_quote_of(quote, index, request.nonce)
        ):
            self._totals.spoofed += 1
            return None
        return index, request

    def complete(self, index: int) -> None:
        """Remove a request that was answered."""
        self._remember(index, self._open.pop(index).nonce << 1 | 1)

    def pop_expired(self, until_s: float) -> list[OutstandingRequest]:
        """Remove and return the requests whose deadline is at or before `until_s`."""
        expired: list[OutstandingRequest] = []
        for queue in self._queues.values():
            while queue and queue[0][0] <= until_s:
                _, index = queue.popleft()
                request = self._open.pop(index, None)
                if request is not None:
                    self._remember(index, request.nonce << 1)
                    expired.append(request)
        return expired

    def next_deadline_s(self) -> float | None:
        """The earliest deadline; None when no request is out."""
        earliest_s = None
        for queue in self._queues.values():
            while queue and queue[0][1] not in self._open:
                queue.popleft()
            if queue and (earliest_s is None or queue[0][0] < earliest_s):
                earliest_s = queue[0][0]
        return earliest_s

    def _index_of(self, sequence: int) -> int:
        """The newest index with these low 16 bits."""
        last = (self._next_index - 1) % INDEXES
        return (last - (last - sequence) % SEQUENCES) % INDEXES

    def _count_unmatched(self, index: int, nonce: int) -> None:
        completed = self._completed.get(index, self._completed_before.get(index))
        if completed is None:
            self._totals.foreign += 1
        elif completed >> 1 != nonce:
            self._totals.spoofed += 1
        elif completed & 1:
            self._totals.duplicate += 1
        else:
            self._totals.late += 1

    def _remember(self, index: int, nonce_and_answered: int) -> None:
        if len(self._completed) >= REMEMBERED:
            self._completed_before = self._completed
            self._completed = {}
        self._completed[index] = nonce_and_answered
