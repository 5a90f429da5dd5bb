"""Stalls, full buffers, pulled cables and clock steps of this machine are never a target's loss."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Iterator

import pytest

from monitor.adapters.icmp import SocketMode
from monitor.adapters.system.clock import boottime_s
from monitor.core.model import Lost, NotMeasured, Outcome, Reply
from tests.adapters.icmp.network import VethNetwork
from tests.adapters.icmp.rig import BOTH_MODES, ProbeRig, probing

ALIVE, SILENT = VethNetwork.ALIVE, VethNetwork.SILENT


@pytest.fixture
def own_network() -> Iterator[VethNetwork]:
    """A network that the test changes."""
    made = VethNetwork()
    yield made
    made.close()


def block_for(duration_s: float) -> None:
    """Block the event loop."""
    until_s = boottime_s() + duration_s
    while boottime_s() < until_s:
        pass


def reasons(outcomes: list[Outcome]) -> set[str]:
    return {one.reason for one in outcomes if isinstance(one, NotMeasured)}


async def test_replies_that_arrive_during_a_stall_have_their_true_rtt(network: VethNetwork) -> None:
    async with probing(network) as rig:
        await rig.prober.round([ALIVE, VethNetwork.ALIVE_TOO], 0.0)
        block_for(0.6)
        await rig.until(2)
        for outcome in rig.outcomes:
            assert isinstance(outcome, Reply)
            assert outcome.rtt_ms < 200.0, "in time by the kernel's timestamp"


async def test_a_stall_longer_than_the_time_out_makes_silence_not_measured(
    network: VethNetwork, caplog: pytest.LogCaptureFixture
) -> None:
    async with probing(network) as rig:
        await rig.prober.round([SILENT, VethNetwork.SILENT6], 0.0)
        block_for(0.6)
        with caplog.at_level(logging.WARNING):
            await rig.until(2)
        assert all(isinstance(one, NotMeasured) for one in rig.outcomes)
        assert reasons(rig.outcomes) == {"stalled"}
        assert rig.prober.counters().lost == 0
        assert "the event loop was blocked for" in caplog.text
        (after,) = await rig.probe(SILENT)
        assert isinstance(after, Lost), "after the stall, silence is a loss again"


async def test_a_stall_shorter_than_the_time_out_hides_nothing(network: VethNetwork) -> None:
    async with probing(network, timeout_s=0.5) as rig:
        await rig.prober.round([SILENT, ALIVE], 0.0)
        block_for(0.3)
        await rig.until(2)
        assert {type(outcome) for outcome in rig.outcomes} == {Reply, Lost}


async def test_requests_that_a_stall_made_too_late_are_not_sent(network: VethNetwork) -> None:
    async with probing(network) as rig:
        sending = asyncio.create_task(rig.prober.round([ALIVE] * 20, 0.2))
        await rig.until(2)
        block_for(0.7)
        await rig.until(20)
        await sending
        kinds = Counter(type(outcome) for outcome in rig.outcomes)
        assert kinds[Lost] == 0
        assert kinds[NotMeasured] >= 1
        assert reasons(rig.outcomes) == {"stalled"}
        assert rig.prober.counters().stalled_rounds == 1


@pytest.mark.parametrize("mode", BOTH_MODES)
async def test_replies_that_the_kernel_dropped_for_want_of_buffer_are_not_measured(
    network: VethNetwork, mode: SocketMode
) -> None:
    async with probing(network, mode=mode, buffer_bytes=4096) as rig:
        await rig.prober.round([ALIVE] * 100, 0.0)
        await rig.until(100)
        kinds = Counter(type(outcome) for outcome in rig.outcomes)
        assert kinds[Lost] == 0
        assert kinds[Reply] >= 1
        assert kinds[NotMeasured] >= 50
        assert reasons(rig.outcomes) == {"ENOBUFS"}
        assert rig.prober.counters().errors["receive buffer full"] >= 1
        (after,) = await rig.probe(SILENT)
        assert isinstance(after, Lost), "afterwards silence is a loss again"


@pytest.mark.parametrize("mode", BOTH_MODES)
@pytest.mark.parametrize("full", ["interface queue", "send buffer"])
async def test_requests_that_a_full_queue_drops_are_not_measured(
    own_network: VethNetwork, mode: SocketMode, full: str
) -> None:
    """A slow interface (tc-tbf): with a short queue the kernel drops packets there, with a long
    one the socket's send buffer fills up."""
    short = full == "interface queue"
    limit, requests, least = (400, 50, 30) if short else (1_000_000, 200, 50)
    own_network.near.run(f"tc qdisc add dev cable root tbf rate 8kbit burst 200 limit {limit}")
    async with probing(own_network, mode=mode, buffer_bytes=8 << 20 if short else 20_000) as rig:
        await rig.prober.round([SILENT] * requests, 0.0)
        await rig.until(requests)
        found = Counter((type(o), getattr(o, "reason", None)) for o in rig.outcomes)
        # With a full send buffer the errno depends on the kind of socket.
        errno = "ENOBUFS" if short or mode is SocketMode.RAW else "EAGAIN"
        assert set(found) == {(Lost, None), (NotMeasured, errno)}
        assert found[NotMeasured, errno] >= least
        assert rig.prober.counters().sent == found[Lost, None]


