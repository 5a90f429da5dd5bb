"""The path from a round to the ledger and the journal, on fakes at its ports."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from typing import cast

import pytest

from monitor.core.alerting.notifier import Notifier, PolicyResult
from monitor.core.detection.detector import Detector
from monitor.core.errors import LedgerError
from monitor.core.job import Job
from monitor.core.model import ChangeKind, Incident, IncidentChange, Scope, State
from monitor.core.samples.samples import PingSample, StateChangeSample
from monitor.pipeline.pipeline import Pipeline
from monitor.probing.ping_rounds import PingRounds
from tests.core.detection.scenario import network
from tests.fakes.clock import ManualClock
from tests.fakes.journal import MemoryJournal
from tests.fakes.ledger import MemoryLedger
from tests.fakes.prober import Answers, CannotSend, FakeProber, Silent
from tests.job_driver import run_jobs
from tests.waiting import eventually_async

LINK = "anjatan/utama"
NET = network({LINK: ("pop",), "bongas/utama": ("pop",)}, {"pop": ()}, anchors=1)


@dataclass
class House:
    """A pipeline with its surroundings."""

    clock: ManualClock = field(default_factory=ManualClock)
    ledger: MemoryLedger = field(default_factory=MemoryLedger)
    journal: MemoryJournal = field(default_factory=MemoryJournal)
    notifier: BrokenNotifier | None = None

    async def open(self) -> House:
        self.prober = FakeProber(self.clock)
        self.pipeline = Pipeline(
            *(NET, Detector(NET), self.clock, self.ledger, self.journal),
            retry_s=0.01,
            notifier=cast("Notifier | None", self.notifier),
        )
        await self.prober.open(self.pipeline.take)
        self.rounds = PingRounds(self.prober, self.pipeline, self.clock)
        self.rounds.prepare(NET)()
        self.jobs: list[Job] = self.rounds.jobs()
        return self

    async def watch(self, for_s: float) -> None:
        await run_jobs(self.jobs, self.clock, for_s)


async def test_a_cut_is_in_the_ledger_and_in_the_state_within_7_s() -> None:
    house = await House().open()
    await house.watch(30)
    assert house.pipeline.state_of(LINK) is State.UP
    house.prober.behave(LINK, Silent())
    cut_s = house.clock.steady_s()
    await house.watch(8)
    assert house.pipeline.state_of(LINK) is State.DOWN
    house.pipeline.close()
    (incident,) = house.ledger.incidents()
    assert incident.target == LINK
    assert cut_s <= incident.started_s <= cut_s + 1.2
    assert incident.detected_s - incident.started_s <= 7.0
    assert house.ledger.load_snapshot().states


async def test_a_suspected_link_is_asked_at_the_confirm_rate_and_only_it() -> None:
    house = await House().open()
    await house.watch(10)
    house.prober.behave(LINK, Silent())
    house.prober.rounds.clear()
    await house.watch(7)
    asked = [name for names, _ in house.prober.rounds for name in names]
    assert asked.count(LINK) >= 22
    assert asked.count("bongas/utama") == 7


async def test_a_failing_send_is_never_an_outage() -> None:
    house = await House().open()
    await house.watch(10)
    house.prober.behave(LINK, CannotSend("EHOSTUNREACH"))
    await house.watch(30)
    assert house.pipeline.state_of(LINK) is State.UNKNOWN
    (incident,) = house.pipeline.open_incidents()
    assert (incident.state, incident.reason) == (State.UNKNOWN, "not_measured")


async def test_a_period_becomes_one_row_a_target_and_a_change_becomes_a_point() -> None:
    house = await House().open()
    await house.watch(10)
    finished = house.pipeline.finish_period(house.clock.steady_s())
    house.pipeline.store([one.row() for one in finished])
    house.pipeline.close()
    rows = [s for s in house.journal.read_after(None, 1000).samples if isinstance(s, PingSample)]
    assert sorted(row.target for row in rows) == sorted(t.name for t in NET.targets())
    assert all(row.sent == row.received for row in rows)
    changes = [
        s for s in house.journal.read_after(None, 1000).samples if isinstance(s, StateChangeSample)
    ]
    assert {(c.before, c.after) for c in changes} == {("unknown", "up")}


async def test_a_ledger_that_fails_is_said_and_gets_everything_when_it_works_again() -> None:
    house = await House().open()
    writing = asyncio.ensure_future(house.pipeline.run())
    house.ledger.trouble = LedgerError("the disk is full")
    await house.watch(20)
    house.prober.behave(LINK, Silent())
    await house.watch(8)
    await eventually_async(lambda: house.pipeline.progress.ledger.error)
    assert house.pipeline.state_of(LINK) is State.DOWN
    house.ledger.trouble = None
    await eventually_async(house.ledger.incidents)
    await eventually_async(lambda: house.pipeline.progress.ledger.error is None)
    assert len(house.ledger.transitions_told()) == len(NET.targets()) + 1
    writing.cancel()


async def test_the_state_shows_median_loss_and_since() -> None:
    house = await House().open()
    start_s = house.clock.steady_s()
    await house.watch(30)
    standing = house.pipeline.target_status("pop")
    assert standing.state is State.UP
    assert standing.rtt_ms == pytest.approx(10.0)
    assert standing.loss_pct == 0.0
    assert standing.since_s == pytest.approx(start_s + 1, abs=1.5)


async def test_an_outage_that_is_over_is_closed_in_the_ledger() -> None:
    house = await House().open()
    await house.watch(10)
    back_s = house.clock.steady_s() + 20
    house.prober.behave_by(
        lambda name, at_s: Silent() if name == LINK and at_s < back_s else Answers()
    )
    await house.watch(40)
    house.pipeline.close()
    (incident,) = house.ledger.incidents()
    assert incident.ended_s is not None
    assert [c.change for c in house.ledger.changes_told()] == [ChangeKind.OPENED, ChangeKind.CLOSED]


async def test_a_link_that_moved_to_another_address_is_not_shown_with_the_old_ones_figures() -> (
    None
):
    house = await House().open()
    await house.watch(30)
    (site,) = [site for site in NET.sites if site.id == "anjatan"]
    moved = replace(site, links=(replace(site.links[0], address="10.77.23.9"),))
    others = tuple(site for site in NET.sites if site.id != "anjatan")
    house.pipeline.reconfigure(replace(NET, sites=(moved, *others)))
    standing = house.pipeline.target_status(LINK)
    assert (standing.state, standing.rtt_ms, standing.loss_pct) == (State.UNKNOWN, None, None)
    assert house.pipeline.target_status("bongas/utama").rtt_ms == pytest.approx(10.0)


class BrokenNotifier:
    """A notifier whose wording fails."""

    def is_flapping(self, _: str) -> bool:
        return False

    def decide(self, *_: object) -> PolicyResult:
        raise KeyError("no such word")


async def test_an_error_in_wording_a_notification_loses_no_record_of_a_transition(
    caplog: pytest.LogCaptureFixture,
) -> None:
    house = await House(notifier=BrokenNotifier()).open()
    await house.watch(10)
    house.prober.behave(LINK, Silent())
    await house.watch(8)
    house.pipeline.close()
    (incident,) = house.ledger.incidents()
    assert incident.target == LINK
    changes = house.journal.read_after(None, 1000).samples
    assert (LINK, "down") in {
        (c.target, c.after) for c in changes if isinstance(c, StateChangeSample)
    }
    assert house.pipeline.progress.failed_notifications > 0
    assert caplog.text.count("Traceback") == 1


async def test_decisions_that_the_ledger_refuses_do_not_block_later_ones() -> None:
    house = await House().open()
    await house.watch(10)
    other = Incident(1, Scope.LINK, "gantar/utama", State.DOWN, 1.0, 2.0, "silence")
    house.ledger.record([IncidentChange(ChangeKind.OPENED, other, 2.0)])
    house.prober.behave(LINK, Silent())
    await house.watch(8)
    house.prober.behave("bongas/utama", Silent())
    await house.watch(8)
    house.pipeline.close()
    assert [i.target for i in house.ledger.incidents()] == ["gantar/utama", "bongas/utama"]
    down = [t.target for t in house.ledger.transitions_told() if t.after is State.DOWN]
    assert down == [LINK, "bongas/utama"], "only the change of the incident is set aside"
    assert house.pipeline.progress.ledger.refused == 1
