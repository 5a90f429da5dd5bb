"""Agents that lie, ramble, stammer or keep silent: counted, named, and over in bounded time."""

from __future__ import annotations

import asyncio
import resource
from collections.abc import AsyncIterator, Callable
from dataclasses import replace

import pytest
from pysnmp.proto import rfc1905
from pysnmp.proto.api import v2c

from monitor.adapters.snmp import PollCounters, SnmpPoller
from monitor.core.errors import SnmpError
from monitor.core.model import Device
from tests.fakes.agent.devices import device, failed, polled, port_of
from tests.fakes.agent.liar import Asked, Elsewhere, Later, Liar, Pair, Said, answer
from tests.fakes.agent.mib import MadeUpRouter, Objects, Port
from tests.fakes.agent.snmpd import SECRETS
from tests.fakes.clock import ManualClock
from tests.waiting import eventually_async

IF_NAME = (1, 3, 6, 1, 2, 1, 31, 1, 1, 1, 1)
SYS_UPTIME = (1, 3, 6, 1, 2, 1, 1, 3, 0)


@pytest.fixture
async def liar() -> AsyncIterator[Liar]:
    liar = Liar()
    liar.open()
    yield liar
    liar.close()


@pytest.fixture
async def poller() -> AsyncIterator[SnmpPoller]:
    poller = SnmpPoller(ManualClock())
    yield poller
    await poller.close()


async def registered(poller: SnmpPoller, liar: Liar, *ports: str, retries: int = 1) -> Device:
    router = device(liar.address, liar.port, *ports, timeout_s=0.1, retries=retries)
    await poller.open([router], SECRETS)
    return router


def other_port(liar: Liar, asked: Asked) -> Said:
    return [Elsewhere(liar.honest(asked))]


def other_address(liar: Liar, asked: Asked) -> Said:
    return [Elsewhere(liar.honest(asked), "127.0.0.77")]


def other_number(liar: Liar, asked: Asked) -> Said:
    return [answer(asked, liar.pairs(asked), number=asked.number ^ 1)]


def other_community(liar: Liar, asked: Asked) -> Said:
    return [answer(asked, liar.pairs(asked), community=b"public")]


def other_objects(liar: Liar, asked: Asked) -> Said:
    """As many as were asked for; from before the place where a walk stands."""
    return [answer(asked, [((1, 3, 6, 1, 1, n), v2c.Null("")) for n, _ in enumerate(asked.oids)])]


def other_order(liar: Liar, asked: Asked) -> Said:
    return [answer(asked, [*liar.pairs(asked)[::-1]] * 2)]


def no_objects(liar: Liar, asked: Asked) -> Said:
    return [answer(asked, [])]


def one_too_few(liar: Liar, asked: Asked) -> Said:
    """Of the objects of a GET; a walk may bring as few as it likes, but not none."""
    return [answer(asked, [] if asked.repetitions else liar.pairs(asked)[:-1])]


def a_request(liar: Liar, asked: Asked) -> Said:
    return [answer(asked, liar.pairs(asked), pdu=v2c.GetRequestPDU())]


def version_one(liar: Liar, asked: Asked) -> Said:
    return [liar.honest(asked).replace(b"\x02\x01\x01\x04", b"\x02\x01\x00\x04", 1)]


def garbage(liar: Liar, asked: Asked) -> Said:
    return [b"\x9f\x1f" * 20, b"", b"\0", b"HTTP/1.1 400 Bad Request\r\n\r\n"]


def cut_short(liar: Liar, asked: Asked) -> Said:
    return [liar.honest(asked)[:-3]]


def cut_inside(liar: Liar, asked: Asked) -> Said:
    """The outer length is right, an inner one is not."""
    whole = bytearray(liar.honest(asked))
    whole[-2] = 0x7F
    return [bytes(whole)]


def nested(liar: Liar, asked: Asked) -> Said:
    """Thousands of sequences in one another, behind a request-id that is right."""
    inner = b""
    for _ in range(5000):
        inner = b"\x24" + _length(len(inner)) + inner
    pdu = b"\x02\x04" + asked.number.to_bytes(4, "big") + b"\x02\x01\0\x02\x01\0" + inner
    body = b"\x02\x01\x01\x04\x07uji-kom\xa2" + _length(len(pdu)) + pdu
    return [b"\x30" + _length(len(body)) + body]


