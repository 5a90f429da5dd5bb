"""Agents that forge, repeat, delay, break or refuse responses: counted, and bounded in time."""

from __future__ import annotations

import asyncio
import resource
from collections.abc import Callable
from dataclasses import replace

import pytest
from pysnmp.proto import rfc1905
from pysnmp.proto.api import v2c

from monitor.adapters.snmp import PollCounters, SnmpPoller
from monitor.adapters.snmp.trust import MAX_WRONG, PeerTrust
from monitor.core.errors import SnmpError
from tests.adapters.snmp.rig import ScriptedRig
from tests.fakes.clock import ManualClock
from tests.fakes.snmp_agent.devices import device, failed, interface_of, polled
from tests.fakes.snmp_agent.fake_router import FakeInterface, FakeRouter, Objects
from tests.fakes.snmp_agent.scripted_agent import (
    Delayed,
    FromElsewhere,
    Pair,
    ReceivedRequest,
    Replies,
    Script,
    ScriptedAgent,
    response,
)
from tests.fakes.snmp_agent.snmpd import SECRETS
from tests.waiting import eventually_async

IF_NAME = (1, 3, 6, 1, 2, 1, 31, 1, 1, 1, 1)
SYS_UPTIME = (1, 3, 6, 1, 2, 1, 1, 3, 0)
TEXT = v2c.OctetString(b"x")

Agent = ScriptedAgent
Request = ReceivedRequest


def _length(size: int) -> bytes:
    return bytes((0x84,)) + size.to_bytes(4, "big")


def deeply_nested(agent: Agent, request: Request) -> Replies:
    """A thousand nested sequences after a correct request-id."""
    inner = b""
    for _ in range(1000):
        inner = b"\x24" + _length(len(inner)) + inner
    pdu = b"\x02\x04" + request.number.to_bytes(4, "big") + b"\x02\x01\0\x02\x01\0" + inner
    body = b"\x02\x01\x01\x04\x07uji-kom\xa2" + _length(len(pdu)) + pdu
    return [b"\x30" + _length(len(body)) + body]


def many_objects(agent: Agent, request: Request) -> Replies:
    """As many objects as 8 kB hold; decoding them all would take a tenth of a second."""
    return [response(request, [(request.oids[0], v2c.null)] * 350)]


def huge(agent: Agent, request: Request) -> list[bytes]:
    """4,500 objects in 63 kB; decoding them would take a second."""
    varbind = bytes.fromhex("300c06082b060102010101000500")
    pdu = b"\x02\x04" + request.number.to_bytes(4, "big") + b"\x02\x01\0\x02\x01\0"
    pdu += b"\x30" + _length(4500 * len(varbind)) + 4500 * varbind
    body = b"\x02\x01\x01\x04\x07uji-kom\xa2" + _length(len(pdu)) + pdu
    return [b"\x30" + _length(len(body)) + body]


def silence(agent: Agent, request: Request) -> Replies:
    return []


def older(agent: Agent, request: Request) -> list[Pair]:
    """As many objects as were asked for; from before the position of a walk."""
    return [((1, 3, 6, 1, 1, n), v2c.Null("")) for n, _ in enumerate(request.oids)]


GARBAGE = [b"\x9f\x1f" * 20, b"", b"\0", b"HTTP/1.1 400 Bad Request\r\n\r\n"]

REJECTED: dict[str, tuple[Script, str, str]] = {
    # name: replies, reason of the failure, counter
    "other port": (
        lambda a, r: [FromElsewhere(a.true_response(r))],
        *("wrong-source", "wrong_source"),
    ),
    "other address": (
        lambda a, r: [FromElsewhere(a.true_response(r), "127.0.0.77")],
        *("wrong-source", "wrong_source"),
    ),
    "other number": (
        lambda a, r: [response(r, a.pairs(r), number=r.number ^ 1)],
        *("wrong-answer", "unexpected"),
    ),
    "other community": (
        lambda a, r: [response(r, a.pairs(r), community=b"public")],
        *("wrong-answer", "wrong_answer"),
    ),
    "other objects": (lambda a, r: [response(r, older(a, r))], "wrong-answer", "wrong_answer"),
    "other order": (
        lambda a, r: [response(r, [*a.pairs(r)[::-1]] * 2)],
        *("wrong-answer", "wrong_answer"),
    ),
    "no objects": (lambda a, r: [response(r, [])], "wrong-answer", "wrong_answer"),
    # Of the objects of a GET; a walk may bring fewer, but not none.
    "one too few": (
        lambda a, r: [response(r, [] if r.repetitions else a.pairs(r)[:-1])],
        *("wrong-answer", "wrong_answer"),
    ),
    "a request": (
        lambda a, r: [response(r, a.pairs(r), pdu=v2c.GetRequestPDU())],
        *("wrong-answer", "wrong_answer"),
    ),
    "version 1": (
        lambda a, r: [a.true_response(r).replace(b"\2\1\1\4", b"\2\1\0\4", 1)],
        *("wrong-answer", "unexpected"),
    ),
    "garbage": (lambda a, r: GARBAGE, "malformed", "malformed"),
    "truncated": (lambda a, r: [a.true_response(r)[:-3]], "malformed", "malformed"),
    "wrong inner length": (
        lambda a, r: [a.true_response(r)[:-2] + b"\x7f" + a.true_response(r)[-1:]],
        *("malformed", "malformed"),
    ),
    "deeply nested": (deeply_nested, "malformed", "malformed"),
    "many objects": (many_objects, "malformed", "malformed"),
    "huge": (huge, "too-large", "too_large"),
    "silence": (silence, "timeout", "timeouts"),
}


