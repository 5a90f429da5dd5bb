"""Traces of paths through real routers: the kernel's forwarding in network namespaces."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest

from monitor.adapters.icmp import IcmpProber, SocketMode
from monitor.adapters.system.clock import SystemClock
from monitor.core.model import Lost, Reply
from monitor.core.paths.model import PathTrace
from tests.adapters.icmp.network import VethNetwork
from tests.adapters.icmp.path_network import PathNetwork
from tests.adapters.icmp.rig import BOTH_MODES, ProbeRig, probing
from tests.adapters.icmp.scripted_host import Request, ScriptedHost, scripted_host
from tests.waiting import eventually_async

V4 = (PathNetwork.FIRST, PathNetwork.SECOND, PathNetwork.TARGET)
V6 = (PathNetwork.FIRST6, PathNetwork.SECOND6, PathNetwork.TARGET6)


@pytest.fixture(scope="module")
def row() -> Iterator[PathNetwork]:
    made = PathNetwork()
    yield made
    made.close()


@asynccontextmanager
async def tracing(row: PathNetwork, mode: SocketMode) -> AsyncIterator[ProbeRig]:
    clock = SystemClock()
    rig = ProbeRig(IcmpProber(clock, mode=mode), clock, 0.2)
    with row.monitor.inside():
        await rig.prober.open(rig.take)
    try:
        rig.watch(PathNetwork.TARGET, PathNetwork.TARGET6)
        yield rig
    finally:
        await rig.prober.close()


async def traced(rig: ProbeRig, address: str, max_hops: int = 6) -> PathTrace:
    assert isinstance(rig.prober, IcmpProber)
    found = await rig.prober.trace(address, max_hops)
    assert found is not None
    return found


def addresses(trace: PathTrace) -> tuple[str | None, ...]:
    return tuple(hop.address for hop in trace.hops)


@pytest.mark.parametrize("path", [V4, V6], ids=["v4", "v6"])
@pytest.mark.parametrize("mode", BOTH_MODES)
async def test_a_trace_names_each_router_and_the_target(
    row: PathNetwork, mode: SocketMode, path: tuple[str, ...]
) -> None:
    async with tracing(row, mode) as rig:
        found = await traced(rig, path[-1])
    assert (addresses(found), found.reached) == (path, True)
    assert all(hop.rtt_ms is not None and 0 < hop.rtt_ms < 200 for hop in found.hops)
    assert all(hop.error is None for hop in found.hops)


@pytest.mark.parametrize(
    ("mode", "path", "cut"),
    [
        (SocketMode.RAW, V4, 2),
        (SocketMode.DATAGRAM, V6, 3),
        *(
            pytest.param(mode, path, cut, marks=pytest.mark.full)
            for mode in BOTH_MODES
            for path in (V4, V6)
            for cut in (1, 2, 3)
        ),
    ],
)
async def test_a_cut_ends_the_path_at_the_last_router_before_it(
    row: PathNetwork, mode: SocketMode, path: tuple[str, ...], cut: int
) -> None:
    with row.cut(cut):
        async with tracing(row, mode) as rig:
            found = await traced(rig, path[-1])
    assert (addresses(found), found.reached) == (path[: cut - 1], False)


@pytest.mark.parametrize("mode", BOTH_MODES)
async def test_a_router_that_does_not_answer_is_a_gap(
    network: VethNetwork, mode: SocketMode
) -> None:
    def script(request: Request, host: ScriptedHost) -> None:
        ttl = request.packet[8]
        if ttl == 2:
            host.send(request.error(11, 0, 28), VethNetwork.NEIGHBOUR)
        elif ttl > 2:
            host.send(request.reply(), request.destination)

    with scripted_host(network, script) as host:
        async with probing(network, mode=mode) as rig:
            found = await traced(rig, VethNetwork.ALIVE, 5)
    assert addresses(found) == (None, VethNetwork.NEIGHBOUR, VethNetwork.ALIVE)
    assert [request.packet[8] for request in host.requests].count(1) == 2


@pytest.mark.parametrize("mode", BOTH_MODES)
async def test_a_trace_changes_no_outcome_and_no_count_but_its_own(
    row: PathNetwork, mode: SocketMode
) -> None:
    async with tracing(row, mode) as rig:
        both = (PathNetwork.TARGET, PathNetwork.TARGET6)
        running = [asyncio.ensure_future(traced(rig, each)) for each in both]
        for _ in range(10):
            outcomes = await rig.probe(*both)
            # An ordinary request has the socket's own TTL: it reaches the target.
            assert [type(outcome) for outcome in outcomes] == [Reply, Reply]
        await asyncio.gather(*running)
        assert len(rig.outcomes) == 20
        counters = rig.prober.counters()
        assert (counters.sent, counters.received, counters.lost) == (20, 20, 0)
        assert (counters.late, counters.duplicate, counters.foreign, counters.spoofed) == (
            *(0, 0, 0),
            0,
        )
        assert counters.trace_requests == 6
        assert counters.errors == {}


async def test_late_answers_and_losses_of_a_trace_are_no_evidence(row: PathNetwork) -> None:
    with row.cut(3):
        async with tracing(row, SocketMode.RAW) as rig:
            found = await traced(rig, PathNetwork.TARGET, 4)
            await rig.pass_time(0.5)
            assert rig.outcomes == []
            (outcome,) = await rig.probe(PathNetwork.TARGET)
    assert addresses(found) == V4[:2]
    assert isinstance(outcome, Lost)
    counters = rig.prober.counters()
    assert (counters.sent, counters.lost, counters.late, counters.foreign) == (1, 1, 0, 0)
    assert counters.trace_requests == 2 + 2 * 2


@pytest.mark.parametrize("mode", BOTH_MODES)
@pytest.mark.parametrize(
    ("address", "error"),
    [
        (VethNetwork.REFUSED, "host unreachable"),
        (VethNetwork.FILTERED, "packet filtered"),
    ],
)
async def test_a_router_that_says_unreachable_ends_the_path(
    network: VethNetwork, mode: SocketMode, address: str, error: str
) -> None:
    async with probing(network, mode=mode) as rig:
        found = await traced(rig, address)
    assert not found.reached
    assert {hop.address for hop in found.hops} == {VethNetwork.ROUTER}
    assert found.hops[-1].error == error
    assert len(found.hops) <= 2


async def test_a_target_that_moves_or_leaves_ends_its_trace_without_a_result(
    row: PathNetwork,
) -> None:
    async with tracing(row, SocketMode.RAW) as rig:
        assert isinstance(rig.prober, IcmpProber)
        running = asyncio.ensure_future(rig.prober.trace(PathNetwork.TARGET, 6))
        await eventually_async(lambda: rig.prober.counters().trace_requests > 0)
        rig.watch(PathNetwork.TARGET6)
        assert await running is None
        assert await rig.prober.trace("nobody", 6) is None


async def test_a_trace_that_cannot_be_sent_proves_nothing(network: VethNetwork) -> None:
    async with probing(network) as rig:
        assert isinstance(rig.prober, IcmpProber)
        assert await rig.prober.trace(VethNetwork.UNROUTED, 6) is None


@pytest.mark.parametrize("mode", BOTH_MODES)
async def test_answers_that_quote_only_eight_bytes_are_matched_and_forged_ones_are_not(
    network: VethNetwork, mode: SocketMode
) -> None:
    """`ROUTER` answers with 28 bytes of the packet; forged answers precede it."""

    def script(request: Request, host: ScriptedHost) -> None:
        other = bytearray(request.packet)
        other[23] ^= 1  # the checksum
        forged = Request(bytes(other), request.icmp, request.source, request.destination)
        host.send(forged.error(11, 0, 28), VethNetwork.NEIGHBOUR)
        host.send(request.changed(nonce=7), request.destination)
        host.send(request.reply(), VethNetwork.NEIGHBOUR)
        if request.packet[8] < 3:
            host.send(request.error(11, 0, 28), VethNetwork.ALIVE_TOO)
        else:
            host.send(request.reply(), request.destination)

    with scripted_host(network, script):
        async with probing(network, mode=mode) as rig:
            found = await traced(rig, VethNetwork.ALIVE, 5)
            counters = rig.prober.counters()
    assert addresses(found) == (VethNetwork.ALIVE_TOO, VethNetwork.ALIVE_TOO, VethNetwork.ALIVE)
    assert found.reached
    assert counters.spoofed + counters.foreign > 0
    assert rig.outcomes == []
