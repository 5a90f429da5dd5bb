"""The path of an outcome to the ledger and the journal, on fakes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import cast

import pytest

from monitor.core.alerting.notifier import Notifier
from monitor.core.detection.causes import SuspectedCauses
from monitor.core.errors import LedgerError
from monitor.core.model import ChangeKind, Incident, IncidentChange, Scope, State
from monitor.core.samples.samples import PingSample, Sample, StateChangeSample
from tests.fakes.prober import Answers, CannotSend, Silent
from tests.probing_rig import LINK, NET, OTHER, ProbingRig
from tests.waiting import eventually_async


def stored(rig: ProbingRig) -> list[Sample]:
    """All samples; the pipeline has ended."""
    rig.pipeline.close()
    return list(rig.journal.read_after(None, 1000).samples)


async def test_an_outage_is_in_the_ledger_within_7_s_and_closed_when_it_is_over() -> None:
    rig = ProbingRig()
    await rig.watch(30)
    assert rig.pipeline.state_of(LINK) is State.UP
    cut_s = rig.clock.steady_s()
    rig.prober.behave(LINK, Silent())
    await rig.watch(8)
    assert rig.pipeline.state_of(LINK) is State.DOWN
    rig.prober.behave(LINK, Answers())
    await rig.watch(10)
    rig.pipeline.close()
    (incident,) = rig.ledger.incidents()
    assert incident.target == LINK
    assert cut_s <= incident.started_s <= cut_s + 1.2
    assert incident.detected_s - incident.started_s <= 7.0
    assert incident.ended_s is not None
    assert [c.change for c in rig.ledger.recorded_changes()] == [
        ChangeKind.OPENED,
        ChangeKind.CLOSED,
    ]
    assert rig.ledger.load_snapshot().states


async def test_a_failing_send_is_never_an_outage() -> None:
    rig = ProbingRig()
    await rig.watch(10)
    rig.prober.behave(LINK, CannotSend("EHOSTUNREACH"))
    await rig.watch(30)
    assert rig.pipeline.state_of(LINK) is State.UNKNOWN
    (incident,) = rig.pipeline.open_incidents()
    assert (incident.state, incident.reason) == (State.UNKNOWN, "not_measured")


async def test_a_period_becomes_one_row_a_target_and_a_transition_becomes_a_sample() -> None:
    rig = ProbingRig()
    await rig.watch(10)
    finished = rig.pipeline.finish_period(rig.clock.steady_s())
    rig.pipeline.store([one.row() for one in finished])
    samples = stored(rig)
    rows = [s for s in samples if isinstance(s, PingSample)]
    assert sorted(row.target for row in rows) == sorted(t.name for t in NET.targets())
    assert all(row.sent == row.received for row in rows)
    changes = [s for s in samples if isinstance(s, StateChangeSample)]
    assert {(c.before, c.after) for c in changes} == {("unknown", "up")}


async def test_a_ledger_that_failed_gets_everything_when_it_works_again() -> None:
    rig = ProbingRig()
    writing = asyncio.ensure_future(rig.pipeline.run())
    rig.ledger.trouble = LedgerError("the disk is full")
    await rig.watch(20)
    rig.prober.behave(LINK, Silent())
    await rig.watch(8)
    await eventually_async(lambda: rig.progress.ledger.error)
    assert rig.pipeline.state_of(LINK) is State.DOWN
    rig.ledger.trouble = None
    await eventually_async(lambda: rig.progress.ledger.error is None and rig.ledger.incidents())
    assert len(rig.ledger.recorded_transitions()) == len(NET.targets()) + 1
    writing.cancel()


async def test_the_status_of_a_target_has_median_loss_and_since_and_forgets_a_moved_one() -> None:
    rig = ProbingRig()
    start_s = rig.clock.steady_s()
    await rig.watch(30)
    status = rig.pipeline.target_status(LINK)
    assert (status.state, status.loss_pct) == (State.UP, 0.0)
    assert status.rtt_ms == pytest.approx(10.0)
    assert status.since_s == pytest.approx(start_s + 1, abs=1.5)
    moved, *others = sorted(NET.sites, key=lambda site: site.id != "anjatan")
    moved = replace(moved, links=(replace(moved.links[0], address="10.77.23.9"),))
    rig.pipeline.reconfigure(replace(NET, sites=(moved, *others)))
    status = rig.pipeline.target_status(LINK)
    assert (status.state, status.rtt_ms, status.loss_pct) == (State.UNKNOWN, None, None)
    assert rig.pipeline.target_status(OTHER).rtt_ms == pytest.approx(10.0)


class BrokenNotifier:
    """A notifier whose policy has a programming error."""

    def is_flapping(self, _: str) -> bool:
        return False

    def decide(self, *_: object) -> None:
        raise KeyError("no such word")


class BrokenCauses(SuspectedCauses):
    def follow(self, *_: object) -> list[object]:  # type: ignore[override]
        raise ZeroDivisionError


def break_notifier(rig: ProbingRig) -> None:
    rig.pipeline._notifier = cast(Notifier, BrokenNotifier())


def break_causes(rig: ProbingRig) -> None:
    rig.pipeline._causes = BrokenCauses(NET)


@pytest.mark.parametrize("break_part", [break_notifier, break_causes])
async def test_an_error_in_alerting_or_in_causes_loses_no_record_of_a_transition(
    break_part: Callable[[ProbingRig], None], caplog: pytest.LogCaptureFixture
) -> None:
    rig = ProbingRig()
    break_part(rig)
    await rig.watch(10)
    rig.prober.behave(LINK, Silent())
    await rig.watch(8)
    changes = [s for s in stored(rig) if isinstance(s, StateChangeSample)]
    assert (LINK, "down") in {(change.target, change.after) for change in changes}
    assert [incident.target for incident in rig.ledger.incidents()] == [LINK]
    assert (rig.progress.failed_notifications > 0) == (break_part is break_notifier)
    assert "Traceback" in caplog.text
    if break_part is break_notifier:
        assert caplog.text.count("Traceback") == 1, "the same error is logged once"


async def test_decisions_that_the_ledger_refuses_do_not_block_later_ones() -> None:
    rig = ProbingRig()
    await rig.watch(10)
    foreign = Incident(1, Scope.LINK, "gantar/utama", State.DOWN, 1.0, 2.0, "silence")
    rig.ledger.record([IncidentChange(ChangeKind.OPENED, foreign, 2.0)])
    for name in (LINK, OTHER):
        rig.prober.behave(name, Silent())
        await rig.watch(8)
    rig.pipeline.close()
    assert [incident.target for incident in rig.ledger.incidents()] == ["gantar/utama", OTHER]
    down = [t.target for t in rig.ledger.recorded_transitions() if t.after is State.DOWN]
    assert down == [LINK, OTHER], "only the change of the incident is set aside"
    assert rig.progress.ledger.refused == 1