@pytest.mark.parametrize("name", REJECTED)
async def test_a_datagram_that_is_no_response_is_counted_and_gives_the_reason(
    scripted: ScriptedRig, name: str
) -> None:
    script, reason, counter = REJECTED[name]
    await scripted.register(script=script)
    failure = await scripted.failure()
    assert failure.reason == reason
    assert name != "other address" or "127.0.0.77" in failure.detail
    assert len(scripted.agent.requests) == 2, "the request and one retry"
    assert getattr(scripted.poller.counters(), counter) > 0
    scripted.agent.script = None
    await scripted.poll()


# "wrong inner length" is a well-formed response with another value when that ends in a string.
@pytest.mark.parametrize("name", sorted(REJECTED.keys() - {"silence", "wrong inner length"}))
async def test_a_forged_datagram_before_the_true_response_changes_nothing(
    scripted: ScriptedRig, name: str
) -> None:
    script, *_ = REJECTED[name]
    await scripted.register(script=lambda a, r: [*script(a, r), a.true_response(r)])
    assert interface_of(await scripted.poll(), "ether1").in_octets == 1_000_000
    assert scripted.poller.counters().timeouts == 0


async def test_a_duplicate_response_counts_once(scripted: ScriptedRig) -> None:
    await scripted.register(script=lambda agent, request: [agent.true_response(request)] * 2)
    await scripted.poll()
    counters = scripted.poller.counters()
    assert counters.answered == counters.sent == len(scripted.agent.requests)
    assert counters.late > 0
    assert counters.wrong_answer == 0


async def test_a_response_after_the_time_out_is_still_the_response(scripted: ScriptedRig) -> None:
    """A retry is the same message: the RTT of a satellite link may exceed the time-out."""
    responses: list[bytes] = []

    def slow(agent: Agent, request: Request) -> Replies:
        """The first response is sent when the first retry arrives."""
        responses.append(agent.true_response(request))
        return [] if len(responses) == 1 else [responses[0 if len(responses) == 2 else -1]]

    await scripted.register(script=slow, retries=3)
    await scripted.poll()
    assert scripted.agent.requests[0] == scripted.agent.requests[1]
    assert scripted.poller.counters().timeouts == 0


async def test_too_big_halves_the_messages_and_is_remembered(scripted: ScriptedRig) -> None:
    names = [f"ether{n}" for n in range(1, 7)]
    scripted.agent.router.interfaces = [FakeInterface(name, n) for n, name in enumerate(names, 1)]

    def small(agent: Agent, request: Request) -> Replies:
        if len(request.oids) > 7 or request.repetitions > 7:
            return [response(request, [], error=1)]
        return [agent.true_response(request)]

    await scripted.register(*names, script=small)
    poll = await scripted.poll()
    assert [one.name for one in poll.interfaces] == names
    assert all((one.in_octets, one.out_discards) == (1_000_000, 6) for one in poll.interfaces)
    scripted.agent.requests.clear()
    await scripted.poll()
    assert max(len(request.oids) for request in scripted.agent.requests) <= 7


async def test_messages_hold_at_most_twenty_objects_and_counters_with_name_and_uptime(
    scripted: ScriptedRig,
) -> None:
    names = [f"ether{n}" for n in range(1, 31)]
    scripted.agent.router.interfaces = [FakeInterface(name, n) for n, name in enumerate(names, 1)]
    await scripted.register(*names)
    await scripted.poll()
    requests = scripted.agent.requests
    assert max(len(request.oids) for request in requests) <= 20
    assert max(request.repetitions for request in requests) <= 20
    with_counters = [request for request in requests if (*IF_NAME[:-1], 6, 1) in request.oids]
    assert with_counters
    for request in with_counters:
        assert {SYS_UPTIME, (*IF_NAME, 1)} <= set(request.oids)


