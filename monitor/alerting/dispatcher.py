"""Outbox → channels: one worker a channel, so that a slow or dead one delays no other.

Rows are leased: a lease ends by itself, so a kill at any moment loses nothing (see `delivery`).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from monitor.alerting.delivery import ChannelState, ChannelWorker, DeliveryContext, MissingChannel
from monitor.core.alerting.model import Channel, OutboxRow, OutboxStatus
from monitor.core.alerting.self_checks import CheckKey, SelfCheck, SelfCheckReport
from monitor.core.errors import LedgerError
from monitor.core.warning import MonitorWarning, WarningValue

log = logging.getLogger("monitor.alerting.dispatcher")

REFRESH_S = 30.0
SHUTDOWN_S = 4.0
STUCK_S = 120.0
FAILING_S = 300.0
"""A channel that fails for so long is a warning, and no longer counts as working."""

DEAD_S = 600.0
"""A channel on which nothing goes through for so long is dead: a self-alert by the others."""

MAX_DEAD_SHOWN = 100


@dataclass(frozen=True, slots=True)
class _RunningWorker:
    worker: ChannelWorker
    task: asyncio.Task[None]
    channel: Channel


class Dispatcher:
    """Runs a worker for each channel; `run` is a service of the daemon.

    states: by channel. As of the last refresh: dead, number of messages given up; oldest_due_s,
    for how long the oldest due message has waited (0: none waits, None: the ledger failed).
    Opens no channel; closes those that it was given.
    """

    def __init__(self, context: DeliveryContext, channels: Mapping[str, Channel]) -> None:
        self.states: dict[str, ChannelState] = {}
        self.dead = 0
        self.oldest_due_s: float | None = None
        self._context = context
        self._channels = dict(channels)
        self._changed = asyncio.Event()
        self._running: dict[str, _RunningWorker] = {}

    async def run(self) -> None:
        """For ever; when cancelled, sends in progress have 4 s to end."""
        try:
            while True:
                self._changed.clear()
                await self._refresh()
                try:
                    async with asyncio.timeout(REFRESH_S):
                        await self._changed.wait()
                except TimeoutError:
                    continue
        finally:
            await self._shut_down()

    def reconfigure(self, channels: Mapping[str, Channel]) -> None:
        """Use these channels from now on; sends in progress on the old ones are finished first."""
        self._channels = dict(channels)
        self._changed.set()

    def wake(self) -> None:
        """The outbox has new rows."""
        for running in self._running.values():
            running.worker.wake()

    def workers_alive(self) -> bool:
        """Whether every worker has made a turn within the last 2 min."""
        now_s = self._context.clock.steady_s()
        return all(
            now_s - running.worker.state.turned_s < STUCK_S
            for running in self._running.values()
            if not running.task.done()
        )

    def has_working_channel(self) -> bool:
        """Whether at least one channel works (True when none is configured)."""
        now_s = self._context.clock.steady_s()
        failing = [
            self.states[name].failing_since_s for name in self._channels if name in self.states
        ]
        return not failing or any(
            since_s is None or now_s - since_s < FAILING_S for since_s in failing
        )

    def failures(self, notified: Collection[CheckKey]) -> list[SelfCheckReport]:
        """Dead channels. One that was notified stays so until a message goes through."""
        now_s = self._context.clock.steady_s()
        found = []
        for name in self._channels:
            state = self.states.get(name)
            if state is None:
                continue
            report = SelfCheckReport(SelfCheck.CHANNEL, 0.0, why=state.why, subject=name)
            since_s = state.failing_since_s
            is_known = report.key in notified
            if since_s is None:
                is_dead = is_known and state.sent == 0  # since the start nothing was tried
            else:
                is_dead = is_known or now_s - since_s >= DEAD_S
            if is_dead:
                found.append(report)
        return found

    def warnings(self) -> list[MonitorWarning]:
        """Channels that have failed for 5 min, and messages given up."""
        now_s = self._context.clock.steady_s()
        found = []
        for name, state in sorted(self.states.items()):
            if name not in self._channels or state.failing_since_s is None:
                continue
            length_s = now_s - state.failing_since_s
            if length_s >= FAILING_S:
                text = f"channel {name}: nothing can be sent for {length_s / 60:.0f} min"
                values: dict[str, WarningValue] = {
                    "channel": name,
                    "length_s": round(length_s),
                    "why": str(state.why),
                }
                found.append(MonitorWarning(f"{text} ({state.why})", "channel", values))
        if self.dead:
            count = str(self.dead)
            if self.dead >= MAX_DEAD_SHOWN:
                count = f"{MAX_DEAD_SHOWN} or more"
            text = f"{count} messages could not be delivered: see `pantau outbox --dead`"
            found.append(MonitorWarning(text, "dead", {"count": self.dead}))
        return found

    async def _refresh(self) -> None:
        """Read what waits and is dead; start and stop workers as the channels require."""
        wanted = dict(self._channels)
        call, outbox = self._context.call, self._context.ledger.outbox
        try:
            waiting = await call(outbox, OutboxStatus.PENDING)
            dead = await call(outbox, OutboxStatus.DEAD, limit=MAX_DEAD_SHOWN)
        except LedgerError as error:
            log.error("the outbox cannot be read: %s", error)
            self.oldest_due_s = None
        else:
            self.dead = len(dead)
            self.oldest_due_s = self._longest_wait_s(waiting)
            for row in waiting:
                if row.channel not in wanted:
                    wanted[row.channel] = self._missing_channel(row.channel)
        for name, running in self._running.items():
            if wanted.get(name) is not running.channel:
                running.worker.stop()
        for name, channel in wanted.items():
            self._start_worker(name, channel)

    def _missing_channel(self, name: str) -> Channel:
        running = self._running.get(name)
        if running is not None and isinstance(running.channel, MissingChannel):
            return running.channel
        return MissingChannel()

    def _longest_wait_s(self, waiting: Sequence[OutboxRow]) -> float:
        """A message that was tried waits since its first try, not since the last."""
        now_s = self._context.utc_s()
        since_s = (row.first_try_s or row.next_try_s for row in waiting)
        return max((now_s - each_s for each_s in since_s if each_s <= now_s), default=0.0)

    def _start_worker(self, name: str, channel: Channel) -> None:
        before = self._running.get(name)
        if before is not None and before.channel is channel and not before.task.done():
            return
        state = self.states.setdefault(name, ChannelState())
        worker = ChannelWorker(name, channel, self._context, state, self.wake)
        after = None if before is None else before.task
        task = asyncio.ensure_future(worker.run(after))
        self._running[name] = _RunningWorker(worker, task, channel)

    async def _shut_down(self) -> None:
        for running in self._running.values():
            running.worker.stop()
        tasks = {running.task for running in self._running.values() if not running.task.done()}
        if not tasks:
            return
        _, late = await asyncio.wait(tasks, timeout=SHUTDOWN_S)
        for task in late:
            task.cancel()
        if late:
            await asyncio.wait(late)
