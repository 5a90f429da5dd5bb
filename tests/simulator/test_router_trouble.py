"""The SNMP poller and rates against every fault of a simulated agent.

The agent answers on a loopback socket, and both sides go by one clock that the test turns: an hour
of polls takes a second. What must hold: a rate is the traffic's own, or there is none.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from typing import cast

import pytest

from monitor.adapters.snmp import SnmpPoller
from monitor.core.model import Device
from monitor.core.samples.rates import NoRate, PollRates, RateBaselines, compute_rates
from monitor.core.samples.samples import InterfaceSample
from monitor.core.samples.snmp_poll import DevicePoll, PollFailed
from monitor.simulator.fault_effects import NO_DEFECTS, AgentDefects
from monitor.simulator.interface_traffic import PortTraffic, port_traffic
from monitor.simulator.network import SimulatedNetwork
from monitor.simulator.scenario import Fault, FaultKind
from monitor.simulator.snmp_agent import Agent
from tests.fakes.clock import ManualClock
from tests.simulator.networks import COMMUNITIES, COMMUNITY

POLL_S = 60.0
OTHER_ADDRESS = "127.0.0.77"
LONGEST_POLL_S = 11.0


@dataclass
class Loopback(asyncio.DatagramProtocol):
    """The agent's end. Its answers leave from OTHER_ADDRESS when the agent says so."""

    agent: Agent
    clock: ManualClock
    asked: int = 0
    transport: asyncio.DatagramTransport = field(init=False)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self.asked += 1
        answer = self.agent.answer_request(data, self.clock.steady_s())
        if answer is None:
            return
        if self.agent.defects.source_address is None:
            self.transport.sendto(answer, addr)
            return
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
            other.bind((OTHER_ADDRESS, 0))
            other.sendto(answer, addr)


@dataclass
class Watched:
    """A router that is polled every minute; each rate is compared with its traffic."""

    clock: ManualClock
    poller: SnmpPoller
    device: Device
    end: Loopback
    traffic: dict[str, PortTraffic]
    memory: RateBaselines = field(default_factory=RateBaselines)
    samples: list[tuple[float, InterfaceSample]] = field(default_factory=list)

    async def poll(self, after_s: float = POLL_S) -> PollRates | PollFailed:
        """Advance the clock, poll, and compute the rates."""
        self.clock.advance(after_s)
        now_s = self.clock.steady_s()
        async with asyncio.timeout(LONGEST_POLL_S):
            answer = await self.poller.poll(self.device)
        if isinstance(answer, PollFailed):
            return answer
        rates = compute_rates(self.memory, self.device, answer, now_s)
        self.compare_with_traffic(answer, rates, now_s)
        self.memory = rates.baselines
        return rates

    def compare_with_traffic(self, answer: DevicePoll, rates: PollRates, now_s: float) -> None:
        for sample in rates.samples:
            before = self.memory.ports.get(sample.ifname)
            for rate_bps, flow in (
                (sample.in_bps, self.traffic[sample.ifname].inbound),
                (sample.out_bps, self.traffic[sample.ifname].outbound),
            ):
                if rate_bps is not None:
                    assert before is not None
                    flowed = flow.bits_between(before.at_s, now_s)
                    # Uptime counts hundredths of a second.
                    assert rate_bps == pytest.approx(flowed / (now_s - before.at_s), rel=0.002)

    async def rates(self, after_s: float = POLL_S) -> PollRates:
        """A poll that is expected to succeed."""
        found = await self.poll(after_s)
        assert isinstance(found, PollRates), found
        return found

    async def settle(self) -> None:
        """Poll twice, so that the next polls give rates."""
        await self.poll()
        assert given(await self.rates()) == {"ether1", "ether2"}


def given(rates: PollRates) -> set[str]:
    """The interfaces with a rate in both directions."""
    return {s.ifname for s in rates.samples if s.in_bps is not None and s.out_bps is not None}


def reasons(rates: PollRates) -> set[NoRate]:
    return {dropped.reason for dropped in rates.dropped}


@pytest.fixture
async def watched(net: SimulatedNetwork) -> AsyncIterator[Watched]:
    clock = ManualClock()
    router = net.devices[0]
    agent = Agent(router, COMMUNITY, net, clock.steady_s(), seed=1)
    traffic = {
        interface.name: port_traffic(router, interface, net, seed=1)
        for interface in router.interfaces
    }
    loop = asyncio.get_running_loop()
    transport, end = await loop.create_datagram_endpoint(
        lambda: Loopback(agent, clock), local_addr=("127.0.0.1", 0)
    )
    port: int = transport.get_extra_info("sockname")[1]
    device = replace(router, address="127.0.0.1", port=port, timeout_s=0.2)
    poller = SnmpPoller(clock)
    await poller.open([device], COMMUNITIES)
    yield Watched(clock, poller, device, end, traffic)
    await poller.close()
    transport.close()


async def test_a_correct_router_gives_a_rate_at_every_poll_but_the_first(
    watched: Watched,
) -> None:
    found = [given(await watched.rates()) for _ in range(60)]
    assert found == [set()] + [{"ether1", "ether2"}] * 59


async def test_a_router_with_32_bit_counters_wraps_and_every_rate_is_right(
    watched: Watched,
) -> None:
    watched.end.agent.set_defects(AgentDefects(narrow=True))
    await watched.settle()
    watched.end.agent.apply_instant_fault(
        event(FaultKind.WRAP, after_s=90.0), watched.clock.steady_s()
    )
    assert reasons(await watched.rates()) == {NoRate.DISCONTINUITY}
    found = [given(await watched.rates()) for _ in range(5)]
    assert found == [{"ether1", "ether2"}] * 5


