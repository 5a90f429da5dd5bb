"""Routers' own facts, from a real snmpd that tells what each vendor's routers tell."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest

from monitor.adapters.snmp import SnmpPoller
from monitor.adapters.snmp.vendors import GENERIC, VENDORS, vendor_of
from monitor.core.samples.samples import DeviceSample
from tests.fakes.agent.devices import device, polled
from tests.fakes.agent.mib import CISCO, MIKROTIK, NET_SNMP, MadeUpRouter, Objects
from tests.fakes.agent.snmpd import SECRETS, SnmpAgent
from tests.fakes.clock import ManualClock

HR_LOAD = "1.3.6.1.2.1.25.3.3.1.2"
HR_STORAGE = "1.3.6.1.2.1.25.2.3.1"
RAM = ".1.3.6.1.2.1.25.2.1.2"
DISK = ".1.3.6.1.2.1.25.2.1.4"
MT_HEALTH = "1.3.6.1.4.1.14988.1.1.3"
MT_GAUGE = f"{MT_HEALTH}.100.1"
CISCO_ROOT = "1.3.6.1.4.1.9.9"

HOST: Objects = {
    # Two cores at 20 % and 40 %; a disk before the memory, and one behind it.
    f"{HR_LOAD}.1": ("integer", 20),
    f"{HR_LOAD}.2": ("integer", 40),
    **{
        f"{HR_STORAGE}.{column}.{row}": cell
        for row in (31, 131072)
        for column, cell in (
            (2, ("objectid", DISK)),
            (5, ("integer", 128_000)),
            (6, ("integer", 127_000)),
        )
    },
    f"{HR_STORAGE}.2.65536": ("objectid", RAM),
    f"{HR_STORAGE}.5.65536": ("integer", 1_048_576),
    f"{HR_STORAGE}.6.65536": ("integer", 262_144),
}


def gauge(row: int, name: str, value: int, unit: int) -> Objects:
    return {
        f"{MT_GAUGE}.2.{row}": ("string", name),
        f"{MT_GAUGE}.3.{row}": ("integer", value),
        f"{MT_GAUGE}.4.{row}": ("integer", unit),
    }


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SnmpAgent]:
    agent = SnmpAgent(tmp_path_factory.mktemp("snmpd"))
    agent.start()
    yield agent
    agent.stop()


@pytest.fixture
def agent(running: SnmpAgent) -> SnmpAgent:
    running.router = MadeUpRouter()
    return running


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def poller(clock: ManualClock) -> AsyncIterator[SnmpPoller]:
    poller = SnmpPoller(clock)
    yield poller
    await poller.close()


async def facts(poller: SnmpPoller, agent: SnmpAgent) -> DeviceSample:
    agent.tell()
    router = device(agent.address, agent.port)
    await poller.open([router], SECRETS)
    told = (await polled(poller, router)).facts
    assert told is not None
    return told


async def test_a_mikrotik_tells_cpu_memory_and_its_old_health_scalars(
    agent: SnmpAgent, poller: SnmpPoller
) -> None:
    agent.router.more = HOST | {
        f"{MT_HEALTH}.8.0": ("integer", 242),
        f"{MT_HEALTH}.10.0": ("integer", 415),
    }
    told = await facts(poller, agent)
    assert told.cpu == pytest.approx(0.30)
    assert told.memory == 0.25
    assert told.temperature_c == pytest.approx(41.5)
    assert told.voltage_v == pytest.approx(24.2)
    assert told.uptime_s == 1000.0


async def test_routeros_7_tells_its_health_in_gauges_by_name_and_unit(
    agent: SnmpAgent, poller: SnmpPoller
) -> None:
    agent.router.more = (
        gauge(13, "power-consumption", 123, 5)
        | gauge(14, "cpu-temperature", 61, 1)
        | gauge(17, "fan1-speed", 4500, 2)
        | gauge(18, "temperature", 38, 1)
        | gauge(19, "psu2-voltage", 118, 3)
        | gauge(20, "voltage", 239, 3)
    )
    told = await facts(poller, agent)
    assert told.temperature_c == 38.0
    assert told.voltage_v == pytest.approx(23.9)
    assert (told.cpu, told.memory) == (None, None)


async def test_a_gauge_with_a_name_of_its_own_still_counts(
    agent: SnmpAgent, poller: SnmpPoller
) -> None:
    agent.router.more = gauge(3, "phy-temperature", 44, 1)
    assert (await facts(poller, agent)).temperature_c == 44.0


async def test_a_cisco_tells_the_same_facts_elsewhere(agent: SnmpAgent, poller: SnmpPoller) -> None:
    agent.router.object_id = CISCO
    agent.router.more = HOST | {
        f"{CISCO_ROOT}.109.1.1.1.1.7.1": ("gauge", 12),
        f"{CISCO_ROOT}.48.1.1.1.5.1": ("gauge", 30_000_000),
        f"{CISCO_ROOT}.48.1.1.1.6.1": ("gauge", 90_000_000),
        f"{CISCO_ROOT}.48.1.1.1.5.2": ("gauge", 9),
        f"{CISCO_ROOT}.48.1.1.1.6.2": ("gauge", 1),
        f"{CISCO_ROOT}.13.1.3.1.3.1": ("gauge", 35),
        f"{CISCO_ROOT}.13.1.3.1.3.2": ("gauge", 47),
        f"{CISCO_ROOT}.13.1.2.1.3.1": ("integer", 11_960),
    }
    told = await facts(poller, agent)
    assert told.cpu == pytest.approx(0.12)
    assert told.memory == 0.25
    assert told.temperature_c == 47.0
    assert told.voltage_v == pytest.approx(11.96)


@pytest.mark.parametrize(
    ("object_id", "root", "columns"),
    [
        ("1.3.6.1.4.1.2636.1.1.1.2.29", "1.3.6.1.4.1.2636.3.1.13.1", (8, 11, 7)),
        ("1.3.6.1.4.1.2011.2.224.1", "1.3.6.1.4.1.2011.5.25.31.1.1.1.1", (5, 7, 11)),
    ],
    ids=["juniper", "huawei"],
)
async def test_parts_without_a_sensor_are_no_facts(
    agent: SnmpAgent, poller: SnmpPoller, object_id: str, root: str, columns: tuple[int, int, int]
) -> None:
    cpu, memory, temperature = columns
    agent.router.object_id = object_id
    for row, values in enumerate([(0, 0, 0), (17, 44, 39), (0, 0, 2**31 - 1)], start=1):
        for column, value in zip((cpu, memory, temperature), values, strict=True):
            agent.router.more[f"{root}.{column}.9.{row}.0.0"] = ("integer", value)
    told = await facts(poller, agent)
    assert (told.cpu, told.memory, told.temperature_c) == (0.17, 0.44, 39.0)
    assert told.voltage_v is None


async def test_any_other_agent_tells_what_host_resources_hold(
    agent: SnmpAgent, poller: SnmpPoller
) -> None:
    agent.router.object_id = NET_SNMP
    agent.router.more = HOST | {f"{MT_HEALTH}.8.0": ("integer", 242)}
    told = await facts(poller, agent)
    assert told.cpu == pytest.approx(0.30)
    assert (told.memory, told.voltage_v) == (0.25, None)


async def test_a_router_that_tells_nothing_of_itself_has_an_uptime_and_nothing_made_up(
    agent: SnmpAgent, poller: SnmpPoller
) -> None:
    told = await facts(poller, agent)
    assert (told.cpu, told.memory, told.temperature_c, told.voltage_v) == (None,) * 4
    assert told.uptime_s == 1000.0


async def test_a_sensor_that_moved_is_found_again(
    agent: SnmpAgent, poller: SnmpPoller, clock: ManualClock
) -> None:
    agent.router.more = HOST | gauge(14, "temperature", 40, 1)
    router = device(agent.address, agent.port)
    assert (await facts(poller, agent)).temperature_c == 40.0
    agent.router.more = HOST | gauge(15, "temperature", 41, 1)
    seen = []
    for _ in range(17):
        agent.router.advance(60)
        agent.tell()
        clock.advance(60)
        told = (await polled(poller, router)).facts
        assert told is not None
        assert told.cpu == pytest.approx(0.30)
        seen.append(told.temperature_c)
    assert seen[0] is None
    assert seen[-1] == 41.0


async def test_another_vendors_router_in_the_same_place_is_read_as_its_own(
    agent: SnmpAgent, poller: SnmpPoller, clock: ManualClock
) -> None:
    agent.router.more = HOST
    router = device(agent.address, agent.port)
    await facts(poller, agent)
    agent.router = MadeUpRouter(object_id=CISCO, uptime_ticks=500)
    agent.router.more = {f"{CISCO_ROOT}.109.1.1.1.1.7.1": ("gauge", 77)}
    agent.tell()
    clock.advance(60)
    told = (await polled(poller, router)).facts
    assert told is not None
    assert told.cpu == pytest.approx(0.77)
    assert told.memory is None


async def test_another_vendors_router_is_noticed_even_when_its_uptime_goes_on(
    agent: SnmpAgent, poller: SnmpPoller, clock: ManualClock
) -> None:
    agent.router.more = HOST
    router = device(agent.address, agent.port)
    await facts(poller, agent)
    agent.router.object_id = CISCO
    agent.router.more = {f"{CISCO_ROOT}.109.1.1.1.1.7.1": ("gauge", 77)}
    for _ in range(2):
        agent.router.advance(60)
        agent.tell()
        clock.advance(60)
        told = (await polled(poller, router)).facts
    assert told is not None
    assert told.cpu == pytest.approx(0.77)


async def test_facts_that_do_not_come_leave_the_counters_standing(
    agent: SnmpAgent, poller: SnmpPoller
) -> None:
    """A storage table with a size of zero, a load that is a string."""
    agent.router.more = {
        f"{HR_LOAD}.1": ("string", "busy"),
        f"{HR_STORAGE}.2.1": ("objectid", RAM),
        f"{HR_STORAGE}.5.1": ("integer", 0),
        f"{HR_STORAGE}.6.1": ("integer", 0),
    }
    told = await facts(poller, agent)
    assert (told.cpu, told.memory) == (None, None)
    poll = await polled(poller, device(agent.address, agent.port))
    assert len(poll.interfaces) == 2


@pytest.mark.parametrize(
    ("object_id", "name"),
    [
        (MIKROTIK, "mikrotik"),
        (CISCO, "cisco"),
        ("1.3.6.1.4.1.99999.1", "generic"),
        ("1.3.6.1.4.1.149880.1", "generic"),
        ("1.3", "generic"),
    ],
)
def test_the_vendor_is_told_by_its_branch_of_the_tree(object_id: str, name: str) -> None:
    assert vendor_of(tuple(map(int, object_id.split(".")))).name == name
    assert vendor_of(None) is GENERIC


def test_no_vendors_branch_hides_another() -> None:
    roots = [vendor.root for vendor in VENDORS]
    assert len(set(roots)) == len(roots)
    assert not any(one != other and one[: len(other)] == other for one in roots for other in roots)
