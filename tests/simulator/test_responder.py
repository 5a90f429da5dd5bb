"""The packet responder on a socket pair instead of a TUN device."""

from __future__ import annotations

import asyncio
import ipaddress
import math
import socket
import struct
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

import pytest

from monitor.simulator.behaviour import Behaviour, ReplyMode
from monitor.simulator.packets import Datagram, read_datagram, write_datagram
from monitor.simulator.responder import AgentReply, PacketResponder
from tests.simulator.echoes import THEM, US, echo_v4, echo_v6
from tests.waiting import eventually_async

QUICK = Behaviour(delay_ms=1.0)
SILENT = Behaviour(delay_ms=1.0, mode=ReplyMode.SILENT)


@dataclass(frozen=True, slots=True)
class Kernel:
    """The other end of the socket pair."""

    end: socket.socket
    wire: PacketResponder

    def send(self, *packets: bytes) -> None:
        for packet in packets:
            self.end.send(packet)

    def received(self) -> list[bytes]:
        found = []
        while True:
            try:
                found.append(self.end.recv(2048))
            except BlockingIOError:
                return found

    async def receives(self, count: int) -> list[bytes]:
        """Wait for so many packets."""
        got: list[bytes] = []

        def enough() -> bool:
            got.extend(self.received())
            return len(got) >= count

        await eventually_async(enough)
        return got


Laid = Callable[[Behaviour], Kernel]


def answered(asked: bytes) -> AgentReply:
    """An agent that reverses the request, or answers from another address."""
    return AgentReply(b"moved", "10.77.0.14") if asked == b"elsewhere" else AgentReply(asked[::-1])


