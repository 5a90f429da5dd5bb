"""Rounds: who is asked when, and what is said of rounds that did not begin."""

from __future__ import annotations

import asyncio

import pytest

from monitor.core.world import World
from monitor.pipeline import Pipeline
from monitor.rounds import Rounds
from monitor.schedule import Job
from tests.core.story import network
from tests.fakes.clock import ManualClock
from tests.fakes.journal import MemoryJournal
from tests.fakes.ledger import MemoryLedger
from tests.fakes.prober import FakeProber

NET = network({"anjatan/utama": (), "bongas/utama": ()}, anchors=1)


class House:
    """Rounds on a clock that the test moves."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.prober = FakeProber(self.clock)
        self.pipeline = Pipeline(
            NET, World.new(NET), self.clock, MemoryLedger(), MemoryJournal(), retry_s=0.01
        )
        self.rounds = Rounds(self.prober, self.pipeline, self.clock)
        self.steady: Job = self.rounds.jobs(NET)[0]

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
    house.steady = house.rounds.jobs(NET)[0]
    await house.round()
    assert house.pipeline.progress.missed_rounds == 0
