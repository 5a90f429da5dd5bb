"""Contract of `Poller`: SnmpPoller with a real snmpd, and the fake in memory."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, replace

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
class Rig:
    """A poller and the router that it can poll. After changing `router`, call `changed()`."""

    poller: Poller
    clock: ManualClock
    device: Device
    router: FakeRouter
    changed: Callable[[], None]
    silence: Callable[[], None]


@pytest.fixture(scope="module")
def agent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SnmpAgent]:
    agent = SnmpAgent(tmp_path_factory.mktemp("snmpd"))
    agent.start()
    yield agent
    agent.stop()


@pytest.fixture(params=["fake", "snmp-2c", "snmp-3"])
async def rig(request: pytest.FixtureRequest, agent: SnmpAgent) -> AsyncIterator[Rig]:
    clock = ManualClock()
    router = FakeRouter()
    if request.param == "fake":
        fake = FakePoller(clock, {"anjatan": router})
        yield Rig(fake, clock, ROUTER, router, lambda: None, lambda: fake.silence("anjatan"))
        return
    agent.router = router
    agent.publish()
    poller = SnmpPoller(clock)
    device = replace(ROUTER, port=agent.port)
    if request.param == "snmp-3":
        device = replace(device, version="3", credential="pantau")
    yield Rig(poller, clock, device, router, agent.publish, agent.silence)
    await poller.close()
    agent.resume()


async def good(rig: Rig, device: Device | None = None) -> DevicePoll:
    answer = await rig.poller.poll(device or rig.device)
    assert isinstance(answer, DevicePoll), answer
    return answer


async def bad(rig: Rig, device: Device | None = None) -> PollFailed:
    answer = await rig.poller.poll(device or rig.device)
    assert isinstance(answer, PollFailed), answer
    return answer


async def test_a_poll_returns_the_objects_of_the_router(rig: Rig) -> None:
    rig.router.interfaces = [
        FakeInterface("ether1", 1, in_octets=2**63 + 1, alias="ke Indramayu", discontinuity=42),
        FakeInterface("ether2", 7, oper=2, speed_mbps=0, wide=False, in_octets=2**32 + 9),
    ]
    rig.changed()
    await rig.poller.open([rig.device], SECRETS)
    poll = await good(rig)
    assert (poll.device, poll.at_s) == ("anjatan", rig.clock.steady_s())
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


async def test_a_prepared_set_changes_nothing_until_it_is_committed(rig: Rig) -> None:
    await rig.poller.open([rig.device], SECRETS)
    commit = await rig.poller.prepare([], SECRETS)
    await good(rig)
    commit()
    assert (await bad(rig)).reason == "not-registered"


async def test_the_next_poll_returns_the_next_values_and_time(rig: Rig) -> None:
    await rig.poller.open([rig.device], SECRETS)
    first = await good(rig)
    rig.router.advance(60, in_bps=8_000, out_bps=16_000)
    rig.clock.advance(60)
    rig.changed()
    second = await good(rig)
    assert second.at_s - first.at_s == 60
    assert second.uptime_ticks == 106_000
    assert second.interfaces[0].in_octets == 1_060_000
    assert second.interfaces[0].out_octets == 2_120_000


async def test_an_interface_that_the_router_does_not_have_is_missing(rig: Rig) -> None:
    device = replace(rig.device, interfaces=(Interface("sfp9"), Interface("ether1")))
    await rig.poller.open([device], SECRETS)
    poll = await good(rig, device)
    assert [port.name for port in poll.interfaces] == ["ether1"]
    assert poll.missing == ("sfp9",)


async def test_a_router_without_configured_interfaces_still_has_an_uptime(rig: Rig) -> None:
    device = replace(rig.device, interfaces=())
    await rig.poller.open([device], SECRETS)
    poll = await good(rig, device)
    assert (poll.interfaces, poll.missing, poll.uptime_ticks) == ((), (), 100_000)


async def test_silence_is_a_failed_poll_and_never_an_exception(rig: Rig) -> None:
    await rig.poller.open([rig.device], SECRETS)
    await good(rig)
    rig.silence()
    failed = await bad(rig)
    assert (failed.device, failed.reason) == ("anjatan", "timeout")
    assert failed.at_s == rig.clock.steady_s()


async def test_a_router_without_registration_or_secret_fails_with_that_reason(rig: Rig) -> None:
    await rig.poller.open([], SECRETS)
    assert (await bad(rig)).reason == "not-registered"
    await rig.poller.open([rig.device], {})
    assert (await bad(rig)).reason == "no-secret"


async def test_opening_again_replaces_the_routers(rig: Rig) -> None:
    other = replace(rig.device, name="gantar")
    await rig.poller.open([rig.device], SECRETS)
    await good(rig)
    await rig.poller.open([other], SECRETS)
    assert (await bad(rig)).reason == "not-registered"
    await rig.poller.open([other, rig.device], SECRETS)
    await good(rig)


async def test_after_closing_polls_fail_and_closing_twice_is_harmless(rig: Rig) -> None:
    await rig.poller.open([rig.device], SECRETS)
    await rig.poller.close()
    await rig.poller.close()
    assert (await bad(rig)).reason == "not-registered"
