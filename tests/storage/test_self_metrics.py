"""The measurement `monitor`: what the daemon costs and what it could not do."""

from __future__ import annotations

import logging

import pytest

from monitor.core.samples.samples import MonitorSample
from tests.daemon_on_fakes import DaemonOnFakes


@pytest.fixture
def daemon() -> DaemonOnFakes:
    return DaemonOnFakes()


async def test_a_sample_has_the_figures_of_process_scheduler_and_prober(
    daemon: DaemonOnFakes,
) -> None:
    daemon.set_descriptors(60, 64)
    await daemon.cannot_measure("ENETUNREACH", 3)
    await daemon.cannot_measure("stalled", 2)
    progress, counters = daemon.pipeline.progress, daemon.schedule.counters
    progress.missed_rounds, progress.round_lag_s = 11, 2.5
    counters.stalls, counters.clock_steps, counters.failed_runs = 1, 2, 3
    counters.loop_lag_s = 11.5
    daemon.outbox_age_s = 90.5
    sample = await daemon.measure_self()
    assert sample.outbox_age_s == 90.5
    assert (sample.open_fds, sample.max_fds, sample.rss_bytes) == (60, 64, 80_000_000)
    assert (sample.not_measured, sample.missed_rounds, sample.stalls) == (5, 11, 1)
    assert (sample.clock_steps, sample.failed_runs, sample.synchronised) == (2, 3, 1)
    assert (sample.round_lag_s, sample.loop_lag_s) == (2.5, 11.5)
    again = await daemon.measure_self()
    assert (again.round_lag_s, again.loop_lag_s, again.not_measured) == (0.0, 0.0, 5)


async def test_a_sample_is_stored_with_the_age_of_the_journal(daemon: DaemonOnFakes) -> None:
    daemon.pipeline.progress.journal.written_s = daemon.clock.steady_s()
    daemon.clock.advance(2.5)
    sample = await daemon.measure_self()
    assert sample.journal_age_s == 2.5
    daemon.pipeline.close()
    stored = daemon.journal.read_after(None, 10).samples
    assert [each for each in stored if isinstance(each, MonitorSample)] == [sample]


async def test_an_unsynchronised_clock_is_stored_and_logged_each_time_it_begins(
    daemon: DaemonOnFakes, caplog: pytest.LogCaptureFixture
) -> None:
    stored = []
    for synchronised in (True, False, False, None, True, False):
        daemon.synchronised = synchronised
        stored.append((await daemon.measure_self()).synchronised)
    assert stored == [1, 0, 0, None, 1, 0]
    assert len([each for each in caplog.records if "synchronised" in each.message]) == 2


async def test_a_reason_for_not_measuring_is_logged_when_it_begins_and_when_all_are_over(
    daemon: DaemonOnFakes, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "monitor.storage.self_metrics")
    for unmeasured in (
        {"ENETUNREACH": 62},
        {"ENETUNREACH": 62},
        {"ENETUNREACH": 60, "stalled": 2},
        {},
        {},
    ):
        for reason, count in unmeasured.items():
            await daemon.cannot_measure(reason, count)
        await daemon.measure_self()
    assert [r.message for r in caplog.records if r.name == "monitor.storage.self_metrics"] == [
        "not measured in the last 10 s: 62 x ENETUNREACH",
        "not measured in the last 10 s: 60 x ENETUNREACH, 2 x stalled",
        "everything is measured again",
    ]
