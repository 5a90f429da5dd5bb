"""The shipper: copies the journal to InfluxDB, as a replica follows a log.

It reads behind a cursor, writes, and moves the cursor once the write was acknowledged. So a
database outage is a cursor that lags, nothing that overflows; what was sent twice because an
answer got lost is stored once, as every sample carries the time at which it was taken.

What an answer means (STORE: Shipper):

    acknowledged                     the cursor moves and is saved
    none, 401, 404, 429, 5xx, 200 …  keep, wait 1 s, 2 s, 4 s … 60 s, at least `Retry-After`
    413                              half as many from now on
    400, 422                         half as many, down to the one bad line: that one is set
                                     aside with the server's words, and all others go on
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeVar

from monitor.core.errors import InfluxError, StoreError
from monitor.core.ports import (
    Clock,
    DeadLetterStore,
    JournalBatch,
    RefusedPoint,
    SampleLog,
    SampleSink,
)
from monitor.core.samples.line_protocol import line_of
from monitor.core.samples.samples import Sample
from monitor.core.samples.schema import point_of
from monitor.storage.backfill import Backfill, Lag
from monitor.storage.write_refusals import RefusalAction, RefusalCause, action_on, cause_of

log = logging.getLogger("monitor.storage.influx_shipper")

T = TypeVar("T")

LONGEST_ASKED_S = 3600.0
"""More than this a `Retry-After` is not believed."""

LOOK_S = 5.0
"""How often the lag is looked at while waiting."""

WHEN_FAR = Lag()
"""Two lanes when 50,000 samples wait, two hours of 62 links; the older one at 10,000 a second."""

DOUBTED = 200
"""So many lines refused in a row, none taken between: it is the server, rather than the lines."""


@dataclass(frozen=True, slots=True)
class ShipperLimits:
    """How much at a time and how long between. idle_s: after everything was sent."""

    lines: int = 5000
    idle_s: float = 1.0
    first_wait_s: float = 1.0
    longest_wait_s: float = 60.0

    def wait_s(self, failures: int, asked_s: float | None) -> float:
        """The pause after the n-th failure in a row; at least what the server asked for."""
        doubled = self.first_wait_s * 2.0 ** min(failures - 1, 30)
        return max(min(doubled, self.longest_wait_s), min(asked_s or 0.0, LONGEST_ASKED_S))


@dataclass(frozen=True, slots=True)
class ShipperState:
    """For the status page and the `monitor` measurement. Times UTC.

    lag_lines: samples in the journal that are not shipped. backfilling: it was far behind, so the
    newest go first. last_error: a sentence without secrets, None while all is well; cause,
    failing_since_s: the same in a word, and since when. quarantined: lines set aside, those of
    earlier runs too; last_refused_s: when this run set one aside.
    """

    lag_lines: int = 0
    last_ok_s: float | None = None
    last_error: str | None = None
    cause: RefusalCause | None = None
    failing_since_s: float | None = None
    backing_off_until_s: float | None = None
    quarantined: int = 0
    last_refused_s: float | None = None
    backfilling: bool = False


class InfluxShipper:
    """The service. Blocking calls run on a thread of its own, which nobody waits for at the end.

    name: under which the cursor is saved; `Journal.prune` keeps what it has not passed.
    """

    def __init__(
        self,
        journal: SampleLog,
        sink: SampleSink,
        clock: Clock,
        quarantine: DeadLetterStore,
        *,
        pace: ShipperLimits = ShipperLimits(),
        lag: Lag = WHEN_FAR,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
        name: str = "influxdb",
    ) -> None:
        self.name = name
        self._lanes = Backfill(journal, name, lag)
        self._sink = sink
        self._clock = clock
        self._quarantine = quarantine
        self._pace = pace
        self._sleep = sleep
        self._state = ShipperState()
        self._live = False
        self._lines = self._most = pace.lines
        self._failures = 0
        self._refused_in_row = 0

    @property
    def state(self) -> ShipperState:
        return self._state

    async def run(self) -> None:
        """Ship until cancelled; ends at once even while the server keeps a call waiting."""
        thread = _Thread("shipper")
        try:
            await thread.run(self._lanes.load)
            await self._count(thread)
            while True:
                await self._wait(thread, await self._step(thread))
        finally:
            thread.close()

    async def _count(self, thread: _Thread) -> None:
        try:
            kept = await thread.run(self._quarantine.count)
        except StoreError as error:
            log.warning("%s", error)
        else:
            self._state = replace(self._state, quarantined=kept)

    async def _step(self, thread: _Thread) -> float:
        """One batch; how long to wait until the next."""
        try:
            self._live, batch = await thread.run(
                partial(self._lanes.next, self._lines, self._now_s())
            )
            if not batch.samples:
                return self._pace.idle_s
            try:
                await thread.run(partial(self._sink.write, batch.samples))
            except InfluxError as error:
                return await self._not_taken(thread, batch, error)
            self._taken()
            await self._move_to(thread, batch)
        except StoreError as error:
            return self._back_off(error)
        return 0.0

    def _taken(self) -> None:
        if self._failures:
            log.info("InfluxDB takes samples again, %d to catch up", self._state.lag_lines)
        self._failures = self._refused_in_row = 0
        self._lines = min(self._most, self._lines * 2)
        self._state = replace(
            self._state,
            last_ok_s=self._now_s(),
            last_error=None,
            cause=None,
            failing_since_s=None,
            backing_off_until_s=None,
        )

    async def _move_to(self, thread: _Thread, batch: JournalBatch) -> None:
        await thread.run(partial(self._lanes.moved, self._live, batch, self._now_s()))
        await self._look(thread)

    async def _not_taken(self, thread: _Thread, batch: JournalBatch, error: InfluxError) -> float:
        match action_on(error.status, len(batch.samples)):
            case RefusalAction.HALVE:
                self._lines = max(1, len(batch.samples) // 2)
                if error.status == 413:
                    self._most = self._lines
                return 0.0
            case RefusalAction.SET_ASIDE:
                return await self._set_aside(thread, batch, error)
            case RefusalAction.KEEP:
                return self._back_off(error)

    async def _set_aside(self, thread: _Thread, batch: JournalBatch, error: InfluxError) -> float:
        [sample] = batch.samples
        line = _line(sample)
        refused = RefusedPoint(self._now_s(), batch.cursor, error.status, str(error), line)
        await thread.run(partial(self._quarantine.add, refused))
        log.warning("set aside, as InfluxDB refuses it: %s: %s", error, line)
        await self._count(thread)
        self._state = replace(self._state, last_refused_s=self._now_s())
        self._refused_in_row += 1
        await self._move_to(thread, batch)
        return 0.0 if self._refused_in_row < DOUBTED else self._back_off(error)

    def _back_off(self, error: StoreError) -> float:
        self._failures += 1
        asked_s = error.retry_after_s if isinstance(error, InfluxError) else None
        wait_s = self._pace.wait_s(self._failures, asked_s)
        if self._failures == 1:
            log.warning("%s; samples are kept here until then, trying again", error)
        self._state = replace(
            self._state,
            last_error=str(error),
            cause=cause_of(error),
            failing_since_s=self._state.failing_since_s or self._now_s(),
            backing_off_until_s=self._now_s() + wait_s,
        )
        return wait_s

    async def _wait(self, thread: _Thread, wait_s: float) -> None:
        left_s = wait_s
        while left_s > 0:
            await self._look(thread)
            await self._sleep(min(left_s, LOOK_S))
            left_s -= LOOK_S

    async def _look(self, thread: _Thread) -> None:
        lag = await thread.run(self._lanes.lines)
        self._state = replace(self._state, lag_lines=lag, backfilling=self._lanes.are_two)

    def _now_s(self) -> float:
        return self._clock.utc_s(self._clock.steady_s())


def _line(sample: Sample) -> str:
    point = point_of(sample)
    return "" if point is None else line_of(point)


async def _give_up() -> None:
    """End the calls that were handed over but not begun."""
    calls = asyncio.all_tasks() - {asyncio.current_task()}
    for call in calls:
        call.cancel()
    await asyncio.gather(*calls, return_exceptions=True)


class _Thread:
    """Runs blocking calls one after another, in a daemon thread.

    Unlike with asyncio.to_thread, the process may end while a call is under way: a server that
    stalls must not hold up SIGTERM.
    """

    def __init__(self, name: str) -> None:
        self._loop = asyncio.new_event_loop()
        # Only what nobody waits for any more comes here: a call that fails after the end.
        self._loop.set_exception_handler(lambda loop, context: None)
        self._thread = threading.Thread(target=self._serve, name=name, daemon=True)
        self._thread.start()

    async def run(self, call: Callable[[], T]) -> T:
        async def called() -> T:
            return call()

        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(called(), self._loop))

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)

    def _serve(self) -> None:
        try:
            self._loop.run_forever()
            self._loop.run_until_complete(_give_up())
        finally:
            self._loop.close()
