"""Copy the journal to InfluxDB, as a replica follows a log.

The shipper reads after a cursor, writes, and moves the cursor once the write was acknowledged. An
outage of the database is a cursor that lags, and nothing overflows. What was sent twice because an
answer got lost is stored once, as every sample carries the time at which it was taken.

What an answer means:

    204                              the cursor moves and is saved
    none, 401, 404, 429, 5xx, 200 …  keep it, wait 1 s, 2 s, 4 s … 60 s, at least `Retry-After`
    400, 422 about the server or     the same: no sample is at fault
    the configuration
    … about the retention            the rest is stored: the cursor moves; what is too old counts
    413                              half as many lines from now on
    another 400, 422                 half as many, down to the one refused line. Is another line of
                                     its measurement accepted, it becomes a dead letter with the
                                     server's message. Else the measurement is blocked: the others
                                     go on, and once it is accepted again what it missed is sent
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial

from monitor.core.errors import InfluxError, StoreError, WriteRefusal
from monitor.core.ports import (
    Clock,
    DeadLetterStore,
    JournalBatch,
    RefusedPoint,
    ResendStore,
    SampleLog,
    SampleSink,
)
from monitor.core.samples.line_protocol import line_of
from monitor.core.samples.samples import Sample
from monitor.core.samples.schema import measurement_of, point_of
from monitor.storage.backfill import Backfill, BackfillLimits
from monitor.storage.daemon_thread import DaemonThread
from monitor.storage.resend import ResendQueue, wanted
from monitor.storage.shipping_errors import RefusalAction, RefusalCause, action_on, cause_of

log = logging.getLogger(__name__)

MAX_RETRY_AFTER_S = 3600.0
"""A `Retry-After` counts up to this."""

LAG_EVERY_S = 5.0
"""How often the lag is measured while waiting."""

WITNESSES = 3
WITNESS_WITHIN = 2000
"""So many other lines of the measurement, among the next rows of the log, are tried before a
refused line is set aside."""

UNBLOCK_EVERY_S = 60.0
"""How often one line of a blocked measurement is tried."""


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
class BlockedMeasurement:
    """A measurement of which the server takes no line. why: a sentence without secrets."""

    name: str
    since_s: float
    why: str


@dataclass(frozen=True, slots=True)
class ShipperState:
    """For the status page and the `monitor` measurement. Times UTC.

    lag_lines: samples in the journal that are not shipped. backfilling: it was far behind, so the
    newest go first. last_error: a sentence without secrets, None while all is well; cause,
    failing_since_s: of that error. quarantined: dead letters, those of earlier runs too;
    last_refused_s: when this run added one. blocked: measurements that are refused as a whole,
    with the message and since when. outside_retention: samples that were older than the bucket
    keeps, since the start. resend_lines: rows to go through that are sent again.
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
    blocked: tuple[BlockedMeasurement, ...] = ()
    outside_retention: int = 0
    resend_lines: int = 0


