"""One channel's worker: lease, send, mark; put off or give up what cannot be sent.

This is the worker boundary: whatever a channel raises is logged without its words (they may hold a
secret), counted, and tried again.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Sequence
from dataclasses import replace
from traceback import extract_tb
from typing import TypeVar

from monitor.alerting.delivery_context import ChannelState, DeliveryContext
from monitor.core.alerting.model import (
    Channel,
    Delivered,
    Delivery,
    DeliveryBatch,
    OutboxRow,
    Rejected,
    RetryLater,
)
from monitor.core.alerting.outbox import (
    GIVE_UP_S,
    combine_batches,
    decode_notification,
    merge_notifications,
    retry_delay_s,
    with_code,
)
from monitor.core.alerting.settings import ChannelSettings
from monitor.core.errors import LedgerError

log = logging.getLogger("monitor.alerting.dispatcher")

AT_ONCE = 20
POLL_S = 10.0
SLACK_S = 0.01
MINUTE_S = 60.0
LEDGER_RETRY_S = 2.0
LONGEST_SEND_S = 30.0
"""A channel bounds itself (20 s); this holds one that does not."""

T = TypeVar("T")


class ChannelWorker:
    """Sends what is due on one channel, in order, until it is told to stop."""

    def __init__(
        self, name: str, channel: Channel, context: DeliveryContext, state: ChannelState
    ) -> None:
        self.name = name
        self.state = state
        self._channel = channel
        self._context = context
        self._wake = asyncio.Event()
        self._stopping = False
        self._unmarked: deque[tuple[int, tuple[int, ...], float]] = deque()
        self._soonest_s = float("inf")
        self._ledger_trouble = False

    def wake(self) -> None:
        """There may be something to send."""
        self._wake.set()

    def stop(self) -> None:
        """Finish what is under way and no more."""
        self._stopping = True
        self._wake.set()

    async def run(self, after: asyncio.Task[None] | None = None) -> None:
        """after: the worker that had this channel before; it finishes first."""
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
        """Send what is due; how long nothing more will be (0: look again at once)."""
        now_s = self._context.clock.steady_s()
        if now_s < self.state.not_before_s:
            return self.state.not_before_s - now_s
        try:
            await self._mark()
            free = self._free_slots(now_s)
            if free == 0:
                return self.state.tries[0] + MINUTE_S - now_s
            parcels = await self._context.call(
                self._context.ledger.lease,
                self.name,
                self._context.utc_s(),
                self._context.lease_s,
                AT_ONCE,
            )
            if not parcels:
                return self._until_next_s(now_s)
            await self._deliver_all(parcels, free)
        except LedgerError as error:
            if not self._ledger_trouble:
                log.error("channel %s waits for the ledger: %s", self.name, error)
            self._ledger_trouble = True
            return LEDGER_RETRY_S
        self._ledger_trouble = False
        return 0.0

    def _until_next_s(self, now_s: float) -> float:
        if self._soonest_s + SLACK_S <= now_s:
            self._soonest_s = float("inf")
        return min(POLL_S, self._soonest_s + SLACK_S - now_s)

    async def _deliver_all(self, parcels: Sequence[DeliveryBatch], free: int) -> None:
        settings = self._settings()
        most = 4000 if settings is None else settings.most_characters
        waiting = deque(combine_batches(parcels, free, most))
        while waiting:
            now_s = self._context.clock.steady_s()
            if self._stopping or now_s < self.state.not_before_s or self._free_slots(now_s) == 0:
                left = [number for batch in waiting for p in batch for number in p.ids]
                await self._context.call(self._context.ledger.release, left)
                return
            batch = waiting.popleft()
            delivery = await self._try(batch)
            if isinstance(delivery, Delivered):
                await self._mark()
            elif isinstance(delivery, Rejected) and len(batch) > 1:
                # One part may spoil the whole: each has to be refused by itself.
                waiting.extendleft([parcel] for parcel in reversed(batch))
            else:
                for parcel in batch:
                    await self._put_off(parcel, delivery)

    async def _try(self, batch: Sequence[DeliveryBatch]) -> Delivery:
        now_s = self._context.clock.steady_s()
        self.state.turned_s = now_s
        self.state.tries.append(now_s)
        delivery = await self._guarded(self._send(batch), RetryLater("a fault of pantau"))
        if isinstance(delivery, Delivered):
            first, *others = batch
            replaced = (*(row.id for row in first.replaced), *(n for p in others for n in p.ids))
            self._unmarked.append((first.row.id, replaced, self._context.utc_s()))
            self.state.sent += 1
            self.state.why = self.state.failing_since_s = None
        else:
            self.state.failed += 1
            self.state.why = delivery.why
            if self.state.failing_since_s is None:
                self.state.failing_since_s = now_s
            log.warning("channel %s: %s", self.name, delivery.why)
        return delivery

    async def _send(self, batch: Sequence[DeliveryBatch]) -> Delivery:
        at_s = self._context.utc_s()
        try:
            message = merge_notifications(
                [with_code(decode_notification(parcel.row, at_s)) for parcel in batch]
            )
        except (ValueError, LookupError) as error:
            return Rejected(f"its text cannot be read ({type(error).__name__})")
        try:
            async with asyncio.timeout(LONGEST_SEND_S):
                return await self._channel.send(message)
        except TimeoutError:
            return RetryLater(f"no answer within {LONGEST_SEND_S:g} s")

    async def _mark(self) -> None:
        """What was taken is sent; until the ledger has that, nothing more is leased."""
        while self._unmarked:
            await self._context.call(self._context.ledger.mark_sent, *self._unmarked[0])
            self._unmarked.popleft()

    async def _put_off(self, parcel: DeliveryBatch, delivery: RetryLater | Rejected) -> None:
        now_s, utc_s = self._context.clock.steady_s(), self._context.utc_s()
        first_s = parcel.row.first_try_s
        too_old = first_s is not None and utc_s - first_s >= GIVE_UP_S
        if isinstance(delivery, Rejected) or too_old:
            instead = self._next_channel(parcel.row, utc_s)
            self.state.dead += 1
            await self._context.call(
                self._context.ledger.mark_dead, parcel.ids, delivery.why, instead
            )
            by = f"goes on by {instead[0].channel}" if instead else "no other way is left"
            log.error("message %d is dead on %s: %s", parcel.row.id, self.name, by)
            return
        wait_s = retry_delay_s(parcel.row.attempts, self._context.chance(), delivery.after_s)
        if delivery.after_s is not None:
            self.state.not_before_s = now_s + wait_s
        self._soonest_s = min(self._soonest_s, now_s + wait_s)
        await self._context.call(
            self._context.ledger.reschedule, parcel.ids, delivery.why, utc_s + wait_s
        )

    def _next_channel(self, row: OutboxRow, utc_s: float) -> list[OutboxRow]:
        ways = self._context.alerting_state.routing.channels(row.recipient)
        following = ways[ways.index(self.name) + 1 :] if self.name in ways else ways
        if not following:
            return []
        fresh = OutboxRow(
            incident=row.incident,
            sequence=row.sequence,
            channel=following[0],
            recipient=row.recipient,
            event=row.event,
            body=row.body,
            next_try_s=utc_s,
        )
        return [replace(fresh, about=row.about)]

    def _settings(self) -> ChannelSettings | None:
        found = (
            each for each in self._context.alerting_state.alerts.channels if each.id == self.name
        )
        return next(found, None)

    def _free_slots(self, now_s: float) -> int:
        """How many messages the channel's limit leaves for now."""
        while self.state.tries and self.state.tries[0] <= now_s - MINUTE_S:
            self.state.tries.popleft()
        settings = self._settings()
        if settings is None or settings.per_minute is None:
            return AT_ONCE
        return max(0, settings.per_minute - len(self.state.tries))

    async def _wait(self, for_s: float) -> None:
        """Until then, or until it is woken; a slot that is not free is not made free by waking."""
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
        try:
            return await what
        except Exception as error:  # noqa: BLE001  the worker boundary; its words are kept out
            place = extract_tb(error.__traceback__)[-1]
            self.state.faults += 1
            log.error(
                "channel %s: %s at %s:%s",
                self.name,
                type(error).__name__,
                place.filename,
                place.lineno,
            )
            return otherwise
