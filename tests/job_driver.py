"""Run the daemon's jobs on a manual clock, without waiting."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from monitor.core.job import Job
from tests.fakes.clock import ManualClock


async def run_jobs(jobs: Iterable[Job], clock: ManualClock, for_s: float) -> None:
    """Start each job at every multiple of its period, like the scheduler, for `for_s` seconds."""
    jobs = list(jobs)
    end_s = clock.steady_s() + for_s
    next_s = {job.name: _after(clock.steady_s() - 1e-3, job.every_s) for job in jobs}
    running: dict[str, asyncio.Task[None]] = {}
    while True:
        at_s = min(next_s.values())
        if at_s >= end_s:
            break
        await clock.run(at_s - clock.steady_s())
        for job in jobs:
            if next_s[job.name] <= at_s:
                next_s[job.name] = _after(at_s, job.every_s)
                task = running.get(job.name)
                if task is None or task.done():
                    if task is not None:
                        task.result()
                    running[job.name] = asyncio.ensure_future(job.run())
    await clock.run(end_s - clock.steady_s())
    for task in running.values():
        if not task.done():
            task.cancel()


def _after(now_s: float, every_s: float) -> float:
    """The first multiple of `every_s` after now (tenths of a millisecond forgiven)."""
    return round((int((now_s + 1e-4) / every_s) + 1) * every_s, 6)