async def test_a_router_to_which_everything_is_too_big_fails_in_bounded_time(
    scripted: ScriptedRig,
) -> None:
    await scripted.register(script=lambda agent, request: [response(request, [], error=1)])
    assert (await scripted.failure()).reason == "too-big"
    assert len(scripted.agent.requests) < 10


@pytest.mark.parametrize(("error", "name"), [(5, "genErr"), (16, "authorizationError"), (99, "99")])
async def test_an_error_status_is_a_refusal(scripted: ScriptedRig, error: int, name: str) -> None:
    await scripted.register(script=lambda a, r: [response(r, a.pairs(r), error=error)])
    failure = await scripted.failure()
    assert failure.reason == "refused"
    assert name in failure.detail


def two_rows_alternating(agent: Agent, request: Request) -> list[Pair]:
    last = request.oids[0][-1] if len(request.oids[0]) > len(IF_NAME) else 2
    return [((*IF_NAME, 3 - last), TEXT)]


WALKS: dict[str, Callable[[Agent, Request], list[Pair]]] = {
    "the same row again": lambda a, r: [(r.oids[0], TEXT)],
    "backwards": lambda a, r: [p for p in a.pairs(r) if p[1] is not rfc1905.endOfMibView][::-1],
    "two rows alternating": two_rows_alternating,
    "too many rows": lambda a, r: [((*IF_NAME, n), TEXT) for n in range(1, r.repetitions + 2)],
}


@pytest.mark.parametrize("name", WALKS)
async def test_a_walk_that_does_not_go_forward_ends(scripted: ScriptedRig, name: str) -> None:
    rows = WALKS[name]
    await scripted.register(
        script=lambda a, r: [response(r, rows(a, r)) if r.repetitions else a.true_response(r)]
    )
    assert (await scripted.failure()).reason == "wrong-answer"
    assert len(scripted.agent.requests) <= 6


def endless(agent: Agent, request: Request, rows: int = 20) -> list[bytes]:
    """A walk that goes forward for ever."""
    if not request.repetitions:
        return [agent.true_response(request)]
    last = request.oids[0][-1] if len(request.oids[0]) > len(IF_NAME) else 0
    pairs = [((*IF_NAME, last + n), TEXT) for n in range(1, rows + 1)]
    return [response(request, pairs)]


@pytest.mark.parametrize(("rows", "most"), [(20, 4000 / 20 + 1), (1, 250)])
async def test_a_table_without_end_is_limited_by_rows_and_messages(
    scripted: ScriptedRig, rows: int, most: float
) -> None:
    await scripted.register(script=lambda agent, request: endless(agent, request, rows))
    assert (await scripted.failure()).reason == "walk-too-long"
    assert len(scripted.agent.requests) <= most


async def test_a_slow_table_without_end_is_limited_by_time(scripted: ScriptedRig) -> None:
    scripted.poller = SnmpPoller(ManualClock(), patience_s=0.3)
    await scripted.register(
        script=lambda a, r: [Delayed(data, 0.05) for data in endless(a, r)], timeout_s=5.0
    )
    assert (await scripted.failure()).reason == "walk-too-long"
    assert 1 < len(scripted.agent.requests) < 20
    await scripted.poller.close()


async def test_an_interface_whose_name_is_never_confirmed_is_missing(
    scripted: ScriptedRig,
) -> None:
    """The walk finds ether1; the GET of that row returns another name."""

    def contradictory(agent: Agent, request: Request) -> Replies:
        pairs = [
            (oid, v2c.OctetString(b"veth9") if oid == (*IF_NAME, 1) else value)
            for oid, value in agent.pairs(request)
        ]
        return [agent.true_response(request) if request.repetitions else response(request, pairs)]

    await scripted.register(script=contradictory)
    poll = await scripted.poll()
    assert [one.name for one in poll.interfaces] == ["ether2"]
    assert poll.missing == ("ether1",)


HR_LOAD = (1, 3, 6, 1, 2, 1, 25, 3, 3, 1, 2)
HR_STORAGE = "1.3.6.1.2.1.25.2.3.1"
LOAD_AND_MEMORY: Objects = {
    "1.3.6.1.2.1.25.3.3.1.2.1": ("integer", 50),
    f"{HR_STORAGE}.2.1": ("objectid", ".1.3.6.1.2.1.25.2.1.2"),
    f"{HR_STORAGE}.5.1": ("integer", 100),
    f"{HR_STORAGE}.6.1": ("integer", 25),
}