@dataclass(frozen=True, slots=True)
class _Work:
    """Rows to send now. before: the place before them.

    advance: moves past them (blocking), given how many were sent, None: all.
    """

    samples: Sequence[Sample]
    batch: JournalBatch
    before: str
    advance: Callable[[int | None], None]


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
        resend_store: ResendStore,
        *,
        limits: ShipperLimits = ShipperLimits(),
        backfill: BackfillLimits | None = None,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
        name: str = "influxdb",
    ) -> None:
        self.name = name
        self._log = samples
        self._backfill_limits = backfill or BackfillLimits()
        self._backfill = Backfill(samples, name, self._backfill_limits)
        self._resend = ResendQueue(samples, resend_store, name)
        self._resend_from_s = float("-inf")
        self._sink = sink
        self._clock = clock
        self._dead_letters = dead_letters
        self._limits = limits
        self._sleep = sleep
        self._state = ShipperState()
        self._lines = self._max_lines = limits.lines
        self._failures = 0
        self._unblock_at_s: dict[str, float] = {}
        self._why_blocked: dict[str, BlockedMeasurement] = {}
        self._accepted: set[str] = set()
        """Measurements of which a line was accepted since the last refused line."""
        self._too_old = TooOldSamples()
        self._thread: DaemonThread | None = None
        self._wakeup = asyncio.Event()

    @property
    def state(self) -> ShipperState:
        return self._state

    def use_sink(self, sink: SampleSink) -> None:
        """Write to another server, or with another secret, from the next batch on."""
        self._sink.close()
        self._sink = sink
        self.retry_blocked()

    def retry_blocked(self) -> None:
        """Try at once what failed or was refused."""
        self._unblock_at_s.clear()
        self._failures = 0
        self._wakeup.set()

    def close(self) -> None:
        """Close the connections."""
        self._sink.close()

    async def resend(self, since_s: float, until_s: float, measurement: str | None) -> int:
        """Send what was taken in [since_s, until_s) (UTC) once more; returns how many rows.

        Raises StoreError when it cannot be noted, or before `run` has begun.
        """
        if self._thread is None:
            raise StoreError("shipping to InfluxDB has not begun yet: try again in a few seconds")
        await self._thread.run(partial(self._resend.add, since_s, until_s, measurement))
        await self._measure_lag(self._thread)
        self._wakeup.set()
        return self._state.resend_lines

    async def run(self) -> None:
        """Ship until cancelled; ends at once even while the server keeps a call waiting."""
        thread = self._thread = DaemonThread("shipper")
        try:
            await thread.run(self._backfill.load)
            await thread.run(self._resend.load)
            self._note_blocked()
            await self._count_dead_letters(thread)
            while True:
                await self._wait(thread, await self._ship_batch(thread))
        finally:
            self._thread = None
            thread.close()

    async def _ship_batch(self, thread: DaemonThread) -> float:
        """Ship one batch; returns how many seconds to wait until the next."""
        try:
            work = await thread.run(self._next_work)
            if work is None:
                self._too_old.log_end()
                return self._limits.idle_s
            samples = await self._without_blocked(thread, work.samples)
            if work.samples and not samples and self._nothing_is_accepted():
                return self._hold()
            if samples:
                try:
                    await self._write(thread, samples)
                except InfluxError as error:
                    return await self._handle_refusal(thread, work, samples, error)
                self._note_success()
                self._accepted |= {measurement_of(each).name for each in samples}
            await thread.run(partial(work.advance, len(samples)))
            await self._measure_lag(thread)
        except StoreError as error:
            return self._back_off(error)
        return 0.0

    def _next_work(self) -> _Work | None:
        """The next rows: new ones first, then those that are sent again. Blocking."""
        now_s = self._now_s()
        before = self._backfill.position
        live, batch = self._backfill.next(self._lines, now_s)
        if batch.samples:
            advance = partial(self._backfill.advance, live, batch, now_s)
            return _Work(batch.samples, batch, before or "", advance)
        if now_s < self._resend_from_s:
            return None
        found = self._resend.next(self._lines)
        if found is None:
            return None
        request, rows = found

        def advance_resend(sent: int | None) -> None:
            self._resend.advance(request, rows)
            lines = len(rows.samples) if sent is None else sent
            self._resend_from_s = now_s + lines / self._backfill_limits.lines_per_s

        return _Work(wanted(request, rows.samples), rows, request.position, advance_resend)

    async def _write(self, thread: DaemonThread, samples: Sequence[Sample]) -> None:
        """Write a batch; of one behind too old ones the newest sample first, alone.

        So a backlog that the bucket would not keep costs one line a batch. Raises InfluxError.
        """
        if self._too_old.skipping and len(samples) > 1:
            newest = max(samples, key=lambda sample: sample.at_s)
            try:
                await thread.run(partial(self._sink.write, [newest]))
            except InfluxError as error:
                if error.refusal is WriteRefusal.OUTSIDE_RETENTION:
                    error.dropped = len(samples)
                raise
        await thread.run(partial(self._sink.write, samples))

    def _note_success(self) -> None:
        if self._failures:
            log.info("InfluxDB takes samples again, %d to catch up", self._state.lag_lines)
        self._too_old.log_end()
        self._failures = 0
        self._lines = min(self._max_lines, self._lines * 2)
        self._state = replace(
            self._state,
            last_ok_s=self._now_s(),
            last_error=None,
            cause=None,
            failing_since_s=None,
            backing_off_until_s=None,
        )

    async def _handle_refusal(
        self, thread: DaemonThread, work: _Work, samples: Sequence[Sample], error: InfluxError
    ) -> float:
        match action_on(error, len(samples)):
            case RefusalAction.HALVE:
                if self._lines == self._max_lines:
                    self._accepted.clear()
                self._lines = max(1, len(work.batch.samples) // 2)
                if error.status == 413:
                    self._max_lines = self._lines
                return 0.0
            case RefusalAction.SKIP:
                self._note_too_old(samples, error.dropped)
                await thread.run(partial(work.advance, len(samples) - error.dropped))
                await self._measure_lag(thread)
                return 0.0
            case RefusalAction.EXAMINE:
                return await self._examine(thread, work, samples[0], error)
            case RefusalAction.KEEP:
                return self._back_off(error)

    # Outside the retention of the bucket

    def _note_too_old(self, samples: Sequence[Sample], dropped: int) -> None:
        dropped = min(dropped, len(samples))
        self._failures = 0
        self._too_old.add(samples, dropped)
        self._state = replace(
            self._state,
            outside_retention=self._state.outside_retention + dropped,
            last_ok_s=self._now_s(),
            last_error=None,
            cause=None,
            failing_since_s=None,
            backing_off_until_s=None,
        )

    # One refused line, or a whole measurement

    async def _examine(
        self, thread: DaemonThread, work: _Work, sample: Sample, error: InfluxError
    ) -> float:
        """Is it this line, or every line of its measurement?

        Only other lines tell: some of the next rows of the log are tried one after another; where
        there are none, whether one was accepted since the refusal.
        """
        name = measurement_of(sample).name
        following = await thread.run(
            partial(self._log.read_after, work.batch.cursor, WITNESS_WITHIN)
        )
        witnesses = [
            each
            for each in following.samples
            if measurement_of(each).name == name and point_of(each) is not None
        ]
        accepts_others = not witnesses and name in self._accepted
        for witness in witnesses[:WITNESSES]:
            try:
                await thread.run(partial(self._sink.write, [witness]))
            except InfluxError as other:
                if action_on(other, 1) is RefusalAction.KEEP:
                    return self._back_off(other)
            else:
                accepts_others = True
                break
        if accepts_others:
            await self._set_aside(thread, work.batch, sample, error)
            self._accepted.discard(name)
            await thread.run(partial(work.advance, None))
            await self._measure_lag(thread)
            return 0.0
        await thread.run(partial(self._resend.block, name, work.before))
        now_s = self._now_s()
        self._why_blocked[name] = BlockedMeasurement(name, now_s, str(error))
        self._unblock_at_s[name] = now_s + UNBLOCK_EVERY_S
        log.error(
            "%s; no other sample of %s is accepted either, so none of it is sent or set aside until"
            " the server accepts it again",
            error,
            name,
        )
        self._note_blocked()
        self._lines = self._max_lines
        return 0.0

    async def _without_blocked(
        self, thread: DaemonThread, samples: Sequence[Sample]
    ) -> Sequence[Sample]:
        """The samples of measurements that are not blocked, after trying those that are."""
        blocked = self._resend.blocked
        if not blocked:
            return samples
        for name in blocked:
            now_s = self._now_s()
            if now_s < self._unblock_at_s.get(name, float("-inf")):
                continue
            ours = [
                each
                for each in samples
                if measurement_of(each).name == name and point_of(each) is not None
            ]
            if not ours:
                continue
            self._unblock_at_s[name] = now_s + UNBLOCK_EVERY_S
            try:
                await thread.run(partial(self._sink.write, [ours[-1]]))
            except InfluxError as error:
                before = self._why_blocked.get(name)
                since_s = now_s if before is None else before.since_s
                self._why_blocked[name] = BlockedMeasurement(name, since_s, str(error))
                self._note_blocked()
                continue
            await thread.run(partial(self._resend.unblock, name, self._backfill.position))
            self._why_blocked.pop(name, None)
            self._note_blocked()
            self._note_success()
            log.info("InfluxDB accepts %s again: what it has missed is sent now", name)
        blocked = self._resend.blocked
        return [each for each in samples if measurement_of(each).name not in blocked]

    def _nothing_is_accepted(self) -> bool:
        """Has the server taken nothing since the first measurement was blocked?

        Then no other measurement shows that the server works: the cursor stays.
        """
        since_s = min((each.since_s for each in self._why_blocked.values()), default=None)
        last_ok_s = self._state.last_ok_s
        return last_ok_s is None or (since_s is not None and last_ok_s <= since_s)

    def _hold(self) -> float:
        why = next(iter(self._why_blocked.values()), None)
        text = "the server accepts no sample" if why is None else why.why
        return self._back_off(InfluxError(text, status=400))

    def _note_blocked(self) -> None:
        now_s = self._now_s()
        self._state = replace(
            self._state,
            blocked=tuple(
                self._why_blocked.get(name)
                or BlockedMeasurement(name, now_s, f"InfluxDB refused {name} before the restart")
                for name in self._resend.blocked
            ),
        )

    async def _set_aside(
        self, thread: DaemonThread, batch: JournalBatch, sample: Sample, error: InfluxError
    ) -> None:
        """Store a sample as a dead letter."""
        point = point_of(sample)
        line = "" if point is None else line_of(point)
        refused = RefusedPoint(self._now_s(), batch.cursor, error.status, str(error), line)
        await thread.run(partial(self._dead_letters.add, refused))
        log.warning("set aside, as InfluxDB refuses it: %s: %s", error, line)
        await self._count_dead_letters(thread)
        self._state = replace(self._state, last_refused_s=self._now_s())

    async def _count_dead_letters(self, thread: DaemonThread) -> None:
        try:
            count = await thread.run(partial(self._dead_letters.count, self._now_s()))
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
        while left_s > 0 and not self._wakeup.is_set():
            await self._measure_lag(thread)
            await self._sleep(min(left_s, LAG_EVERY_S))
            left_s -= LAG_EVERY_S
        self._wakeup.clear()

    async def _measure_lag(self, thread: DaemonThread) -> None:
        lag, again = await thread.run(lambda: (self._backfill.lag(), self._resend.lag()))
        self._state = replace(
            self._state, lag_lines=lag, backfilling=self._backfill.active, resend_lines=again
        )

    def _now_s(self) -> float:
        return self._clock.utc_s(self._clock.steady_s())


class TooOldSamples:
    """Counts the samples that a bucket does not keep any more; one log line for each run of them.

    skipping: the last batch was too old altogether.
    """

    def __init__(self) -> None:
        self.skipping = False
        self._count = 0
        self._first_s: float | None = None
        self._last_s: float | None = None

    def add(self, samples: Sequence[Sample], dropped: int) -> None:
        """dropped: so many of them, the oldest ones."""
        self.skipping = dropped >= len(samples)
        times = sorted(sample.at_s for sample in samples)[: max(dropped, 1)]
        self._first_s = times[0] if self._first_s is None else min(self._first_s, times[0])
        self._last_s = times[-1] if self._last_s is None else max(self._last_s, times[-1])
        self._count += dropped

    def log_end(self) -> None:
        """Something newer was accepted, or nothing is left."""
        self.skipping = False
        if self._first_s is None or self._last_s is None:
            return
        log.info(
            "InfluxDB keeps no samples as old as those of %s to %s: %d of them were skipped",
            _utc(self._first_s),
            _utc(self._last_s),
            self._count,
        )
        self._count, self._first_s, self._last_s = 0, None, None


def _utc(at_s: float) -> str:
    return f"{datetime.fromtimestamp(at_s, UTC):%Y-%m-%d %H:%M:%SZ}"
