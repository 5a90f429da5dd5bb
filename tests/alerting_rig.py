"""From a silent link to a delivered message: detector, policy, ledger, dispatcher, on one clock.

Fakes at the ports only: prober, ledger, channels, clock. Writes to the ledger take a real thread,
so messages are waited for.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field

from monitor.alerting.alert_trigger import AlertTrigger
from monitor.alerting.delivery import DeliveryContext
from monitor.alerting.dispatcher import Dispatcher
from monitor.alerting.given_out_keeper import GivenOutKeeper, restore_given_out
from monitor.alerting.late_openings import LateOpenings
from monitor.core.alerting.alerting_state import AlertingState
from monitor.core.alerting.model import Channel, EventKind, Notification, OutboxRow, OutboxStatus
from monitor.core.alerting.notifier import Notifier
from monitor.core.alerting.policy_state import read_policy_history, restore_policy_state
from monitor.core.alerting.ports import AlertLedger, GivenOutStore
from monitor.core.alerting.settings import AlertSettings
from monitor.core.alerting.unrecorded import UnrecordedMessages
from monitor.core.detection.detector import restored_detector
from monitor.core.model import Network
from monitor.core.progress import DaemonProgress
from monitor.pipeline.pipeline import Pipeline
from monitor.probing.ping_rounds import PingRounds
from tests.core.alerting.scenario import ALERTS
from tests.dispatcher_rig import run_inline
from tests.fakes.channel import MemoryChannel
from tests.fakes.clock import ManualClock
from tests.fakes.given_out import MemoryGivenOut
from tests.fakes.journal import MemoryJournal
from tests.fakes.ledger import MemoryLedger
from tests.fakes.prober import FakeProber
from tests.job_driver import run_jobs
from tests.waiting import eventually_async


@dataclass
class AlertingRig:
    """run_for() lets time pass; wait_for_messages() waits until the outbox is empty."""

    network: Network
    alerts: AlertSettings = ALERTS
    clock: ManualClock = field(default_factory=ManualClock)
    ledger: AlertLedger = field(default_factory=MemoryLedger)
    channels: Mapping[str, Channel] | None = None
    given_out: GivenOutStore = field(default_factory=MemoryGivenOut)

    async def open(self) -> AlertingRig:
        self.boxes = {channel.id: MemoryChannel() for channel in self.alerts.channels}
        self.prober = FakeProber(self.clock)
        self.alerting_state = AlertingState(self.alerts, self.network)
        now_s = self.clock.steady_s()
        snapshot, given_out = restore_given_out(self.given_out, self.ledger.load_snapshot())
        history = read_policy_history(self.ledger, now_s)
        state = restore_policy_state(history, now_s, now_s, given_out)
        keeper = GivenOutKeeper(self.given_out, given_out, run_inline)
        self.notifier = Notifier(state, self.alerting_state, lambda _: True)
        self.progress = DaemonProgress()
        self.unrecorded = UnrecordedMessages(self.clock.steady_s, self.progress.ledger)
        context = DeliveryContext(
            *(self.ledger, self.alerting_state, self.clock, run_inline, self.unrecorded),
            *(self._queue_messages, self.notifier.note_passed_on, self._sleep, lambda: 0.5),
            before_memory=keeper.keep,
        )
        self.dispatcher = Dispatcher(context, self.channels or self.boxes)
        self.pipeline = Pipeline(
            self.network,
            restored_detector(self.network, snapshot, now_s),
            self.clock,
            self.ledger,
            MemoryJournal(),
            retry_s=0.01,
            notifier=self.notifier,
            on_queued=self.dispatcher.wake,
            progress=self.progress,
            unrecorded=self.unrecorded,
        )
        await self.prober.open(self.pipeline.take)
        alert_trigger = AlertTrigger(self.pipeline, self.notifier, self.dispatcher)
        rounds = PingRounds(self.prober, self.pipeline, self.clock)
        rounds.prepare(self.network)()
        late_openings = LateOpenings(
            self.ledger, self.clock, self.alerting_state, run_inline, self.pipeline
        )
        self.jobs = [*rounds.jobs(), *alert_trigger.jobs(), *late_openings.jobs()]
        services: list[Callable[[], Awaitable[None]]] = [
            self.pipeline.run,
            self.dispatcher.run,
        ]
        self._services = [asyncio.ensure_future(service()) for service in services]
        return self

    async def close(self) -> None:
        for service in self._services:
            service.cancel()
        await asyncio.wait(self._services)
        self.pipeline.close()

    def _queue_messages(self, rows: Sequence[OutboxRow]) -> None:
        self.pipeline.queue_messages(rows)

    async def _sleep(self, for_s: float) -> None:
        await self.clock.sleep_until(self.clock.steady_s() + for_s)

    async def run_for(self, for_s: float) -> None:
        await run_jobs(self.jobs, self.clock, for_s)

    async def wait_for_messages(self, count: int, channel: str = "chat") -> list[Notification]:
        """Wait for so many messages, and until the outbox is empty."""
        box = self.boxes[channel]
        await eventually_async(lambda: len(box.accepted) >= count and self.is_idle())
        return box.accepted

    def is_idle(self) -> bool:
        unsent = (OutboxStatus.PENDING, OutboxStatus.LEASED)
        return all(row.status not in unsent for row in self.ledger.outbox())


def event_and_targets(message: Notification) -> tuple[EventKind, list[object]]:
    """The event of a message, and the targets of its incidents."""
    documents = message.incidents if message.incident is None else (message.incident,)
    return message.event, [document["target"] for document in documents]
