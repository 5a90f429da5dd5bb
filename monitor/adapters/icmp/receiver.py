"""The receiving half of the prober: reads the sockets, completes requests, delivers outcomes.

The sockets are read as a network card's driver reads its card: the first reply wakes the event
loop, and while more keep coming they are read by a timer every few milliseconds instead of once a
reply. One timer serves all deadlines; when no request is out, nothing wakes.

A request is `Lost` only after a complete read of the sockets that was made after its deadline, and
only if no reply can have been missed (`ReceiveGaps`). Outcomes are delivered in the order in which
they became known: a reply that came after a deadline which is not settled yet waits for it.
"""

from __future__ import annotations

import asyncio
import logging
from bisect import bisect_right
from collections import deque
from collections.abc import Callable, Iterable, Sequence, Set
from math import nextafter
from operator import itemgetter

from monitor.adapters.icmp.icmp_socket import EchoReply, IcmpError, IcmpSocket
from monitor.adapters.icmp.outstanding import (
    OutstandingRequest,
    OutstandingRequests,
    ProbeTotals,
)
from monitor.adapters.icmp.packets import Rejection, icmp_error_name
from monitor.adapters.icmp.timestamps import TimestampConverter
from monitor.adapters.icmp.tracer import HopRequest, HopRequests, hop_of_error
from monitor.core.model import Lost, NotMeasured, Outcome, Reply
from monitor.core.paths.model import Hop
from monitor.core.ports import OutcomeSink

POLLING_AFTER_S = 0.005
"""Replies that follow the previous read this closely switch to reading by the timer."""

POLL_EVERY_S = 0.020
"""Interval of reading by the timer. The kernel has stamped the replies, so that no RTT grows with
it, and each read costs as much as several replies."""

SETTLE_S = 0.002
"""A deadline is evaluated this long after it: the kernel needs a moment to queue a reply."""

TIMER_SLACK_S = 0.001
"""A timer that is due within this time is run at once."""

MIN_RTT_MS = 0.001
"""The resolution of the clocks."""

STALL_S = 0.05
"""A delay of the event loop above this is recorded; whether it matters depends on time-outs."""

STALLS_KEPT = 8
WARN_EVERY_S = 60.0

# Reasons of NotMeasured, and names in ProbeCounters.errors.
STALLED = "stalled"
NO_BUFFER = "ENOBUFS"
CLOCK_STEP = "clock-step"
BUFFER_FULL = "receive buffer full"

# Each kind of outcome begins with target, sent_s, known_s.
_known_s = itemgetter(2)
_known_s_and_target = itemgetter(2, 0)

log = logging.getLogger(__name__)


class ReceiveGaps:
    """Periods in which replies may have been missed: event loop stalls and buffer overflows.

    A request without a reply is not measured, instead of lost, when such a period may hide it.
    All times are steady seconds.
    """

    def __init__(self, now_s: float) -> None:
        self._wakeups: dict[object, float] = {}
        self._stalls: deque[tuple[float, float]] = deque(maxlen=STALLS_KEPT)
        self._overflow_s = now_s
        self._warned_s = now_s - WARN_EVERY_S

    def expect_wakeup(self, waiter: object, at_s: float) -> None:
        """`waiter` waits for the event loop, which should resume it at this time."""
        self._wakeups[waiter] = at_s

    def cancel_wakeup(self, waiter: object) -> None:
        """`waiter` no longer waits."""
        self._wakeups.pop(waiter, None)

    def expected_wakeups_s(self) -> Iterable[float]:
        """When the waiters should be resumed."""
        return self._wakeups.values()

    def record_wakeup(self, now_s: float, due_s: float = float("inf")) -> None:
        """The event loop runs. due_s: when it should have; earlier waiters count, too."""
        since_s = min(due_s, *self._wakeups.values(), now_s)
        if now_s - since_s > STALL_S:
            self._stalls.append((since_s, now_s))

    def record_overflow(self, now_s: float) -> None:
        """The kernel dropped replies before now."""
        self._overflow_s = now_s
        if now_s - self._warned_s >= WARN_EVERY_S:
            self._warned_s = now_s
            log.warning("replies were dropped: the receive buffer for ICMP is too small")

    def reason_not_measured(self, request: OutstandingRequest) -> str | None:
        """Why the missing reply proves nothing; None when it proves a loss.

        Since the request was sent, replies were dropped, or a stall was longer than its time-out.
        """
        if request.sent_s <= self._overflow_s:
            return NO_BUFFER
        timeout_s = request.deadline_s - request.sent_s
        for from_s, to_s in self._stalls:
            if request.sent_s < to_s and to_s - from_s > timeout_s:
                return STALLED
        return None

    def log_stall(self, requests: int) -> None:
        """Warn that so many requests are not measured because of a stall."""
        log.warning(
            "the event loop was blocked for %.1f s: %d requests are not measured",
            max(to_s - from_s for from_s, to_s in self._stalls),
            requests,
        )


