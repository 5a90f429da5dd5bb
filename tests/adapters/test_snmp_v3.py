"""Version 3 against a real snmpd: keys, clocks, and routers that reboot or are replaced."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from monitor.adapters.snmp import SnmpPoller
from tests.fakes.agent.devices import device, failed, polled
from tests.fakes.agent.mib import MadeUpRouter
from tests.fakes.agent.snmpd import SECRETS, SnmpAgent
from tests.fakes.clock import ManualClock

WRONG = SECRETS | {
    "sandi-lain": SECRETS["pantau"].replace("sandi-otentik", "sandi-otentix"),
    "kunci-lain": SECRETS["pantau"].replace("sandi-rahasia", "sandi-rahasix"),
    "orang-lain": SECRETS["pantau"].replace("user = pantau", "user = siapa"),
    "tanpa-sandi": "user = pantau",
    "tanpa-kunci": "user = pantau\nauth = sha256\nauth_password = sandi-otentik",
}


@pytest.fixture(scope="module")
def agent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SnmpAgent]:
    agent = SnmpAgent(tmp_path_factory.mktemp("snmpd"))
    agent.start()
    yield agent
    agent.stop()


@pytest.fixture
def own_agent(tmp_path: Path) -> Iterator[SnmpAgent]:
    """One that the test may restart."""
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


@pytest.mark.parametrize("user", [name for name in SECRETS if name != "komunitas"])
async def test_every_protocol_is_understood(
    agent: SnmpAgent, poller: SnmpPoller, user: str
) -> None:
    """authPriv with SHA-256/AES-128, MD5/DES and SHA-512/AES-256, authNoPriv, noAuthNoPriv."""
    router = device(agent.address, agent.port, credential=user)
    await poller.open([router], SECRETS)
    assert (await polled(poller, router)).sys_name == "router-uji"
    assert (await polled(poller, router)).sys_name == "router-uji"


@pytest.mark.parametrize(
    ("credential", "reason", "detail"),
    [
        ("sandi-lain", "auth", "password wrong"),
        ("orang-lain", "auth", "does not know this user"),
        # net-snmp lets the message in, and refuses the objects.
        ("tanpa-sandi", "refused", "authorizationError"),
        ("tanpa-kunci", "refused", "authorizationError"),
        # … and says nothing at all to what it cannot decrypt.
        ("kunci-lain", "timeout", "no answer"),
    ],
)
async def test_a_wrong_credential_is_named_as_such(
    agent: SnmpAgent, poller: SnmpPoller, credential: str, reason: str, detail: str
) -> None:
    router = device(agent.address, agent.port, credential=credential, timeout_s=0.3, retries=0)
    await poller.open([router], WRONG)
    failure = await failed(poller, router)
    assert failure.reason == reason
    assert detail in failure.detail


async def test_one_user_name_may_have_another_password_at_another_router(
    agent: SnmpAgent, poller: SnmpPoller
) -> None:
    good = device(agent.address, agent.port, name="baik", credential="pantau")
    bad = device(
        agent.address,
        agent.port,
        name="buruk",
        credential="sandi-lain",
        timeout_s=0.2,
        retries=0,
    )
    await poller.open([bad, good], WRONG)
    for _ in range(2):
        assert (await failed(poller, bad)).reason == "auth"
        await polled(poller, good)


async def test_discovery_takes_one_message_and_is_not_repeated(
    agent: SnmpAgent, poller: SnmpPoller
) -> None:
    plain = device(agent.address, agent.port, name="kom")
    router = device(agent.address, agent.port, credential="pantau")
    await poller.open([router, plain], SECRETS)
    sent = [poller.counters().sent]
    for router_polled in (plain, router, plain, router):
        await polled(poller, router_polled)
        sent.append(poller.counters().sent)
    first_plain, first_v3, then_plain, then_v3 = (
        after - before for before, after in pairwise(sent)
    )
    assert first_v3 == first_plain + 1
    assert then_v3 == then_plain


async def test_a_rebooted_router_is_read_by_the_very_next_poll(
    own_agent: SnmpAgent, clock: ManualClock, poller: SnmpPoller
) -> None:
    router = device(own_agent.address, own_agent.port, credential="pantau")
    await poller.open([router], SECRETS)
    await polled(poller, router)
    own_agent.router.uptime_ticks = 500
    own_agent.reboot()
    clock.advance(60)
    assert (await polled(poller, router)).uptime_ticks == 500
    assert poller.counters().timeouts == 0


async def test_a_replaced_router_is_read_by_the_very_next_poll(
    own_agent: SnmpAgent, clock: ManualClock, poller: SnmpPoller
) -> None:
    """The same address, another engine id: pysnmp alone would be blind for five minutes."""
    router = device(own_agent.address, own_agent.port, credential="pantau")
    await poller.open([router], SECRETS)
    await polled(poller, router)
    own_agent.router = MadeUpRouter(name="router-baru", uptime_ticks=700)
    own_agent.replace()
    clock.advance(60)
    poll = await polled(poller, router)
    assert (poll.sys_name, poll.uptime_ticks) == ("router-baru", 700)
    assert poller.counters().timeouts == 0


async def test_a_router_that_was_silent_is_read_as_soon_as_it_is_back(
    own_agent: SnmpAgent, clock: ManualClock, poller: SnmpPoller
) -> None:
    router = device(
        own_agent.address, own_agent.port, credential="pantau", timeout_s=0.2, retries=1
    )
    await poller.open([router], SECRETS)
    await polled(poller, router)
    own_agent.silence()
    assert (await failed(poller, router)).reason == "timeout"
    own_agent.stop()
    own_agent.start()
    await polled(poller, router)


@pytest.mark.parametrize("ahead_s", [100.0, 200.0, 800.0])
async def test_a_clock_that_does_not_fit_is_set_right_on_the_way(
    agent: SnmpAgent, clock: ManualClock, poller: SnmpPoller, ahead_s: float
) -> None:
    """Ours runs ahead of the router's engine time; over 150 s the router refuses once."""
    router = device(agent.address, agent.port, credential="pantau")
    await poller.open([router], SECRETS)
    await polled(poller, router)
    before = poller.counters().sent
    clock.advance(ahead_s)
    agent.router.advance(ahead_s)
    agent.tell()
    await polled(poller, router)
    sent = poller.counters().sent - before
    clock.advance(1)
    agent.router.advance(1)
    agent.tell()
    await polled(poller, router)
    assert sent - (poller.counters().sent - before - sent) == (1 if ahead_s > 150 else 0)
    assert poller.counters().timeouts == 0
