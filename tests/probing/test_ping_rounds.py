"""Rounds: who is asked when, and what is said of rounds that did not begin."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import replace

import pytest

from monitor.core.detection.detector import Detector
from monitor.core.job import Job
from monitor.core.model import Network, ProbeRules, State
from monitor.pipeline.pipeline import Pipeline
from monitor.probing.ping_rounds import CONFIRMED_AT_ONCE, PingRounds
from tests.core.detection.scenario import network
from tests.fakes.clock import ManualClock
from tests.fakes.journal import MemoryJournal
from tests.fakes.ledger import MemoryLedger
from tests.fakes.prober import Answers, FakeProber, Silent
from tests.job_driver import run_jobs

NET = network({"anjatan/utama": (), "bongas/utama": ()}, anchors=1)


class House:
    """Rounds on a clock that the test moves."""

    def __init__(self, net: Network = NET) -> None:
        self.clock = ManualClock()
        self.prober = FakeProber(self.clock)
        self.pipeline = Pipeline(
            net, Detector(net), self.clock, MemoryLedger(), MemoryJournal(), retry_s=0.01
        )
        self.rounds = PingRounds(self.prober, self.pipeline, self.clock)
        self.rounds.prepare(net)()
        self.jobs: list[Job] = self.rounds.jobs()
        self.steady = self.jobs[0]

    async def round(self) -> None:
        """One round, from its beginning to its end."""
        await self.prober.open(self.pipeline.take)
        under_way = asyncio.ensure_future(self.steady.run())
        await self.clock.run(1.0)
        await under_way


async def test_rounds_that_begin_on_time_miss_nothing() -> None:
    house = House()
    for _ in range(5):
        await house.round()
    progress = house.pipeline.progress
    assert (progress.missed_rounds, progress.last_missed_s) == (0, None)
    assert progress.take_round_lag_s() < 0.01


async def test_rounds_that_did_not_begin_are_counted_each_and_said(
    caplog: pytest.LogCaptureFixture,
) -> None:
    house = House()
    await house.round()
    house.clock.advance(11.3)
    await house.round()
    progress = house.pipeline.progress
    assert progress.missed_rounds == 11
    assert "11 rounds every 1 s were missed" in caplog.text
    house.clock.advance(1.0)
    await house.round()
    assert progress.missed_rounds == 12


async def test_when_the_last_round_ended_and_when_one_was_missed_is_known() -> None:
    house = House()
    await house.round()
    begun_s = house.clock.steady_s() - 1.0
    progress = house.pipeline.progress
    assert progress.last_round_s is not None
    assert begun_s <= progress.last_round_s <= house.clock.steady_s()
    house.clock.advance(5.0)
    late_s = house.clock.steady_s()
    await house.round()
    assert progress.last_missed_s == late_s


async def test_a_target_whose_confirm_rate_is_no_faster_has_no_job_of_its_own() -> None:
    rules = replace(ProbeRules(), confirm_interval_s=1.0)
    house = House(network({"anjatan/utama": ()}, rules=rules))
    assert [job.name for job in house.jobs] == ["round every 1 s"]


async def test_a_round_has_a_deadline_after_the_next_should_have_begun() -> None:
    house = House()
    assert [(job.every_s, job.deadline_s) for job in house.jobs] == [
        (1.0, 3.0),
        (0.2, pytest.approx(1.4)),
    ]


async def test_the_lag_of_a_round_is_kept_until_it_is_asked_for() -> None:
    house = House()
    await house.prober.open(house.pipeline.take)
    under_way = asyncio.ensure_future(house.steady.run())
    await house.clock.run(0.3)
    house.clock.advance(4.0)
    await under_way
    await house.round()
    assert house.pipeline.progress.take_round_lag_s() == pytest.approx(4.3 - 0.85, abs=0.01)
    assert house.pipeline.progress.take_round_lag_s() == 0.0


async def test_a_reload_is_no_missed_round() -> None:
    house = House()
    await house.round()
    house.clock.advance(30.0)
    house.rounds.prepare(NET)()
    house.steady = house.rounds.jobs()[0]
    await house.round()
    assert house.pipeline.progress.missed_rounds == 0


async def test_thousands_that_fall_silent_at_once_are_confirmed_in_turns_nodes_first() -> None:
    links = {f"s{n:03}/utama": ("pop",) for n in range(600)}
    net = network(links, {"pop": ()}, anchors=1)
    house = House(net)
    await house.prober.open(house.pipeline.take)
    await run_jobs(house.jobs, house.clock, 5)
    house.prober.behave_by(lambda name, _: Answers() if name.startswith("anchor") else Silent())
    await run_jobs(house.jobs, house.clock, 3)
    house.prober.rounds.clear()
    await run_jobs(house.jobs, house.clock, 1)
    asked = Counter(name for names, _ in house.prober.rounds for name in names)
    assert 4 <= asked["pop"] <= 5, "at the confirm rate, and not in the steady rounds besides"
    quick = [name for name in links if asked[name] >= 4]
    steady = [name for name in links if asked[name] == 1]
    assert len(quick) == CONFIRMED_AT_ONCE - 1
    assert len(quick) + len(steady) == 600
    assert sorted(quick) == sorted(links)[: len(quick)]
    await run_jobs(house.jobs, house.clock, 30)
    assert house.pipeline.state_of("pop") is State.DOWN
    assert {house.pipeline.state_of(name) for name in links} == {State.UNREACHABLE}
    house.prober.rounds.clear()
    await run_jobs(house.jobs, house.clock, 1)
    asked = Counter(name for names, _ in house.prober.rounds for name in names)
    assert set(asked.values()) == {1}
