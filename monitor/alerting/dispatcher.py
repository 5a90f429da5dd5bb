"""Outbox → channels: one worker a channel, so that a slow or dead one delays no other.

Only what is committed is sent, and it is marked after the channel took it: at least once, with a
key by which the other side can tell a second copy. Leases end by themselves, so a kill at any
moment loses nothing.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from monitor.alerting.delivery import ChannelWorker
from monitor.alerting.delivery_context import ChannelState, DeliveryContext, MissingChannel
from monitor.core.alerting.model import Channel, OutboxRow, OutboxStatus
from monitor.core.errors import LedgerError
from monitor.core.warning import MonitorWarning, WarningValue

__all__ = ["ChannelState", "DeliveryContext", "Dispatcher"]

log = logging.getLogger("monitor.alerting.dispatcher")

LOOK_S = 30.0
FINISH_S = 4.0
STUCK_S = 120.0
LONG_S = 300.0
SHOWN_DEAD = 100


@dataclass(frozen=True, slots=True)
class _Post:
    worker: ChannelWorker
    task: asyncio.Task[None]
    channel: Channel


class Dispatcher:
    """Keeps a worker for each channel; `run` is a service of the daemon.

    states: how each channel is doing. As of the last look: dead, messages that were given up;
    oldest_due_s, for how long the oldest one that is due waits (0: none does, None: not known).
    Opens no channel; closes those that it was given.
    """

    def __init__(self, context: DeliveryContext, channels: Mapping[str, Channel]) -> None:
        self.states: dict[str, ChannelState] = {}
        self.dead = 0
        self.oldest_due_s: float | None = None
        self._context = context
        self._channels = dict(channels)
        self._changed = asyncio.Event()
        self._posts: dict[str, _Post] = {}

    async def run(self) -> None:
        """For ever; when it is cancelled, what is under way has 4 s to end."""
        try:
            while True:
                self._changed.clear()
                await self._look()
                try:
                    async with asyncio.timeout(LOOK_S):
                        await self._changed.wait()
                except TimeoutError:
                    continue
        finally:
            await self._finish()

    def reconfigure(self, channels: Mapping[str, Channel]) -> None:
        """Other channels from now on; what is under way on the old ones is finished first."""
        self._channels = dict(channels)
        self._changed.set()

    def wake(self) -> None:
        """There is something new to send."""
        for post in self._posts.values():
            post.worker.wake()

    def workers_alive(self) -> bool:
        """Does every worker turn?"""
        now_s = self._context.clock.steady_s()
        return all(
            now_s - post.worker.state.turned_s < STUCK_S
            for post in self._posts.values()
            if not post.task.done()
        )

    def has_working_channel(self) -> bool:
        """Is there a way out that works? (also when none is configured)"""
        now_s = self._context.clock.steady_s()
        failing = [
            self.states[name].failing_since_s for name in self._channels if name in self.states
        ]
        return not failing or any(
            since_s is None or now_s - since_s < LONG_S for since_s in failing
        )

    def warnings(self) -> list[MonitorWarning]:
        """What people must know: channels that fail for long, messages given up."""
        now_s = self._context.clock.steady_s()
        found = []
        for name, state in sorted(self.states.items()):
            if name not in self._channels or state.failing_since_s is None:
                continue
            length_s = now_s - state.failing_since_s
            if length_s >= LONG_S:
                text = f"channel {name}: nothing can be sent for {length_s / 60:.0f} min"
                values: dict[str, WarningValue] = {
                    "channel": name,
                    "length_s": round(length_s),
                    "why": str(state.why),
                }
                found.append(MonitorWarning(f"{text} ({state.why})", "channel", values))
        if self.dead:
            many = f"{SHOWN_DEAD} or more" if self.dead >= SHOWN_DEAD else str(self.dead)
            text = f"{many} messages could not be delivered: see `pantau outbox --dead`"
            found.append(MonitorWarning(text, "dead", {"count": self.dead}))
        return found

    async def _look(self) -> None:
        wanted = dict(self._channels)
        try:
            waiting = await self._context.call(self._context.ledger.outbox, OutboxStatus.PENDING)
            dead = await self._context.call(
                self._context.ledger.outbox, OutboxStatus.DEAD, limit=SHOWN_DEAD
            )
        except LedgerError as error:
            log.error("the outbox cannot be read: %s", error)
            self.oldest_due_s = None
        else:
            self.dead = len(dead)
            self.oldest_due_s = self._oldest_due_s(waiting)
            for row in waiting:
                if row.channel not in wanted:
                    there = self._posts.get(row.channel)
                    is_nowhere = there is not None and isinstance(there.channel, MissingChannel)
                    wanted[row.channel] = (
                        there.channel if there and is_nowhere else MissingChannel()
                    )
        for name, post in self._posts.items():
            if wanted.get(name) is not post.channel:
                post.worker.stop()
        for name, channel in wanted.items():
            self._employ(name, channel)

    def _oldest_due_s(self, waiting: Sequence[OutboxRow]) -> float:
        """A message that was tried waits since its first try, not since the last."""
        now_s = self._context.clock.utc_s(self._context.clock.steady_s())
        since_s = (row.first_try_s or row.next_try_s for row in waiting)
        return max((now_s - each_s for each_s in since_s if each_s <= now_s), default=0.0)

    def _employ(self, name: str, channel: Channel) -> None:
        before = self._posts.get(name)
        if before is not None and before.channel is channel and not before.task.done():
            return
        state = self.states.setdefault(name, ChannelState())
        worker = ChannelWorker(name, channel, self._context, state)
        after = None if before is None else before.task
        task = asyncio.ensure_future(worker.run(after))
        self._posts[name] = _Post(worker, task, channel)

    async def _finish(self) -> None:
        for post in self._posts.values():
            post.worker.stop()
        tasks = {post.task for post in self._posts.values() if not post.task.done()}
        if not tasks:
            return
        _, late = await asyncio.wait(tasks, timeout=FINISH_S)
        for task in late:
            task.cancel()
        if late:
            await asyncio.wait(late)