def _length(size: int) -> bytes:
    return bytes((0x84,)) + size.to_bytes(4, "big")


def silence(liar: Liar, asked: Asked) -> Said:
    return []


@pytest.mark.parametrize(
    ("trick", "reason", "counted"),
    [
        (other_port, "wrong-source", "wrong_source"),
        (other_address, "wrong-source", "wrong_source"),
        (other_number, "wrong-answer", "unexpected"),
        (other_community, "wrong-answer", "wrong_answer"),
        (other_objects, "wrong-answer", "wrong_answer"),
        (other_order, "wrong-answer", "wrong_answer"),
        (no_objects, "wrong-answer", "wrong_answer"),
        (one_too_few, "wrong-answer", "wrong_answer"),
        (a_request, "wrong-answer", "wrong_answer"),
        (version_one, "wrong-answer", "unexpected"),
        (garbage, "malformed", "malformed"),
        (cut_short, "malformed", "malformed"),
        (cut_inside, "malformed", "malformed"),
        (nested, "malformed", "malformed"),
        (silence, "timeout", "timeouts"),
    ],
)
async def test_what_is_no_answer_is_counted_and_the_reason_of_the_failure(
    poller: SnmpPoller,
    liar: Liar,
    trick: Callable[[Liar, Asked], Said],
    reason: str,
    counted: str,
) -> None:
    router = await registered(poller, liar)
    liar.trick = trick
    assert (await failed(poller, router)).reason == reason
    assert len(liar.asked) == 2, "asked once, and once more"
    assert getattr(poller.counters(), counted) > 0
    liar.trick = None
    await polled(poller, router)


async def test_the_wrong_source_is_named(poller: SnmpPoller, liar: Liar) -> None:
    router = await registered(poller, liar)
    liar.trick = other_address
    assert "127.0.0.77" in (await failed(poller, router)).detail


@pytest.mark.parametrize(
    "trick",
    [other_port, other_number, other_community, other_objects, no_objects, garbage, cut_short],
)
async def test_a_forged_answer_before_the_true_one_changes_nothing(
    poller: SnmpPoller, liar: Liar, trick: Callable[[Liar, Asked], Said]
) -> None:
    router = await registered(poller, liar)
    liar.trick = lambda liar, asked: [*trick(liar, asked), liar.honest(asked)]
    poll = await polled(poller, router)
    assert port_of(poll, "ether1").in_octets == 1_000_000
    assert poller.counters().timeouts == 0


async def test_an_answer_that_comes_twice_counts_once(poller: SnmpPoller, liar: Liar) -> None:
    router = await registered(poller, liar)
    liar.trick = lambda liar, asked: [liar.honest(asked)] * 2
    await polled(poller, router)
    counters = poller.counters()
    assert counters.answered == counters.sent == len(liar.asked)
    assert counters.late > 0
    assert counters.wrong_answer == 0


async def test_an_answer_later_than_the_time_out_is_still_the_answer(
    poller: SnmpPoller, liar: Liar
) -> None:
    """The repeat is the same message: a satellite's round trip may be longer than the time-out."""
    router = await registered(poller, liar, retries=3)
    held: list[bytes] = []

    def slow(liar: Liar, asked: Asked) -> Said:
        """The first answer is still under way when the first repeat comes in."""
        held.append(liar.honest(asked))
        return [] if len(held) == 1 else [held[0] if len(held) == 2 else held[-1]]

    liar.trick = slow
    await polled(poller, router)
    assert liar.asked[0] == liar.asked[1]
    assert poller.counters().timeouts == 0


async def test_too_big_is_halved_until_it_fits_and_remembered(
    poller: SnmpPoller, liar: Liar
) -> None:
    liar.router.ports = [Port(f"ether{n}", n) for n in range(1, 7)]
    router = await registered(poller, liar, *(port.name for port in liar.router.ports))

    def small(liar: Liar, asked: Asked) -> Said:
        if len(asked.oids) > 7 or asked.repetitions > 7:
            return [answer(asked, [], error=1)]
        return [liar.honest(asked)]

    liar.trick = small
    poll = await polled(poller, router)
    assert [port.name for port in poll.interfaces] == [port.name for port in liar.router.ports]
    assert all(port.in_octets == 1_000_000 for port in poll.interfaces)
    assert all(port.out_discards == 6 for port in poll.interfaces)
    liar.asked.clear()
    await polled(poller, router)
    assert max(len(asked.oids) for asked in liar.asked) <= 7, "nothing too big is asked again"


