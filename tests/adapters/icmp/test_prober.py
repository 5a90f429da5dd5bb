"""The prober over a real network: what the contract of all probers does not say."""

from __future__ import annotations

import asyncio
import gc
from collections import Counter
from pathlib import Path

import pytest

from monitor.adapters.icmp import IcmpProber, SocketMode
from monitor.adapters.system.clock import SystemClock
from monitor.core.errors import ProbeError
from monitor.core.model import Lost, NotMeasured, Reply
from tests.adapters.icmp.network import VethNetwork
from tests.adapters.icmp.rig import BOTH_MODES, probing
from tests.adapters.icmp.scripted_host import Request, ScriptedHost


@pytest.mark.parametrize("mode", BOTH_MODES)
async def test_ipv6_targets_have_the_same_outcomes(network: VethNetwork, mode: SocketMode) -> None:
    async with probing(network, mode=mode) as rig:
        alive, refused, silent, unrouted = await rig.probe(
            VethNetwork.ALIVE6, VethNetwork.REFUSED6, VethNetwork.SILENT6, VethNetwork.UNROUTED6
        )
        assert isinstance(alive, Reply)
        assert refused == Lost(
            VethNetwork.REFUSED6,
            refused.sent_s,
            refused.known_s,
            f"no route to destination from {VethNetwork.ROUTER6}",
        )
        assert silent == Lost(VethNetwork.SILENT6, silent.sent_s, silent.sent_s + 0.2)
        assert isinstance(unrouted, NotMeasured)
        assert unrouted.reason == "ENETUNREACH"
        assert rig.prober.counters().malformed == 0


def open_descriptors() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


def far_link_local_address(network: VethNetwork) -> str:
    with network.far.inside():
        known = Path("/proc/net/if_inet6").read_text(encoding="ascii")
    (digits,) = (line.split()[0] for line in known.splitlines() if line.startswith("fe80"))
    return ":".join(digits[i : i + 4] for i in range(0, 32, 4))


async def test_a_link_local_address_is_probed_over_its_interface(
    network: VethNetwork,
) -> None:
    address = f"{far_link_local_address(network)}%cable"
    async with probing(network) as rig:
        with network.near.inside():
            rig.watch(address)
        (outcome,) = await rig.probe(address)
        assert isinstance(outcome, Reply)


@pytest.mark.parametrize("mode", BOTH_MODES)
async def test_an_icmp_error_is_never_attributed_to_another_target(
    network: VethNetwork, mode: SocketMode
) -> None:
    """The kernel hands a pending ICMP error to the next call on the socket."""

    def script(request: Request, host: ScriptedHost) -> None:
        if request.destination == VethNetwork.ALIVE:
            host.send(request.reply(), VethNetwork.ALIVE)
        else:
            host.send(request.error(3, 1), VethNetwork.ALIVE_TOO)

    host = ScriptedHost(network, script)
    try:
        async with probing(network, mode=mode, timeout_s=0.5) as rig:
            other = VethNetwork.ALIVE_TOO
            names = (other, VethNetwork.ALIVE, VethNetwork.UNROUTED)
            await rig.prober.round(names * 100, 0.2)
            await rig.until(300)
            found = Counter(
                (outcome.target, type(outcome), getattr(outcome, "reason", None))
                for outcome in rig.outcomes
            )
            assert found == {
                (VethNetwork.ALIVE, Reply, None): 100,
                (
                    VethNetwork.ALIVE_TOO,
                    Lost,
                    f"host unreachable from {VethNetwork.ALIVE_TOO}",
                ): 100,
                (VethNetwork.UNROUTED, NotMeasured, "ENETUNREACH"): 100,
            }
    finally:
        host.close()


@pytest.mark.parametrize("mode", BOTH_MODES)
async def test_descriptors_do_not_grow_with_targets_and_all_are_closed(
    network: VethNetwork, mode: SocketMode
) -> None:
    gc.collect()
    before = open_descriptors()
    async with probing(network, mode=mode) as rig:
        opened = open_descriptors()
        await rig.prober.round([VethNetwork.ALIVE] * 500, 0.1)
        await rig.until(500)
        assert open_descriptors() == opened
        assert opened - before <= 4
    assert open_descriptors() == before


async def test_replies_in_quick_succession_are_read_in_batches(network: VethNetwork) -> None:
    async with probing(network, timeout_s=0.5) as rig:
        await rig.prober.round([VethNetwork.ALIVE] * 3000, 0.5)
        await rig.until(3000)
    assert rig.batches <= 300
    assert all(isinstance(outcome, Reply) for outcome in rig.outcomes)


async def test_a_reply_just_before_its_deadline_counts(network: VethNetwork) -> None:
    """Even while others time out around it, and the sockets are read all the time."""
    host = ScriptedHost(
        network, lambda request, host: host.later(0.22, request.reply(), request.destination)
    )
    try:
        async with probing(network, timeout_s=0.25) as rig:
            silence = [VethNetwork.SILENT] * 100
            await rig.prober.round([*silence, VethNetwork.ALIVE, *silence], 0.2)
            await rig.until(201)
            (outcome,) = (one for one in rig.outcomes if one.target == VethNetwork.ALIVE)
            assert isinstance(outcome, Reply)
            assert outcome.rtt_ms >= 219.0
    finally:
        host.close()


async def test_interleaved_replies_and_time_outs_are_delivered_in_order(
    network: VethNetwork,
) -> None:
    async with probing(network, timeout_s=0.25) as rig:
        await rig.prober.round([VethNetwork.SILENT, VethNetwork.ALIVE] * 250, 0.25)
        await rig.prober.round([VethNetwork.SILENT, VethNetwork.ALIVE] * 250, 0.25)
        await rig.until(1000)
    order = [(outcome.known_s, outcome.target) for outcome in rig.outcomes]
    assert order == sorted(order)


async def test_an_invalid_address_is_refused_with_its_target(network: VethNetwork) -> None:
    async with probing(network) as rig:
        with pytest.raises(ProbeError, match=r"router\.example: 'router\.example' is not an IP"):
            rig.watch("router.example")


async def test_a_set_with_an_unknown_interface_is_refused_and_changes_nothing(
    network: VethNetwork,
) -> None:
    async with probing(network) as rig:
        probed = asyncio.create_task(rig.probe(VethNetwork.ALIVE, VethNetwork.SILENT))
        await asyncio.sleep(0)
        with pytest.raises(ProbeError, match="names a port that this machine does not have"):
            rig.prober.prepare(rig.targets(VethNetwork.ALIVE_TOO, "fe80::1%eth9"))
        alive, silent = await probed
        assert isinstance(alive, Reply), "requests that are out are still awaited"
        assert isinstance(silent, Lost)
        (again,) = await rig.probe(VethNetwork.ALIVE)
        assert isinstance(again, Reply), "and the former targets are still probed"


async def test_the_same_prober_can_be_opened_again(network: VethNetwork) -> None:
    async with probing(network) as rig:
        await rig.prober.close()
        with network.near.inside():
            await rig.prober.open(rig.take)
        rig.watch(VethNetwork.ALIVE)
        (outcome,) = await rig.probe(VethNetwork.ALIVE)
        assert isinstance(outcome, Reply)


async def test_a_closed_prober_gives_its_sockets_back(network: VethNetwork) -> None:
    gc.collect()
    before = open_descriptors()
    prober = IcmpProber(SystemClock())
    with pytest.raises(ProbeError, match="not open"):
        prober.prepare([])
    with network.near.inside():
        await prober.open(lambda outcomes: None)
    await prober.close()
    assert open_descriptors() == before
