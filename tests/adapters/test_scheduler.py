"""The scheduler: runs on time, whatever the clock, a job or the machine does."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest

from monitor.adapters.scheduler import STALL_S, AlignedTrigger, Scheduler
from monitor.adapters.system.clock import SystemClock
from monitor.core.job import Job
from tests.waiting import eventually_async

NOON = datetime(2026, 11, 24, 5, 0, 0, tzinfo=UTC)


class Rig:
    """A scheduler on the machine's clock, which a test may set forward or back."""

    def __init__(self) -> None:
        self.ahead_s = 0.0
        self.scheduler = Scheduler(SystemClock(wall_s=lambda: time.time() + self.ahead_s))
        self.counters = self.scheduler.counters
        self.runs: list[str] = []

    def job(self, name: str = "job", deadline_s: float = 1.0, fails: str = "") -> Job:
        """Ten times a second; fails: `raises`, `times out` (its own TimeoutError) or `hangs`."""

        async def run() -> None:
            self.runs.append(name)
            if fails == "raises":
                raise RuntimeError("broken on purpose")
            if fails == "times out":
                raise TimeoutError("the server did not answer")
            if fails == "hangs":
                await asyncio.Event().wait()

        return Job(name, 0.1, run, deadline_s)

    @asynccontextmanager
    async def running(self, *jobs: Job) -> AsyncIterator[None]:
        self.scheduler.set(jobs)
        guard = asyncio.create_task(self.scheduler.guard())
        self.scheduler.start()
        yield
        self.scheduler.close()
        guard.cancel()

    async def runs_again(self) -> None:
        seen = len(self.runs)
        await eventually_async(lambda: len(self.runs) > seen)


@pytest.mark.parametrize(
    ("every_s", "after_noon_s", "due_s"),
    [(10.0, 0.0, 10.0), (10.0, 9.99, 10.0), (0.2, 0.3, 0.4), (3600.0, 1.0, 3600.0)],
)
def test_a_run_is_due_at_the_next_multiple_of_its_period(
    every_s: float, after_noon_s: float, due_s: float
) -> None:
    now = NOON + timedelta(seconds=after_noon_s)
    for previous in (None, now - timedelta(seconds=1)):
        due = AlignedTrigger(every_s).get_next_fire_time(previous, now)
        assert due == NOON + timedelta(seconds=due_s)


@pytest.mark.parametrize("gone", [timedelta(hours=12), timedelta(days=365 * 56)])
def test_what_was_missed_while_the_machine_slept_or_its_clock_was_set_is_one_run(
    gone: timedelta,
) -> None:
    due = AlignedTrigger(0.2).get_next_fire_time(NOON, NOON + gone)
    assert due == NOON + gone + timedelta(seconds=0.2)


def test_a_run_is_not_due_twice_for_one_multiple() -> None:
    trigger = AlignedTrigger(1.0)
    early = NOON + timedelta(seconds=0.9995)
    due = trigger.get_next_fire_time(None, early)
    for now in (due, early):
        assert trigger.get_next_fire_time(due, now) == due + timedelta(seconds=1)


@pytest.mark.parametrize(
    ("fails", "message", "error"),
    [
        ("raises", "brittle failed; its next run comes as planned", "broken on purpose"),
        ("times out", "brittle failed; its next run comes as planned", "did not answer"),
        ("hangs", "brittle was not done within 0.2 s and was cancelled", None),
    ],
)
async def test_a_job_that_fails_or_hangs_is_logged_counted_and_runs_again(
    fails: str, message: str, error: str | None, caplog: pytest.LogCaptureFixture
) -> None:
    rig = Rig()
    async with rig.running(rig.job("brittle", 0.25, fails)):
        await eventually_async(lambda: len(rig.runs) >= 3)
    assert rig.counters.failed_runs >= 2
    assert rig.counters.last_failure is not None
    assert rig.counters.last_failure.job == "brittle"
    assert (rig.counters.missed_runs >= 1) == (fails == "hangs")
    assert message in caplog.text
    assert (error or "not done within") in caplog.text


async def test_a_callback_that_fails_repeatedly_is_counted_each_time_and_logged_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    rig = Rig()

    def fail() -> None:
        raise RuntimeError("broken on purpose")

    async with rig.running():
        for _ in range(5):
            asyncio.get_running_loop().call_soon(fail)
        await eventually_async(lambda: rig.counters.failed_runs == 5)
    assert rig.counters.last_failure is not None
    assert rig.counters.last_failure.job == "a callback"
    assert len([r for r in caplog.records if r.exc_info]) == 1


async def test_a_server_without_descriptors_is_logged_once_and_is_no_failed_run(
    caplog: pytest.LogCaptureFixture,
) -> None:
    rig = Rig()
    context = {"message": "socket.accept() out of system resource", "exception": OSError(24, "x")}
    async with rig.running():
        for _ in range(100):
            asyncio.get_running_loop().call_exception_handler(context)
    assert rig.counters.failed_runs == 0
    (record,) = caplog.records
    assert record.message.startswith("no file descriptor is left")


async def test_a_callback_that_blocks_the_loop_is_logged_counted_and_its_lag_kept(
    caplog: pytest.LogCaptureFixture,
) -> None:
    rig = Rig()
    async with rig.running(rig.job()):
        await rig.runs_again()
        threading.Event().wait(STALL_S + 0.7)
        await eventually_async(lambda: rig.counters.stalls == 1)
        await rig.runs_again()
    assert rig.counters.last_stall is not None
    assert rig.counters.last_stall.length_s > STALL_S
    assert rig.counters.take_loop_lag_s() > STALL_S
    assert rig.counters.take_loop_lag_s() == 0.0
    assert "this process stood still for" in caplog.text


@pytest.mark.parametrize("step_s", [86_400.0, -86_400.0])
async def test_after_a_step_of_the_clock_every_job_goes_on(
    step_s: float, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    rig = Rig()
    async with rig.running(rig.job()):
        await rig.runs_again()
        rig.ahead_s = step_s
        await eventually_async(lambda: rig.counters.clock_steps == 1)
        await rig.runs_again()
    assert rig.counters.last_step is not None
    assert rig.counters.last_step.length_s == pytest.approx(step_s, abs=1)
    assert "the clock stepped by" in caplog.text


async def test_exactly_the_jobs_that_were_set_last_run() -> None:
    rig = Rig()
    async with rig.running(rig.job("one"), rig.job("other")):
        await eventually_async(lambda: {"one", "other"} <= set(rig.runs))
        rig.scheduler.set([rig.job("one")])
        rig.runs.clear()
        await eventually_async(lambda: len(rig.runs) >= 3)
        assert set(rig.runs) == {"one"}