async def test_a_pulled_cable_is_not_measured(own_network: VethNetwork) -> None:
    async with probing(own_network) as rig:
        # On a very busy machine the first reply may come after the time-out of 0.2 s.
        await probe_until(rig, ALIVE, Reply)
        own_network.far.run("ip link set far down")
        await probe_until(rig, ALIVE, NotMeasured)
        for address in (ALIVE, SILENT, VethNetwork.ALIVE6):
            (outcome,) = await rig.probe(address)
            assert isinstance(outcome, NotMeasured)
            assert outcome.reason in {"ENETDOWN", "ENETUNREACH"}
        (own,) = await rig.probe(VethNetwork.MONITOR)
        assert isinstance(own, Reply), "the route to ourselves needs no cable"
        own_network.far.run("ip link set far up")
        await probe_until(rig, ALIVE, Reply)


async def probe_until(rig: ProbeRig, address: str, kind: type[Reply] | type[NotMeasured]) -> None:
    """Probe again, for 10 s at most, until the outcome is of this kind."""
    until_s = boottime_s() + 10.0
    while boottime_s() < until_s:
        (outcome,) = await rig.probe(address)
        if isinstance(outcome, kind):
            return
        await rig.pass_time(0.05)
    raise AssertionError(f"still {outcome}")


@pytest.mark.parametrize(
    ("step_s", "blocked_s"),
    [(86_400.0, 0.0), (-86_400.0, 0.0), (3.0, 0.0), (-3.0, 0.0), (-86_400.0, 0.2)],
)
async def test_a_step_of_the_wall_clock_gives_no_wrong_rtt(
    network: VethNetwork, step_s: float, blocked_s: float
) -> None:
    """The timestamps are of the clock before the step, the prober reads the clock after it."""
    offset_s = 0.0

    def wall_s() -> float:
        return time.clock_gettime(time.CLOCK_REALTIME) + offset_s

    async with probing(network, kernel_s=wall_s, timeout_s=0.5) as rig:
        await rig.probe(ALIVE)
        await rig.prober.round([ALIVE], 0.0)
        block_for(blocked_s)
        offset_s = step_s
        await rig.until(2)
        for _ in range(3):
            await rig.probe(ALIVE)
    stepped = rig.outcomes.pop(1)
    if blocked_s:
        # Read so late that the step hides when it arrived.
        assert isinstance(stepped, NotMeasured)
        assert stepped.reason == "clock-step"
        assert rig.prober.counters().errors == {"clock-step": 1}
    else:
        rig.outcomes.append(stepped)
    for outcome in rig.outcomes:
        assert isinstance(outcome, Reply)
        assert 0.0 < outcome.rtt_ms < 200.0
        assert outcome.sent_s <= outcome.known_s <= outcome.sent_s + 0.2
