"""Stalls, full buffers, pulled cables, clock steps: our own trouble never looks like a link's."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Iterator

import pytest

from monitor.adapters.icmp import SocketMode
from monitor.adapters.system.clock import boottime_s
from monitor.core.model import Lost, NotMeasured, Reply
from tests.adapters.icmp_rig import BOTH_MODES, Probing, probing
from tests.adapters.private_network import TwoSides


@pytest.fixture(scope="module")
def network() -> Iterator[TwoSides]:
    made = TwoSides()
    yield made
    made.close()


def block_until(boot_s: float) -> None:
    """Hold the event loop, as a callback would that never gives it back."""
    while boottime_s() < boot_s:
        pass


async def test_answers_that_came_while_the_loop_stood_still_have_their_true_rtt(
    network: TwoSides,
) -> None:
    async with probing(network) as rig:
        await rig.prober.round([TwoSides.ALIVE, TwoSides.ALIVE_TOO], 0.0)
        block_until(boottime_s() + 0.6)
        await rig.until(2)
        for outcome in rig.outcomes:
            assert isinstance(outcome, Reply)
            assert outcome.rtt_ms < 200.0, "in time by the kernel's stamp"


async def test_a_stall_longer_than_the_time_out_makes_nobody_silent(
    network: TwoSides, caplog: pytest.LogCaptureFixture
) -> None:
    async with probing(network) as rig:
        await rig.prober.round([TwoSides.SILENT, TwoSides.SILENT6], 0.0)
        block_until(boottime_s() + 0.6)
        with caplog.at_level(logging.WARNING):
            await rig.until(2)
        assert [(type(one), getattr(one, "reason", None)) for one in rig.outcomes] == [
            (NotMeasured, "stalled"),
            (NotMeasured, "stalled"),
        ]
        assert rig.prober.counters().lost == 0
        assert "stood still" in caplog.text

        (after,) = await rig.ask(TwoSides.SILENT)
        assert isinstance(after, Lost), "and afterwards silence is silence again"


async def test_requests_that_a_stall_made_too_late_are_not_sent_at_all(network: TwoSides) -> None:
    async with probing(network) as rig:
        names = [TwoSides.ALIVE] * 20
        sending = asyncio.create_task(rig.prober.round(names, 0.2))
        await rig.until(2)
        block_until(boottime_s() + 0.7)
        await rig.until(20)
        await sending
        kinds = Counter(type(outcome) for outcome in rig.outcomes)
        assert kinds[Lost] == 0
        assert kinds[NotMeasured] >= 1
        assert {o.reason for o in rig.outcomes if isinstance(o, NotMeasured)} == {"stalled"}
        assert rig.prober.counters().stalled_rounds == 1


async def test_a_stall_shorter_than_the_time_out_hides_nothing(network: TwoSides) -> None:
    async with probing(network, timeout_s=0.5) as rig:
        await rig.prober.round([TwoSides.SILENT, TwoSides.ALIVE], 0.0)
        block_until(boottime_s() + 0.3)
        await rig.until(2)
        assert {type(outcome) for outcome in rig.outcomes} == {Reply, Lost}


@pytest.mark.parametrize("mode", BOTH_MODES)
async def test_answers_that_the_kernel_had_no_room_for_are_no_silence(
    network: TwoSides, mode: SocketMode
) -> None:
    async with probing(network, mode=mode, buffer_bytes=4096) as rig:
        await rig.prober.round([TwoSides.ALIVE] * 100, 0.0)
        await rig.until(100)
        kinds = Counter(type(outcome) for outcome in rig.outcomes)
        assert kinds[Lost] == 0
        assert kinds[Reply] >= 1
        assert kinds[NotMeasured] >= 50
        assert {o.reason for o in rig.outcomes if isinstance(o, NotMeasured)} == {"ENOBUFS"}
        assert rig.prober.counters().errors["receive buffer full"] >= 1

        (after,) = await rig.ask(TwoSides.SILENT)
        assert isinstance(after, Lost), "and afterwards silence is silence again"


@pytest.mark.parametrize("mode", BOTH_MODES)
async def test_packets_that_our_own_full_queue_drops_are_not_measured(mode: SocketMode) -> None:
    """A slow port with a short queue (tc-tbf): the kernel drops most of what we send."""
    network = TwoSides()
    try:
        network.near.run("tc qdisc add dev cable root tbf rate 8kbit burst 200 limit 400")
        async with probing(network, mode=mode) as rig:
            await rig.prober.round([TwoSides.SILENT] * 50, 0.0)
            await rig.until(50)
            said = Counter((type(o), getattr(o, "reason", None)) for o in rig.outcomes)
            assert set(said) == {(Lost, None), (NotMeasured, "ENOBUFS")}
            assert said[NotMeasured, "ENOBUFS"] >= 30
            assert rig.prober.counters().sent == said[Lost, None]
    finally:
        network.close()


@pytest.mark.parametrize("mode", BOTH_MODES)
async def test_requests_that_have_no_room_in_the_send_buffer_are_not_measured(
    mode: SocketMode,
) -> None:
    """A slow port with a long queue: what waits there fills the socket's send buffer."""
    network = TwoSides()
    try:
        network.near.run("tc qdisc add dev cable root tbf rate 8kbit burst 200 limit 1000000")
        async with probing(network, mode=mode, buffer_bytes=20_000) as rig:
            await rig.prober.round([TwoSides.SILENT] * 200, 0.0)
            await rig.until(200)
            said = Counter((type(o), getattr(o, "reason", None)) for o in rig.outcomes)
            # Which errno it is, the kernel decides by the kind of socket.
            full = "ENOBUFS" if mode is SocketMode.RAW else "EAGAIN"
            assert set(said) == {(Lost, None), (NotMeasured, full)}
            assert said[NotMeasured, full] >= 50
    finally:
        network.close()


