"""Runs jobs with APScheduler on the event loop, and keeps them running when the clock is set.

Ours beside APScheduler's own, and why:
- AlignedTrigger: after a step of the clock or a suspend, IntervalTrigger lists every run that was
  missed, hundreds of thousands of them, before it coalesces them.
- guard: APScheduler counts by the wall clock; after a step back it would start nothing until the
  old time is reached again.
- a deadline for each run: a job that hangs would be skipped for ever with a warning.

Errors of jobs and of callbacks on the event loop end here: they are logged and counted, and the
next run comes as planned. Pacing inside a run is the job's own, by the steady clock.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from errno import EMFILE, ENFILE
from math import inf
from typing import Any, NamedTuple

from apscheduler.events import EVENT_JOB_MAX_INSTANCES
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.base import BaseTrigger

from monitor.core.job import Job
from monitor.core.ports import Clock

log = logging.getLogger("monitor.adapters.scheduler")

GUARD_S = 0.5
"""Interval of the guard's checks."""

STALL_S = 1.0
"""The event loop stalled when the guard wakes this much too late."""

LOG_AGAIN_S = 60.0
"""The same error of a callback is logged at most this often."""

CALLBACK = "a callback"
"""Stands for the job's name when a callback of the event loop failed."""

EPOCH = datetime(2000, 1, 1, tzinfo=UTC)


class AlignedTrigger(BaseTrigger):  # type: ignore[misc]  # APScheduler has no types
    """Fires at whole multiples of a period since EPOCH; missed runs are skipped, not listed."""

    __slots__ = ("_every",)

    def __init__(self, every_s: float) -> None:
        self._every = timedelta(seconds=every_s)

    def get_next_fire_time(self, previous: datetime | None, now: datetime) -> datetime:
        """The first multiple after now and after the previous run."""
        latest = now if previous is None else max(previous, now)
        return EPOCH + ((latest - EPOCH) // self._every + 1) * self._every


class ClockEvent(NamedTuple):
    """A step of the clock or a stall of the event loop: when (steady time), and how long."""

    at_s: float
    length_s: float


class JobFailure(NamedTuple):
    """When (steady time) a run failed, and of which job."""

    at_s: float
    job: str


@dataclass(slots=True)
class SchedulerCounters:
    """Errors since the start, and the last of each kind.

    missed_runs: due while the run before was still under way. stalls: how often the event loop
    stood still. loop_lag_s: its largest lag since `take_loop_lag_s`.
    """

    missed_runs: int = 0
    failed_runs: int = 0
    clock_steps: int = 0
    stalls: int = 0
    loop_lag_s: float = 0.0
    last_failure: JobFailure | None = None
    last_step: ClockEvent | None = None
    last_stall: ClockEvent | None = None

    def take_loop_lag_s(self) -> float:
        """The largest lag since the last call."""
        worst_s, self.loop_lag_s = self.loop_lag_s, 0.0
        return worst_s


class Scheduler:
    """Starts jobs on the running event loop."""

    def __init__(self, clock: Clock) -> None:
        self.counters = SchedulerCounters()
        self._clock = clock
        self._jobs: dict[str, Job] = {}
        self._closing = False
        self._logged_s: dict[str, float] = {}
        self._scheduler = AsyncIOScheduler(timezone=UTC)
        self._scheduler.add_listener(self._missed, EVENT_JOB_MAX_INSTANCES)
        # Its warnings about missed runs come five times a second; they are counted here instead.
        logging.getLogger("apscheduler").setLevel(logging.ERROR)

    def set(self, jobs: Sequence[Job]) -> None:
        """Run exactly these jobs from now on; one that is unchanged is not disturbed."""
        wanted = {job.name: job for job in jobs}
        for name in self._jobs.keys() - wanted.keys():
            self._scheduler.remove_job(name)
        for name, job in wanted.items():
            if self._jobs.get(name) != job:
                self._add(job)
        self._jobs = wanted

    def start(self) -> None:
        """Start; call it on the event loop."""
        asyncio.get_running_loop().set_exception_handler(self._callback_failed)
        self._scheduler.start()

    def close(self) -> None:
        """Start no more runs; those under way are cancelled when the event loop ends."""
        self._closing = True
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)

    async def guard(self) -> None:
        """Detect steps of the clock and measure the lag of the event loop, for ever."""
        while True:
            before_s = self._clock.steady_s()
            await asyncio.sleep(GUARD_S)
            now_s = self._clock.steady_s()
            self._count_lag(now_s, now_s - before_s - GUARD_S)
            step_s = self._clock.step_s()
            if step_s is not None:
                self.counters.clock_steps += 1
                self.counters.last_step = ClockEvent(now_s, step_s)
                log.warning("the clock stepped by %+.1f s: every job is rescheduled", step_s)
                for job in self._jobs.values():
                    self._add(job)

    def _count_lag(self, now_s: float, lag_s: float) -> None:
        self.counters.loop_lag_s = max(self.counters.loop_lag_s, lag_s)
        if lag_s > STALL_S:
            self.counters.stalls += 1
            self.counters.last_stall = ClockEvent(now_s, lag_s)
            log.warning(
                "this process stood still for %.1f s: the machine is too busy, or was suspended",
                lag_s,
            )

    def _add(self, job: Job) -> None:
        self._scheduler.add_job(
            self._run,
            AlignedTrigger(job.every_s),
            args=[job],
            id=job.name,
            name=job.name,
            replace_existing=True,
            max_instances=1,
            coalesce=True,
            misfire_grace_time=None,
        )

    async def _run(self, job: Job) -> None:
        try:
            async with asyncio.timeout(job.deadline_s) as deadline:
                await job.run()
        except asyncio.CancelledError:
            if not self._closing:
                raise
        except Exception as error:
            self._count_failure(job.name)
            if isinstance(error, TimeoutError) and deadline.expired():
                log.error(
                    "%s was not done within %.1f s and was cancelled", job.name, job.deadline_s
                )
            else:
                log.exception("%s failed; its next run comes as planned", job.name)

    def _count_failure(self, name: str) -> None:
        self.counters.failed_runs += 1
        self.counters.last_failure = JobFailure(self._clock.steady_s(), name)

    def _callback_failed(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """Handle an error of a timer, a socket or a task that nobody awaits."""
        error = context.get("exception")
        if isinstance(error, OSError) and error.errno in (EMFILE, ENFILE):
            # Python 3.11 reports it a hundred times a second, with a traceback each.
            if self._may_log("EMFILE"):
                log.error("no file descriptor is left: new connections are not accepted")
            return
        self._count_failure(CALLBACK)
        if self._may_log(f"{context.get('message')} {error!r}"):
            loop.default_exception_handler(context)

    def _may_log(self, message: str) -> bool:
        now_s = self._clock.steady_s()
        if now_s - self._logged_s.get(message, -inf) < LOG_AGAIN_S:
            return False
        if len(self._logged_s) > 100:
            self._logged_s.clear()
        self._logged_s[message] = now_s
        return True

    def _missed(self, event: Any) -> None:
        self.counters.missed_runs += len(event.scheduled_run_times)
