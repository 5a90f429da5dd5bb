"""APScheduler starts the rounds, the polls and the housekeeping; a guard keeps it going.

APScheduler counts by the wall clock: after a step back it would start nothing until the old time
is reached again. The guard compares wall and steady time twice a second and re-plans every job
on a step. After a step forward, or a night of suspend, its own triggers would first list every
run that was missed, hundreds of thousands of them: ours goes on with the next one.
Timing inside a round is steady and not APScheduler's affair.

This is the job boundary: whatever a job, or a callback of the event loop, raises is logged,
counted, and the next run comes.
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
STALL_S = 1.0
"""The event loop stood still when it is later than this."""

SAID_AGAIN_S = 60.0
"""What a callback raises over and over is logged this often."""

A_CALLBACK = "a callback"
EPOCH = datetime(2000, 1, 1, tzinfo=UTC)


class Multiples(BaseTrigger):  # type: ignore[misc]  # APScheduler has no types
    """Runs on whole multiples of a period, counted from EPOCH; of what was missed, one run."""

    __slots__ = ("_every",)

    def __init__(self, every_s: float) -> None:
        self._every = timedelta(seconds=every_s)

    def get_next_fire_time(self, previous: datetime | None, now: datetime) -> datetime:
        """The first multiple after now; `previous`, the last run, is not before it by long."""
        latest = now if previous is None else max(previous, now)
        return EPOCH + ((latest - EPOCH) // self._every + 1) * self._every


class Happened(NamedTuple):
    """Something that lasted, or by how much: when it was seen (steady), and its length."""

    at_s: float
    length_s: float


class Failed(NamedTuple):
    """A run that brought nothing: when (steady), and of which job."""

    at_s: float
    job: str


@dataclass(slots=True)
class SchedulerCounters:
    """What went wrong since the start, and the last of each.

    missed_runs: one was due while the one before was still under way. stalls: how often the event
    loop stood still. loop_lag_s: how late it was at worst, since `take_loop_lag_s`.
    """

    missed_runs: int = 0
    failed_runs: int = 0
    clock_steps: int = 0
    stalls: int = 0
    loop_lag_s: float = 0.0
    last_failure: Failed | None = None
    last_step: Happened | None = None
    last_stall: Happened | None = None

    def take_loop_lag_s(self) -> float:
        """The worst since the last call."""
        worst_s, self.loop_lag_s = self.loop_lag_s, 0.0
        return worst_s


class Scheduler:
    """Starts jobs on the running event loop."""

    def __init__(self, clock: Clock) -> None:
        self.counters = SchedulerCounters()
        self._clock = clock
        self._jobs: dict[str, Job] = {}
        self._closing = False
        self._said_s: dict[str, float] = {}
        self._scheduler = AsyncIOScheduler(timezone=UTC)
        self._scheduler.add_listener(self._missed, EVENT_JOB_MAX_INSTANCES)
        # Its warnings repeat what is counted here, five times a second.
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
        """Begin; to be called on the event loop."""
        asyncio.get_running_loop().set_exception_handler(self._callback_failed)
        self._scheduler.start()

    def close(self) -> None:
        """Start nothing more; runs that are under way are cancelled by their loop's end."""
        self._closing = True
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)

    async def guard(self) -> None:
        """For ever: look for a step of the clock, and measure how late the loop is."""
        while True:
            before_s = self._clock.steady_s()
            await asyncio.sleep(GUARD_S)
            now_s = self._clock.steady_s()
            self._note_lag(now_s, now_s - before_s - GUARD_S)
            step_s = self._clock.step_s()
            if step_s is not None:
                self.counters.clock_steps += 1
                self.counters.last_step = Happened(now_s, step_s)
                log.warning("the clock stepped by %+.1f s: every job is planned anew", step_s)
                for job in self._jobs.values():
                    self._add(job)

    def _note_lag(self, now_s: float, lag_s: float) -> None:
        self.counters.loop_lag_s = max(self.counters.loop_lag_s, lag_s)
        if lag_s > STALL_S:
            self.counters.stalls += 1
            self.counters.last_stall = Happened(now_s, lag_s)
            log.warning(
                "this process stood still for %.1f s: the machine is too busy, or was suspended",
                lag_s,
            )

    def _add(self, job: Job) -> None:
        self._scheduler.add_job(
            self._guarded,
            Multiples(job.every_s),
            args=[job],
            id=job.name,
            name=job.name,
            replace_existing=True,
            max_instances=1,
            coalesce=True,
            misfire_grace_time=None,
        )

    async def _guarded(self, job: Job) -> None:
        try:
            async with asyncio.timeout(job.deadline_s):
                await job.run()
        except asyncio.CancelledError:
            if not self._closing:
                raise
        except TimeoutError:
            self._note_failure(job.name)
            log.error("%s was not done within %.1f s and was given up", job.name, job.deadline_s)
        except Exception:
            self._note_failure(job.name)
            log.exception("%s failed; its next run comes as planned", job.name)

    def _note_failure(self, name: str) -> None:
        self.counters.failed_runs += 1
        self.counters.last_failure = Failed(self._clock.steady_s(), name)

    def _callback_failed(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """Something that is no job of ours: a timer, a socket, a task that nobody waits for."""
        error = context.get("exception")
        if isinstance(error, OSError) and error.errno in (EMFILE, ENFILE):
            # Python 3.11 says this a hundred times a second, with a traceback each.
            if self._may_say("EMFILE"):
                log.error("no descriptor is left: whoever asks this daemon now is not answered")
            return
        self._note_failure(A_CALLBACK)
        if self._may_say(f"{context.get('message')} {error!r}"):
            loop.default_exception_handler(context)

    def _may_say(self, words: str) -> bool:
        now_s = self._clock.steady_s()
        if now_s - self._said_s.get(words, -inf) < SAID_AGAIN_S:
            return False
        if len(self._said_s) > 100:
            self._said_s.clear()
        self._said_s[words] = now_s
        return True

    def _missed(self, event: Any) -> None:
        self.counters.missed_runs += len(event.scheduled_run_times)