async def test_a_pulled_cable_is_our_own_trouble_and_no_silence() -> None:
    network = TwoSides()
    try:
        async with probing(network) as rig:
            # On a machine that is very busy the first answer may come after the time-out of 0.2 s.
            await asked_until(rig, TwoSides.ALIVE, Reply)
            network.far.ip("link set far down")
            await asked_until(rig, TwoSides.ALIVE, NotMeasured)
            for address in (TwoSides.ALIVE, TwoSides.SILENT, TwoSides.ALIVE6):
                (outcome,) = await rig.ask(address)
                assert isinstance(outcome, NotMeasured)
                assert outcome.reason in {"ENETDOWN", "ENETUNREACH"}
            (own,) = await rig.ask(TwoSides.MONITOR)
            assert isinstance(own, Reply), "the way to ourselves needs no cable"
            network.far.ip("link set far up")
            await asked_until(rig, TwoSides.ALIVE, Reply)
    finally:
        network.close()


async def asked_until(rig: Probing, address: str, kind: type[Reply] | type[NotMeasured]) -> None:
    """Ask again and again, for 10 s at most, until the outcome is of this kind."""
    until_s = boottime_s() + 10.0
    while boottime_s() < until_s:
        (outcome,) = await rig.ask(address)
        if isinstance(outcome, kind):
            return
        await rig.pass_time(0.05)
    raise AssertionError(f"{outcome} to the end")


async def replies_while_the_wall_clock_steps(
    network: TwoSides, by_s: float, hold_s: float
) -> Probing:
    """Ask, step the wall clock, hold the loop for `hold_s`, then let it read the answer."""
    ahead_s = 0.0

    def wall_s() -> float:
        return time.clock_gettime(time.CLOCK_REALTIME) + ahead_s

    async with probing(network, kernel_s=wall_s, timeout_s=0.5) as rig:
        await rig.ask(TwoSides.ALIVE)
        await rig.prober.round([TwoSides.ALIVE], 0.0)
        block_until(boottime_s() + hold_s)
        # Stamps are of the clock before the step, the prober sees the clock after it.
        ahead_s = by_s
        await rig.until(2)
        for _ in range(3):
            await rig.ask(TwoSides.ALIVE)
        return rig


@pytest.mark.parametrize("by_s", [86_400.0, -86_400.0, 3.0, -3.0])
async def test_a_clock_step_gives_no_absurd_rtt(network: TwoSides, by_s: float) -> None:
    rig = await replies_while_the_wall_clock_steps(network, by_s, 0.0)
    assert len(rig.outcomes) == 5
    for outcome in rig.outcomes:
        assert isinstance(outcome, Reply)
        assert 0.0 < outcome.rtt_ms < 200.0
        assert outcome.sent_s <= outcome.known_s <= outcome.sent_s + 0.2


async def test_an_rtt_that_a_clock_step_really_hides_is_thrown_away(network: TwoSides) -> None:
    rig = await replies_while_the_wall_clock_steps(network, -86_400.0, 0.2)
    first, hidden, *later = rig.outcomes
    assert isinstance(first, Reply)
    assert isinstance(hidden, NotMeasured)
    assert hidden.reason == "clock-step"
    assert all(isinstance(outcome, Reply) for outcome in later)
    assert rig.prober.counters().errors == {"clock-step": 1}
