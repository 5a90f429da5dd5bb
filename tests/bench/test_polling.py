"""CPU of SNMP polls, of the first round, and delays of the event loop.

    pytest -m bench -s tests/bench/test_polling.py

The agent is a real snmpd; only this process's CPU time is counted. Asserted are ratios.
"""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Iterator
from statistics import quantiles

import pytest
from pysnmp.hlapi.v3arch.asyncio import (
    CommunityData,
    ContextData,
    ObjectIdentity,
    ObjectType,
    SnmpEngine,
    UdpTransportTarget,
    get_cmd,
)

from monitor.adapters.snmp import SnmpPoller
from monitor.adapters.snmp.messages import CommunityCodec, MessageCodec, Oid
from monitor.adapters.snmp.session import ObjectGroup, SnmpSession
from monitor.adapters.snmp.transport import Peer, SnmpTransport
from monitor.adapters.snmp.usm import UsmCodec, master_keys
from monitor.core.model import Device
from monitor.core.samples.snmp_poll import DevicePoll
from monitor.core.snmp_credentials import parse_v3
from tests.fakes.clock import ManualClock
from tests.fakes.snmp_agent.devices import device
from tests.fakes.snmp_agent.fake_router import FakeRouter, Objects
from tests.fakes.snmp_agent.snmpd import COMMUNITY, SECRETS, SnmpAgent

pytestmark = pytest.mark.bench

FACTS: Objects = {
    "1.3.6.1.2.1.25.3.3.1.2.1": ("integer", 20),
    "1.3.6.1.2.1.25.2.3.1.2.65536": ("objectid", ".1.3.6.1.2.1.25.2.1.2"),
    "1.3.6.1.2.1.25.2.3.1.5.65536": ("integer", 1_048_576),
    "1.3.6.1.2.1.25.2.3.1.6.65536": ("integer", 262_144),
    "1.3.6.1.4.1.14988.1.1.3.8.0": ("integer", 242),
    "1.3.6.1.4.1.14988.1.1.3.10.0": ("integer", 415),
}
SEVENTEEN: tuple[Oid, ...] = (
    (1, 3, 6, 1, 2, 1, 1, 3, 0),
    *((1, 3, 6, 1, 2, 1, 31, 1, 1, 1, column, port) for column in (1, 6, 10) for port in (1, 2)),
    *(
        (1, 3, 6, 1, 2, 1, 2, 2, 1, column, port)
        for column in (8, 13, 14, 19, 20)
        for port in (1, 2)
    ),
)


@pytest.fixture(scope="module")
def agent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SnmpAgent]:
    agent = SnmpAgent(tmp_path_factory.mktemp("snmpd"), FakeRouter(more=FACTS))
    agent.start()
    yield agent
    agent.stop()


@pytest.fixture
async def poller() -> AsyncIterator[SnmpPoller]:
    poller = SnmpPoller(ManualClock())
    yield poller
    await poller.close()


def routers(agent: SnmpAgent, credential: str, how_many: int) -> list[Device]:
    """All at one address, a session for each: the cost on our side is the same."""
    return [
        device(agent.address, agent.port, name=f"r{n}", credential=credential, timeout_s=5.0)
        for n in range(how_many)
    ]


async def paced(poller: SnmpPoller, devices: list[Device], a_second: float) -> list[object]:
    """Polls started at an even pace, as the scheduler does, without waiting for one another."""
    polls = []
    for router in devices:
        polls.append(asyncio.create_task(poller.poll(router)))
        await asyncio.sleep(1 / a_second)
    return await asyncio.gather(*polls)


def answered(polls: list[object]) -> int:
    return sum(isinstance(poll, DevicePoll) for poll in polls)


async def cpu_of_a_get(agent: SnmpAgent, codec: MessageCodec, times: int = 200) -> float:
    """CPU milliseconds of one GET of 17 objects, from the request to plain values."""
    transport = SnmpTransport()
    transport.open(socket.AF_INET)
    session = SnmpSession(
        transport, Peer(socket.AF_INET, (agent.address, agent.port), codec, 5.0, 0)
    )
    deadline_s = asyncio.get_running_loop().time() + 60
    group = [ObjectGroup((), SEVENTEEN)]
    await session.get((), group, deadline_s)
    start = time.process_time()
    for _ in range(times):
        await session.get((), group, deadline_s)
    spent = time.process_time() - start
    transport.close()
    return spent / times * 1000


