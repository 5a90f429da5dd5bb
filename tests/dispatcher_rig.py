"""A dispatcher on a ledger in memory and a clock that the test moves."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from monitor.alerting.delivery import DeliveryContext
from monitor.alerting.dispatcher import Dispatcher
from monitor.core.alerting.alerting_state import AlertingState
from monitor.core.alerting.model import Channel, EventKind, OutboxRow, OutboxStatus, Wording
from monitor.core.alerting.outbox import encode_body
from monitor.core.alerting.settings import AlertSettings
from monitor.core.alerting.unrecorded import UnrecordedMessages
from monitor.core.progress import WriterState
from tests.core.alerting.scenario import ALERTS, NET
from tests.fakes.channel import MemoryChannel
from tests.fakes.clock import ManualClock
from tests.fakes.ledger import MemoryLedger

T = TypeVar("T")


async def run_inline(what: Callable[[], T], /) -> T:
    """An `Executor` without a thread."""
    return what()


@dataclass
class DispatcherRig:
    """Times are seconds since the start."""

    alerts: AlertSettings = ALERTS
    channels: Mapping[str, Channel] | None = None
    chance: float = 0.5
    clock: ManualClock = field(default_factory=ManualClock)
    ledger: MemoryLedger = field(default_factory=MemoryLedger)

    async def open(self) -> DispatcherRig:
        self.start_s = self.clock.steady_s()
        self.boxes = {channel.id: MemoryChannel() for channel in self.alerts.channels}
        self.alerting_state = AlertingState(self.alerts, NET)
        self.writer = WriterState()
        self.unrecorded = UnrecordedMessages(self.clock.steady_s, self.writer)
        context = DeliveryContext(
            ledger=self.ledger,
            alerting_state=self.alerting_state,
            clock=self.clock,
            sleep=self._sleep,
            chance=lambda: self.chance,
            executor=run_inline,
            unrecorded=self.unrecorded,
            queue=self.unrecorded.add,
        )
        self.dispatcher = Dispatcher(context, self.channels or self.boxes)
        self.running = asyncio.ensure_future(self.dispatcher.run())
        await self.clock.run(0)
        return self

    async def close(self) -> None:
        self.running.cancel()
        await asyncio.wait({self.running})

    async def _sleep(self, for_s: float) -> None:
        await self.clock.sleep_until(self.clock.steady_s() + for_s)

    def queue(
        self,
        incident: int = 1,
        event: EventKind = EventKind.OPENED,
        *,
        sequence: int = 1,
        channel: str = "chat",
        recipient: str = "ani",
        text: str | None = None,
        about: tuple[int, ...] = (),
    ) -> None:
        """Record a row that is due now and wake the dispatcher."""
        body = encode_body(
            Wording("title", text or f"text {incident}.{sequence}"), [{"id": incident}]
        )
        made = OutboxRow(
            *(incident, sequence, channel, recipient, event, body, self.utc_s()), about=about
        )
        self.ledger.record([], [made])
        self.dispatcher.wake()

    def utc_s(self) -> float:
        return self.clock.utc_s(self.clock.steady_s())

    async def advance(self, for_s: float = 0.0) -> None:
        await self.clock.run(for_s)

    def elapsed_s(self) -> float:
        return round(self.clock.steady_s() - self.start_s, 3)

    def texts(self, channel: str = "chat") -> list[str]:
        """The texts that the channel accepted, without the code."""
        return [m.text.rpartition("\n")[0] for m in self.boxes[channel].accepted]

    def statuses(self) -> list[tuple[str, OutboxStatus]]:
        return [(row.channel, row.status) for row in self.ledger.outbox()]