async def test_no_message_asks_for_more_than_twenty_objects(poller: SnmpPoller, liar: Liar) -> None:
    liar.router.ports = [Port(f"ether{n}", n) for n in range(1, 31)]
    router = await registered(poller, liar, *(port.name for port in liar.router.ports))
    await polled(poller, router)
    assert max(len(asked.oids) for asked in liar.asked) <= 20
    assert max(asked.repetitions for asked in liar.asked) <= 20


async def test_name_and_uptime_are_asked_in_the_same_message_as_the_counters(
    poller: SnmpPoller, liar: Liar
) -> None:
    router = await registered(poller, liar)
    await polled(poller, router)
    counters = [asked for asked in liar.asked if (*IF_NAME[:-1], 6, 1) in asked.oids]
    assert counters
    for asked in counters:
        assert SYS_UPTIME in asked.oids
        assert (*IF_NAME, 1) in asked.oids


async def test_a_router_to_which_everything_is_too_big_fails_in_bounded_time(
    poller: SnmpPoller, liar: Liar
) -> None:
    router = await registered(poller, liar)
    liar.trick = lambda liar, asked: [answer(asked, [], error=1)]
    assert (await failed(poller, router)).reason == "too-big"
    assert len(liar.asked) < 10


@pytest.mark.parametrize(("error", "word"), [(5, "genErr"), (16, "authorizationError"), (99, "99")])
async def test_an_error_status_is_a_refusal(
    poller: SnmpPoller, liar: Liar, error: int, word: str
) -> None:
    router = await registered(poller, liar)
    liar.trick = lambda liar, asked: [answer(asked, liar.pairs(asked), error=error)]
    failure = await failed(poller, router)
    assert failure.reason == "refused"
    assert word in failure.detail


def same_again(liar: Liar, asked: Asked) -> list[Pair]:
    return [(asked.oids[0], v2c.OctetString(b"x"))]


def backwards(liar: Liar, asked: Asked) -> list[Pair]:
    return [pair for pair in liar.pairs(asked) if pair[1] is not rfc1905.endOfMibView][::-1]


def round_and_round(liar: Liar, asked: Asked) -> list[Pair]:
    """Two rows, for ever."""
    last = asked.oids[0][-1] if len(asked.oids[0]) > len(IF_NAME) else 2
    return [((*IF_NAME, 3 - last), v2c.OctetString(b"x"))]


def too_many(liar: Liar, asked: Asked) -> list[Pair]:
    return [((*IF_NAME, n), v2c.OctetString(b"x")) for n in range(1, asked.repetitions + 2)]


def endless(liar: Liar, asked: Asked, rows: int = 20) -> list[bytes]:
    """A walk that goes forward for ever."""
    if not asked.repetitions:
        return [liar.honest(asked)]
    last = asked.oids[0][-1] if len(asked.oids[0]) > len(IF_NAME) else 0
    told = [((*IF_NAME, last + n), v2c.OctetString(b"ppp")) for n in range(1, rows + 1)]
    return [answer(asked, told)]


@pytest.mark.parametrize("rows", [same_again, backwards, round_and_round, too_many])
async def test_a_walk_that_does_not_go_forward_ends(
    poller: SnmpPoller, liar: Liar, rows: Callable[[Liar, Asked], list[Pair]]
) -> None:
    router = await registered(poller, liar)
    liar.trick = lambda liar, asked: [
        answer(asked, rows(liar, asked)) if asked.repetitions else liar.honest(asked)
    ]
    assert (await failed(poller, router)).reason == "wrong-answer"
    assert len(liar.asked) <= 6


async def test_a_table_without_end_is_walked_no_further_than_any_real_one(
    poller: SnmpPoller, liar: Liar
) -> None:
    router = await registered(poller, liar)
    liar.trick = endless
    assert (await failed(poller, router)).reason == "walk-too-long"
    assert len(liar.asked) <= 4000 / 20 + 1


async def test_a_slow_table_without_end_is_given_up_when_the_time_is_up(liar: Liar) -> None:
    poller = SnmpPoller(ManualClock(), patience_s=0.3)
    router = device(liar.address, liar.port, timeout_s=5.0)
    await poller.open([router], SECRETS)
    liar.trick = lambda liar, asked: [Later(data, 0.05) for data in endless(liar, asked)]
    assert (await failed(poller, router)).reason == "walk-too-long"
    assert 1 < len(liar.asked) < 20
    await poller.close()


