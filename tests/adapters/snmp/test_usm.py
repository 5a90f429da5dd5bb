"""What a version 3 message proves, and what is accepted without proof (RFC 3414)."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest
from pysnmp.proto.api import v2c

from monitor.adapters.snmp import SnmpPoller, ber
from monitor.adapters.snmp.errors import DatagramRejected
from monitor.adapters.snmp.messages import EngineReport, SnmpResponse, get_request
from monitor.adapters.snmp.usm import MasterKeys, UsmCodec, master_keys
from monitor.core.snmp_credentials import parse_v3
from tests.fakes.clock import ManualClock
from tests.fakes.snmp_agent.devices import device, failed
from tests.fakes.snmp_agent.snmpd import SECRETS
from tests.fakes.snmp_agent.v3_agent import (
    NOT_IN_TIME,
    UNKNOWN_ENGINE,
    V3Agent,
    report,
    response,
)

UPTIME = (1, 3, 6, 1, 2, 1, 1, 3, 0)
REQUEST = get_request((UPTIME,))
NUMBER = 1_234_567_890
TRUE = response(NUMBER, [(UPTIME, v2c.TimeTicks(77))])
DISCOVERY = report(NUMBER, UNKNOWN_ENGINE)


def accepts(codec: UsmCodec, data: bytes) -> bool:
    return isinstance(codec.decode(data, REQUEST, NUMBER), SnmpResponse)


def is_discovery(data: bytes) -> bool:
    """Whether a message names no engine and no user."""
    start, stop = ber.digest_span(data)
    return start == stop and data[:start].endswith(
        b"\x04\x00\x02\x01\x00\x02\x01\x00\x04\x00\x04\x00"
    )


def test_a_true_response_is_accepted(codec: UsmCodec, v3_agent: V3Agent) -> None:
    reply = codec.decode(v3_agent.signed(NUMBER, TRUE), REQUEST, NUMBER)
    assert isinstance(reply, SnmpResponse)
    assert reply.varbinds == ((UPTIME, 77),)


def with_other_password(v3_agent: V3Agent) -> bytes:
    secret = SECRETS["pantau"].replace("sandi-otentik", "sandi-otentix")
    return replace(v3_agent, keys=master_keys(parse_v3(secret))).signed(NUMBER, TRUE)


def with_empty_digest(v3_agent: V3Agent) -> bytes:
    return V3Agent(MasterKeys(user=v3_agent.keys.user, context=b"")).readable(NUMBER, TRUE)


def to_another_request(v3_agent: V3Agent) -> bytes:
    return v3_agent.signed(NUMBER, response(NUMBER - 1, [(UPTIME, v2c.TimeTicks(77))]))


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (lambda v3_agent: v3_agent.readable(NUMBER, TRUE), "less protected"),
        (lambda v3_agent: v3_agent.unsigned(NUMBER, TRUE), "less protected"),
        (with_empty_digest, "digest"),
        (with_other_password, "digest"),
        (lambda v3_agent: replace(v3_agent, context=b"vrf-lain").signed(NUMBER, TRUE), "context"),
        (to_another_request, "request-id"),
        (lambda v3_agent: v3_agent.signed(NUMBER - 1, TRUE), "message number"),
        # An unsigned report about time proves nothing.
        (
            lambda agent: replace(agent, boots=9).unsigned(NUMBER, report(NUMBER, NOT_IN_TIME)),
            "does not prove it",
        ),
    ],
)
def test_a_message_that_proves_too_little_is_rejected(
    codec: UsmCodec, v3_agent: V3Agent, message: Callable[[V3Agent], bytes], reason: str
) -> None:
    with pytest.raises(DatagramRejected, match=reason):
        codec.decode(message(v3_agent), REQUEST, NUMBER)
    assert accepts(codec, v3_agent.signed(NUMBER, TRUE))


@pytest.mark.parametrize(
    ("boots", "clock_s", "accepted"),
    [(3, 4_000, True), (3, 3_851, True), (3, 3_849, False), (2, 9_999, False), (4, 1, True)],
)
def test_a_replayed_response_is_rejected(
    codec: UsmCodec, v3_agent: V3Agent, boots: int, clock_s: int, accepted: bool
) -> None:
    """RFC 3414, 3.2 (7b): 150 s behind the known engine time, or of a former boot."""
    data = replace(v3_agent, boots=boots, clock_s=clock_s).signed(NUMBER, TRUE)
    if accepted:
        assert accepts(codec, data)
    else:
        with pytest.raises(DatagramRejected, match="time window"):
            codec.decode(data, REQUEST, NUMBER)


def test_the_engine_time_advances_with_our_clock(
    codec: UsmCodec, v3_agent: V3Agent, clock: ManualClock
) -> None:
    clock.advance(1_000)
    with pytest.raises(DatagramRejected, match="time window"):
        codec.decode(v3_agent.signed(NUMBER, TRUE), REQUEST, NUMBER)
    assert accepts(codec, replace(v3_agent, clock_s=5_000).signed(NUMBER, TRUE))


@pytest.mark.parametrize(("boots", "clock_s"), [(4, 12), (3, 90_000), (1, 5)])
def test_a_signed_report_about_time_is_accepted_even_if_time_went_back(
    codec: UsmCodec, v3_agent: V3Agent, boots: int, clock_s: int
) -> None:
    """A router that lost its memory and kept its engine id starts at boot 1 again."""
    now = replace(v3_agent, boots=boots, clock_s=clock_s)
    signed_report = now.readable(NUMBER, report(NUMBER, NOT_IN_TIME))
    assert codec.decode(signed_report, REQUEST, NUMBER) == EngineReport("time")
    assert accepts(codec, now.signed(NUMBER, TRUE))


def test_an_engine_that_proved_nothing_is_replaced_by_another_at_once(
    codec: UsmCodec, v3_agent: V3Agent
) -> None:
    other = replace(v3_agent, engine=v3_agent.engine + b"-2")
    reported = codec.decode(other.unsigned(NUMBER, DISCOVERY), REQUEST, NUMBER)
    assert reported == EngineReport("engine")
    with pytest.raises(DatagramRejected):
        codec.decode(v3_agent.signed(NUMBER, TRUE), REQUEST, NUMBER)
    assert accepts(codec, other.signed(NUMBER, TRUE))


def test_an_unsigned_report_never_replaces_an_engine_that_answers(
    codec: UsmCodec, v3_agent: V3Agent
) -> None:
    """Whoever sees a request could otherwise make us leave the router."""
    assert accepts(codec, v3_agent.signed(NUMBER, TRUE))
    other = replace(v3_agent, engine=v3_agent.engine + b"-2")
    with pytest.raises(DatagramRejected, match="proves nothing"):
        codec.decode(other.unsigned(NUMBER, DISCOVERY), REQUEST, NUMBER)
    assert accepts(codec, v3_agent.signed(NUMBER, TRUE)), "the wait for the true response goes on"
    assert not codec.reset(), "what was reported before the true response is forgotten"


def test_the_other_engine_is_tried_when_the_known_one_is_silent(
    codec: UsmCodec, v3_agent: V3Agent
) -> None:
    assert accepts(codec, v3_agent.signed(NUMBER, TRUE))
    other = replace(v3_agent, engine=v3_agent.engine + b"-2")
    with pytest.raises(DatagramRejected):
        codec.decode(other.unsigned(NUMBER, DISCOVERY), REQUEST, NUMBER)
    assert codec.reset()
    assert other.engine in codec.encode(REQUEST, NUMBER).data
    assert accepts(codec, other.signed(NUMBER, TRUE))


@pytest.mark.parametrize("engine", [b"", b"\x80\x00\x00\x01", b"\x80" * 33])
def test_an_engine_id_of_an_impossible_size_is_rejected(keys: MasterKeys, engine: bytes) -> None:
    codec = UsmCodec(keys, lambda: 0.0)
    message = V3Agent(keys, engine=engine).unsigned(NUMBER, DISCOVERY)
    with pytest.raises(DatagramRejected, match="engine id"):
        codec.decode(message, REQUEST, NUMBER)


def test_the_digest_is_inserted_by_structure(keys: MasterKeys) -> None:
    """A search for a run of zeros, as pysnmp's, would sign into an engine id full of zeros."""
    v3_agent = V3Agent(keys, engine=b"\x80\x00\x1f\x88\x04" + bytes(24))
    codec = UsmCodec(keys, lambda: 0.0)
    codec.decode(v3_agent.unsigned(NUMBER, DISCOVERY), REQUEST, NUMBER)
    assert accepts(codec, v3_agent.signed(NUMBER, TRUE))
    sent = codec.encode(REQUEST, NUMBER).data
    assert v3_agent.engine in sent
    assert keys.at(v3_agent.engine).verifies(sent)


