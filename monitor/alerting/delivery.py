"""One channel's worker: lease outbox rows, send them, mark the result.

A row is sent after it is committed and marked after the channel accepted it: at least once, with a
key by which the receiver recognises a second copy. While the ledger cannot be written, rows are
sent from memory and recorded later (see core/alerting/unrecorded.py). Whatever a channel raises is
logged without its text (it may hold a secret), counted, and the rows are retried.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from random import random
from traceback import extract_tb
from typing import ParamSpec, TypeVar

from monitor.core.alerting.alerting_state import AlertingState
from monitor.core.alerting.fallback import PassedOn, pass_on
from monitor.core.alerting.model import (
    Channel,
    Delivered,
    Delivery,
    DeliveryBatch,
    Notification,
    OutboxRow,
    OutboxStatus,
    PolicyDecision,
    Recipient,
    Rejected,
    RetryLater,
)
from monitor.core.alerting.outbox import (
    CODE_CHARACTERS,
    GIVE_UP_S,
    combine_batches,
    decode_notification,
    due_batches,
    merge_notifications,
    retry_delay_s,
    with_code,
)
from monitor.core.alerting.ports import AlertLedger
from monitor.core.alerting.reasons import Reason
from monitor.core.alerting.settings import ChannelSettings
from monitor.core.alerting.unrecorded import (
    MARK_CHARACTERS,
    UnrecordedMessages,
    mark_unrecorded,
)
from monitor.core.errors import LedgerError
from monitor.core.executor import Executor
from monitor.core.ports import Clock

log = logging.getLogger("monitor.alerting.delivery")

LEASE_S = 60.0
LEASE_ROWS = 20
POLL_S = 10.0
WAKE_MARGIN_S = 0.01
RATE_WINDOW_S = 60.0
LEDGER_RETRY_S = 2.0
MAX_SEND_S = 30.0
"""A channel limits itself to 20 s; this limits one that does not."""


P = ParamSpec("P")
T = TypeVar("T")


async def _nothing(rows: Sequence[OutboxRow]) -> None:
    return


@dataclass(frozen=True, slots=True)
class DeliveryContext:
    """What every worker needs.

    executor: runs ledger calls. unrecorded, queue: messages that the ledger has not taken yet, and
    what queues further ones for it. on_passed_on: told why refused messages go
    by a further channel. before_memory: called with rows that are about to be sent although the
    ledger does not have them (see core/alerting/given_out.py). sleep, chance (0 to 1, spreads the
    retries): replaced in tests.
    """

    ledger: AlertLedger
    alerting_state: AlertingState
    clock: Clock
    executor: Executor
    unrecorded: UnrecordedMessages
    queue: Callable[[Sequence[OutboxRow]], None]
    on_passed_on: Callable[[Sequence[PolicyDecision]], None] = lambda _: None
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    chance: Callable[[], float] = random
    lease_s: float = LEASE_S
    before_memory: Callable[[Sequence[OutboxRow]], Awaitable[None]] = _nothing

    async def call(self, what: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a blocking call beside the event loop."""
        return await self.executor(partial(what, *args, **kwargs))

    def utc_s(self) -> float:
        """The present time (Unix seconds)."""
        return self.clock.utc_s(self.clock.steady_s())


@dataclass(slots=True)
class ChannelState:
    """Health and counts of a channel; outlives a reload. Times are steady seconds.

    why: the error of the last send; None: it succeeded. turned_s: the last turn of its worker.
    sends: starts of those of the last minute. not_before_s: the end of the pause it asked for.
    """

    why: str | None = None
    failing_since_s: float | None = None
    turned_s: float = float("-inf")
    sent: int = 0
    failed: int = 0
    dead: int = 0
    faults: int = 0
    sends: deque[float] = field(default_factory=deque)
    not_before_s: float = float("-inf")


class MissingChannel:
    """`Channel` of rows whose channel is no longer configured: refuses them."""

    async def send(self, message: Notification) -> Delivery:
        return Rejected("alerts.toml names no such channel")

    async def close(self) -> None:
        return


