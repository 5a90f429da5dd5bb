"""Recording periods end at their boundaries whatever the clock does; `last_alive` is written."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import pytest

from monitor.core.errors import LedgerError
from monitor.core.model import Reply
from tests.core.detection.scenario import network
from tests.daemon_on_fakes import LINK, DaemonOnFakes
from tests.waiting import eventually_async

START_S = 1_764_000_000.0


@pytest.fixture
def daemon() -> DaemonOnFakes:
    return DaemonOnFakes()


def measure(daemon: DaemonOnFakes, after_s: float = 0.0) -> None:
    daemon.clock.advance(after_s)
    now_s = daemon.clock.steady_s()
    daemon.pipeline.take([Reply(LINK, now_s - 0.01, now_s, 10.0)])


@pytest.mark.parametrize(
    ("runs_after_s", "rows"),
    [
        ((10.001, 10.0, 17.5), [(10.0, 1), (20.0, 1), (30.0, 1)]),
        ((10.0 - 1.5,), [(10.0, 1)]),
        ((10.0, 3.0, 7.0), [(10.0, 1), (20.0, 2)]),
    ],
    ids=[
        "a late run records the last boundary",
        "UTC is a little behind the clock that starts the job",
        "two runs for one boundary give one row and lose nothing",
    ],
)
async def test_the_time_of_a_row_is_the_boundary_of_its_period(
    daemon: DaemonOnFakes, runs_after_s: tuple[float, ...], rows: list[tuple[float, int]]
) -> None:
    for after_s in runs_after_s:
        measure(daemon, after_s)
        await daemon.record()
    assert [(row.at_s - START_S, row.sent) for row in await daemon.rows()] == rows


@pytest.mark.parametrize("step_s", [86_400.0, -86_400.0])
async def test_a_step_of_the_clock_moves_the_rows_and_loses_none(
    daemon: DaemonOnFakes, step_s: float
) -> None:
    measure(daemon, 10.0)
    await daemon.record()
    daemon.clock.step_wall(step_s)
    # APScheduler starts what it thinks is due before the step is noticed.
    await daemon.record()
    daemon.clock.step_s()
    measure(daemon, 10.0)
    await daemon.record()
    assert [row.at_s - START_S for row in await daemon.rows()] == [10.0, 20.0 + step_s]


async def after_a_period_of_many_targets(count: int) -> DaemonOnFakes:
    """Each target was measured once, at the end of a period."""
    daemon = DaemonOnFakes(network({f"s{n}/utama": () for n in range(count)}))
    daemon.clock.advance(10.0)
    now_s = daemon.clock.steady_s()
    names = [f"s{n}/utama" for n in range(count)]
    daemon.pipeline.take([Reply(name, now_s - 0.01, now_s, 10.0) for name in names])
    return daemon


async def test_the_rows_of_many_targets_are_stored_in_parts_with_one_time() -> None:
    daemon = await after_a_period_of_many_targets(1200)
    pipeline = asyncio.ensure_future(daemon.pipeline.run())
    storing = asyncio.ensure_future(daemon.record())
    await eventually_async(lambda: daemon.journal.parts == [500, 500])
    now_s = daemon.clock.steady_s()
    daemon.pipeline.take([Reply("s7/utama", now_s, now_s, 99.0)])
    await storing
    pipeline.cancel()
    rows = await daemon.rows()
    assert len({row.target for row in rows}) == len(rows) == 1200
    assert {(row.at_s - START_S, row.sent, row.rtt_max) for row in rows} == {(10.0, 1, 10.0)}


async def test_a_daemon_that_ends_while_storing_stores_the_rest_at_once() -> None:
    daemon = await after_a_period_of_many_targets(1200)
    pipeline = asyncio.ensure_future(daemon.pipeline.run())
    storing = asyncio.ensure_future(daemon.record())
    await eventually_async(lambda: daemon.journal.parts == [500])
    storing.cancel()
    with suppress(asyncio.CancelledError):
        await storing
    pipeline.cancel()
    daemon.period_recorder.finish()
    assert len(await daemon.rows()) == 1200


async def test_the_last_period_ends_when_the_daemon_ends(daemon: DaemonOnFakes) -> None:
    measure(daemon, 3.25)
    daemon.period_recorder.finish()
    assert [(row.at_s - START_S, row.sent) for row in await daemon.rows()] == [(3.25, 1)]


async def test_last_alive_is_written_only_while_something_is_measured(
    daemon: DaemonOnFakes,
) -> None:
    """The gap that a restart finds is the time without evidence, not without a process."""
    writer = asyncio.ensure_future(daemon.pipeline.run())
    found: list[float | None] = []
    for after_s, measured in ((0.0, False), (5.0, True), (9.0, False), (1.0, False)):
        daemon.clock.advance(after_s)
        if measured:
            measure(daemon)
        else:
            await daemon.jobs["alive"].run()
            await eventually_async(daemon.pipeline.is_recorded)
            found.append(daemon.ledger.load_snapshot().last_alive_s)
    writer.cancel()
    assert found == [None, START_S + 14.0, START_S + 14.0]


async def test_a_ledger_that_refuses_last_alive_is_in_trouble_until_it_takes_it(
    daemon: DaemonOnFakes, caplog: pytest.LogCaptureFixture
) -> None:
    progress = daemon.pipeline.progress
    writer = asyncio.ensure_future(daemon.pipeline.run())
    measure(daemon)
    daemon.ledger.trouble = LedgerError("the disk is full")
    await daemon.jobs["alive"].run()
    await eventually_async(lambda: progress.ledger.error == "the disk is full")
    assert "ledger: the disk is full" in caplog.text
    for _ in range(100):
        await daemon.jobs["alive"].run()
    daemon.ledger.trouble = None
    await eventually_async(lambda: progress.ledger.error is None)
    assert daemon.ledger.load_snapshot().last_alive_s == START_S
    writer.cancel()
