"""The ICMP prober: sends the requests of rounds, and traces paths (ports `Prober`, `Tracer`)."""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import socket
from collections.abc import Callable, Iterable, Sequence
from functools import partial

from monitor.adapters.icmp.carrier import CarrierMonitor
from monitor.adapters.icmp.icmp_socket import IcmpSocket, SocketAddress, SocketMode
from monitor.adapters.icmp.outstanding import (
    Destination,
    OutstandingRequest,
    OutstandingRequests,
    ProbeTotals,
)
from monitor.adapters.icmp.packets import Family, errno_name
from monitor.adapters.icmp.receiver import STALLED, Receiver
from monitor.adapters.icmp.timestamps import TimestampConverter, kernel_clock_s
from monitor.adapters.icmp.tracer import ATTEMPTS, SEND_EVERY_S, HopRequest, RunningTrace
from monitor.core.errors import ProbeError
from monitor.core.model import NotMeasured, Target
from monitor.core.paths.model import PathTrace
from monitor.core.ports import Clock, Commit, OutcomeSink, ProbeCounters

BUFFER_BYTES = 8 << 20
NOT_OPEN = "the prober is not open: call open() first"

MAX_CATCH_UP = 200
"""Requests sent without a pause when a round is late."""

BURST = 5
MIN_PAUSE_S, MAX_PAUSE_S = 0.001, 0.005
"""A round sleeps until about BURST requests are due, and sends these together: a wake-up costs as
much as several sends. A longer burst would queue on its way and add to every RTT behind it. The
event loop does not sleep for less than a millisecond."""

log = logging.getLogger(__name__)


