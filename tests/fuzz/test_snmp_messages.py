"""Any datagram is a response, a report, or rejected: version 2c and 3, whole or cut."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from pysnmp.proto.api import v2c

from monitor.adapters.snmp import ber
from monitor.adapters.snmp.errors import DatagramRejected
from monitor.adapters.snmp.messages import (
    CommunityCodec,
    EngineReport,
    MessageCodec,
    SnmpResponse,
    bulk_request,
    get_request,
)
from monitor.adapters.snmp.usm import MasterKeys, UsmCodec, master_keys
from monitor.core.snmp_credentials import parse_v3
from tests.fakes.snmp_agent.snmpd import COMMUNITY, SECRETS
from tests.fakes.snmp_agent.v3_agent import UNKNOWN_ENGINE, V3Agent, report, response
from tests.fuzz.mutations import corpus, fuzzed, mutated

NUMBER = 1_234_567_890
UPTIME = (1, 3, 6, 1, 2, 1, 1, 3, 0)
NAME = (1, 3, 6, 1, 2, 1, 31, 1, 1, 1, 1)
GET, WALK = get_request((UPTIME,)), bulk_request(NAME, 20)
MESSAGES = corpus("snmp")


@pytest.fixture(scope="module")
def keys() -> MasterKeys:
    return master_keys(parse_v3(SECRETS["pantau"]))


def decoded(codec: MessageCodec, data: bytes) -> None:
    for request in (GET, WALK):
        try:
            reply = codec.decode(data, request, NUMBER)
        except DatagramRejected:
            continue
        assert isinstance(reply, SnmpResponse | EngineReport)
        if isinstance(reply, SnmpResponse):
            assert reply.request_id == NUMBER
            assert len(reply.varbinds) <= 20 or reply.error


def of_corpus(number: int = NUMBER) -> list[bytes]:
    """The corpus with our number in the place of the one that it was recorded with."""
    return [message.replace(b"NUMR", number.to_bytes(4, "big")) for message in MESSAGES]


@fuzzed(150)
@given(mutated(of_corpus()))
def test_a_message_of_version_2c(data: bytes) -> None:
    decoded(CommunityCodec(COMMUNITY), data)


@fuzzed(100)
@given(mutated(of_corpus()))
def test_the_checks_before_decoding(data: bytes) -> None:
    """What they pass has few elements and adds up; what they repair, they pass again."""
    for read in (ber.message_id, ber.message_id_of_beginning, ber.digest_span):
        with suppress(ber.BerError):
            read(data)
    try:
        checked = ber.checked_message(data)
    except ber.BerError:
        return
    assert ber.checked_message(ber.repair_unsigned(checked))


@fuzzed(60)
@given(mutated([b""]), mutated([b""]))
def test_a_message_of_version_3(keys: MasterKeys, change: bytes, tail: bytes) -> None:
    """Changed inside: signed and encrypted again, as a router with our password could send it."""
    agent = V3Agent(keys)
    codec = UsmCodec(keys, lambda: 0.0)
    codec.decode(agent.unsigned(1, report(1, UNKNOWN_ENGINE)), get_request(()), 1)
    true = agent.scoped(response(NUMBER, [(UPTIME, v2c.TimeTicks(77))]))
    at = len(change) % len(true)
    for scoped in (true[:at] + change + true[at:], true[:at] + tail, change):
        decoded(codec, agent.encrypted(NUMBER, scoped))
    whole = agent.signed(NUMBER, response(NUMBER, [(UPTIME, v2c.TimeTicks(77))]))
    decoded(codec, whole[:at] + change + whole[at + len(change) :])