def silent_about_load(agent: Agent, request: Request) -> Replies:
    about_load = any(oid[: len(HR_LOAD)] == HR_LOAD for oid in request.oids)
    return [] if about_load else [agent.true_response(request)]


def refuses_load(agent: Agent, request: Request) -> Replies:
    if not request.repetitions and (*HR_LOAD, 1) in request.oids:
        return [response(request, agent.pairs(request), error=5)]
    return [agent.true_response(request)]


@pytest.mark.parametrize(("script", "memory"), [(silent_about_load, 0.25), (refuses_load, None)])
async def test_silence_or_refusal_of_one_part_of_the_tree_costs_only_that_part(
    scripted: ScriptedRig, script: Script, memory: float | None
) -> None:
    scripted.agent.router.more = LOAD_AND_MEMORY
    await scripted.register(script=script, retries=0)
    first, second = [await scripted.poll() for _ in range(2)]
    assert len(first.interfaces) == 2
    assert interface_of(second, "ether1").speed_bps == 1_000_000_000
    assert second.sys_name == "router-uji"
    assert second.facts is not None
    assert (second.facts.cpu, second.facts.memory) == (None, memory)


async def test_a_walk_ends_where_the_column_ends(scripted: ScriptedRig) -> None:
    """Whether the next column follows, or the whole view ends there."""
    column = "1.3.6.1.2.1.31.1.1.1"
    scripted.agent.router = FakeRouter(interfaces=[])
    scripted.agent.router.more = {
        f"{column}.1.5": ("string", "ether1"),
        f"{column}.6.5": ("counter64", 4),
        f"{column}.10.5": ("counter64", 5),
    }
    await scripted.register()
    poll = await scripted.poll()
    assert (interface_of(poll, "ether1").in_octets, poll.missing) == (4, ("ether2",))


async def test_large_counters_without_their_leading_zero_are_read_as_meant(
    scripted: ScriptedRig,
) -> None:
    """pyasn1 decodes a negative Counter64, and rejects the whole response."""
    scripted.agent.router.interfaces = [
        FakeInterface("ether1", 1, in_octets=2**63 + 12345, in_errors=2**31 + 7)
    ]
    await scripted.register(
        "ether1", script=lambda a, r: [_without_leading_zeros(a.true_response(r))]
    )
    one = interface_of(await scripted.poll(), "ether1")
    assert (one.in_octets, one.in_errors) == (2**63 + 12345, 2**31 + 7)
    assert scripted.poller.counters().malformed == 0


def _without_leading_zeros(message: bytes) -> bytes:
    """Independent of the code under test."""
    tag, size = message[0], message[1]
    start = 2
    if size & 0x80:
        start += size & 0x7F
        size = int.from_bytes(message[2:start], "big")
    content = message[start : start + size]
    rest = message[start + size :]
    if tag & 0x20:
        content = _without_leading_zeros(content)
    elif tag in (0x41, 0x42, 0x43, 0x46) and len(content) > 1 and content[0] == 0:
        content = content[1:]
    head = bytes((tag,)) + (
        bytes((len(content),)) if len(content) < 128 else b"\x82" + len(content).to_bytes(2, "big")
    )
    return head + content + (_without_leading_zeros(rest) if rest else b"")


@pytest.mark.parametrize(
    "value", [rfc1905.noSuchObject, rfc1905.noSuchInstance, rfc1905.endOfMibView, v2c.null]
)
async def test_a_response_without_any_value_is_a_router_without_interfaces(
    scripted: ScriptedRig, value: object
) -> None:
    def nothing(agent: Agent, request: Request) -> Replies:
        absent = rfc1905.endOfMibView if request.repetitions else value
        return [response(request, [(oid, absent) for oid in request.oids])]

    await scripted.register(script=nothing)
    poll = await scripted.poll()
    assert (poll.interfaces, poll.uptime_ticks) == ((), None)
    assert poll.missing == ("ether1", "ether2")


async def test_silent_routers_do_not_delay_the_others(scripted: ScriptedRig) -> None:
    poller = scripted.poller
    dead = [device("127.0.0.1", 9, name=f"mati{n}", timeout_s=1.0, retries=0) for n in range(200)]
    alive = replace(scripted.router, name="hidup", timeout_s=0.3, retries=0)
    await poller.open([*dead, alive], SECRETS)
    waiting = [asyncio.create_task(poller.poll(router)) for router in dead]
    await asyncio.sleep(0)
    await polled(poller, alive)
    assert not any(task.done() for task in waiting)
    assert {type(poll).__name__ for poll in await asyncio.gather(*waiting)} == {"PollFailed"}


