"""What a version 3 message proves, and what is believed without proof (RFC 3414)."""

from __future__ import annotations

import asyncio
import socket
from dataclasses import replace

import pytest
from pysnmp.proto.api import v2c

from monitor.adapters.snmp import SnmpPoller, ber
from monitor.adapters.snmp.codec import SnmpAnswer, get_request
from monitor.adapters.snmp.keys import MasterKeys, master_keys
from monitor.adapters.snmp.trouble import Odd
from monitor.adapters.snmp.usm import UsmWire
from monitor.adapters.snmp.wire import Again
from monitor.core.snmp_credentials import parse_v3
from tests.fakes.agent.devices import device, failed
from tests.fakes.agent.snmpd import SECRETS
from tests.fakes.agent.v3 import NOT_IN_TIME, UNKNOWN_ENGINE, V3Router, report, response
from tests.fakes.clock import ManualClock

UPTIME = (1, 3, 6, 1, 2, 1, 1, 3, 0)
REQUEST = get_request((UPTIME,))
NUMBER = 1_234_567_890
TRUE = response(NUMBER, [(UPTIME, v2c.TimeTicks(77))])


@pytest.fixture(scope="module")
def keys() -> MasterKeys:
    return master_keys(parse_v3(SECRETS["pantau"]))


@pytest.fixture
def router(keys: MasterKeys) -> V3Router:
    return V3Router(keys)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def wire(keys: MasterKeys, router: V3Router, clock: ManualClock) -> UsmWire:
    """One that knows the router's engine."""
    wire = UsmWire(keys, clock.steady_s)
    hello = router.unsigned(NUMBER, report(NUMBER, UNKNOWN_ENGINE))
    assert wire.read(hello, REQUEST, NUMBER) == Again("engine")
    return wire


def is_discovery(data: bytes) -> bool:
    """Whether a message names no engine and no user."""
    start, stop = ber.digest_span(data)
    return start == stop and data[:start].endswith(
        b"\x04\x00\x02\x01\x00\x02\x01\x00\x04\x00\x04\x00"
    )


def test_a_true_answer_is_taken(wire: UsmWire, router: V3Router) -> None:
    reply = wire.read(router.signed(NUMBER, TRUE), REQUEST, NUMBER)
    assert isinstance(reply, SnmpAnswer)
    assert reply.varbinds == ((UPTIME, 77),)


def test_an_answer_that_could_be_read_on_the_way_is_none(wire: UsmWire, router: V3Router) -> None:
    for weak in (router.readable(NUMBER, TRUE), router.unsigned(NUMBER, TRUE)):
        with pytest.raises(Odd, match="less protected"):
            wire.read(weak, REQUEST, NUMBER)


def test_an_empty_digest_proves_nothing(wire: UsmWire, keys: MasterKeys) -> None:
    forger = V3Router(MasterKeys(user=keys.user, context=b""))
    with pytest.raises(Odd, match="digest"):
        wire.read(forger.readable(NUMBER, TRUE), REQUEST, NUMBER)


def test_a_digest_by_another_password_proves_nothing(wire: UsmWire, router: V3Router) -> None:
    other = master_keys(parse_v3(SECRETS["pantau"].replace("sandi-otentik", "sandi-otentix")))
    with pytest.raises(Odd, match="digest"):
        wire.read(replace(router, keys=other).signed(NUMBER, TRUE), REQUEST, NUMBER)


def test_an_answer_for_another_context_is_none(wire: UsmWire, router: V3Router) -> None:
    with pytest.raises(Odd, match="context"):
        wire.read(replace(router, context=b"vrf-lain").signed(NUMBER, TRUE), REQUEST, NUMBER)


def test_an_answer_to_another_question_is_none(wire: UsmWire, router: V3Router) -> None:
    other = response(NUMBER - 1, [(UPTIME, v2c.TimeTicks(77))])
    with pytest.raises(Odd, match="request-id"):
        wire.read(router.signed(NUMBER, other), REQUEST, NUMBER)
    with pytest.raises(Odd, match="message number"):
        wire.read(router.signed(NUMBER - 1, TRUE), REQUEST, NUMBER)


@pytest.mark.parametrize(
    ("boots", "clock_s", "taken"),
    [(3, 4_000, True), (3, 3_851, True), (3, 3_849, False), (2, 9_999, False), (4, 1, True)],
)
def test_an_old_answer_played_again_is_none(
    wire: UsmWire, router: V3Router, boots: int, clock_s: int, taken: bool
) -> None:
    """RFC 3414, 3.2 (7b): 150 s behind what we know of the router's clock, or a former boot."""
    data = replace(router, boots=boots, clock_s=clock_s).signed(NUMBER, TRUE)
    if taken:
        assert isinstance(wire.read(data, REQUEST, NUMBER), SnmpAnswer)
    else:
        with pytest.raises(Odd, match="time window"):
            wire.read(data, REQUEST, NUMBER)


def test_the_routers_clock_is_followed_by_ours(
    wire: UsmWire, router: V3Router, clock: ManualClock
) -> None:
    """After 1,000 s of ours, an answer that bears the time of before is an old one."""
    clock.advance(1_000)
    with pytest.raises(Odd, match="time window"):
        wire.read(router.signed(NUMBER, TRUE), REQUEST, NUMBER)
    later = replace(router, clock_s=5_000)
    assert isinstance(wire.read(later.signed(NUMBER, TRUE), REQUEST, NUMBER), SnmpAnswer)