async def test_a_table_without_end_in_small_bites_is_given_up_after_as_many_messages(
    poller: SnmpPoller, liar: Liar
) -> None:
    router = await registered(poller, liar)
    liar.trick = lambda liar, asked: endless(liar, asked, rows=1)
    assert (await failed(poller, router)).reason == "walk-too-long"
    assert len(liar.asked) <= 250


async def test_a_port_whose_name_is_never_confirmed_is_missing_and_not_another_ports(
    poller: SnmpPoller, liar: Liar
) -> None:
    """The walk finds ether1; the GET of that very row says that it is something else."""
    router = await registered(poller, liar, "ether1", "ether2")

    def two_tongues(liar: Liar, asked: Asked) -> Said:
        pairs = [
            (oid, v2c.OctetString(b"veth9") if oid == (*IF_NAME, 1) else value)
            for oid, value in liar.pairs(asked)
        ]
        return [liar.honest(asked) if asked.repetitions else answer(asked, pairs)]

    liar.trick = two_tongues
    poll = await polled(poller, router)
    assert [port.name for port in poll.interfaces] == ["ether2"]
    assert poll.missing == ("ether1",)


HR_LOAD = (1, 3, 6, 1, 2, 1, 25, 3, 3, 1, 2)
HR_STORAGE = "1.3.6.1.2.1.25.2.3.1"
LOAD_AND_MEMORY: Objects = {
    "1.3.6.1.2.1.25.3.3.1.2.1": ("integer", 50),
    f"{HR_STORAGE}.2.1": ("objectid", ".1.3.6.1.2.1.25.2.1.2"),
    f"{HR_STORAGE}.5.1": ("integer", 100),
    f"{HR_STORAGE}.6.1": ("integer", 25),
}


async def test_silence_to_one_part_of_the_tree_costs_only_that_part(
    poller: SnmpPoller, liar: Liar
) -> None:
    """Some agents hang on a table; ports, speeds and the other facts are read all the same."""
    liar.router.more = LOAD_AND_MEMORY
    router = await registered(poller, liar, retries=0)
    liar.trick = lambda liar, asked: (
        [] if any(oid[: len(HR_LOAD)] == HR_LOAD for oid in asked.oids) else [liar.honest(asked)]
    )
    polls = [await polled(poller, router) for _ in range(2)]
    for poll in polls:
        assert port_of(poll, "ether1").speed_bps == 1_000_000_000
        assert poll.sys_name == "router-uji"
    facts = polls[-1].facts
    assert facts is not None
    assert (facts.cpu, facts.memory) == (None, 0.25)


async def test_a_refusal_of_the_facts_costs_only_the_facts(poller: SnmpPoller, liar: Liar) -> None:
    liar.router.more = LOAD_AND_MEMORY
    router = await registered(poller, liar)

    def fussy(liar: Liar, asked: Asked) -> Said:
        if not asked.repetitions and (*HR_LOAD, 1) in asked.oids:
            return [answer(asked, liar.pairs(asked), error=5)]
        return [liar.honest(asked)]

    liar.trick = fussy
    first, second = [await polled(poller, router) for _ in range(2)]
    assert len(first.interfaces) == 2
    assert port_of(second, "ether1").speed_bps == 1_000_000_000
    assert second.sys_name == "router-uji"


async def test_a_walk_ends_where_the_column_ends(poller: SnmpPoller, liar: Liar) -> None:
    """Whether the next column follows, or the whole view ends there."""
    liar.router = MadeUpRouter(ports=[])
    liar.router.more = {
        "1.3.6.1.2.1.31.1.1.1.1.5": ("string", "ether1"),
        "1.3.6.1.2.1.31.1.1.1.6.5": ("counter64", 4),
        "1.3.6.1.2.1.31.1.1.1.10.5": ("counter64", 5),
    }
    router = await registered(poller, liar, "ether1", "ether2")
    poll = await polled(poller, router)
    assert (port_of(poll, "ether1").in_octets, poll.missing) == (4, ("ether2",))


