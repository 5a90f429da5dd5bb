"""`Prober` over real ICMP: who is asked, and when."""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import socket
from collections.abc import Callable, Iterable, Sequence
from functools import partial

from monitor.adapters.icmp.absence import STALLED
from monitor.adapters.icmp.book import Aim, OutstandingRequests, Tally
from monitor.adapters.icmp.carrier import Carrier
from monitor.adapters.icmp.channel import IcmpSocket, Place
from monitor.adapters.icmp.listener import Listener
from monitor.adapters.icmp.opening import SocketMode, open_socket
from monitor.adapters.icmp.pace import SendPace
from monitor.adapters.icmp.stamps import Stamps, kernel_clock_s
from monitor.adapters.icmp.wire import Family
from monitor.adapters.icmp.words import errno_name
from monitor.core.errors import ProbeError
from monitor.core.model import NotMeasured, Target
from monitor.core.ports import Clock, Commit, OutcomeSink, ProbeCounters

BUFFER_BYTES = 8 << 20
NOT_OPEN = "the prober is not open: call open() first"

log = logging.getLogger(__name__)


class IcmpProber:
    """Asks every target through one socket a family.

    clock: gives the times in outcomes.   mode: which kind of socket (AUTO: what is permitted).
    buffer_bytes: room asked of the kernel, each way.   kernel_s: the clock of its stamps.
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
        self._tally = Tally()
        self._book = OutstandingRequests(self._tally)
        self._channels: dict[Family, IcmpSocket] = {}
        self._carrier = Carrier()
        self._listener: Listener | None = None
        self._aims: dict[str, Aim] = {}

    async def open(self, sink: OutcomeSink) -> None:
        steady_s = self._clock.steady_s
        self._book = OutstandingRequests(self._tally)
        self._aims = {}
        try:
            for family in Family:
                opened = open_socket(family, self._mode, self._buffer_bytes)
                if opened is not None:
                    self._channels[family] = IcmpSocket(family, opened, steady_s)
        except ProbeError:
            self._close_channels()
            raise
        self._carrier.open()
        channels = tuple(self._channels.values())
        stamps = Stamps(steady_s, self._kernel_s)
        self._listener = Listener(self._book, self._tally, stamps, steady_s, sink)
        for channel in channels:
            log.info("probing %s with a %s socket", channel.family.label, channel.mode.value)

    def prepare(self, targets: Iterable[Target]) -> Commit:
        """Resolve the addresses of a new set of targets. Raises ProbeError and changes nothing.

        The returned function puts the set in force: it cannot fail and does not await.
        """
        if self._listener is None:
            raise ProbeError(NOT_OPEN)
        return partial(self._commit, [self._aim(target) for target in targets])

    def watch(self, targets: Iterable[Target]) -> None:
        """Prepare a set of targets and put it in force. Raises ProbeError."""
        self.prepare(targets)()

    def _commit(self, prepared: list[Aim]) -> None:
        before = self._aims
        self._aims = {aim.name: aim.in_place_of(before.get(aim.name)) for aim in prepared}
        for name, aim in before.items():
            aim.live = self._aims.get(name) is aim
        if self._listener is None:
            return
        self._listener.drop({name for name, aim in before.items() if not aim.live})
        used = {aim.channel for aim in self._aims.values()}
        self._listener.listen_to([one for one in self._channels.values() if one in used])

    async def round(self, names: Sequence[str], over_s: float) -> None:
        """Sends that come late are caught up; one later than its time-out is not sent at all."""
        if self._listener is None:
            raise ProbeError(NOT_OPEN)
        pace = SendPace(names, self._clock.steady_s(), over_s)
        while not pace.finished:
            self._send_due(pace)
            if not pace.finished and not await self._wait(pace):
                return
        self._listener.glance()
        if pace.stalled:
            self._tally.stalled_rounds += 1
            log.warning("a round of %d requests came too late for some of them", len(names))

    def counters(self) -> ProbeCounters:
        return self._tally.counters()

    async def close(self) -> None:
        if self._listener is not None:
            self._listener.close()
            self._listener = None
            self._carrier.close()
        self._close_channels()

    def _send_due(self, pace: SendPace) -> None:
        now_s = self._clock.steady_s()
        until = pace.until(now_s)
        while pace.done < until:
            aim = self._aims.get(pace.names[pace.done])
            if aim is not None:
                if pace.late_s(now_s) > aim.timeout_s:
                    self._not_measured(aim, STALLED)
                    pace.stalled = True
                else:
                    self._send(aim)
            pace.done += 1

    async def _wait(self, pace: SendPace) -> bool:
        """Let the event loop do other things; False when the prober was closed meanwhile."""
        listener = self._listener
        if listener is None:
            return False
        now_s = self._clock.steady_s()
        wait_s = pace.wait_s(now_s)
        listener.expect(pace, now_s + wait_s)
        listener.glance()
        try:
            await asyncio.sleep(wait_s)
            listener.woken()
        finally:
            listener.forget(pace)
        return self._listener is listener

    def _send(self, aim: Aim) -> None:
        """Send one request, or say why not; the others go on."""
        if aim.channel is None:
            self._not_measured(aim, "EAFNOSUPPORT")
            return
        if self._carrier.any_dead and self._has_no_cable(aim):
            self._not_measured(aim, "ENETDOWN")
            return
        index, nonce = self._book.new_marks()
        try:
            sent_s = aim.channel.send(index, nonce, aim.place)
        except OSError as error:
            self._not_measured(aim, errno_name(error))
            return
        self._book.enter(index, nonce, aim, sent_s)
        self._tally.sent += 1

    def _has_no_cable(self, aim: Aim) -> bool:
        if aim.news != self._carrier.news:
            aim.news = self._carrier.news
            aim.port = self._carrier.port_to(aim.address)
        return self._carrier.is_dead(aim.port)

    def _not_measured(self, aim: Aim, reason: str) -> None:
        now_s = self._clock.steady_s()
        self._tally.errors[reason] += 1
        if self._listener is not None:
            self._listener.tell(NotMeasured(aim.name, now_s, now_s, reason))

    def _aim(self, target: Target) -> Aim:
        try:
            address = ipaddress.ip_address(target.address)
            if address.version == 4:
                plain, family = str(address), Family.V4
                place: Place = (plain, 0)
            else:
                # A link-local address names its port (fe80::1%eth0): the socket wants its number.
                scope = socket.if_nametoindex(address.scope_id) if address.scope_id else 0
                plain, family = socket.inet_ntop(socket.AF_INET6, address.packed), Family.V6
                place = (plain, 0, 0, scope)
        except ValueError as error:
            raise ProbeError(
                f"{target.name}: {target.address!r} is not an IP address, such as 10.77.1.1"
            ) from error
        except OSError as error:
            raise ProbeError(
                f"{target.name}: {target.address!r} names a port that this machine does not have"
            ) from error
        return Aim(target, plain, place, self._channels.get(family))

    def _close_channels(self) -> None:
        for channel in self._channels.values():
            channel.close()
        self._channels.clear()
