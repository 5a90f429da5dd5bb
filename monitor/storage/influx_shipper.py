"""Copy the journal to InfluxDB, as a replica follows a log.

The shipper reads after a cursor, writes, and moves the cursor once the write was acknowledged. An
outage of the database is a cursor that lags, and nothing overflows. What was sent twice because an
answer got lost is stored once, as every sample carries the time at which it was taken.

What an answer means:

    204                              the cursor moves and is saved
    none, 401, 404, 429, 5xx, 200 …  keep it, wait 1 s, 2 s, 4 s … 60 s, at least `Retry-After`
    413                              half as many lines from now on
    400, 422                         half as many, down to the one refused line: it becomes a dead
                                     letter with the server's words, and all others go on
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from enum import Enum
from functools import partial

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
from monitor.core.samples.schema import point_of
from monitor.storage.backfill import Backfill, BackfillLimits
from monitor.storage.daemon_thread import DaemonThread

log = logging.getLogger(__name__)

MAX_RETRY_AFTER_S = 3600.0
"""A `Retry-After` counts up to this."""

LAG_EVERY_S = 5.0
"""How often the lag is measured while waiting."""

MAX_REFUSED_IN_ROW = 200
"""So many refused lines with none accepted between mean that the server is at fault: back off."""


class RefusalAction(Enum):
    """What to do with a batch that was not acknowledged."""

    KEEP = "keep"
    HALVE = "halve"
    SET_ASIDE = "set aside"


def action_on(status: int | None, lines: int) -> RefusalAction:
    """By the HTTP status (None: no answer) and how many lines were sent."""
    if status in (400, 422):
        return RefusalAction.HALVE if lines > 1 else RefusalAction.SET_ASIDE
    if status == 413 and lines > 1:
        return RefusalAction.HALVE
    return RefusalAction.KEEP


class RefusalCause(Enum):
    """Why shipping does not go on; part of the kind of a warning."""

    SILENT = "silent"
    RIGHTS = "rights"
    BUCKET = "bucket"
    BUSY = "busy"
    HERE = "here"
    """Not the server: the journal or the dead letters on this machine."""
    OTHER = "other"


def cause_of(error: StoreError) -> RefusalCause:
    """By the HTTP status of the answer."""
    if not isinstance(error, InfluxError):
        return RefusalCause.HERE
    match error.status:
        case None | 502 | 503 | 504:
            return RefusalCause.SILENT
        case 401 | 403:
            return RefusalCause.RIGHTS
        case 404:
            return RefusalCause.BUCKET
        case 408 | 429 | 500:
            return RefusalCause.BUSY
        case _:
            return RefusalCause.OTHER


@dataclass(frozen=True, slots=True)
class ShipperLimits:
    """lines: a batch. idle_s: the pause after everything was sent. Waits: see `wait_s`."""

    lines: int = 5000
    idle_s: float = 1.0
    first_wait_s: float = 1.0
    longest_wait_s: float = 60.0

    def wait_s(self, failures: int, retry_after_s: float | None) -> float:
        """The pause after the n-th failure in a row; at least what the server asked for."""
        doubled = self.first_wait_s * 2.0 ** min(failures - 1, 30)
        return max(min(doubled, self.longest_wait_s), min(retry_after_s or 0.0, MAX_RETRY_AFTER_S))


@dataclass(frozen=True, slots=True)
class ShipperState:
    """For the status page and the `monitor` measurement. Times UTC.

    lag_lines: samples in the journal that are not shipped. backfilling: it was far behind, so the
    newest go first. last_error: a sentence without secrets, None while all is well; cause,
    failing_since_s: of that error. quarantined: dead letters, those of earlier runs too;
    last_refused_s: when this run added one.
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
    """Ships one log to one bucket. Blocking calls run on a thread of its own.

    name: under which the cursor is saved; `SqliteJournal.prune` keeps what it has not passed.
    """

    def __init__(
        self,
        samples: SampleLog,
        sink: SampleSink,
        clock: Clock,
        dead_letters: DeadLetterStore,
        *,
        limits: ShipperLimits = ShipperLimits(),
        backfill: BackfillLimits | None = None,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
        name: str = "influxdb",
    ) -> None:
        self.name = name
        self._backfill = Backfill(samples, name, backfill or BackfillLimits())
        self._sink = sink
        self._clock = clock
        self._dead_letters = dead_letters
        self._limits = limits
        self._sleep = sleep
        self._state = ShipperState()
        self._lines = self._max_lines = limits.lines
        self._failures = 0
        self._refused_in_row = 0

    @property
    def state(self) -> ShipperState:
        return self._state

    async def run(self) -> None:
        """Ship until cancelled; ends at once even while the server keeps a call waiting."""
        thread = DaemonThread("shipper")
        try:
            await thread.run(self._backfill.load)
            await self._count_dead_letters(thread)
            while True:
                await self._wait(thread, await self._ship_batch(thread))
        finally:
            thread.close()

    async def _ship_batch(self, thread: DaemonThread) -> float:
        """Ship one batch; returns how many seconds to wait until the next."""
        try:
            live, batch = await thread.run(partial(self._backfill.next, self._lines, self._now_s()))
            if not batch.samples:
                return self._limits.idle_s
            try:
                await thread.run(partial(self._sink.write, batch.samples))
            except InfluxError as error:
                return await self._handle_refusal(thread, live, batch, error)
            self._note_success()
            await self._advance(thread, live, batch)
        except StoreError as error:
            return self._back_off(error)
        return 0.0

    def _note_success(self) -> None:
        if self._failures:
            log.info("InfluxDB takes samples again, %d to catch up", self._state.lag_lines)
        self._failures = self._refused_in_row = 0
        self._lines = min(self._max_lines, self._lines * 2)
        self._state = replace(
            self._state,
            last_ok_s=self._now_s(),
            last_error=None,
            cause=None,
            failing_since_s=None,
            backing_off_until_s=None,
        )

    async def _advance(self, thread: DaemonThread, live: bool, batch: JournalBatch) -> None:
        await thread.run(partial(self._backfill.advance, live, batch, self._now_s()))
        await self._measure_lag(thread)

    async def _handle_refusal(
        self, thread: DaemonThread, live: bool, batch: JournalBatch, error: InfluxError
    ) -> float:
        match action_on(error.status, len(batch.samples)):
            case RefusalAction.HALVE:
                self._lines = max(1, len(batch.samples) // 2)
                if error.status == 413:
                    self._max_lines = self._lines
                return 0.0
            case RefusalAction.SET_ASIDE:
                await self._set_aside(thread, batch, error)
                await self._advance(thread, live, batch)
                return 0.0 if self._refused_in_row < MAX_REFUSED_IN_ROW else self._back_off(error)
            case RefusalAction.KEEP:
                return self._back_off(error)

    async def _set_aside(
        self, thread: DaemonThread, batch: JournalBatch, error: InfluxError
    ) -> None:
        """Store the one sample of the batch as a dead letter."""
        [sample] = batch.samples
        point = point_of(sample)
        line = "" if point is None else line_of(point)
        refused = RefusedPoint(self._now_s(), batch.cursor, error.status, str(error), line)
        await thread.run(partial(self._dead_letters.add, refused))
        log.warning("set aside, as InfluxDB refuses it: %s: %s", error, line)
        await self._count_dead_letters(thread)
        self._state = replace(self._state, last_refused_s=self._now_s())
        self._refused_in_row += 1

    async def _count_dead_letters(self, thread: DaemonThread) -> None:
        try:
            count = await thread.run(self._dead_letters.count)
        except StoreError as error:
            log.warning("%s", error)
        else:
            self._state = replace(self._state, quarantined=count)

    def _back_off(self, error: StoreError) -> float:
        self._failures += 1
        retry_after_s = error.retry_after_s if isinstance(error, InfluxError) else None
        wait_s = self._limits.wait_s(self._failures, retry_after_s)
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

    async def _wait(self, thread: DaemonThread, wait_s: float) -> None:
        left_s = wait_s
        while left_s > 0:
            await self._measure_lag(thread)
            await self._sleep(min(left_s, LAG_EVERY_S))
            left_s -= LAG_EVERY_S

    async def _measure_lag(self, thread: DaemonThread) -> None:
        lag = await thread.run(self._backfill.lag)
        self._state = replace(self._state, lag_lines=lag, backfilling=self._backfill.active)

    def _now_s(self) -> float:
        return self._clock.utc_s(self._clock.steady_s())