async def test_large_counters_without_their_leading_zero_are_read_as_they_are_meant(
    poller: SnmpPoller, liar: Liar
) -> None:
    """pyasn1 sees a negative Counter64 there, and rejects the whole answer."""
    liar.router.ports = [
        Port("ether1", 1, in_octets=2**63 + 12345, in_errors=2**31 + 7, speed_mbps=10_000)
    ]

    def sloppy(liar: Liar, asked: Asked) -> Said:
        return [_without_leading_zeros(liar.honest(asked))]

    liar.trick = sloppy
    router = await registered(poller, liar, "ether1")
    port = port_of(await polled(poller, router), "ether1")
    assert (port.in_octets, port.in_errors) == (2**63 + 12345, 2**31 + 7)
    assert poller.counters().malformed == 0


def _without_leading_zeros(message: bytes) -> bytes:
    """Rewritten by hand, so that the test does not share the code it tests."""
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
async def test_an_answer_in_which_nothing_is_told_is_a_router_without_ports(
    poller: SnmpPoller, liar: Liar, value: object
) -> None:
    router = await registered(poller, liar)

    def nothing(liar: Liar, asked: Asked) -> Said:
        told = rfc1905.endOfMibView if asked.repetitions else value
        return [answer(asked, [(oid, told) for oid in asked.oids])]

    liar.trick = nothing
    poll = await polled(poller, router)
    assert (poll.interfaces, poll.uptime_ticks) == ((), None)
    assert poll.missing == ("ether1", "ether2")


async def test_silent_routers_do_not_hold_up_the_others(poller: SnmpPoller, liar: Liar) -> None:
    dead = [device("127.0.0.1", 9, name=f"mati{n}", timeout_s=1.0, retries=0) for n in range(200)]
    alive = replace(device(liar.address, liar.port, timeout_s=0.3, retries=0), name="hidup")
    await poller.open([*dead, alive], SECRETS)
    waiting = [asyncio.create_task(poller.poll(router)) for router in dead]
    await asyncio.sleep(0)
    await polled(poller, alive)
    assert not any(task.done() for task in waiting)
    assert {type(poll).__name__ for poll in await asyncio.gather(*waiting)} == {"PollFailed"}


async def test_closing_ends_what_is_under_way(poller: SnmpPoller, liar: Liar) -> None:
    router = device(liar.address, liar.port, timeout_s=30.0)
    await poller.open([router], SECRETS)
    liar.trick = silence
    asking = asyncio.create_task(poller.poll(router))
    await eventually_async(lambda: liar.asked)
    await poller.close()
    async with asyncio.timeout(5):
        assert (await failed_task(asking)) == "closed"


async def failed_task(asking: asyncio.Task[object]) -> str:
    return str(getattr(await asking, "reason", None))


async def test_a_poll_that_is_cancelled_leaves_nothing_behind(
    poller: SnmpPoller, liar: Liar
) -> None:
    router = device(liar.address, liar.port, timeout_s=30.0)
    await poller.open([router], SECRETS)
    liar.trick = silence
    asking = asyncio.create_task(poller.poll(router))
    await eventually_async(lambda: liar.asked)
    asking.cancel()
    await asyncio.wait({asking})
    liar.trick = None
    await polled(poller, router)


async def test_a_network_that_takes_nothing_is_not_the_routers_silence(poller: SnmpPoller) -> None:
    """An address to which this machine cannot send at all."""
    router = device("255.255.255.255", 161, timeout_s=0.1, retries=0)
    await poller.open([router], SECRETS)
    failure = await failed(poller, router)
    assert failure.reason == "not-sent"
    assert failure.detail in ("EACCES", "ENETUNREACH")
    assert poller.counters() == PollCounters()


async def test_a_machine_without_descriptors_says_so_in_a_sentence(poller: SnmpPoller) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, hard))
    try:
        with pytest.raises(SnmpError, match="raise the limit of open files"):
            await poller.open([device("127.0.0.1", 9)], SECRETS)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


async def test_a_router_with_an_ipv6_address_is_polled_beside_the_others(
    poller: SnmpPoller, liar: Liar
) -> None:
    six = Liar("::1")
    six.open()
    six.router.name = "router-enam"
    routers = [
        device(each.address, each.port, name=name)
        for each, name in ((liar, "empat"), (six, "enam"))
    ]
    await poller.open(routers, SECRETS)
    polls = [await polled(poller, router) for router in routers]
    assert [poll.sys_name for poll in polls] == ["router-uji", "router-enam"]
    six.close()
