"""The requests that are out: who was asked, when, and what has become of it."""

from __future__ import annotations

import os
from array import array
from collections import Counter, deque
from collections.abc import Iterator
from typing import NamedTuple

from monitor.adapters.icmp.channel import IcmpSocket, Place
from monitor.adapters.icmp.wire import Quote
from monitor.core.model import Target
from monitor.core.ports import ProbeCounters

INDEXES = 1 << 32
SEQUENCES = 1 << 16

REMEMBERED = 16_384
"""How many settled requests, at least, are remembered, to name a late or a second answer."""

NONCES = 1_024


class Aim:
    """Where a target's requests go. `live` is false once nobody wants its outcomes any more.

    place: its address as the socket wants it.   port: of ours, as it was at that `news`.
    """

    __slots__ = (*("address", "channel", "live", "name", "news", "place", "port", "timeout_s"),)

    def __init__(
        self, target: Target, address: str, place: Place, channel: IcmpSocket | None
    ) -> None:
        self.name = target.name
        self.timeout_s = target.rules.timeout_s
        self.address = address
        self.place = place
        self.channel = channel
        self.live = True
        self.port: int | None = None
        self.news = -1

    def in_place_of(self, former: Aim | None) -> Aim:
        """The former aim with the new time-out, where requests go to the same place as before."""
        if former is None or former.place != self.place or former.channel is not self.channel:
            return self
        former.timeout_s = self.timeout_s
        return former


class Asked(NamedTuple):
    """One request that is out. deadline_s: by the time-out that its target had then."""

    sent_s: float
    deadline_s: float
    nonce: int
    aim: Aim


class Tally:
    """Totals since the start."""

    __slots__ = (
        *("duplicate", "errors", "foreign", "late", "lost", "malformed"),
        *("not_measured", "received", "sent", "spoofed", "stalled_rounds", "unmeasured"),
    )

    def __init__(self) -> None:
        self.sent = self.received = self.lost = self.not_measured = 0
        self.late = self.duplicate = self.foreign = self.spoofed = self.malformed = 0
        self.stalled_rounds = 0
        self.errors: Counter[str] = Counter()
        self.unmeasured: Counter[str] = Counter()

    def counters(self) -> ProbeCounters:
        return ProbeCounters(
            sent=self.sent,
            received=self.received,
            lost=self.lost,
            not_measured=self.not_measured,
            late=self.late,
            duplicate=self.duplicate,
            foreign=self.foreign,
            spoofed=self.spoofed,
            malformed=self.malformed,
            stalled_rounds=self.stalled_rounds,
            errors=dict(self.errors),
            unmeasured=dict(self.unmeasured),
        )


class OutstandingRequests:
    """Every request from its sending to its one outcome.

    Deadlines are kept in one queue a time-out: requests of one time-out fall due in the order
    in which they were sent. An answered one stays in its queue until it comes to the front.
    """

    def __init__(self, tally: Tally) -> None:
        self._tally = tally
        self._open: dict[int, Asked] = {}
        self._queues: dict[float, deque[tuple[float, int]]] = {}
        self._settled: dict[int, int] = {}
        self._settled_before: dict[int, int] = {}
        self._next = int.from_bytes(os.urandom(4), "big")
        self._nonces: Iterator[int] = iter(())

    def __len__(self) -> int:
        return len(self._open)

    def new_marks(self) -> tuple[int, int]:
        """Index and nonce of the next request."""
        index = self._next
        self._next = (index + 1) % INDEXES
        for nonce in self._nonces:
            return index, nonce
        self._nonces = iter(array("I", os.urandom(4 * NONCES)))
        return index, next(self._nonces)

    def enter(self, index: int, nonce: int, aim: Aim, sent_s: float) -> None:
        """A request has gone out."""
        deadline_s = sent_s + aim.timeout_s
        self._open[index] = Asked(sent_s, deadline_s, nonce, aim)
        queue = self._queues.get(aim.timeout_s)
        if queue is None:
            queue = self._queues[aim.timeout_s] = deque()
        queue.append((deadline_s, index))

    def find(self, index: int, nonce: int, source: str) -> Asked | None:
        """The open request that this packet answers; None, and counted, when it answers none."""
        asked = self._open.get(index)
        if asked is None:
            self._count_stray(index, nonce)
            return None
        if asked.nonce != nonce or asked.aim.address != source:
            self._tally.spoofed += 1
            return None
        return asked

    def find_quoted(self, quote: Quote, destination: str) -> tuple[int, Asked] | None:
        """The open request that an ICMP error is about; None, and counted, for none."""
        index = self._index_of(quote.sequence) if quote.index is None else quote.index
        asked = self._open.get(index)
        if asked is None:
            if quote.nonce is not None:
                self._count_stray(index, quote.nonce)
            else:
                self._tally.foreign += 1
            return None
        channel = asked.aim.channel
        if (
            asked.aim.address != destination
            or channel is None
            or not channel.sent_this(quote, index, asked.nonce)
        ):
            self._tally.spoofed += 1
            return None
        return index, asked

    def settle(self, index: int) -> None:
        """The request has its outcome."""
        self._remember(index, self._open.pop(index).nonce << 1 | 1)

    def expire(self, until_s: float) -> list[Asked]:
        """Take out every open request whose deadline has come."""
        found: list[Asked] = []
        for queue in self._queues.values():
            while queue and queue[0][0] <= until_s:
                _, index = queue.popleft()
                asked = self._open.pop(index, None)
                if asked is not None:
                    self._remember(index, asked.nonce << 1)
                    found.append(asked)
        return found

    def next_deadline_s(self) -> float | None:
        """When the first of the open requests falls due; None when nothing is open."""
        earliest_s = None
        for queue in self._queues.values():
            while queue and queue[0][1] not in self._open:
                queue.popleft()
            if queue and (earliest_s is None or queue[0][0] < earliest_s):
                earliest_s = queue[0][0]
        return earliest_s

    def _index_of(self, sequence: int) -> int:
        """The newest index with these low 16 bits."""
        last = (self._next - 1) % INDEXES
        return (last - (last - sequence) % SEQUENCES) % INDEXES

    def _count_stray(self, index: int, nonce: int) -> None:
        known = self._settled.get(index, self._settled_before.get(index))
        if known is None:
            self._tally.foreign += 1
        elif known >> 1 != nonce:
            self._tally.spoofed += 1
        elif known & 1:
            self._tally.duplicate += 1
        else:
            self._tally.late += 1

    def _remember(self, index: int, nonce_and_answered: int) -> None:
        if len(self._settled) >= REMEMBERED:
            self._settled_before = self._settled
            self._settled = {}
        self._settled[index] = nonce_and_answered