async def test_a_64_bit_counter_that_jumps_and_wraps_gives_no_wrong_rate(
    watched: Watched,
) -> None:
    await watched.settle()
    watched.end.agent.apply_instant_fault(
        event(FaultKind.WRAP, after_s=90.0), watched.clock.steady_s()
    )
    jumped, wrapped, after = [await watched.rates() for _ in range(3)]
    assert (given(jumped), given(wrapped)) == (set(), set())
    assert reasons(jumped) == {NoRate.DISCONTINUITY}
    assert reasons(wrapped) == {NoRate.RESET}
    assert given(after) == {"ether1", "ether2"}


@pytest.mark.parametrize("told", [False, True])
async def test_a_reset_costs_one_rate_and_never_gives_a_wrong_one(
    watched: Watched, told: bool
) -> None:
    await watched.settle()
    watched.clock.advance(20)
    reset = event(FaultKind.COUNTER_RESET, discontinuity=told)
    watched.end.agent.apply_instant_fault(reset, watched.clock.steady_s())
    at_once, after = await watched.rates(40), await watched.rates()
    assert given(at_once) == set()
    assert reasons(at_once) == {NoRate.DISCONTINUITY if told else NoRate.RESET}
    assert given(after) == {"ether1", "ether2"}


@pytest.mark.parametrize("restarts", [False, True])
async def test_renumbered_interfaces_are_found_and_never_confused(
    watched: Watched, restarts: bool
) -> None:
    await watched.settle()
    if restarts:
        watched.end.agent.restart(watched.clock.steady_s(), renumber=True)
    else:
        watched.end.agent.apply_instant_fault(event(FaultKind.RENUMBER), watched.clock.steady_s())
    at_once, after = await watched.rates(), await watched.rates()
    assert given(at_once) == set()
    assert reasons(at_once) == {NoRate.REBOOT if restarts else NoRate.INDEX_MOVED}
    assert given(after) == {"ether1", "ether2"}


@pytest.mark.parametrize("varbinds", [19, 8, 4, 3])
async def test_fewer_objects_are_requested_after_too_big(watched: Watched, varbinds: int) -> None:
    watched.end.agent.set_defects(AgentDefects(max_varbinds=varbinds))
    await watched.settle()
    before = watched.end.asked
    await watched.rates()
    per_poll = watched.end.asked - before
    await watched.rates()
    assert watched.end.asked - before == 2 * per_poll, "what was learnt is remembered"


async def test_a_router_that_always_replies_too_big_fails_with_few_requests(
    watched: Watched,
) -> None:
    watched.end.agent.set_defects(AgentDefects(max_varbinds=2))
    failed = await watched.poll()
    assert isinstance(failed, PollFailed)
    assert failed.reason == "too-big"
    assert watched.end.asked < 12


@pytest.mark.parametrize(
    ("quirks", "reason"),
    [
        (AgentDefects(source_address="10.77.0.14"), "wrong-source"),
        (AgentDefects(endless=True), "wrong-answer"),
        (AgentDefects(silent=True), "timeout"),
    ],
)
async def test_a_defective_agent_is_reported_until_it_is_repaired(
    watched: Watched, quirks: AgentDefects, reason: str
) -> None:
    watched.end.agent.set_defects(quirks)
    failed = await watched.poll()
    assert isinstance(failed, PollFailed)
    assert failed.reason == reason
    watched.end.agent.set_defects(NO_DEFECTS)
    await watched.settle()
    watched.end.agent.set_defects(quirks)
    for _ in range(2):
        assert isinstance(await watched.poll(), PollRates | PollFailed)
    watched.end.agent.set_defects(NO_DEFECTS)
    assert given(await watched.rates()) == {"ether1", "ether2"}


@pytest.mark.parametrize("polls", [150, pytest.param(7 * 1440, marks=pytest.mark.full)])
@pytest.mark.timeout(900)
async def test_all_faults_together_give_no_wrong_rate(watched: Watched, polls: int) -> None:
    agent = watched.end.agent
    turns = (
        AgentDefects(narrow=True),
        NO_DEFECTS,
        AgentDefects(narrow=True, max_varbinds=5),
        AgentDefects(max_varbinds=7),
    )
    events = (
        event(FaultKind.WRAP, after_s=100.0),
        event(FaultKind.RENUMBER),
        event(FaultKind.COUNTER_RESET),
        event(FaultKind.WRAP, after_s=7.0),
        event(FaultKind.COUNTER_RESET, discontinuity=True),
    )
    rated = 0
    for number in range(polls):
        # A reset that is not reported right after a restart cannot be detected: the counters are
        # as low as before.
        if number % 7 == 3 and number % 97 != 51:
            agent.apply_instant_fault(events[number // 7 % len(events)], watched.clock.steady_s())
        if number % 11 == 5:
            agent.set_defects(turns[number // 11 % len(turns)])
        if number % 97 == 50:
            agent.restart(watched.clock.steady_s(), renumber=number % 2 == 0)
        rated += bool(given(await watched.rates()))
    assert rated / polls > 0.4


def event(what: FaultKind, after_s: float = 20.0, discontinuity: bool = False) -> Fault:
    return Fault(what, ("anjatan",), after_s=after_s, discontinuity=discontinuity)
