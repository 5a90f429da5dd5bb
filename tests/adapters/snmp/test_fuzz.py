"""Arbitrarily changed messages give a response, a rejection or a failed poll, never an exception.

The seeds are fixed: the same messages every time. By default a sample of them is decoded, in
`full` all; both must show each kind of result.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from pysnmp.proto.api import v2c

from monitor.adapters.snmp import SnmpPoller
from monitor.adapters.snmp.errors import DatagramRejected
from monitor.adapters.snmp.messages import (
    CommunityCodec,
    EngineReport,
    MessageCodec,
    SnmpResponse,
    get_request,
)
from monitor.adapters.snmp.usm import MasterKeys, UsmCodec
from monitor.core.samples.snmp_poll import DevicePoll, PollFailed
from tests.adapters.snmp.rig import ScriptedRig
from tests.fakes.snmp_agent import scripted_agent
from tests.fakes.snmp_agent.scripted_agent import ReceivedRequest, Replies, ScriptedAgent
from tests.fakes.snmp_agent.snmpd import COMMUNITY
from tests.fakes.snmp_agent.v3_agent import UNKNOWN_ENGINE, V3Agent, report, response

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

SAMPLE = pytest.mark.parametrize("share", [0.1, pytest.param(1.0, marks=pytest.mark.full)])


def corrupted(data: bytes, rng: random.Random) -> bytes:
    """One to four bytes changed, inserted or removed; the lengths are not adjusted."""
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


def decode_all(
    codec: Callable[[], MessageCodec], messages: Callable[[], bytes], count: float
) -> Counter[str]:
    """How many messages had which result; any other exception fails the test."""
    results: Counter[str] = Counter()
    for _ in range(round(count)):
        try:
            reply = codec().decode(messages(), REQUEST, NUMBER)
        except DatagramRejected as rejected:
            results[rejected.reason] += 1
        else:
            assert isinstance(reply, SnmpResponse | EngineReport)
            results[type(reply).__name__] += 1
    return results


@SAMPLE
def test_corrupted_messages_of_version_2c(share: float) -> None:
    rng = random.Random(20)
    codec = CommunityCodec(COMMUNITY)
    true = scripted_agent.response(ReceivedRequest(NUMBER, COMMUNITY.encode(), OIDS, 0), TRUE)
    results = decode_all(lambda: codec, lambda: corrupted(true, rng), 3000 * share)
    assert results["SnmpResponse"] > 100 * share
    assert results["malformed"] > 100 * share
    assert results["wrong-answer"] > 100 * share


@SAMPLE
def test_no_change_of_a_signed_message_is_accepted(
    codec: UsmCodec, v3_agent: V3Agent, share: float
) -> None:
    rng = random.Random(21)
    true = v3_agent.signed(NUMBER, response(NUMBER, TRUE))
    assert isinstance(codec.decode(true, REQUEST, NUMBER), SnmpResponse)

    def changed() -> bytes:
        while (message := corrupted(true, rng)) == true:
            pass
        return message

    results = decode_all(lambda: codec, changed, 3000 * share)
    assert results["SnmpResponse"] == 0
    assert results["EngineReport"] == 0
    assert results["auth"] > 100 * share


@SAMPLE
def test_corrupted_content_that_is_signed_and_encrypted(
    codec: UsmCodec, v3_agent: V3Agent, share: float
) -> None:
    """An authentic router that sends anything."""
    rng = random.Random(22)
    content = v3_agent.scoped(response(NUMBER, TRUE))
    results = decode_all(
        lambda: codec, lambda: v3_agent.encrypted(NUMBER, corrupted(content, rng)), 1000 * share
    )
    assert results["SnmpResponse"] > 50 * share
    assert results["malformed"] > 50 * share
    assert results["wrong-answer"] > 50 * share


@SAMPLE
def test_corrupted_unsigned_reports_before_discovery(
    keys: MasterKeys, v3_agent: V3Agent, share: float
) -> None:
    rng = random.Random(23)
    discovery = v3_agent.unsigned(NUMBER, report(NUMBER, UNKNOWN_ENGINE))
    results = decode_all(
        lambda: UsmCodec(keys, lambda: 0.0), lambda: corrupted(discovery, rng), 1500 * share
    )
    assert results["EngineReport"] > 50 * share
    assert results["malformed"] > 50 * share
    assert results["SnmpResponse"] == 0


@SAMPLE
async def test_a_router_with_half_of_its_responses_corrupted(
    scripted: ScriptedRig, poller: SnmpPoller, share: float
) -> None:
    rng = random.Random(24)
    unhandled: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, error: unhandled.append(error))

    def half_corrupted(agent: ScriptedAgent, request: ReceivedRequest) -> Replies:
        true = agent.true_response(request)
        return [true if rng.random() < 0.5 else corrupted(true, rng)]

    await scripted.register(script=half_corrupted, timeout_s=0.01)
    kinds = {type(await poller.poll(scripted.router)) for _ in range(round(200 * share))}
    await scripted.register()
    await scripted.poll()
    assert unhandled == []
    assert kinds == {DevicePoll, PollFailed}
