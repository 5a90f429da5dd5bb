"""Agents and pollers for the tests of the SNMP adapter; one snmpd for all of a process."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from monitor.adapters.snmp import SnmpPoller
from monitor.adapters.snmp.messages import EngineReport, get_request
from monitor.adapters.snmp.usm import MasterKeys, UsmCodec, master_keys
from monitor.core.snmp_credentials import parse_v3
from tests.adapters.snmp.rig import PollRig, ScriptedRig
from tests.fakes.clock import ManualClock
from tests.fakes.snmp_agent.fake_router import FakeRouter
from tests.fakes.snmp_agent.scripted_agent import ScriptedAgent
from tests.fakes.snmp_agent.snmpd import SECRETS, SnmpAgent
from tests.fakes.snmp_agent.v3_agent import UNKNOWN_ENGINE, V3Agent, report


@pytest.fixture(scope="session")
def shared_agent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SnmpAgent]:
    agent = SnmpAgent(tmp_path_factory.mktemp("snmpd"))
    agent.start()
    yield agent
    agent.stop()


@pytest.fixture
def own_agent(tmp_path: Path) -> Iterator[SnmpAgent]:
    """An snmpd that the test may restart."""
    agent = SnmpAgent(tmp_path)
    agent.start()
    yield agent
    agent.stop()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def poller(clock: ManualClock) -> AsyncIterator[SnmpPoller]:
    poller = SnmpPoller(clock)
    yield poller
    await poller.close()


@pytest.fixture
def rig(shared_agent: SnmpAgent, clock: ManualClock, poller: SnmpPoller) -> PollRig:
    """A poller and the shared snmpd with a new router behind it."""
    shared_agent.router = FakeRouter()
    shared_agent.publish()
    return PollRig(shared_agent, clock, poller)


@pytest.fixture
def own_rig(own_agent: SnmpAgent, clock: ManualClock, poller: SnmpPoller) -> PollRig:
    return PollRig(own_agent, clock, poller)


@pytest.fixture
async def scripted(poller: SnmpPoller) -> AsyncIterator[ScriptedRig]:
    agent = ScriptedAgent()
    agent.open()
    yield ScriptedRig(agent, poller)
    agent.close()


@pytest.fixture(scope="session")
def keys() -> MasterKeys:
    """The keys of the user `pantau`."""
    return master_keys(parse_v3(SECRETS["pantau"]))


@pytest.fixture
def v3_agent(keys: MasterKeys) -> V3Agent:
    return V3Agent(keys)


@pytest.fixture
def codec(keys: MasterKeys, v3_agent: V3Agent, clock: ManualClock) -> UsmCodec:
    """The codec of `pantau` after the discovery of v3_agent's engine."""
    codec = UsmCodec(keys, clock.steady_s)
    discovery = v3_agent.unsigned(1, report(1, UNKNOWN_ENGINE))
    assert codec.decode(discovery, get_request(()), 1) == EngineReport("engine")
    return codec
