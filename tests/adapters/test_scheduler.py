"""The schedule: runs on time, whatever the clock, a job or the machine does."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest

from monitor.adapters.scheduler import STALL_S, Multiples, Scheduler
from monitor.adapters.system.clock import SystemClock
from monitor.core.job import Job
from tests.waiting import eventually_async

NOON = datetime(2026, 11, 24, 5, 0, 0, tzinfo=UTC)


class SteppedClock(SystemClock):
    """The machine's clock, which a test may set."""

    def __init__(self) -> None:
        self.ahead_s = 0.0
        super().__init__(wall_s=lambda: time.time() + self.ahead_s)


@asynccontextmanager
async def running(schedule: Scheduler, *jobs: Job) -> AsyncIterator[None]:
    schedule.set(jobs)
    guard = asyncio.create_task(schedule.guard())
    schedule.start()
    yield
    schedule.close()
    guard.cancel()


@pytest.mark.parametrize(
    ("every_s", "now", "expected"),
    [
        (10.0, NOON, NOON + timedelta(seconds=10)),
        (10.0, NOON + timedelta(seconds=9.99), NOON + timedelta(seconds=10)),
        (0.2, NOON + timedelta(seconds=0.3), NOON + timedelta(seconds=0.4)),
        (3600.0, NOON + timedelta(seconds=1), NOON + timedelta(hours=1)),
    ],
)
def test_a_run_is_due_at_the_next_multiple_of_its_period(
    every_s: float, now: datetime, expected: datetime
) -> None:
    assert Multiples(every_s).get_next_fire_time(None, now) == expected
    assert Multiples(every_s).get_next_fire_time(now - timedelta(seconds=1), now) == expected


@pytest.mark.parametrize("gone", [timedelta(hours=12), timedelta(days=365 * 56)])
def test_what_was_missed_while_the_machine_slept_or_its_clock_was_set_is_one_run(
    gone: timedelta,
) -> None:
    trigger = Multiples(0.2)
    assert trigger.get_next_fire_time(NOON, NOON + gone) == NOON + gone + timedelta(seconds=0.2)


def test_a_run_is_not_due_twice_for_one_multiple() -> None:
    trigger = Multiples(1.0)
    early = NOON + timedelta(seconds=0.9995)
    due = trigger.get_next_fire_time(None, early)
    assert trigger.get_next_fire_time(due, due) == due + timedelta(seconds=1)
    assert trigger.get_next_fire_time(due, early) == due + timedelta(seconds=1)


async def test_a_job_that_fails_is_counted_and_named_and_runs_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    schedule = Scheduler(SystemClock())
    runs = 0

    async def fail() -> None:
        nonlocal runs
        runs += 1
        raise RuntimeError("broken on purpose")

    async with running(schedule, Job("brittle", 0.1, fail, deadline_s=1)):
        await eventually_async(lambda: runs >= 3)
    assert schedule.counters.failed_runs >= 3
    assert schedule.counters.last_failure is not None
    assert schedule.counters.last_failure.job == "brittle"
    assert "brittle failed" in caplog.text
    assert "broken on purpose" in caplog.text


async def test_a_job_that_hangs_is_given_up_counted_and_runs_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    schedule = Scheduler(SystemClock())
    runs = 0

    async def hang() -> None:
        nonlocal runs
        runs += 1
        await asyncio.Event().wait()

    async with running(schedule, Job("hung", 0.1, hang, deadline_s=0.25)):
        await eventually_async(lambda: runs >= 2)
        assert schedule.counters.missed_runs >= 1
    assert schedule.counters.failed_runs >= 1
    assert "hung was not done within" in caplog.text


async def test_a_callback_that_fails_over_and_over_is_counted_each_time_and_logged_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    schedule = Scheduler(SystemClock())

    def fail() -> None:
        raise RuntimeError("broken on purpose")

    async with running(schedule):
        for _ in range(5):
            asyncio.get_running_loop().call_soon(fail)
        await eventually_async(lambda: schedule.counters.failed_runs == 5)
    assert schedule.counters.last_failure is not None
    assert schedule.counters.last_failure.job == "a callback"
    said = [r for r in caplog.records if r.exc_info]
    assert len(said) == 1
    assert "broken on purpose" in caplog.text


async def test_a_server_without_descriptors_is_said_once_and_is_no_failed_run(
    caplog: pytest.LogCaptureFixture,
) -> None:
    schedule = Scheduler(SystemClock())
    context = {"message": "socket.accept() out of system resource", "exception": OSError(24, "x")}
    async with running(schedule):
        for _ in range(100):
            asyncio.get_running_loop().call_exception_handler(context)
    assert schedule.counters.failed_runs == 0
    assert [r.message for r in caplog.records] == [
        "no descriptor is left: whoever asks this daemon now is not answered"
    ]


async def test_a_callback_that_blocks_everything_is_said_counted_and_its_lag_kept_until_asked(
    caplog: pytest.LogCaptureFixture,
) -> None:
    schedule = Scheduler(SystemClock())
    runs = 0

    async def run() -> None:
        nonlocal runs
        runs += 1

    async with running(schedule, Job("job", 0.1, run, deadline_s=1)):
        await eventually_async(lambda: runs >= 1)
        threading.Event().wait(STALL_S + 0.7)
        seen = runs
        await eventually_async(lambda: schedule.counters.stalls == 1)
        await eventually_async(lambda: runs > seen)
    assert schedule.counters.last_stall is not None
    assert schedule.counters.last_stall.length_s > STALL_S
    assert schedule.counters.take_loop_lag_s() > STALL_S
    assert schedule.counters.take_loop_lag_s() == 0.0
    assert "this process stood still for" in caplog.text


@pytest.mark.parametrize("step_s", [86_400.0, -86_400.0])
async def test_a_set_clock_is_counted_and_every_job_goes_on(
    step_s: float, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    clock = SteppedClock()
    schedule = Scheduler(clock)
    runs = 0

    async def run() -> None:
        nonlocal runs
        runs += 1

    async with running(schedule, Job("job", 0.1, run, deadline_s=1)):
        await eventually_async(lambda: runs >= 1)
        clock.ahead_s = step_s
        await eventually_async(lambda: schedule.counters.clock_steps == 1)
        seen = runs
        await eventually_async(lambda: runs > seen)
    assert schedule.counters.last_step is not None
    assert schedule.counters.last_step.length_s == pytest.approx(step_s, abs=1)
    assert "the clock stepped by" in caplog.text


async def test_exactly_the_jobs_that_were_set_last_run_and_an_unchanged_one_is_not_disturbed() -> (
    None
):
    schedule = Scheduler(SystemClock())
    ran: list[str] = []

    async def one() -> None:
        ran.append("one")

    async def other() -> None:
        ran.append("other")

    kept = Job("one", 0.1, one, deadline_s=1)
    async with running(schedule, kept, Job("other", 0.1, other, deadline_s=1)):
        await eventually_async(lambda: {"one", "other"} <= set(ran))
        schedule.set([kept])
        ran.clear()
        await eventually_async(lambda: len(ran) >= 3)
        assert set(ran) == {"one"}