async def cpu_of_a_get_by_pysnmp(agent: SnmpAgent, times: int = 50) -> float:
    """The same by pysnmp's own high-level call, as its documentation shows it."""
    engine = SnmpEngine()
    target = await UdpTransportTarget.create((agent.address, agent.port), timeout=5, retries=0)

    async def get() -> None:
        objects = [ObjectType(ObjectIdentity(".".join(map(str, oid)))) for oid in SEVENTEEN]
        failed, *_ = await get_cmd(
            engine, CommunityData(COMMUNITY), target, ContextData(), *objects
        )
        assert failed is None

    await get()
    start = time.process_time()
    for _ in range(times):
        await get()
    spent = time.process_time() - start
    engine.close_dispatcher()
    return spent / times * 1000


async def test_cpu_of_a_get_of_17_objects(agent: SnmpAgent) -> None:
    keys = master_keys(parse_v3(SECRETS["pantau"]))
    plain_ms = await cpu_of_a_get(agent, CommunityCodec(COMMUNITY))
    secret_ms = await cpu_of_a_get(agent, UsmCodec(keys, time.monotonic))
    theirs_ms = await cpu_of_a_get_by_pysnmp(agent)
    print(
        f"\nGET of 17 objects, CPU: 2c {plain_ms:.2f} ms, 3 authPriv {secret_ms:.2f} ms, "
        f"pysnmp's get_cmd (2c) {theirs_ms:.2f} ms"
    )
    assert plain_ms < theirs_ms / 2
    assert secret_ms < theirs_ms


@pytest.mark.parametrize("credential", ["komunitas", "pantau"])
async def test_cpu_of_a_poll(agent: SnmpAgent, poller: SnmpPoller, credential: str) -> None:
    """Two ports and five facts: two messages, 19 and 11 objects."""
    (router,) = routers(agent, credential, 1)
    await poller.open([router], SECRETS)
    await poller.poll(router)
    sent, start, times = poller.counters().sent, time.process_time(), 100
    for _ in range(times):
        await poller.poll(router)
    spent_ms = (time.process_time() - start) / times * 1000
    messages = (poller.counters().sent - sent) / times
    print(
        f"\npoll of a router, {credential}: {messages:g} messages, CPU {spent_ms:.2f} ms; "
        f"310 routers every 60 s: {310 * spent_ms / 600:.2f} % of a core"
    )
    assert messages == 2


@pytest.mark.parametrize("credential", ["komunitas", "pantau"])
async def test_the_first_round_is_linear_in_routers(agent: SnmpAgent, credential: str) -> None:
    """Registering, discovery, walks and all; pysnmp's own is quadratic."""
    spent: dict[int, float] = {}
    for how_many in (310, 1000):
        poller = SnmpPoller(ManualClock())
        devices = routers(agent, credential, how_many)
        start = time.process_time()
        await poller.open(devices, SECRETS)
        opened = time.process_time() - start
        polls = await paced(poller, devices, a_second=50)
        spent[how_many] = (time.process_time() - start) / how_many * 1000
        print(
            f"\nfirst round, {credential}, {how_many} routers: registered in "
            f"{opened * 1000:.0f} ms of CPU, {spent[how_many]:.1f} ms a router in all, "
            f"{answered(polls)} answered"
        )
        await poller.close()
        assert answered(polls) == how_many
    assert spent[1000] < 1.5 * spent[310]


@pytest.mark.parametrize("credential", ["komunitas", "pantau"])
async def test_delays_of_the_event_loop_while_310_routers_are_polled(
    agent: SnmpAgent, poller: SnmpPoller, credential: str
) -> None:
    devices = routers(agent, credential, 310)
    await poller.open(devices, SECRETS)
    await paced(poller, devices, a_second=50)
    late_ms: list[float] = []

    async def heartbeat() -> None:
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + 0.005
            await asyncio.sleep(0.005)
            late_ms.append((loop.time() - due) * 1000)

    beating = asyncio.create_task(heartbeat())
    await asyncio.sleep(2)
    idle = quantiles(late_ms, n=100)
    late_ms.clear()
    start = time.process_time()
    polls = await paced(poller, devices, a_second=62)
    spent = time.process_time() - start
    beating.cancel()
    busy = quantiles(late_ms, n=100)
    print(
        f"\n310 routers over 5 s, {credential}: {answered(polls)} answered, "
        f"CPU {spent / 310 * 1000:.2f} ms each; event loop late p50 {busy[49]:.2f} ms, "
        f"p99 {busy[98]:.2f} ms, worst {max(late_ms):.1f} ms (idle p99 {idle[98]:.2f} ms)"
    )
    assert answered(polls) == 310
