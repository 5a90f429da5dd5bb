"""Any packet is a reply to a request, or rejected: IPv4 and IPv6, replies and quoted requests."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.adapters.icmp import SocketMode
from monitor.adapters.icmp.packets import EchoCodec, Family, QuotedRequest, Rejection
from monitor.core.model import NotMeasured, Reply
from tests.adapters.icmp.network import VethNetwork
from tests.adapters.icmp.rig import probing
from tests.adapters.icmp.scripted_host import (
    Request,
    ScriptedHost,
    scripted_host,
    with_checksum,
)
from tests.adapters.icmp.test_packets import codec
from tests.fuzz.mutations import corpus, fuzzed, mutated

PACKETS = corpus("icmp")
INDEX, NONCE = 7, 0x01020304


@pytest.fixture(scope="module")
def network() -> Iterator[VethNetwork]:
    made = VethNetwork()
    yield made
    made.close()


def reader(family: Family, raw: bool) -> EchoCodec:
    return codec(family, raw=raw)


@fuzzed(150)
@given(mutated(PACKETS), st.sampled_from(Family), st.booleans())
def test_a_reply(data: bytes, family: Family, raw: bool) -> None:
    marks = reader(family, raw).parse_reply(data)
    assert isinstance(marks, Rejection) or all(0 <= mark < 2**32 for mark in marks)


@fuzzed(100)
@given(mutated(PACKETS), st.sampled_from(Family))
def test_what_an_icmp_error_quotes(data: bytes, family: Family) -> None:
    quote = reader(family, False).parse_quote(data)
    assert isinstance(quote, Rejection | QuotedRequest)


@pytest.mark.parametrize("mode", [SocketMode.RAW, SocketMode.DATAGRAM])
@pytest.mark.parametrize("count", [40, pytest.param(2000, marks=pytest.mark.full)])
async def test_broken_replies_and_errors_through_the_kernel_change_no_outcome(
    network: VethNetwork, mode: SocketMode, count: int
) -> None:
    """On the sockets and their error queues; the true reply, sent last, is the outcome."""
    rng = random.Random(12)

    def script(request: Request, host: ScriptedHost) -> None:
        for _ in range(count):
            reply, error = bytearray(request.reply()), bytearray(request.error(3, 1))
            for packet in (reply, error):
                for _ in range(rng.randrange(1, 5)):
                    packet[rng.randrange(len(packet))] = rng.randrange(256)
                del packet[rng.randrange(4, len(packet) + 1) :]
            # Most do not pass the kernel, which checks sum and identifier; these do.
            odd = bytearray(request.reply())
            odd[rng.randrange(6, 16)] ^= 1 << rng.randrange(8)
            host.send(with_checksum(bytes(odd)), VethNetwork.ALIVE)
            host.send(bytes(reply), VethNetwork.ALIVE)
            host.send(bytes(error), VethNetwork.ALIVE_TOO)
            host.send(with_checksum(bytes(error)), VethNetwork.ALIVE_TOO)
        host.send(request.reply(), VethNetwork.ALIVE)

    with scripted_host(network, script):
        async with probing(network, mode=mode, timeout_s=1.0) as rig:
            (outcome,) = await rig.probe(VethNetwork.ALIVE)
            counters = rig.prober.counters()
    assert isinstance(outcome, Reply | NotMeasured), outcome
    assert counters.malformed + counters.foreign + counters.spoofed > 0
