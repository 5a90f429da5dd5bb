"""What every poller promises: the one over SNMP, against a real snmpd, and the one in memory."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from monitor.adapters.snmp import SnmpPoller
from monitor.core.model import Device, Interface
from monitor.core.ports import Poller
from monitor.core.samples.snmp_poll import DevicePoll, PollFailed
from tests.fakes.clock import ManualClock
from tests.fakes.poller import FakePoller
from tests.fakes.snmp_agent.fake_router import FakeInterface, FakeRouter
from tests.fakes.snmp_agent.snmpd import SECRETS, SnmpAgent

ROUTER = Device(
    name="anjatan",
    address="127.0.0.1",
    version="2c",
    credential="komunitas",
    interfaces=(Interface("ether1", link="anjatan/utama"), Interface("ether2")),
    timeout_s=0.5,
    retries=0,
    site="anjatan",
)


@dataclass
class World:
    """A poller, and the one router that it can ask. After turning `router`: `changed()`."""

    poller: Poller
    clock: ManualClock
    device: Device
    router: FakeRouter
    changed: Callable[[], None]
    silence: Callable[[], None]


@pytest.fixture(params=["fake", "snmp-2c", "snmp-3"])
async def world(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[World]:
    clock = ManualClock()
    router = FakeRouter()
    if request.param == "fake":
        fake = FakePoller(clock, {"anjatan": router})
        yield World(fake, clock, ROUTER, router, lambda: None, lambda: fake.silence("anjatan"))
        return
    agent = SnmpAgent(tmp_path, router)
    agent.start()
    poller = SnmpPoller(clock)
    device = replace(ROUTER, port=agent.port)
    if request.param == "snmp-3":
        device = replace(device, version="3", credential="pantau")
    yield World(poller, clock, device, router, agent.publish, agent.silence)
    await poller.close()
    agent.stop()


async def good(world: World, device: Device | None = None) -> DevicePoll:
    answer = await world.poller.poll(device or world.device)
    assert isinstance(answer, DevicePoll), answer
    return answer


async def bad(world: World, device: Device | None = None) -> PollFailed:
    answer = await world.poller.poll(device or world.device)
    assert isinstance(answer, PollFailed), answer
    return answer


async def test_a_poll_brings_what_the_router_tells(world: World) -> None:
    world.router.interfaces = [
        FakeInterface("ether1", 1, in_octets=2**63 + 1, alias="ke Indramayu", discontinuity=42),
        FakeInterface("ether2", 7, oper=2, speed_mbps=0, wide=False, in_octets=2**32 + 9),
    ]
    world.changed()
    await world.poller.open([world.device], SECRETS)
    poll = await good(world)
    assert (poll.device, poll.at_s) == ("anjatan", world.clock.steady_s())
    assert (poll.uptime_ticks, poll.sys_name, poll.missing) == (100_000, "router-uji", ())
    assert poll.description == "RouterOS RB4011iGS+"
    assert poll.facts is not None
    assert (poll.facts.device, poll.facts.site) == ("anjatan", "anjatan")
    assert (poll.facts.at_s, poll.facts.uptime_s) == (poll.at_s, 1000.0)
    one, two = poll.interfaces
    assert (one.name, one.index, one.in_octets, one.out_octets) == (
        "ether1",
        1,
        2**63 + 1,
        2_000_000,
    )
    assert (one.in_errors, one.out_errors, one.in_discards, one.out_discards) == (3, 4, 5, 6)
    assert (one.high_capacity, one.oper, one.speed_bps) == (True, 1, 1_000_000_000)
    assert (one.alias, one.discontinuity, one.uptime_ticks) == ("ke Indramayu", 42, 100_000)
    assert (two.name, two.index, two.in_octets, two.high_capacity) == ("ether2", 7, 9, False)
    assert (two.oper, two.speed_bps, two.alias) == (2, None, None)


async def test_a_prepared_set_changes_nothing_until_it_is_committed(world: World) -> None:
    await world.poller.open([world.device], SECRETS)
    commit = await world.poller.prepare([], SECRETS)
    await good(world)
    commit()
    assert (await bad(world)).reason == "not-registered"


async def test_the_next_poll_brings_the_next_values_and_time(world: World) -> None:
    await world.poller.open([world.device], SECRETS)
    first = await good(world)
    world.router.advance(60, in_bps=8_000, out_bps=16_000)
    world.clock.advance(60)
    world.changed()
    second = await good(world)
    assert second.at_s - first.at_s == 60
    assert second.uptime_ticks == 106_000
    assert second.interfaces[0].in_octets == 1_060_000
    assert second.interfaces[0].out_octets == 2_120_000


async def test_a_port_that_the_router_does_not_have_is_named_as_missing(world: World) -> None:
    device = replace(world.device, interfaces=(Interface("sfp9"), Interface("ether1")))
    await world.poller.open([device], SECRETS)
    poll = await good(world, device)
    assert [port.name for port in poll.interfaces] == ["ether1"]
    assert poll.missing == ("sfp9",)


async def test_a_router_without_configured_ports_still_tells_of_itself(world: World) -> None:
    device = replace(world.device, interfaces=())
    await world.poller.open([device], SECRETS)
    poll = await good(world, device)
    assert (poll.interfaces, poll.missing, poll.uptime_ticks) == ((), (), 100_000)


async def test_silence_is_a_poll_that_failed_and_never_an_exception(world: World) -> None:
    await world.poller.open([world.device], SECRETS)
    await good(world)
    world.silence()
    failed = await bad(world)
    assert (failed.device, failed.reason) == ("anjatan", "timeout")
    assert failed.at_s == world.clock.steady_s()


async def test_a_router_that_was_not_registered_is_not_asked(world: World) -> None:
    await world.poller.open([], SECRETS)
    assert (await bad(world)).reason == "not-registered"


async def test_a_router_without_its_secret_says_so(world: World) -> None:
    await world.poller.open([world.device], {})
    assert (await bad(world)).reason == "no-secret"


async def test_registering_anew_replaces_the_routers(world: World) -> None:
    other = replace(world.device, name="gantar")
    await world.poller.open([world.device], SECRETS)
    await good(world)
    await world.poller.open([other], SECRETS)
    assert (await bad(world)).reason == "not-registered"
    await world.poller.open([other, world.device], SECRETS)
    await good(world)


async def test_after_closing_nothing_is_asked_and_closing_twice_is_harmless(world: World) -> None:
    await world.poller.open([world.device], SECRETS)
    await world.poller.close()
    await world.poller.close()
    assert (await bad(world)).reason == "not-registered"
