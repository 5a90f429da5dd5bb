"""The daemon on itself: its figures, and the periods that it closes whatever the clock does."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress

import pytest

from monitor.adapters.scheduler import ClockEvent, FailedRun
from monitor.core.errors import LedgerError
from monitor.core.model import Lost, NotMeasured, Outcome, Reply
from monitor.core.samples.samples import MonitorSample
from tests.core.detection.scenario import network
from tests.daemon_on_fakes import LINK, DaemonOnFakes
from tests.waiting import eventually_async

START_S = 1_764_000_000.0


def measured(house: DaemonOnFakes) -> None:
    now_s = house.clock.steady_s()
    house.pipeline.take([Reply(LINK, now_s - 0.01, now_s, 10.0)])


async def test_a_period_has_its_boundary_as_its_time_and_a_late_one_the_last_boundary() -> None:
    house = DaemonOnFakes()
    for after_s in (10.001, 9.999 + 0.002, 17.5):
        house.clock.advance(after_s)
        measured(house)
        await house.record()
    assert [row.at_s - START_S for row in await house.rows()] == [10.0, 20.0, 30.0]


async def test_utc_a_little_behind_the_clock_that_starts_the_job_changes_no_boundary() -> None:
    house = DaemonOnFakes()
    house.clock.advance(10.0 - 1.5)
    measured(house)
    await house.record()
    assert [row.at_s - START_S for row in await house.rows()] == [10.0]


async def test_two_runs_for_one_boundary_give_one_row_and_lose_nothing() -> None:
    house = DaemonOnFakes()
    house.clock.advance(10.0)
    measured(house)
    await house.record()
    house.clock.advance(3.0)
    measured(house)
    await house.record()
    house.clock.advance(7.0)
    measured(house)
    await house.record()
    rows = await house.rows()
    assert [(row.at_s - START_S, row.sent) for row in rows] == [(10.0, 1), (20.0, 2)]


async def many(count: int) -> DaemonOnFakes:
    """A house with so many targets, each measured once, at the end of a period."""
    house = DaemonOnFakes(network({f"s{n}/utama": () for n in range(count)}))
    house.clock.advance(10.0)
    now_s = house.clock.steady_s()
    names = list(house.pipeline.detector.healths)
    house.pipeline.take([Reply(name, now_s - 0.01, now_s, 10.0) for name in names])
    return house


async def test_the_rows_of_many_targets_are_stored_in_parts_and_bear_one_time() -> None:
    house = await many(1200)
    writing = asyncio.ensure_future(house.pipeline.run())
    storing = asyncio.ensure_future(house.record())
    await eventually_async(lambda: house.journal.parts == [500, 500])
    now_s = house.clock.steady_s()
    house.pipeline.take([Reply("s7/utama", now_s, now_s, 99.0)])
    await storing
    writing.cancel()
    rows = await house.rows()
    assert len({row.target for row in rows}) == len(rows) == 1200
    assert {(row.at_s - START_S, row.sent, row.rtt_max) for row in rows} == {(10.0, 1, 10.0)}


async def test_a_daemon_that_ends_meanwhile_stores_the_rest_at_once() -> None:
    house = await many(1200)
    writing = asyncio.ensure_future(house.pipeline.run())
    storing = asyncio.ensure_future(house.record())
    await eventually_async(lambda: house.journal.parts == [500])
    storing.cancel()
    with suppress(asyncio.CancelledError):
        await storing
    writing.cancel()
    house.period_recorder.finish()
    assert len(await house.rows()) == 1200


@pytest.mark.parametrize("step_s", [86_400.0, -86_400.0])
async def test_a_step_of_the_clock_moves_the_rows_and_loses_none(step_s: float) -> None:
    house = DaemonOnFakes()
    house.clock.advance(10.0)
    measured(house)
    await house.record()
    house.clock.step_wall(step_s)
    # APScheduler starts what it thinks is due before the step is noticed.
    await house.record()
    house.clock.step_s()
    house.clock.advance(10.0)
    measured(house)
    await house.record()
    rows = await house.rows()
    assert [row.at_s - START_S for row in rows] == [10.0, 20.0 + step_s]


async def test_what_the_daemon_cost_and_could_not_do_is_in_its_own_row() -> None:
    house = DaemonOnFakes()
    house.uses(60, 64)
    await house.cannot_measure("ENETUNREACH", 3)
    await house.cannot_measure("stalled", 2)
    progress, counters = house.pipeline.progress, house.schedule.counters
    progress.missed_rounds, progress.round_lag_s = 11, 2.5
    counters.stalls, counters.clock_steps, counters.failed_runs = 1, 2, 3
    counters.loop_lag_s = 11.5
    house.outbox_age_s = 90.5
    own = await house.look()
    assert own.outbox_age_s == 90.5
    assert (own.open_fds, own.max_fds, own.rss_bytes) == (60, 64, 80_000_000)
    assert (own.not_measured, own.missed_rounds, own.stalls) == (5, 11, 1)
    assert (own.clock_steps, own.failed_runs, own.synchronised) == (2, 3, 1)
    assert (own.round_lag_s, own.loop_lag_s) == (2.5, 11.5)
    again = await house.look()
    assert (again.round_lag_s, again.loop_lag_s, again.not_measured) == (0.0, 0.0, 5)


@pytest.mark.parametrize(("told", "stored"), [(None, None), (True, 1), (False, 0)])
async def test_whether_the_clock_is_synchronised_is_stored_or_absent(
    told: bool | None, stored: int | None
) -> None:
    house = DaemonOnFakes()
    house.synchronised = told
    assert (await house.look()).synchronised == stored


async def test_a_reason_for_not_measuring_is_logged_when_it_begins_and_when_all_is_over(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    house = DaemonOnFakes()
    await house.cannot_measure("ENETUNREACH", 62)
    await house.look()
    await house.cannot_measure("ENETUNREACH", 62)
    await house.look()
    await house.cannot_measure("ENETUNREACH", 60)
    await house.cannot_measure("stalled", 2)
    await house.look()
    await house.look()
    await house.look()
    said = [r.message for r in caplog.records if r.name == "monitor.storage.self_metrics"]
    assert said == [
        "not measured in the last 10 s: 62 x ENETUNREACH",
        "not measured in the last 10 s: 60 x ENETUNREACH, 2 x stalled",
        "everything is measured again",
    ]


async def test_a_clock_that_nobody_keeps_right_is_logged_once_each_time_it_begins(
    caplog: pytest.LogCaptureFixture,
) -> None:
    house = DaemonOnFakes()
    for told in (True, False, False, None, True, False):
        house.synchronised = told
        await house.look()
    said = [record.message for record in caplog.records if "synchronised" in record.message]
    assert len(said) == 2


async def test_a_quiet_daemon_has_nothing_to_warn_of() -> None:
    house = DaemonOnFakes()
    measured(house)
    await house.look()
    assert await house.warnings() == []


async def test_every_trouble_of_its_own_is_a_warning_that_says_what_to_do() -> None:
    house = DaemonOnFakes()
    house.synchronised = False
    house.uses(60, 64)
    await house.cannot_measure("ENOBUFS", 7)
    await house.look()
    now_s = house.clock.steady_s()
    house.pipeline.progress.missed_rounds = 11
    house.pipeline.progress.last_missed_s = now_s
    counters = house.schedule.counters
    counters.last_step = ClockEvent(now_s - 130, -86_400.0)
    counters.last_stall = ClockEvent(now_s, 12.3)
    counters.last_failure = FailedRun(now_s, "prune")
    found = "\n".join(await house.warnings())
    for words in (
        "not measured in the last 10 s: 7 x ENOBUFS",
        "rounds missed since the start: 11, the last just now",
        "clock was set by -86400.0 s 2 min ago",
        "clock is not synchronised: outages may bear wrong times, and penalties hang on them",
        "stood still for 12.3 s just now",
        "prune failed just now",
        "60 of 64 descriptors are in use: raise the limit",
    ):
        assert words in found


async def test_what_happened_once_is_not_warned_of_for_ever() -> None:
    house = DaemonOnFakes()
    now_s = house.clock.steady_s()
    house.pipeline.progress.missed_rounds = 11
    house.pipeline.progress.last_missed_s = now_s
    counters = house.schedule.counters
    counters.last_step = counters.last_stall = ClockEvent(now_s, 12.3)
    counters.last_failure = FailedRun(now_s, "prune")
    assert len(await house.warnings()) == 4
    house.clock.advance(3600)
    assert await house.warnings() == []


def told(house: DaemonOnFakes, outcome: Callable[[str, float], Outcome], for_s: int) -> None:
    """Every target gives this outcome once a second."""
    for _ in range(for_s):
        house.clock.advance(1.0)
        now_s = house.clock.steady_s()
        house.pipeline.take([outcome(name, now_s) for name in house.pipeline.detector.healths])


async def test_a_machine_that_cannot_send_or_is_cut_off_says_which() -> None:
    for outcome, words in (
        (lambda name, at_s: NotMeasured(name, at_s, at_s, "ENETUNREACH"), "cannot send (ENETUN"),
        (lambda name, at_s: Lost(name, at_s - 1.0, at_s), "cut off: no anchor answers"),
    ):
        house = DaemonOnFakes(network({f"s{n}/utama": () for n in range(9)}, anchors=1))
        told(house, lambda name, at_s: Reply(name, at_s - 0.01, at_s, 10.0), 10)
        told(house, outcome, 30)
        assert words in (await house.warnings())[0]


async def test_what_is_not_written_and_files_that_are_refused_are_said() -> None:
    house = DaemonOnFakes()
    progress = house.pipeline.progress
    house.status.reload_refused("sites/lelea.toml:3: no")
    progress.ledger.error = "the disk is full"
    progress.journal.error = "no space left"
    progress.journal.dropped = 310
    said = await house.warnings()
    assert said == [
        "configuration not reloaded: sites/lelea.toml:3: no",
        "ledger: the disk is full",
        "journal: no space left",
        "samples dropped, the journal cannot be written: 310",
    ]
    house.status.reloaded("Asia/Jakarta", "Diskominfo")
    progress.ledger.error = progress.journal.error = None
    progress.journal.dropped = 0
    assert await house.warnings() == []


async def test_a_full_disk_has_a_word_of_its_own_for_the_page() -> None:
    house = DaemonOnFakes()
    progress = house.pipeline.progress
    kinds = []
    for is_full in (False, True):
        house.clock.advance(1.0)
        progress.journal.error, progress.journal.is_full = "no", is_full
        monitor = (await house.status.document())["monitor"]
        assert isinstance(monitor, dict)
        kinds += [remark["kind"] for remark in monitor["remarks"]]
    assert kinds == ["journal", "journal_full"]


async def test_only_a_daemon_that_measures_is_noted_as_alive() -> None:
    """The gap that a restart finds is the time without evidence, not without a process."""
    house = DaemonOnFakes()
    await house.jobs["alive"].run()
    assert house.ledger.load_snapshot().last_alive_s is None
    house.clock.advance(5.0)
    measured(house)
    house.clock.advance(9.0)
    await house.jobs["alive"].run()
    assert house.ledger.load_snapshot().last_alive_s == START_S + 14.0
    house.clock.advance(1.0)
    await house.jobs["alive"].run()
    assert house.ledger.load_snapshot().last_alive_s == START_S + 14.0, "10 s without any outcome"


async def test_a_ledger_that_cannot_note_it_is_logged_and_stops_nothing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    house = DaemonOnFakes()
    measured(house)
    house.ledger.trouble = LedgerError("the disk is full")
    await house.jobs["alive"].run()
    assert "last_alive cannot be written: the disk is full" in caplog.text


async def test_what_was_measured_before_the_end_is_a_row_with_the_time_of_the_end() -> None:
    house = DaemonOnFakes()
    house.clock.advance(3.25)
    measured(house)
    house.period_recorder.finish()
    assert [(row.at_s - START_S, row.sent) for row in await house.rows()] == [(3.25, 1)]


async def test_the_daemons_own_row_is_kept_with_the_samples() -> None:
    house = DaemonOnFakes()
    house.pipeline.progress.journal.written_s = house.clock.steady_s()
    house.clock.advance(2.5)
    own = await house.look()
    assert own.journal_age_s == 2.5
    house.pipeline.close()
    stored = house.journal.read_after(None, 10).samples
    assert [sample for sample in stored if isinstance(sample, MonitorSample)] == [own]