class ChannelWorker:
    """Sends what is due on one channel, in order, until it is stopped."""

    def __init__(
        self,
        name: str,
        channel: Channel,
        context: DeliveryContext,
        state: ChannelState,
        wake_others: Callable[[], None],
    ) -> None:
        self.name = name
        self._wake_others = wake_others
        self.state = state
        self._channel = channel
        self._context = context
        self._ledger = context.ledger
        self._wake = asyncio.Event()
        self._stopping = False
        self._unmarked: deque[tuple[int, tuple[int, ...], float]] = deque()
        self._next_retry_s = float("inf")
        self._ledger_failing = False
        self._is_released = False
        self._failed_alone: Counter[int] = Counter()

    def wake(self) -> None:
        """Look at the outbox now: there may be new rows."""
        self._wake.set()

    def stop(self) -> None:
        """Finish the send in progress, start no other."""
        self._stopping = True
        self._wake.set()

    async def run(self, after: asyncio.Task[None] | None = None) -> None:
        """Until stopped. after: the previous worker of this channel; it finishes first."""
        try:
            if after is not None:
                await asyncio.wait({after})
            while not self._stopping:
                self.state.turned_s = self._context.clock.steady_s()
                wait_s = await self._guarded(self._turn(), LEDGER_RETRY_S)
                if wait_s > 0 and not self._stopping:
                    await self._wait(wait_s)
        finally:
            await self._channel.close()

    async def _turn(self) -> float:
        """Send what is due; returns for how long nothing more will be (0: look again at once)."""
        now_s = self._context.clock.steady_s()
        if now_s < self.state.not_before_s:
            return self.state.not_before_s - now_s
        if self._context.unrecorded.is_needed(self.name):
            return await self._send_without_ledger()
        try:
            await self._mark_sent()
            free = self._free_slots(now_s)
            if free == 0:
                return self._until_free_s(now_s)
            # While the channel fails, one at a time: each attempt may take 20 s.
            limit = LEASE_ROWS if self.state.failing_since_s is None else 1
            lease = partial(self._ledger.lease, self.name, self._context.utc_s())
            leased = await self._context.call(lease, self._context.lease_s, limit)
            if not leased:
                return self._until_next_s(now_s)
            batches = [batch for batch in leased if not await self._settle(batch)]
            await self._send_all(batches, free)
        except LedgerError as error:
            if not self._ledger_failing:
                log.error("channel %s sends without the ledger: %s", self.name, error)
            self._ledger_failing = True
            return await self._send_without_ledger()
        self._ledger_failing = False
        return 0.0

    def _until_next_s(self, now_s: float) -> float:
        if self._next_retry_s + WAKE_MARGIN_S <= now_s:
            self._next_retry_s = float("inf")
        return min(POLL_S, self._next_retry_s + WAKE_MARGIN_S - now_s)

    async def _settle(self, batch: DeliveryBatch) -> bool:
        """Mark a leased message that was sent (or given up) from memory; False: it was not."""
        tried = self._context.unrecorded.outcome(batch.row)
        if tried is None:
            return False
        if tried.sent_s is not None:
            replaced = [row.id for row in batch.replaced]
            await self._context.call(self._ledger.mark_sent, batch.row.id, replaced, tried.sent_s)
        else:
            await self._context.call(self._ledger.mark_dead, batch.ids, tried.last_error or "")
        self._context.unrecorded.settle([batch.row, *batch.replaced])
        return True

    async def _send_without_ledger(self) -> float:
        """Send what is due although the ledger cannot be written; returns as `_turn` does."""
        free = self._free_slots(self._context.clock.steady_s())
        unrecorded = self._context.unrecorded
        rows = unrecorded.unsent(self.name, await self._readable_rows())
        limit = LEASE_ROWS if self.state.failing_since_s is None else 1
        due = due_batches(rows, self._context.utc_s(), limit)
        if not due or free == 0:
            return LEDGER_RETRY_S
        most = self._context.alerting_state.routing.most_characters(self.name)
        waiting = deque(combine_batches(due, free, most - MARK_CHARACTERS))
        while waiting and not self._stopping:
            now_s = self._context.clock.steady_s()
            if now_s < self.state.not_before_s or self._free_slots(now_s) == 0:
                break
            group = waiting.popleft()
            await self._context.before_memory(
                [batch.row for batch in group if unrecorded.is_unrecorded(batch.row)]
            )
            delivery = await self._send(group, from_memory=True)
            if isinstance(delivery, Delivered):
                for batch in group:
                    unrecorded.note_sent(batch, self._context.utc_s())
            elif isinstance(delivery, Rejected) and len(group) > 1:
                waiting.extendleft([batch] for batch in reversed(group))
            else:
                for batch in group:
                    self._note_failed(batch, delivery)
        return 0.0

    async def _readable_rows(self) -> list[OutboxRow]:
        """The undelivered rows of this channel, if the ledger can still be read; else none."""
        outbox = self._ledger.outbox
        try:
            found = [
                *await self._context.call(outbox, OutboxStatus.PENDING),
                *await self._context.call(outbox, OutboxStatus.LEASED),
            ]
        except LedgerError:
            return []
        sent = {number for row, replaced, _ in self._unmarked for number in (row, *replaced)}
        return [row for row in found if row.channel == self.name and row.id not in sent]

    def _note_failed(self, batch: DeliveryBatch, delivery: RetryLater | Rejected) -> None:
        """As `_mark_failed`, in memory."""
        unrecorded, utc_s = self._context.unrecorded, self._context.utc_s()
        if self._is_given_up(batch, delivery, utc_s):
            unrecorded.note_dead(batch, delivery.why)
            self.state.dead += 1
            self._context.queue(self._by_next_channel(batch.row, utc_s).rows)
            return
        delay_s = self._retry_delay_s(batch, delivery)
        unrecorded.note_failed(batch, delivery.why, utc_s, utc_s + delay_s)

    def _is_given_up(
        self, batch: DeliveryBatch, delivery: RetryLater | Rejected, utc_s: float
    ) -> bool:
        first_s = batch.row.first_try_s
        too_old = first_s is not None and utc_s - first_s >= GIVE_UP_S
        return isinstance(delivery, Rejected) or too_old

    def _retry_delay_s(self, batch: DeliveryBatch, delivery: RetryLater | Rejected) -> float:
        """For how long the message waits; the channel too, where it asked for that."""
        asked_s = delivery.after_s if isinstance(delivery, RetryLater) else None
        delay_s = retry_delay_s(max(1, batch.row.attempts), self._context.chance(), asked_s)
        now_s = self._context.clock.steady_s()
        if asked_s is not None:
            self.state.not_before_s = now_s + delay_s
        self._next_retry_s = min(self._next_retry_s, now_s + delay_s)
        return delay_s

    async def _send_all(self, batches: Sequence[DeliveryBatch], free: int) -> None:
        """Send leased batches, merged where the rate limit leaves too few slots (`free`)."""
        most = self._context.alerting_state.routing.most_characters(self.name)
        waiting = deque(combine_batches(batches, free, most))
        while waiting:
            now_s = self._context.clock.steady_s()
            if self._stopping or now_s < self.state.not_before_s or self._free_slots(now_s) == 0:
                left = [number for group in waiting for batch in group for number in batch.ids]
                await self._context.call(self._ledger.release, left)
                return
            group = waiting.popleft()
            delivery = await self._send(group)
            if isinstance(delivery, Delivered):
                first, *others = group
                replaced = [row.id for row in first.replaced]
                replaced += [number for batch in others for number in batch.ids]
                self._unmarked.append((first.row.id, tuple(replaced), self._context.utc_s()))
                await self._mark_sent()
                await self._release_waiting()
            elif isinstance(delivery, Rejected) and len(group) > 1:
                # One part may be the cause: each has to be refused by itself.
                waiting.extendleft([batch] for batch in reversed(group))
            else:
                for batch in group:
                    await self._mark_failed(batch, delivery)
                self._is_released &= isinstance(delivery, Rejected)

    async def _send(self, group: Sequence[DeliveryBatch], *, from_memory: bool = False) -> Delivery:
        """Send batches as one message and count the result."""
        now_s = self._context.clock.steady_s()
        self.state.turned_s = now_s
        self.state.sends.append(now_s)
        delivery = await self._guarded(
            self._attempt(group, from_memory), RetryLater("a fault of pantau")
        )
        if isinstance(delivery, Delivered):
            for batch in group:
                self._context.unrecorded.note_accepted(batch.row)
            self.state.sent += 1
            self.state.why = self.state.failing_since_s = None
        else:
            self.state.failed += 1
            self.state.why = delivery.why
            if self.state.failing_since_s is None:
                self.state.failing_since_s = now_s
            log.warning("channel %s: %s", self.name, delivery.why)
        return delivery

    async def _attempt(self, group: Sequence[DeliveryBatch], from_memory: bool) -> Delivery:
        at_s = self._context.utc_s()
        read = self._read_from_memory if from_memory else decode_notification
        try:
            parts = [with_code(read(batch.row, at_s)) for batch in group]
            message = merge_notifications(parts)
        except (ValueError, LookupError) as error:
            return Rejected(f"its text cannot be read ({type(error).__name__})")
        try:
            async with asyncio.timeout(MAX_SEND_S):
                return await self._channel.send(message)
        except TimeoutError:
            return RetryLater(f"no answer within {MAX_SEND_S:g} s")

    def _read_from_memory(self, row: OutboxRow, at_s: float) -> Notification:
        message = decode_notification(row, at_s)
        if not self._context.unrecorded.is_unrecorded(row):
            return message
        routing = self._context.alerting_state.routing
        language = routing.language(Recipient(row.recipient, row.channel))
        return mark_unrecorded(
            message, language, routing.most_characters(self.name) - CODE_CHARACTERS
        )

    async def _release_waiting(self) -> None:
        """After the first success since a failure or the start: let nothing wait for a retry.

        But what has failed twice although the channel worked: the fault is probably its own.
        """
        if self._is_released:
            return
        stubborn = [number for number, times in self._failed_alone.items() if times > 1]
        release = partial(self._ledger.release_waiting, self.name, stubborn)
        released = await self._context.call(release, self._context.utc_s())
        self._is_released = True
        if released:
            log.info("channel %s works: %d messages that waited go now", self.name, released)

    async def _mark_sent(self) -> None:
        """Mark what was accepted; until the ledger has stored that, nothing more is leased."""
        while self._unmarked:
            await self._context.call(self._ledger.mark_sent, *self._unmarked[0])
            self._unmarked.popleft()

    async def _mark_failed(self, batch: DeliveryBatch, delivery: RetryLater | Rejected) -> None:
        """Reschedule it; what is refused or older than a day is dead and tries the next channel."""
        utc_s = self._context.utc_s()
        if self._is_given_up(batch, delivery, utc_s):
            passed_on = self._by_next_channel(batch.row, utc_s)
            instead = passed_on.rows
            self.state.dead += 1
            mark_dead = partial(self._ledger.mark_dead, batch.ids, delivery.why)
            await self._context.call(mark_dead, instead, passed_on.policy_decisions)
            self._wake_others()
            by = f"goes on by {instead[0].channel}" if instead else "no other channel is left"
            log.error("message %d is dead on %s: %s", batch.row.id, self.name, by)
            return
        if self._is_released:
            self._failed_alone.update(batch.ids)
        delay_s = self._retry_delay_s(batch, delivery)
        reschedule = partial(self._ledger.reschedule, batch.ids, delivery.why)
        await self._context.call(reschedule, utc_s + delay_s)

    def _by_next_channel(self, row: OutboxRow, utc_s: float) -> PassedOn:
        """The same message by the recipient's next channel."""
        routing, reason = self._context.alerting_state.routing, Reason.NEXT_CHANNEL_AFTER_REFUSAL
        passed_on = pass_on(row, routing, reason, utc_s)
        self._context.on_passed_on(passed_on.policy_decisions)
        return passed_on

    def _settings(self) -> ChannelSettings | None:
        channels = self._context.alerting_state.alerts.channels
        return next((each for each in channels if each.id == self.name), None)

    def _free_slots(self, now_s: float) -> int:
        """How many messages the channel's limit per minute allows now.

        Two fifths of the limit at once, the rest spread evenly over the minute: then no message
        waits for a whole minute because others came before it.
        """
        sends = self.state.sends
        while sends and sends[0] <= now_s - RATE_WINDOW_S:
            sends.popleft()
        settings = self._settings()
        if settings is None or settings.per_minute is None:
            return LEASE_ROWS
        burst = _burst(settings.per_minute)
        if len(sends) < burst:
            return burst - len(sends)
        return 0 if self._until_free_s(now_s) > 0 else 1

    def _until_free_s(self, now_s: float) -> float:
        """For how long the channel's limit allows no message, once those at once are sent."""
        sends, settings = self.state.sends, self._settings()
        if settings is None or settings.per_minute is None or not sends:
            return 0.0
        left = settings.per_minute - _burst(settings.per_minute)
        if left == 0 or len(sends) >= settings.per_minute:
            return sends[0] + RATE_WINDOW_S - now_s
        return sends[-1] + RATE_WINDOW_S / left - now_s

    async def _wait(self, for_s: float) -> None:
        """For so long, or until woken."""
        waits = {
            asyncio.ensure_future(self._context.sleep(for_s)),
            asyncio.ensure_future(self._wake.wait()),
        }
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for each in waits:
                each.cancel()
        self._wake.clear()

    async def _guarded(self, what: Awaitable[T], otherwise: T) -> T:
        """The result of `what`; `otherwise` when it raises (logged without the error's text)."""
        try:
            return await what
        except Exception as error:  # noqa: BLE001  the worker boundary; its words are kept out
            place = extract_tb(error.__traceback__)[-1]
            name = type(error).__name__
            self.state.faults += 1
            log.error("channel %s: %s at %s:%s", self.name, name, place.filename, place.lineno)
            return otherwise


def _burst(per_minute: int) -> int:
    """How many of the messages of a minute may go at once."""
    return max(1, per_minute * 2 // 5)