async def test_closing_ends_polls_and_a_cancelled_poll_leaves_nothing_behind(
    scripted: ScriptedRig,
) -> None:
    await scripted.register(script=silence, timeout_s=30.0)
    polling = asyncio.create_task(scripted.poller.poll(scripted.router))
    await eventually_async(lambda: scripted.agent.requests)
    polling.cancel()
    await asyncio.wait({polling})
    scripted.agent.script = None
    await scripted.poll()

    scripted.agent.script = silence
    scripted.agent.requests.clear()
    polling = asyncio.create_task(scripted.poller.poll(scripted.router))
    await eventually_async(lambda: scripted.agent.requests)
    await scripted.poller.close()
    async with asyncio.timeout(5):
        assert getattr(await polling, "reason", None) == "closed"


async def test_an_error_of_sending_is_not_the_routers_silence(poller: SnmpPoller) -> None:
    """An address to which this machine cannot send at all."""
    router = device("255.255.255.255", 161, timeout_s=0.1, retries=0)
    await poller.open([router], SECRETS)
    failure = await failed(poller, router)
    assert failure.reason == "not-sent"
    assert failure.detail in ("EACCES", "ENETUNREACH")
    assert poller.counters() == PollCounters()


async def test_without_descriptors_the_error_names_the_limit(poller: SnmpPoller) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, hard))
    try:
        with pytest.raises(SnmpError, match="raise the limit of open files"):
            await poller.open([device("127.0.0.1", 9)], SECRETS)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


async def test_routers_with_ipv4_and_ipv6_addresses_are_polled_together(
    scripted: ScriptedRig,
) -> None:
    six = ScriptedAgent("::1")
    six.open()
    six.router.name = "router-enam"
    routers = [
        device(agent.address, agent.port, name=name)
        for agent, name in ((scripted.agent, "empat"), (six, "enam"))
    ]
    await scripted.poller.open(routers, SECRETS)
    polls = [await polled(scripted.poller, router) for router in routers]
    assert [poll.sys_name for poll in polls] == ["router-uji", "router-enam"]
    six.close()


async def test_a_router_whose_answers_are_wrong_again_and_again_is_ignored_for_a_while(
    scripted: ScriptedRig,
) -> None:
    await scripted.register(script=huge)
    failures = [await scripted.failure() for _ in range(MAX_WRONG // 2)]
    assert {failure.reason for failure in failures} == {"too-large"}
    assert [failure.ignored_s > 0 for failure in failures] == [False, False, True]
    asked = len(scripted.agent.requests)
    assert asked == MAX_WRONG
    scripted.agent.script = None
    assert (await scripted.failure()).reason == "ignored"
    assert len(scripted.agent.requests) == asked
    # With other settings it is another router to us, and listened to.
    await scripted.register(timeout_s=0.2)
    await scripted.poll()


def test_a_pause_doubles_with_each_wrong_answer_and_ends_with_a_right_one() -> None:
    trust = PeerTrust()
    now_s, pauses_s = 100.0, []
    for _ in range(MAX_WRONG - 1):
        trust.on_wrong(now_s)
    assert trust.ignored_s(now_s) == 0
    for _ in range(7):
        trust.on_wrong(now_s)
        pauses_s.append(trust.ignored_s(now_s))
        now_s += pauses_s[-1]
        assert trust.ignored_s(now_s) == 0
    assert pauses_s == [60, 120, 240, 480, 900, 900, 900]
    trust.on_right()
    trust.on_wrong(now_s)
    assert trust.ignored_s(now_s) == 0


async def test_nobody_but_the_router_itself_can_make_us_ignore_it(scripted: ScriptedRig) -> None:
    """Without the awaited number, or from another address, a wrong answer counts for nothing."""

    def other_number(agent: Agent, request: Request) -> Replies:
        return huge(agent, replace(request, number=request.number ^ 1))

    def other_address(agent: Agent, request: Request) -> Replies:
        return [FromElsewhere(data, "127.0.0.77") for data in huge(agent, request)]

    for script in (other_number, other_address, lambda a, r: GARBAGE):
        await scripted.register(script=script, timeout_s=0.02)
        for _ in range(2 * MAX_WRONG):
            assert (await scripted.failure()).ignored_s == 0
        scripted.agent.script = None
        await scripted.register(timeout_s=0.5)
        await scripted.poll()
