"""Polls of a real snmpd whose counters, ports and clock do what routers do."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest

from monitor.adapters.snmp import SnmpPoller
from monitor.core.model import Device
from monitor.core.samples.rates import NoRate, PollRates, RateBaselines, compute_rates
from monitor.core.samples.snmp_poll import DevicePoll
from tests.fakes.agent.devices import device, failed, polled, port_of
from tests.fakes.agent.mib import MadeUpRouter, Port
from tests.fakes.agent.snmpd import SECRETS, SnmpAgent
from tests.fakes.clock import ManualClock

IF_IN_ERRORS = "1.3.6.1.2.1.2.2.1.14"
IF_NAME = "1.3.6.1.2.1.31.1.1.1.1"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SnmpAgent]:
    agent = SnmpAgent(tmp_path_factory.mktemp("snmpd"))
    agent.start()
    yield agent
    agent.stop()


@pytest.fixture
def agent(running: SnmpAgent) -> SnmpAgent:
    """The running agent, telling of a fresh router."""
    running.router = MadeUpRouter()
    running.tell()
    return running


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def poller(clock: ManualClock) -> AsyncIterator[SnmpPoller]:
    poller = SnmpPoller(clock)
    yield poller
    await poller.close()


def pass_time(
    agent: SnmpAgent, clock: ManualClock, seconds: float, in_bps: float = 0, out_bps: float = 0
) -> None:
    agent.router.advance(seconds, in_bps, out_bps)
    agent.tell()
    clock.advance(seconds)


class Watch:
    """Polls with the rates that they bring."""

    def __init__(self, poller: SnmpPoller, router: Device) -> None:
        self._poller = poller
        self._router = router
        self._memory = RateBaselines()

    async def next(self) -> tuple[DevicePoll, PollRates]:
        poll = await polled(self._poller, self._router)
        rates = compute_rates(self._memory, self._router, poll, poll.at_s)
        self._memory = rates.baselines
        return poll, rates

    async def in_bps(self, name: str) -> float | None:
        _, rates = await self.next()
        return next(sample.in_bps for sample in rates.samples if sample.ifname == name)


async def watch(poller: SnmpPoller, agent: SnmpAgent, *ports: str) -> Watch:
    router = device(agent.address, agent.port, *ports)
    await poller.open([router], SECRETS)
    return Watch(poller, router)


async def test_traffic_becomes_its_rate(
    agent: SnmpAgent, clock: ManualClock, poller: SnmpPoller
) -> None:
    watched = await watch(poller, agent)
    assert await watched.in_bps("ether1") is None
    pass_time(agent, clock, 60, in_bps=8_000_000)
    assert await watched.in_bps("ether1") == pytest.approx(8_000_000)
    pass_time(agent, clock, 60)
    assert await watched.in_bps("ether1") == 0.0


async def test_a_32_bit_counter_that_wraps_gives_the_true_rate(
    agent: SnmpAgent, clock: ManualClock, poller: SnmpPoller
) -> None:
    agent.router.ports = [Port("ether1", 1, wide=False, speed_mbps=100, in_octets=2**32 - 1000)]
    agent.tell()
    watched = await watch(poller, agent, "ether1")
    await watched.next()
    pass_time(agent, clock, 60, in_bps=8_000_000)
    poll, rates = await watched.next()
    assert port_of(poll, "ether1").in_octets == 60_000_000 - 1000
    assert rates.samples[0].in_bps == pytest.approx(8_000_000)


@pytest.mark.parametrize(("before", "after"), [(2**64 - 1000, 2**64 + 7), (10**15, 7)])
async def test_a_64_bit_counter_that_wraps_or_is_cleared_is_a_reset(
    agent: SnmpAgent, clock: ManualClock, poller: SnmpPoller, before: int, after: int
) -> None:
    agent.router.ports = [Port("ether1", 1, in_octets=before)]
    agent.tell()
    watched = await watch(poller, agent, "ether1")
    await watched.next()
    agent.router.port("ether1").in_octets = after
    pass_time(agent, clock, 60, in_bps=8)
    _, rates = await watched.next()
    assert [drop.reason for drop in rates.dropped] == [NoRate.RESET]


async def test_uptime_wraps_after_497_days_and_nothing_is_lost(
    agent: SnmpAgent, clock: ManualClock, poller: SnmpPoller
) -> None:
    agent.router.uptime_ticks = 2**32 - 3_000
    agent.tell()
    watched = await watch(poller, agent)
    await watched.next()
    pass_time(agent, clock, 60, in_bps=8_000_000)
    poll, rates = await watched.next()
    assert poll.uptime_ticks == 3_000
    assert rates.samples[0].in_bps == pytest.approx(8_000_000)


async def test_two_ports_that_changed_places_keep_their_names(
    agent: SnmpAgent, clock: ManualClock, poller: SnmpPoller
) -> None:
    """ether1 and ether2 swap their indices: no octet of one is counted for the other."""
    agent.router.ports = [Port("ether1", 1, in_octets=111), Port("ether2", 2, in_octets=999)]
    agent.tell()
    watched = await watch(poller, agent)
    await watched.next()
    agent.router.port("ether1").index, agent.router.port("ether2").index = 2, 1
    pass_time(agent, clock, 60)
    poll, rates = await watched.next()
    assert [(p.name, p.index, p.in_octets) for p in poll.interfaces] == [
        ("ether1", 2, 111),
        ("ether2", 1, 999),
    ]
    assert {drop.reason for drop in rates.dropped} == {NoRate.INDEX_MOVED}
    pass_time(agent, clock, 60, in_bps=800)
    assert await watched.in_bps("ether1") == pytest.approx(800)


async def test_a_reboot_with_another_numbering_is_read_right_in_the_same_poll(
    agent: SnmpAgent, clock: ManualClock, poller: SnmpPoller
) -> None:
    watched = await watch(poller, agent)
    await watched.next()
    agent.router.uptime_ticks = 900
    agent.router.ports = [Port("sfp1", 1, 5, 5), Port("ether1", 2, 6, 6), Port("ether2", 3, 7, 7)]
    agent.tell()
    clock.advance(60)
    poll, rates = await watched.next()
    assert [(p.name, p.index, p.in_octets) for p in poll.interfaces] == [
        ("ether1", 2, 6),
        ("ether2", 3, 7),
    ]
    assert {drop.reason for drop in rates.dropped} == {NoRate.REBOOT}


async def test_a_port_that_vanished_is_missing_and_found_when_it_is_back(
    agent: SnmpAgent, clock: ManualClock, poller: SnmpPoller
) -> None:
    watched = await watch(poller, agent)
    await watched.next()
    gone = agent.router.ports.pop()
    pass_time(agent, clock, 60)
    poll, _ = await watched.next()
    assert [port.name for port in poll.interfaces] == ["ether1"]
    assert poll.missing == ("ether2",)
    gone.index = 12
    agent.router.ports.append(gone)
    pass_time(agent, clock, 150)
    poll, _ = await watched.next()
    assert port_of(poll, "ether2").index == 12


async def test_a_port_without_64_bit_counters_is_read_by_32_bits_alone(
    agent: SnmpAgent, clock: ManualClock, poller: SnmpPoller
) -> None:
    agent.router.ports = [
        Port("ether1", 1, in_octets=2**40 + 1),
        Port("ether2", 2, in_octets=2**40 + 2, wide=False, speed_mbps=100),
    ]
    agent.tell()
    watched = await watch(poller, agent)
    poll, _ = await watched.next()
    assert [(p.high_capacity, p.in_octets) for p in poll.interfaces] == [
        (True, 2**40 + 1),
        (False, 2),
    ]
    pass_time(agent, clock, 60, in_bps=8_000_000)
    assert await watched.in_bps("ether2") == pytest.approx(8_000_000)


async def test_one_value_that_is_not_there_costs_only_itself(
    agent: SnmpAgent, poller: SnmpPoller
) -> None:
    objects = agent.router.objects()
    del objects[f"{IF_IN_ERRORS}.1"]
    agent.router = _Fixed(objects)
    agent.tell()
    watched = await watch(poller, agent)
    poll, _ = await watched.next()
    assert port_of(poll, "ether1").in_errors is None
    assert port_of(poll, "ether1").out_errors == 4
    assert port_of(poll, "ether2").in_errors == 3


class _Fixed(MadeUpRouter):
    """A router that tells exactly these objects."""

    def __init__(self, objects: dict[str, tuple[str, int | str]]) -> None:
        super().__init__()
        self._objects = objects

    def objects(self) -> dict[str, tuple[str, int | str]]:
        return self._objects


async def test_values_of_the_wrong_type_are_not_known_and_crash_nothing(
    agent: SnmpAgent, poller: SnmpPoller
) -> None:
    """An INTEGER where a string is due, strings where counters are, a negative counter."""
    agent.router.more = {
        f"{IF_NAME}.3": ("integer", 5),
        f"{IF_IN_ERRORS}.1": ("string", "many"),
        "1.3.6.1.2.1.31.1.1.1.6.1": ("integer", -5),
        "1.3.6.1.2.1.31.1.1.1.15.1": ("string", "fast"),
        "1.3.6.1.2.1.31.1.1.1.18.1": ("integer", 7),
        "1.3.6.1.2.1.2.2.1.8.1": ("integer", 99),
        "1.3.6.1.2.1.1.5.0": ("integer", 1),
        "1.3.6.1.2.1.1.2.0": ("integer", 1),
    }
    agent.tell()
    watched = await watch(poller, agent)
    poll, _ = await watched.next()
    port = port_of(poll, "ether1")
    assert (port.in_octets, port.in_errors, port.speed_bps, port.alias) == (None,) * 4
    assert (port.oper, port.out_octets) == (None, 2_000_000)
    assert poll.sys_name is None


@pytest.mark.parametrize(
    ("told_mbps", "speed_bps"),
    [(0, None), (2**32 - 1, None), (1, 1_000_000), (400_000, 400_000_000_000)],
)
async def test_a_speed_that_the_router_does_not_know_is_not_known(
    agent: SnmpAgent, poller: SnmpPoller, told_mbps: int, speed_bps: int | None
) -> None:
    agent.router.port("ether1").speed_mbps = told_mbps
    agent.tell()
    watched = await watch(poller, agent)
    poll, _ = await watched.next()
    assert port_of(poll, "ether1").speed_bps == speed_bps


async def test_many_ports_take_several_messages_and_each_is_whole(
    agent: SnmpAgent, poller: SnmpPoller
) -> None:
    names = [f"vlan{n}" for n in range(30)]
    agent.router.ports = [
        Port(name, 100 + n, in_octets=n, out_octets=1000 + n) for n, name in enumerate(names)
    ]
    agent.tell()
    watched = await watch(poller, agent, *names)
    poll, _ = await watched.next()
    assert [(p.name, p.in_octets, p.out_octets) for p in poll.interfaces] == [
        (name, n, 1000 + n) for n, name in enumerate(names)
    ]


async def test_a_port_far_down_a_long_table_is_found(agent: SnmpAgent, poller: SnmpPoller) -> None:
    agent.router.ports = [Port(f"ppp{n}", n) for n in range(1, 400)] + [Port("ether1", 400)]
    agent.tell()
    watched = await watch(poller, agent, "ether1")
    poll, _ = await watched.next()
    assert port_of(poll, "ether1").index == 400


async def test_of_two_ports_with_one_name_the_first_is_read_every_time(
    agent: SnmpAgent, clock: ManualClock, poller: SnmpPoller
) -> None:
    agent.router.ports = [Port("ether1", 4), Port("ether1", 9), Port("ether2", 12)]
    agent.tell()
    watched = await watch(poller, agent)
    for _ in range(2):
        poll, _ = await watched.next()
        assert port_of(poll, "ether1").index == 4
        pass_time(agent, clock, 60)


async def test_fifty_polls_at_once_are_all_answered(agent: SnmpAgent, poller: SnmpPoller) -> None:
    routers = [
        device(
            agent.address,
            agent.port,
            name=f"router{n}",
            credential="komunitas" if n % 2 else "pantau",
            timeout_s=5.0,
        )
        for n in range(50)
    ]
    await poller.open(routers, SECRETS)
    polls = await asyncio.gather(*(poller.poll(router) for router in routers))
    assert [poll.device for poll in polls] == [router.name for router in routers]
    assert all(isinstance(poll, DevicePoll) for poll in polls)
    assert poller.counters().timeouts == 0


async def test_two_polls_of_one_router_at_once_both_succeed(
    agent: SnmpAgent, poller: SnmpPoller
) -> None:
    router = device(agent.address, agent.port, credential="pantau")
    await poller.open([router], SECRETS)
    one, two = await asyncio.gather(polled(poller, router), polled(poller, router))
    assert one.interfaces == two.interfaces


async def test_a_reload_keeps_what_was_learnt_of_unchanged_routers(
    agent: SnmpAgent, poller: SnmpPoller
) -> None:
    router = device(agent.address, agent.port, credential="pantau")
    await poller.open([router], SECRETS)
    await polled(poller, router)
    await polled(poller, router)
    before = poller.counters().sent
    await polled(poller, router)
    a_poll = poller.counters().sent - before
    await poller.open([router, device(agent.address, agent.port, name="lain")], SECRETS)
    await polled(poller, router)
    assert poller.counters().sent == before + 2 * a_poll


async def test_a_changed_address_is_another_router(agent: SnmpAgent, poller: SnmpPoller) -> None:
    router = device(agent.address, agent.port, timeout_s=0.2, retries=0)
    moved = device(agent.address, 9, timeout_s=0.2, retries=0)
    await poller.open([router], SECRETS)
    await polled(poller, router)
    await poller.open([moved], SECRETS)
    assert (await failed(poller, moved)).reason == "timeout"


@pytest.mark.parametrize(
    ("address", "secret", "credential", "reason"),
    [
        ("router.example", "uji-kom", "komunitas", "bad-address"),
        ("127.0.0.1", "dua\nbaris", "komunitas", "bad-secret"),
        ("127.0.0.1", "rahasia-sekali", "pantau", "bad-secret"),
    ],
)
async def test_what_cannot_be_used_fails_with_a_reason_that_never_repeats_the_secret(
    poller: SnmpPoller, address: str, secret: str, credential: str, reason: str
) -> None:
    router = device(address, 161, credential=credential)
    await poller.open([router], {credential: secret})
    failure = await failed(poller, router)
    assert failure.reason == reason
    assert secret not in failure.detail


async def test_no_secret_stands_in_any_repr(agent: SnmpAgent, poller: SnmpPoller) -> None:
    routers = [device(agent.address, agent.port, name=name, credential=name) for name in SECRETS]
    await poller.open(routers, SECRETS)
    shown = repr(vars(poller))
    assert all(name in shown for name in SECRETS)
    for secret in ("uji-kom", "sandi-otentik", "sandi-rahasia"):
        assert secret not in shown