@pytest.fixture
async def lay() -> AsyncIterator[Laid]:
    """Starts a responder with 10.77.23.1, which has an agent, and fd77::24:1."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    for end in (ours, theirs):
        end.setblocking(False)
    laid: list[PacketResponder] = []
    broken = asyncio.Event()

    def lay_it(behaviour: Behaviour) -> Kernel:
        places = {
            "a": (str(ipaddress.ip_address(THEM)), behaviour),
            "six": ("fd77::24:1", behaviour),
        }
        agents = {str(ipaddress.ip_address(THEM)): answered}
        wire = PacketResponder(ours.fileno(), places, agents, seed=1, on_gone=broken.set)
        wire.start(asyncio.get_running_loop())
        laid.append(wire)
        return Kernel(theirs, wire)

    yield lay_it
    assert not broken.is_set()
    for wire in laid:
        wire.stop()
    ours.close()
    theirs.close()


async def test_each_request_is_answered_by_its_own_reply(lay: Laid) -> None:
    kernel = lay(QUICK)
    kernel.send(*(echo_v4(9, n, b"nonce%d" % n) for n in range(20)), echo_v6(b"six"))
    replies = await kernel.receives(21)
    assert sorted(reply for reply in replies if reply[0] == 0x45) == sorted(
        echo_v4(9, n, b"nonce%d" % n, kind=0) for n in range(20)
    )
    assert [reply[48:] for reply in replies if reply[0] == 0x60] == [b"six"]
    counts = kernel.wire.counts()
    assert (counts["a"].requests, counts["a"].answered) == (20, 20)
    assert (counts["six"].requests, counts["six"].answered) == (1, 1)


async def test_a_share_is_lost_and_counted(lay: Laid) -> None:
    kernel = lay(Behaviour(delay_ms=0.1, loss_ratio=0.3))
    requests, ratio = 2000, 0.3
    got = 0
    for start in range(0, requests, 50):
        kernel.send(*(echo_v4(9, start + n, b"") for n in range(50)))
        await eventually_async(lambda: kernel.wire.counts()["a"].requests >= start + 50)  # noqa: B023
        got += len(kernel.received())
    await eventually_async(lambda: sum_of(kernel) == requests)
    got += len(kernel.received())
    counts = kernel.wire.counts()["a"]
    assert got == counts.answered == requests - counts.lost
    # Five standard deviations of the binomial distribution: the seed is fixed.
    assert abs(counts.lost - requests * ratio) < 5 * math.sqrt(requests * ratio * (1 - ratio))


def sum_of(kernel: Kernel) -> int:
    """Requests that were answered or lost."""
    counts = kernel.wire.counts()["a"]
    return counts.answered + counts.lost


async def test_pending_replies_are_dropped_when_a_link_is_cut(lay: Laid) -> None:
    kernel = lay(Behaviour(delay_ms=300.0))
    kernel.send(echo_v4(9, 1, b""))
    await eventually_async(lambda: kernel.wire.counts()["a"].requests == 1)
    kernel.wire.set_behaviour("a", SILENT)
    kernel.wire.set_behaviour("a", QUICK)
    kernel.send(echo_v4(9, 2, b""))
    (reply,) = await kernel.receives(1)
    assert reply == echo_v4(9, 2, b"", kind=0)
    counts = kernel.wire.counts()["a"]
    assert (counts.requests, counts.answered, counts.lost) == (2, 1, 0)


async def test_a_silent_address_sends_nothing(lay: Laid) -> None:
    kernel = lay(SILENT)
    kernel.send(echo_v4(9, 1, b""), write_datagram(Datagram(US, THEM, 4000, 161, b"abc")))
    kernel.wire.set_behaviour("six", QUICK)
    kernel.send(echo_v6(b"sentinel"))
    (reply,) = await kernel.receives(1)
    assert reply[48:] == b"sentinel"


async def test_an_unreachable_address_gets_an_icmp_error_of_the_router(lay: Laid) -> None:
    how = Behaviour(
        1.0, mode=ReplyMode.UNREACHABLE, unreachable_from="10.77.0.14", unreachable_code=13
    )
    kernel = lay(how)
    request = echo_v4(9, 1, b"nonce")
    kernel.send(request)
    (error,) = await kernel.receives(1)
    assert str(ipaddress.ip_address(error[12:16])) == "10.77.0.14"
    assert (error[20], error[21], error[28:]) == (3, 13, request)
    counts = kernel.wire.counts()["a"]
    assert (counts.answered, counts.unreachable) == (0, 1)


async def test_a_duplicate_is_sent_twice_and_counted_once(lay: Laid) -> None:
    kernel = lay(Behaviour(1.0, duplicate_ratio=1.0))
    kernel.send(echo_v4(9, 1, b"nonce"))
    replies = await kernel.receives(2)
    assert replies == [echo_v4(9, 1, b"nonce", kind=0)] * 2
    assert kernel.wire.counts()["a"].answered == 1


async def test_an_agent_responds_from_the_port_that_was_queried(lay: Laid) -> None:
    kernel = lay(QUICK)
    kernel.send(*(write_datagram(Datagram(US, THEM, 4000 + n, 161, b"abc")) for n in range(3)))
    answers = [read_datagram(packet) for packet in await kernel.receives(3)]
    assert answers == [Datagram(THEM, US, 161, 4000 + n, b"cba") for n in range(3)]


async def test_an_agent_may_respond_from_another_address(lay: Laid) -> None:
    kernel = lay(QUICK)
    kernel.send(write_datagram(Datagram(US, THEM, 4000, 161, b"elsewhere")))
    (packet,) = await kernel.receives(1)
    other = ipaddress.ip_address("10.77.0.14").packed
    assert read_datagram(packet) == Datagram(other, US, 161, 4000, b"moved")


async def test_a_closed_port_gets_an_icmp_error_of_the_host(lay: Laid) -> None:
    kernel = lay(QUICK)
    kernel.send(write_datagram(Datagram(US, THEM, 4000, 162, b"abc")))
    (error,) = await kernel.receives(1)
    assert (error[12:16], error[20], error[21]) == (THEM, 3, 3)


async def test_agents_respond_under_a_load_of_pings(lay: Laid) -> None:
    kernel = lay(Behaviour(0.5, jitter_ms=1.0))
    kernel.send(write_datagram(Datagram(US, THEM, 4000, 161, b"abc")))
    sequence = 0
    seen: list[bytes] = []

    def answered() -> bool:
        nonlocal sequence
        sequence += 1
        kernel.send(echo_v4(9, sequence & 0xFFFF, b""))
        seen.extend(kernel.received())
        return any(read_datagram(packet) for packet in seen)

    await eventually_async(answered, every_s=0.001)


async def test_packets_for_unknown_addresses_are_counted(lay: Laid) -> None:
    kernel = lay(QUICK)
    stranger = bytearray(echo_v4(9, 1, b""))
    stranger[19] = 99
    fragment = bytearray(echo_v4(9, 1, b""))
    fragment[6] = 0x20
    kernel.send(bytes(stranger), bytes(fragment), b"\x45", b"\x60" + b"\0" * 60)
    kernel.send(struct.pack("!BB", 0x45, 0) + b"\0" * 40)
    await eventually_async(lambda: kernel.wire.stray_packets == 5)
    assert kernel.received() == []


@pytest.mark.parametrize("delay_ms", [0.0, 5.0, 40.0])
async def test_no_reply_is_sent_before_its_delay(lay: Laid, delay_ms: float) -> None:
    kernel = lay(Behaviour(delay_ms))
    loop = asyncio.get_running_loop()
    start = loop.time()
    kernel.send(echo_v4(9, 1, b""))
    await kernel.receives(1)
    assert (loop.time() - start) * 1000 > delay_ms - 0.1
