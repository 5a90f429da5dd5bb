"""Ping rounds: which target is probed when, and how missed rounds are counted."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from monitor.core.model import ProbeRules, State
from monitor.probing.ping_rounds import CONFIRMED_AT_ONCE
from tests.core.detection.scenario import network
from tests.fakes.prober import Answers, Silent
from tests.probing_rig import LINK, NET, OTHER, ProbingRig


async def run_round(rig: ProbingRig, stalled_s: float = 0.0) -> None:
    """One steady round, from start to end; the machine stalls for so long in the middle of it."""
    await rig.prober.open(rig.pipeline.take)
    running = asyncio.ensure_future(rig.jobs[0].run())
    await rig.clock.run(0.3)
    rig.clock.advance(stalled_s)
    await rig.clock.run(0.7)
    await running


async def test_a_suspected_link_and_only_it_is_probed_at_the_confirm_rate() -> None:
    rig = ProbingRig()
    await rig.watch(10)
    rig.prober.behave(LINK, Silent())
    rig.probed()
    await rig.watch(7)
    probed = rig.probed()
    assert probed[LINK] >= 22
    assert probed[OTHER] == 7


@pytest.mark.parametrize(("late_s", "missed"), [(0.0, 0), (5.0, 5), (11.3, 11)])
async def test_rounds_that_did_not_start_are_counted_and_logged(
    late_s: float, missed: int, caplog: pytest.LogCaptureFixture
) -> None:
    rig = ProbingRig()
    await run_round(rig)
    rig.clock.advance(late_s)
    late_at_s = rig.clock.steady_s()
    await run_round(rig)
    assert rig.progress.missed_rounds == missed
    assert rig.progress.last_missed_s == (late_at_s if missed else None)
    assert (f"{missed} rounds every 1 s were missed" in caplog.text) == bool(missed)
    assert rig.progress.last_round_s is not None
    assert late_at_s <= rig.progress.last_round_s <= rig.clock.steady_s()
    rig.clock.advance(1.0)
    await run_round(rig)
    assert rig.progress.missed_rounds == missed + 1


async def test_a_reload_is_no_missed_round() -> None:
    rig = ProbingRig()
    await run_round(rig)
    rig.clock.advance(30.0)
    rig.configure(NET)
    await run_round(rig)
    assert rig.progress.missed_rounds == 0


async def test_the_largest_lag_of_a_round_is_kept_until_it_is_read() -> None:
    rig = ProbingRig()
    await run_round(rig)
    assert rig.progress.take_round_lag_s() < 0.01
    await run_round(rig, stalled_s=4.0)
    await run_round(rig)
    assert rig.progress.take_round_lag_s() == pytest.approx(4.3 - 0.85, abs=0.01)
    assert rig.progress.take_round_lag_s() == 0.0


@pytest.mark.parametrize(
    ("confirm_interval_s", "jobs"),
    [
        (0.2, [("round every 1 s", 1.0, 3.0), ("confirm every 0.2 s", 0.2, pytest.approx(1.4))]),
        (1.0, [("round every 1 s", 1.0, 3.0)]),
    ],
)
def test_each_interval_has_one_job_and_a_confirm_rate_that_is_no_faster_has_none(
    confirm_interval_s: float, jobs: list[tuple[str, float, float]]
) -> None:
    rules = replace(ProbeRules(), confirm_interval_s=confirm_interval_s)
    rig = ProbingRig(network({LINK: ()}, rules=rules))
    assert [(job.name, job.every_s, job.deadline_s) for job in rig.jobs] == jobs


async def test_thousands_that_fall_silent_at_once_are_confirmed_in_turns_nodes_first() -> None:
    links = {f"s{n:03}/utama": ("pop",) for n in range(600)}
    rig = ProbingRig(network(links, {"pop": ()}, anchors=1))
    await rig.watch(5)
    rig.prober.behave_by(lambda name, _: Answers() if name.startswith("anchor") else Silent())
    await rig.watch(3)
    rig.probed()
    await rig.watch(1)
    probed = rig.probed()
    assert 4 <= probed["pop"] <= 5, "at the confirm rate, and not in the steady rounds besides"
    confirmed = [name for name in links if probed[name] >= 4]
    steady = [name for name in links if probed[name] == 1]
    assert len(confirmed) == CONFIRMED_AT_ONCE - 1
    assert len(confirmed) + len(steady) == 600
    assert sorted(confirmed) == sorted(links)[: len(confirmed)]
    await rig.watch(30)
    assert rig.pipeline.state_of("pop") is State.DOWN
    assert {rig.pipeline.state_of(name) for name in links} == {State.UNREACHABLE}
    rig.probed()
    await rig.watch(1)
    assert set(rig.probed().values()) == {1}
