"""The warnings of a running daemon about itself."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from monitor.adapters.scheduler import ClockEvent, JobFailure
from monitor.core.model import Lost, NotMeasured, Outcome, Reply
from tests.core.detection.scenario import network
from tests.daemon_on_fakes import LINK, DaemonOnFakes


@pytest.fixture
def daemon() -> DaemonOnFakes:
    return DaemonOnFakes()


async def test_a_daemon_without_faults_has_no_warning(daemon: DaemonOnFakes) -> None:
    now_s = daemon.clock.steady_s()
    daemon.pipeline.take([Reply(LINK, now_s - 0.01, now_s, 10.0)])
    await daemon.measure_self()
    assert await daemon.warnings() == []


async def test_each_fault_of_the_daemon_and_its_machine_is_a_warning(
    daemon: DaemonOnFakes,
) -> None:
    daemon.synchronised = False
    daemon.set_descriptors(60, 64)
    await daemon.cannot_measure("ENOBUFS", 7)
    await daemon.measure_self()
    now_s = daemon.clock.steady_s()
    daemon.pipeline.progress.missed_rounds = 11
    daemon.pipeline.progress.last_missed_s = now_s
    counters = daemon.schedule.counters
    counters.last_step = ClockEvent(now_s - 130, -86_400.0)
    counters.last_stall = ClockEvent(now_s, 12.3)
    counters.last_failure = JobFailure(now_s, "prune")
    warnings = "\n".join(await daemon.warnings())
    for text in (
        "not measured in the last 10 s: 7 x ENOBUFS",
        "rounds missed since the start: 11, the last just now",
        "clock was set by -86400.0 s 2 min ago",
        "clock is not synchronised: outages may bear wrong times, and penalties hang on them",
        "stood still for 12.3 s just now",
        "prune failed just now",
        "60 of 64 descriptors are in use: raise the limit",
    ):
        assert text in warnings


async def test_a_warning_about_a_single_event_ends_after_a_while(daemon: DaemonOnFakes) -> None:
    now_s = daemon.clock.steady_s()
    daemon.pipeline.progress.missed_rounds = 11
    daemon.pipeline.progress.last_missed_s = now_s
    counters = daemon.schedule.counters
    counters.last_step = counters.last_stall = ClockEvent(now_s, 12.3)
    counters.last_failure = JobFailure(now_s, "prune")
    assert len(await daemon.warnings()) == 4
    daemon.clock.advance(3600)
    assert await daemon.warnings() == []


@pytest.mark.parametrize(
    ("outcome", "warning"),
    [
        (lambda name, at_s: NotMeasured(name, at_s, at_s, "ENETUNREACH"), "cannot send (ENETUN"),
        (lambda name, at_s: Lost(name, at_s - 1.0, at_s), "cut off: no anchor answers"),
    ],
    ids=["cannot send", "cut off"],
)
async def test_an_isolated_machine_is_the_first_warning(
    outcome: Callable[[str, float], Outcome], warning: str
) -> None:
    net = network({f"s{n}/utama": () for n in range(9)}, anchors=1)
    daemon = DaemonOnFakes(net)
    names = [target.name for target in net.targets()]
    for second in range(40):
        daemon.clock.advance(1.0)
        now_s = daemon.clock.steady_s()
        up = [Reply(name, now_s - 0.01, now_s, 10.0) for name in names]
        daemon.pipeline.take(up if second < 10 else [outcome(name, now_s) for name in names])
    assert warning in (await daemon.warnings())[0]


async def test_errors_of_ledger_journal_and_reload_are_warnings_until_they_pass(
    daemon: DaemonOnFakes,
) -> None:
    progress = daemon.pipeline.progress
    daemon.status.reload_refused("sites/lelea.toml:3: no")
    progress.ledger.error = "the disk is full"
    progress.journal.error = "no space left"
    progress.journal.dropped = 310
    assert await daemon.warnings() == [
        "configuration not reloaded: sites/lelea.toml:3: no",
        "ledger: the disk is full",
        "journal: no space left",
        "samples dropped, the journal cannot be written: 310",
    ]
    daemon.status.reloaded("Asia/Jakarta", "Diskominfo")
    progress.ledger.error = progress.journal.error = None
    progress.journal.dropped = 0
    assert await daemon.warnings() == []


async def test_a_full_disk_has_a_kind_of_its_own(daemon: DaemonOnFakes) -> None:
    journal = daemon.pipeline.progress.journal
    kinds = []
    for is_full in (False, True):
        daemon.clock.advance(1.0)
        journal.error, journal.is_full = "no", is_full
        monitor = (await daemon.status.document())["monitor"]
        assert isinstance(monitor, dict)
        kinds += [warning["kind"] for warning in monitor["remarks"]]
    assert kinds == ["journal", "journal_full"]