def test_the_first_message_and_the_one_after_a_reset_are_discoveries(
    codec: UsmCodec, keys: MasterKeys
) -> None:
    assert is_discovery(UsmCodec(keys, lambda: 0.0).encode(REQUEST, NUMBER).data)
    assert not is_discovery(codec.encode(REQUEST, NUMBER).data)
    codec.reset()
    assert is_discovery(codec.encode(REQUEST, NUMBER).data)


@contextmanager
def serving(reply: Callable[[bytes], bytes | None]) -> Iterator[int]:
    """A UDP server that replies with what `reply` makes of a datagram; its port."""
    loop = asyncio.get_running_loop()
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
    sock.bind(("127.0.0.1", 0))

    def on_readable() -> None:
        data, sender = sock.recvfrom(65535)
        made = reply(data)
        if made is not None:
            sock.sendto(made, sender)

    loop.add_reader(sock, on_readable)
    try:
        yield sock.getsockname()[1]
    finally:
        loop.remove_reader(sock)
        sock.close()


async def test_a_router_that_is_silent_to_a_known_engine_is_discovered_again(
    v3_agent: V3Agent, poller: SnmpPoller
) -> None:
    """A replaced router that sends no report: after one failed poll it is discovered."""
    discoveries: list[bool] = []

    def reply_to_discoveries(data: bytes) -> bytes | None:
        discoveries.append(is_discovery(data))
        number = ber.message_id(data).number
        return (
            v3_agent.unsigned(number, report(number, UNKNOWN_ENGINE)) if discoveries[-1] else None
        )

    with serving(reply_to_discoveries) as port:
        router = device("127.0.0.1", port, credential="pantau", timeout_s=0.1, retries=0)
        await poller.open([router], SECRETS)
        for _ in range(2):
            assert (await failed(poller, router)).reason == "timeout"
    assert discoveries == [True, False, True, False]


async def test_a_router_that_reports_another_engine_each_time_is_given_up(
    v3_agent: V3Agent, poller: SnmpPoller
) -> None:
    requests: list[bytes] = []

    def always_another_engine(data: bytes) -> bytes:
        requests.append(data)
        other = replace(v3_agent, engine=v3_agent.engine + bytes((len(requests),)))
        number = ber.message_id(data).number
        return other.unsigned(number, report(number, UNKNOWN_ENGINE))

    with serving(always_another_engine) as port:
        router = device("127.0.0.1", port, credential="pantau")
        await poller.open([router], SECRETS)
        assert (await failed(poller, router)).reason == "auth"
    assert len(requests) == 5
