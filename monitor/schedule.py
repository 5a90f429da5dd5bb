"""APScheduler starts the rounds, the polls and the housekeeping; a guard keeps it going.

APScheduler counts by the wall clock: after a step back it would start nothing until the old time
is reached again. The guard compares wall and steady time twice a second and re-plans every job
on a step. Timing inside a round is steady and not APScheduler's affair.

This is the job boundary: whatever a job raises is logged, counted, and the next run comes.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from apscheduler.events import EVENT_JOB_MAX_INSTANCES, EVENT_JOB_MISSED
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.interval import IntervalTrigger

from monitor.core.ports import Clock

log = logging.getLogger("monitor.schedule")

GUARD_S = 0.5
EPOCH = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Job:
    """Something that is started again and again.

    Runs start on whole multiples of `every_s` (10 s: at :00, :10, …).
    deadline_s: a run that takes longer is cancelled and said.
    """

    name: str
    every_s: float
    run: Callable[[], Awaitable[None]]
    deadline_s: float
    is_round: bool = False


@dataclass(slots=True)
class ScheduleCounters:
    """What went wrong since the start; loop_lag_s is the worst of the last look."""

    missed_rounds: int = 0
    failed_runs: int = 0
    clock_steps: int = 0
    loop_lag_s: float = 0.0


class Schedule:
    """Starts jobs on the running event loop."""

    def __init__(self, clock: Clock) -> None:
        self.counters = ScheduleCounters()
        self._clock = clock
        self._jobs: dict[str, Job] = {}
        self._closing = False
        self._scheduler = AsyncIOScheduler(timezone=UTC)
        self._scheduler.add_listener(self._missed, EVENT_JOB_MISSED | EVENT_JOB_MAX_INSTANCES)
        # Its warnings repeat what `_missed` counts and says once.
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
            self.counters.loop_lag_s = self._clock.steady_s() - before_s - GUARD_S
            step_s = self._clock.step_s()
            if step_s is not None:
                self.counters.clock_steps += 1
                log.warning("the clock stepped by %+.1f s: every job is planned anew", step_s)
                for job in self._jobs.values():
                    self._add(job)

    def _add(self, job: Job) -> None:
        self._scheduler.add_job(
            self._guarded,
            IntervalTrigger(seconds=job.every_s, start_date=EPOCH, timezone=UTC),
            args=[job],
            id=job.name,
            name=job.name,
            replace_existing=True,
            max_instances=1,
            coalesce=True,
            misfire_grace_time=max(1, int(job.every_s)),
        )

    async def _guarded(self, job: Job) -> None:
        try:
            async with asyncio.timeout(job.deadline_s):
                await job.run()
        except asyncio.CancelledError:
            if not self._closing:
                raise
        except TimeoutError:
            self.counters.failed_runs += 1
            log.error("%s was not done within %.1f s and was given up", job.name, job.deadline_s)
        except Exception:
            self.counters.failed_runs += 1
            log.exception("%s failed; its next run comes as planned", job.name)

    def _missed(self, event: Any) -> None:
        job = self._jobs.get(event.job_id)
        if job is not None and job.is_round:
            self.counters.missed_rounds += 1
            log.warning("a run of %s was missed: the machine is too busy", job.name)