class IcmpProber:
    """Probes all targets through one socket for each address family.

    clock: gives the times in outcomes.   mode: which kind of socket to open.
    buffer_bytes: size of the send and receive buffers.   kernel_s: clock of kernel timestamps.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        mode: SocketMode = SocketMode.AUTO,
        buffer_bytes: int = BUFFER_BYTES,
        kernel_s: Callable[[], float] = kernel_clock_s,
    ) -> None:
        self._clock = clock
        self._mode = mode
        self._buffer_bytes = buffer_bytes
        self._kernel_s = kernel_s
        self._totals = ProbeTotals()
        self._requests = OutstandingRequests(self._totals)
        self._sockets: dict[Family, IcmpSocket] = {}
        self._carrier = CarrierMonitor()
        self._receiver: Receiver | None = None
        self._destinations: dict[str, Destination] = {}

    async def open(self, sink: OutcomeSink) -> None:
        steady_s = self._clock.steady_s
        self._requests = OutstandingRequests(self._totals)
        self._destinations = {}
        try:
            for family in Family:
                opened = IcmpSocket.open(family, self._mode, self._buffer_bytes, steady_s)
                if opened is not None:
                    self._sockets[family] = opened
        except ProbeError:
            self._close_sockets()
            raise
        self._carrier.open()
        timestamps = TimestampConverter(steady_s, self._kernel_s)
        self._receiver = Receiver(self._requests, self._totals, timestamps, steady_s, sink)
        for sock in self._sockets.values():
            log.info("probing %s with a %s socket", sock.family.label, sock.mode.value)

    def prepare(self, targets: Iterable[Target]) -> Commit:
        """Resolve the addresses of a new set of targets. Raises ProbeError and changes nothing.

        The returned function puts the set in force: it cannot fail and does not await.
        """
        if self._receiver is None:
            raise ProbeError(NOT_OPEN)
        return partial(self._commit, [self._destination(target) for target in targets])

    def watch(self, targets: Iterable[Target]) -> None:
        """Prepare a set of targets and put it in force. Raises ProbeError."""
        self.prepare(targets)()

    async def round(self, names: Sequence[str], over_s: float) -> None:
        """Late sends are caught up; one that is late by more than its time-out is not sent."""
        if self._receiver is None:
            raise ProbeError(NOT_OPEN)
        pace = SendPace(names, self._clock.steady_s(), over_s)
        while not pace.finished:
            self._send_due(pace)
            if not pace.finished and not await self._pause(pace):
                return
        self._receiver.run_due_timer()
        if pace.stalled:
            self._totals.stalled_rounds += 1
            log.warning("a round of %d requests was late: some of them were not sent", len(names))

    def counters(self) -> ProbeCounters:
        return self._totals.counters()

    async def trace(self, target: str, max_hops: int) -> PathTrace | None:
        """A hop that is silent is asked ATTEMPTS times; takes some seconds."""
        destination, receiver = self._destinations.get(target), self._receiver
        if destination is None or destination.socket is None or receiver is None:
            return None
        started_s = self._clock.steady_s()
        trace = RunningTrace(destination, max_hops)
        try:
            for _ in range(ATTEMPTS):
                if not await self._ask_missing(trace, receiver):
                    return None
                await trace.answered(destination.timeout_s)
        finally:
            trace.end()
        first = OutstandingRequest(started_s, started_s + destination.timeout_s, 0, destination)
        if self._receiver is not receiver or not destination.live:
            return None
        if trace.missing() and receiver.gaps.reason_not_measured(first) is not None:
            return None
        at_s = self._clock.utc_s(started_s)
        return PathTrace(target, destination.address, at_s, trace.hops(), trace.reached)

    async def _ask_missing(self, trace: RunningTrace, receiver: Receiver) -> bool:
        """Ask each hop that has not answered, at a slow pace; False: it cannot be measured."""
        destination = trace.destination
        for ttl in trace.missing():
            if ttl > trace.last_ttl:
                break
            if self._receiver is not receiver or not destination.live or destination.socket is None:
                return False
            if self._carrier.any_down and self._has_no_carrier(destination):
                return False
            index, nonce = self._requests.next_index_and_nonce()
            try:
                sent_s = destination.socket.send_with_ttl(
                    index, nonce, destination.socket_address, ttl
                )
            except OSError:
                return False
            receiver.hop_requests.add(index, HopRequest(sent_s, nonce, ttl, trace))
            self._totals.trace_requests += 1
            await asyncio.sleep(SEND_EVERY_S)
        return True

    async def close(self) -> None:
        if self._receiver is not None:
            self._receiver.close()
            self._receiver = None
            self._carrier.close()
        self._close_sockets()

    def _commit(self, prepared: list[Destination]) -> None:
        before = self._destinations
        self._destinations = {one.name: one.merged_with(before.get(one.name)) for one in prepared}
        for name, destination in before.items():
            destination.live = self._destinations.get(name) is destination
        if self._receiver is None:
            return
        self._receiver.drop_outcomes({name for name, one in before.items() if not one.live})
        used = {one.socket for one in self._destinations.values()}
        self._receiver.use_sockets([one for one in self._sockets.values() if one in used])

    def _send_due(self, pace: SendPace) -> None:
        now_s = self._clock.steady_s()
        until = pace.due_count(now_s)
        while pace.done < until:
            destination = self._destinations.get(pace.names[pace.done])
            if destination is not None:
                if pace.late_s(now_s) > destination.timeout_s:
                    self._not_measured(destination, STALLED)
                    pace.stalled = True
                else:
                    self._send(destination)
            pace.done += 1

    async def _pause(self, pace: SendPace) -> bool:
        """Sleep until more requests are due; False when the prober was closed meanwhile."""
        receiver = self._receiver
        if receiver is None:
            return False
        now_s = self._clock.steady_s()
        wait_s = pace.wait_s(now_s)
        receiver.gaps.expect_wakeup(pace, now_s + wait_s)
        receiver.run_due_timer()
        try:
            await asyncio.sleep(wait_s)
            receiver.gaps.record_wakeup(self._clock.steady_s())
        finally:
            receiver.gaps.cancel_wakeup(pace)
        return self._receiver is receiver

    def _send(self, destination: Destination) -> None:
        """Send one request; an error is an outcome of this target alone."""
        if destination.socket is None:
            self._not_measured(destination, "EAFNOSUPPORT")
            return
        if self._carrier.any_down and self._has_no_carrier(destination):
            self._not_measured(destination, "ENETDOWN")
            return
        index, nonce = self._requests.next_index_and_nonce()
        try:
            sent_s = destination.socket.send(index, nonce, destination.socket_address)
        except OSError as error:
            self._not_measured(destination, errno_name(error))
            return
        self._requests.add(index, nonce, destination, sent_s)
        self._totals.sent += 1

    def _has_no_carrier(self, destination: Destination) -> bool:
        if destination.route_version != self._carrier.version:
            destination.route_version = self._carrier.version
            destination.interface = self._carrier.interface_to(destination.address)
        return self._carrier.is_down(destination.interface)

    def _not_measured(self, destination: Destination, reason: str) -> None:
        now_s = self._clock.steady_s()
        self._totals.errors[reason] += 1
        if self._receiver is not None:
            self._receiver.add_outcome(NotMeasured(destination.name, now_s, now_s, reason))

    def _destination(self, target: Target) -> Destination:
        try:
            address = ipaddress.ip_address(target.address)
            if address.version == 4:
                text, family = str(address), Family.V4
                socket_address: SocketAddress = (text, 0)
            else:
                # A link-local address names its interface (fe80::1%eth0): sendto() needs the index.
                scope = socket.if_nametoindex(address.scope_id) if address.scope_id else 0
                text, family = socket.inet_ntop(socket.AF_INET6, address.packed), Family.V6
                socket_address = (text, 0, 0, scope)
        except ValueError as error:
            raise ProbeError(
                f"{target.name}: {target.address!r} is not an IP address, such as 10.77.1.1"
            ) from error
        except OSError as error:
            raise ProbeError(
                f"{target.name}: {target.address!r} names a port that this machine does not have"
            ) from error
        return Destination(target, text, socket_address, self._sockets.get(family))

    def _close_sockets(self) -> None:
        for sock in self._sockets.values():
            sock.close()
        self._sockets.clear()


class SendPace:
    """When the requests of one round are due: evenly spread, late ones caught up. Steady seconds.

    done: how many names are processed.   stalled: whether some request was too late to be sent.
    """

    __slots__ = ("_interval_s", "_pause_s", "_start_s", "done", "names", "stalled")

    def __init__(self, names: Sequence[str], start_s: float, over_s: float) -> None:
        self.names = names
        self.done = 0
        self.stalled = False
        self._start_s = start_s
        self._interval_s = over_s / len(names) if names else 0.0
        self._pause_s = min(MAX_PAUSE_S, max(MIN_PAUSE_S, BURST * self._interval_s))

    @property
    def finished(self) -> bool:
        return self.done >= len(self.names)

    def due_count(self, now_s: float) -> int:
        """How many requests should be done after the present burst."""
        due = len(self.names)
        if self._interval_s > 0.0:
            due = min(due, int((now_s - self._start_s) / self._interval_s) + 1)
        return min(due, self.done + MAX_CATCH_UP)

    def late_s(self, now_s: float) -> float:
        """How late the next request is; negative before it is due."""
        return now_s - (self._start_s + self.done * self._interval_s)

    def wait_s(self, now_s: float) -> float:
        """How long to sleep before the next burst; 0: only yield to the event loop."""
        wait_s = -self.late_s(now_s)
        return max(wait_s, self._pause_s) if wait_s > 0.0 else 0.0