class Receiver:
    """Reads the sockets when they are readable or a timer is due; calls the sink."""

    def __init__(
        self,
        requests: OutstandingRequests,
        totals: ProbeTotals,
        timestamps: TimestampConverter,
        steady_s: Callable[[], float],
        sink: OutcomeSink,
    ) -> None:
        self.gaps = ReceiveGaps(steady_s())
        self.hop_requests = HopRequests()
        self._requests = requests
        self._totals = totals
        self._timestamps = timestamps
        self._steady_s = steady_s
        self._sink = sink
        self._loop = asyncio.get_running_loop()
        self._sockets: tuple[IcmpSocket, ...] = ()
        self._undelivered: list[Outcome] = []
        self._polling = False
        self._timer: asyncio.TimerHandle | None = None
        self._timer_s = float("inf")
        self._read_s = self._delivered_s = steady_s()

    def use_sockets(self, sockets: Sequence[IcmpSocket]) -> None:
        """From now on read these sockets: those over which some target is probed."""
        self._remove_readers()
        self._sockets = tuple(sockets)
        if not self._polling:
            self._add_readers()

    def close(self) -> None:
        """Stop reading; outcomes that are not delivered yet are dropped."""
        if self._timer is not None:
            self._timer.cancel()
        self._remove_readers()

    def add_outcome(self, outcome: Outcome) -> None:
        """An outcome that was known at sending; it is delivered in order with the others."""
        self._undelivered.append(outcome)

    def drop_outcomes(self, targets: Set[str]) -> None:
        """Discard the outcomes of these targets that are known but not delivered yet."""
        if targets and self._undelivered:
            self._undelivered = [one for one in self._undelivered if one.target not in targets]

    def run_due_timer(self) -> None:
        """Use a wake-up of the event loop: run the timer if it is due soon, else set it."""
        if self._timer is not None and self._timer_s - self._steady_s() < TIMER_SLACK_S:
            self._timer.cancel()
            self._on_timer()
        else:
            self._set_timer()

    def _set_timer(self) -> None:
        """Set the timer for the next read that is needed."""
        deadline_s = self._requests.next_deadline_s()
        wanted_s = float("inf") if deadline_s is None else deadline_s + SETTLE_S
        soon_s = self._read_s + POLL_EVERY_S
        if self._polling or self._undelivered:
            wanted_s = self._after_next_wakeup(soon_s)
        wanted_s = max(wanted_s, soon_s)
        if wanted_s >= self._timer_s:
            return
        if self._timer is not None:
            self._timer.cancel()
        self._timer_s = wanted_s
        wait_s = max(0.0, wanted_s - self._steady_s())
        self._timer = self._loop.call_later(wait_s, self._on_timer)

    def _after_next_wakeup(self, soon_s: float) -> float:
        """Right after a round's next wake-up, if one is near: it runs the timer for us."""
        for wakeup_s in self.gaps.expected_wakeups_s():
            if abs(wakeup_s - soon_s) < POLL_EVERY_S / 2:
                return max(soon_s, wakeup_s + TIMER_SLACK_S / 2)
        return soon_s

    def _on_timer(self) -> None:
        due_s = self._timer_s
        self._timer = None
        self._timer_s = float("inf")
        received = self._read(due_s)
        if self._polling and not received:
            self._polling = False
            self._add_readers()

    def _on_readable(self) -> None:
        replies_flow = self._steady_s() - self._read_s < POLLING_AFTER_S
        if replies_flow and not self._polling:
            self._polling = True
            self._remove_readers()
            self._set_timer()
        else:
            self._read(self._timer_s)

    def _add_readers(self) -> None:
        for sock in self._sockets:
            self._loop.add_reader(sock.fileno(), self._on_readable)

    def _remove_readers(self) -> None:
        for sock in self._sockets:
            self._loop.remove_reader(sock.fileno())

    def _read(self, due_s: float) -> bool:
        """Read all sockets and deliver what is settled; returns whether anything was received."""
        now_s = self._steady_s()
        self.gaps.record_wakeup(now_s, due_s)
        self._timestamps.calibrate()
        received = False
        complete = True
        read_s = now_s
        for sock in self._sockets:
            if sock.overflowed():
                self._totals.errors[BUFFER_FULL] += 1
                self.gaps.record_overflow(now_s)
            replies, emptied = sock.read_replies()
            errors = sock.read_errors()
            read_s = self._steady_s()
            for reply in replies:
                self._on_reply(reply, read_s)
            for error in errors:
                self._on_error(sock, error, read_s)
            self._count_rejected(sock)
            received = received or bool(replies) or bool(errors)
            complete = complete and emptied
        settled: list[Outcome] = []
        if complete:
            self._read_s = now_s
            self._expire(now_s - SETTLE_S)
            settled = self._take_settled(read_s)
        self._set_timer()
        if settled:
            self._sink(settled)
        return received

    def _on_reply(self, reply: EchoReply, read_s: float) -> None:
        index, nonce, source, timestamp_s = reply
        hop_request = self.hop_requests.by_index.get(index)
        if hop_request is not None:
            self._on_target_reached(hop_request, reply, read_s)
            return
        request = self._requests.match_reply(index, nonce, source)
        if request is None:
            return
        sent_s, deadline_s, _, destination = request
        arrived_s = self._timestamps.steady_s(timestamp_s, sent_s, self._read_s, read_s)
        if arrived_s is not None and arrived_s > deadline_s:
            self._totals.late += 1  # the request stays open until its deadline is evaluated
            return
        self._requests.complete(index)
        if not destination.live:
            return
        if arrived_s is None:
            self._totals.errors[CLOCK_STEP] += 1
            self._undelivered.append(NotMeasured(destination.name, sent_s, read_s, CLOCK_STEP))
        else:
            rtt_ms = max(MIN_RTT_MS, (arrived_s - sent_s) * 1000.0)
            known_s = max(arrived_s, self._delivered_s)
            self._undelivered.append(Reply(destination.name, sent_s, known_s, rtt_ms))

    def _on_target_reached(self, request: HopRequest, reply: EchoReply, read_s: float) -> None:
        """The target itself answered a request of a trace."""
        _, nonce, source, timestamp_s = reply
        if nonce != request.nonce or source != request.trace.destination.address:
            self._totals.spoofed += 1
            return
        rtt_ms = self._hop_rtt_ms(request, timestamp_s, read_s)
        request.trace.add(Hop(request.ttl, source, rtt_ms), reached=True)

    def _hop_rtt_ms(
        self, request: HopRequest, timestamp_s: float | None, read_s: float
    ) -> float | None:
        arrived_s = self._timestamps.steady_s(timestamp_s, request.sent_s, self._read_s, read_s)
        return None if arrived_s is None else max(MIN_RTT_MS, (arrived_s - request.sent_s) * 1000.0)

    def _on_error(self, sock: IcmpSocket, error: IcmpError, read_s: float) -> None:
        hop_request = self.hop_requests.match_error(sock, error)
        if hop_request is not None:
            rtt_ms = self._hop_rtt_ms(hop_request, error.timestamp_s, read_s)
            hop = hop_of_error(sock.family, error, hop_request.ttl, rtt_ms)
            hop_request.trace.add(hop)
            return
        match = self._requests.match_error(error.quote, error.destination)
        if match is None:
            return
        index, (sent_s, deadline_s, _, destination) = match
        arrived_s = self._timestamps.steady_s(error.timestamp_s, sent_s, self._read_s, read_s)
        if arrived_s is None:
            arrived_s = read_s
        if arrived_s > deadline_s:
            self._totals.late += 1
            return
        self._requests.complete(index)
        if not destination.live:
            return
        name = icmp_error_name(sock.family, error.kind, error.code)
        self._totals.errors[name] += 1
        known_s = max(arrived_s, self._delivered_s)
        reason = f"{name} from {error.router}"
        self._undelivered.append(Lost(destination.name, sent_s, known_s, reason))

    def _expire(self, until_s: float) -> None:
        stalled = 0
        for request in self._requests.pop_expired(until_s):
            sent_s, deadline_s, _, destination = request
            if not destination.live:
                continue
            reason = self.gaps.reason_not_measured(request)
            if reason is None:
                self._undelivered.append(Lost(destination.name, sent_s, deadline_s))
            else:
                stalled += reason == STALLED
                self._undelivered.append(NotMeasured(destination.name, sent_s, until_s, reason))
        if stalled:
            self.gaps.log_stall(stalled)

    def _take_settled(self, read_s: float) -> list[Outcome]:
        """The outcomes known before any open request can have one, in order of time; counted."""
        deadline_s = self._requests.next_deadline_s()
        settled_s = read_s if deadline_s is None else min(read_s, nextafter(deadline_s, 0.0))
        self._undelivered.sort(key=_known_s_and_target)
        until = bisect_right(self._undelivered, settled_s, key=_known_s)
        settled, self._undelivered = self._undelivered[:until], self._undelivered[until:]
        self._delivered_s = settled_s
        totals = self._totals
        for outcome in settled:
            if isinstance(outcome, Reply):
                totals.received += 1
            elif isinstance(outcome, Lost):
                totals.lost += 1
            else:
                totals.not_measured += 1
                totals.unmeasured[outcome.reason] += 1
        return settled

    def _count_rejected(self, sock: IcmpSocket) -> None:
        if not sock.rejected:
            return
        for rejection in sock.rejected:
            if rejection is Rejection.MALFORMED:
                self._totals.malformed += 1
            else:
                self._totals.foreign += 1
        sock.rejected.clear()