@pytest.mark.parametrize(("boots", "clock_s"), [(4, 12), (3, 90_000), (1, 5)])
def test_a_proved_word_about_time_is_believed_even_when_it_goes_back(
    wire: UsmWire, router: V3Router, boots: int, clock_s: int
) -> None:
    """A router that lost its memory and kept its engine id starts at boot 1 again."""
    now = replace(router, boots=boots, clock_s=clock_s)
    late = report(NUMBER, NOT_IN_TIME)
    assert wire.read(now.readable(NUMBER, late), REQUEST, NUMBER) == Again("time")
    assert isinstance(wire.read(now.signed(NUMBER, TRUE), REQUEST, NUMBER), SnmpAnswer)


def test_an_unsigned_word_about_time_is_not_believed(wire: UsmWire, router: V3Router) -> None:
    late = replace(router, boots=9).unsigned(NUMBER, report(NUMBER, NOT_IN_TIME))
    with pytest.raises(Odd, match="does not prove it"):
        wire.read(late, REQUEST, NUMBER)
    assert isinstance(wire.read(router.signed(NUMBER, TRUE), REQUEST, NUMBER), SnmpAnswer)


def test_another_engine_is_asked_next_but_cannot_answer_for_the_first(
    wire: UsmWire, router: V3Router
) -> None:
    other = replace(router, engine=router.engine + b"-2")
    told = other.unsigned(NUMBER, report(NUMBER, UNKNOWN_ENGINE))
    assert wire.read(told, REQUEST, NUMBER) == Again("engine")
    with pytest.raises(Odd):
        wire.read(router.signed(NUMBER, TRUE), REQUEST, NUMBER)
    assert isinstance(wire.read(other.signed(NUMBER, TRUE), REQUEST, NUMBER), SnmpAnswer)


@pytest.mark.parametrize("engine", [b"", b"\x80\x00\x00\x01", b"\x80" * 33])
def test_an_engine_id_of_an_impossible_size_is_not_learnt(keys: MasterKeys, engine: bytes) -> None:
    wire = UsmWire(keys, lambda: 0.0)
    told = V3Router(keys, engine=engine).unsigned(NUMBER, report(NUMBER, UNKNOWN_ENGINE))
    with pytest.raises(Odd, match="engine id"):
        wire.read(told, REQUEST, NUMBER)


def test_a_digest_is_put_where_it_belongs_even_if_the_engine_id_is_full_of_zeros(
    keys: MasterKeys,
) -> None:
    """Looking for a run of zeros, as pysnmp does, would sign into the engine id."""
    router = V3Router(keys, engine=b"\x80\x00\x1f\x88\x04" + bytes(24))
    wire = UsmWire(keys, lambda: 0.0)
    wire.read(router.unsigned(NUMBER, report(NUMBER, UNKNOWN_ENGINE)), REQUEST, NUMBER)
    assert isinstance(wire.read(router.signed(NUMBER, TRUE), REQUEST, NUMBER), SnmpAnswer)
    sent = wire.message(REQUEST, NUMBER).data
    assert router.engine in sent
    assert keys.at(router.engine).proves(sent)


def test_the_first_message_is_a_discovery_and_so_is_the_one_after_silence(
    keys: MasterKeys, router: V3Router
) -> None:
    wire = UsmWire(keys, lambda: 0.0)
    assert is_discovery(wire.message(REQUEST, NUMBER).data)
    wire.read(router.unsigned(NUMBER, report(NUMBER, UNKNOWN_ENGINE)), REQUEST, NUMBER)
    assert not is_discovery(wire.message(REQUEST, NUMBER).data)
    wire.forget()
    assert is_discovery(wire.message(REQUEST, NUMBER).data)


async def test_a_router_that_is_silent_to_a_foreign_engine_is_discovered_anew(
    router: V3Router,
) -> None:
    """A replaced router that sends no report: after one failed poll it is asked who it is."""
    loop = asyncio.get_running_loop()
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
    sock.bind(("127.0.0.1", 0))
    discoveries: list[bool] = []

    def answer_discoveries_only() -> None:
        data, sender = sock.recvfrom(65535)
        discoveries.append(is_discovery(data))
        if discoveries[-1]:
            number = ber.label(data).number
            sock.sendto(router.unsigned(number, report(number, UNKNOWN_ENGINE)), sender)

    loop.add_reader(sock, answer_discoveries_only)
    poller = SnmpPoller(ManualClock())
    port = sock.getsockname()[1]
    silent = device("127.0.0.1", port, credential="pantau", timeout_s=0.1, retries=0)
    await poller.open([silent], SECRETS)
    for _ in range(2):
        assert (await failed(poller, silent)).reason == "timeout"
    assert discoveries == [True, False, True, False]
    await poller.close()
    loop.remove_reader(sock)
    sock.close()


async def test_a_router_that_asks_for_its_engine_for_ever_is_given_up(
    router: V3Router,
) -> None:
    loop = asyncio.get_running_loop()
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
    sock.bind(("127.0.0.1", 0))
    asked: list[bytes] = []

    def always_another_engine() -> None:
        data, sender = sock.recvfrom(65535)
        asked.append(data)
        other = replace(router, engine=router.engine + bytes((len(asked),)))
        number = ber.label(data).number
        sock.sendto(other.unsigned(number, report(number, UNKNOWN_ENGINE)), sender)

    loop.add_reader(sock, always_another_engine)
    poller = SnmpPoller(ManualClock())
    restless = device("127.0.0.1", sock.getsockname()[1], credential="pantau")
    await poller.open([restless], SECRETS)
    assert (await failed(poller, restless)).reason == "auth"
    assert len(asked) == 5
    await poller.close()
    loop.remove_reader(sock)
    sock.close()
