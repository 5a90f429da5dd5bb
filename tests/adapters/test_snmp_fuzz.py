"""Answers with anything in them: an answer, an oddity, or a failed poll; never an exception.

The seeds are fixed: the same messages every time. What they find is kept as a test of its own.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from typing import Any

import pytest
from pysnmp.proto.api import v2c

from monitor.adapters.snmp import SnmpPoller
from monitor.adapters.snmp.codec import SnmpAnswer, get_request
from monitor.adapters.snmp.community import CommunityWire
from monitor.adapters.snmp.keys import MasterKeys, master_keys
from monitor.adapters.snmp.trouble import Odd
from monitor.adapters.snmp.usm import UsmWire
from monitor.adapters.snmp.wire import Again, MessageCodec
from monitor.core.samples.snmp_poll import DevicePoll, PollFailed
from monitor.core.snmp_credentials import parse_v3
from tests.fakes.agent.devices import device, polled
from tests.fakes.agent.liar import Asked, Liar, Said, answer
from tests.fakes.agent.snmpd import COMMUNITY, SECRETS
from tests.fakes.agent.v3 import UNKNOWN_ENGINE, V3Router, report, response
from tests.fakes.clock import ManualClock

OIDS = tuple((1, 3, 6, 1, 2, 1, 31, 1, 1, 1, column, 1) for column in (1, 6, 10, 15, 18, 19))
VALUES = (
    v2c.OctetString(b"ether1"),
    v2c.Counter64(2**63 + 1),
    v2c.Counter64(5),
    v2c.Gauge32(1000),
    v2c.OctetString(b"ke Indramayu"),
    v2c.TimeTicks(7),
)
TRUE = list(zip(OIDS, VALUES, strict=True))
REQUEST = get_request(OIDS)
NUMBER = 1_234_567_890


def spoil(data: bytes, rng: random.Random) -> bytes:
    """One to four bytes changed, put in or taken out; the lengths stay as they are."""
    out = bytearray(data)
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        at = rng.randrange(len(out))
        match rng.randrange(6):
            case 0 | 1:
                out[at] = rng.randrange(256)
            case 2:
                out[at] ^= 1 << rng.randrange(8)
            case 3:
                out[at] = rng.choice((0x00, 0x7F, 0x80, 0xFF, 0x30, 0x24, 0x1F, 0x84))
            case 4:
                out[at:at] = rng.randbytes(rng.randrange(1, 4))
            case 5:
                del out[at : at + rng.randrange(1, 4)]
        if not out:
            return b""
    return bytes(out)


def attempt(wire: MessageCodec, data: bytes, seen: Counter[str]) -> None:
    """Any other exception than Odd is what the test is looking for."""
    try:
        reply = wire.read(data, REQUEST, NUMBER)
    except Odd as odd:
        seen[odd.oddity] += 1
        return
    assert isinstance(reply, SnmpAnswer | Again)
    seen[type(reply).__name__] += 1


def test_version_2c_answers_with_anything_in_them() -> None:
    rng = random.Random(20)
    wire = CommunityWire(COMMUNITY)
    true = answer(Asked(NUMBER, COMMUNITY.encode(), OIDS, 0), TRUE)
    seen: Counter[str] = Counter()
    for _ in range(3000):
        attempt(wire, spoil(true, rng), seen)
    assert seen["SnmpAnswer"] > 100
    assert seen["malformed"] > 100
    assert seen["wrong-answer"] > 100


@pytest.fixture(scope="module")
def keys() -> MasterKeys:
    return master_keys(parse_v3(SECRETS["pantau"]))


@pytest.fixture
def router(keys: MasterKeys) -> V3Router:
    return V3Router(keys)


@pytest.fixture
def wire(keys: MasterKeys, router: V3Router) -> UsmWire:
    """One that knows the router's engine."""
    wire = UsmWire(keys, lambda: 0.0)
    hello = router.unsigned(NUMBER, report(NUMBER, UNKNOWN_ENGINE))
    assert wire.read(hello, REQUEST, NUMBER) == Again("engine")
    return wire


def test_version_3_no_change_on_the_way_gets_past_the_digest(
    wire: UsmWire, router: V3Router
) -> None:
    rng = random.Random(21)
    true = router.signed(NUMBER, response(NUMBER, TRUE))
    assert isinstance(wire.read(true, REQUEST, NUMBER), SnmpAnswer)
    seen: Counter[str] = Counter()
    for _ in range(3000):
        spoiled = spoil(true, rng)
        if spoiled != true:
            attempt(wire, spoiled, seen)
    assert seen["SnmpAnswer"] == 0
    assert seen["Again"] == 0
    assert seen["auth"] > 100


def test_version_3_signed_and_encrypted_nonsense(wire: UsmWire, router: V3Router) -> None:
    """A router that is who it says it is, and still sends anything."""
    rng = random.Random(22)
    body = router.scoped(response(NUMBER, TRUE))
    seen: Counter[str] = Counter()
    for _ in range(1000):
        attempt(wire, router.encrypted(NUMBER, spoil(body, rng)), seen)
    assert seen["SnmpAnswer"] > 50
    assert seen["malformed"] > 50
    assert seen["wrong-answer"] > 50


def test_version_3_unsigned_nonsense_before_anything_is_known(
    keys: MasterKeys, router: V3Router
) -> None:
    rng = random.Random(23)
    hello = router.unsigned(NUMBER, report(NUMBER, UNKNOWN_ENGINE))
    seen: Counter[str] = Counter()
    for _ in range(1500):
        attempt(UsmWire(keys, lambda: 0.0), spoil(hello, rng), seen)
    assert seen["Again"] > 50
    assert seen["malformed"] > 50
    assert seen["SnmpAnswer"] == 0


async def test_a_router_that_answers_nonsense_half_of_the_time_breaks_nothing() -> None:
    rng = random.Random(24)
    loop = asyncio.get_running_loop()
    unhandled: list[dict[str, Any]] = []
    loop.set_exception_handler(lambda _, context: unhandled.append(context))
    poller, liar = SnmpPoller(ManualClock()), Liar()
    liar.open()
    router = device(liar.address, liar.port, timeout_s=0.01, retries=1)

    def spoiling(liar: Liar, asked: Asked) -> Said:
        true = liar.honest(asked)
        return [true if rng.random() < 0.5 else spoil(true, rng)]

    await poller.open([router], SECRETS)
    kinds: Counter[type] = Counter()
    liar.trick = spoiling
    for _ in range(80):
        kinds[type(await poller.poll(router))] += 1
    liar.trick = None
    await poller.open([device(liar.address, liar.port)], SECRETS)
    await polled(poller, router)
    await poller.close()
    liar.close()
    assert unhandled == []
    assert set(kinds) == {DevicePoll, PollFailed}
