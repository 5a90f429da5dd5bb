"""The prober on a real network: what is not in the contract of all probers."""

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
from tests.adapters.icmp.scripted_host import Request, ScriptedHost, scripted_host

ALIVE, ALIVE_TOO = VethNetwork.ALIVE, VethNetwork.ALIVE_TOO
SILENT, UNROUTED = VethNetwork.SILENT, VethNetwork.UNROUTED


@pytest.mark.parametrize("mode", BOTH_MODES)
async def test_ipv6_targets_have_the_same_outcomes(network: VethNetwork, mode: SocketMode) -> None:
    async with probing(network, mode=mode) as rig:
        alive, refused, silent, unrouted = await rig.probe(
            VethNetwork.ALIVE6, VethNetwork.REFUSED6, VethNetwork.SILENT6, VethNetwork.UNROUTED6
        )
        reason = f"no route to destination from {VethNetwork.ROUTER6}"
        assert isinstance(alive, Reply)
        assert refused == Lost(VethNetwork.REFUSED6, refused.sent_s, refused.known_s, reason)
        assert silent == Lost(VethNetwork.SILENT6, silent.sent_s, silent.sent_s + 0.2)
        assert isinstance(unrouted, NotMeasured)
        assert unrouted.reason == "ENETUNREACH"
        assert rig.prober.counters().malformed == 0


def open_descriptors() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


async def test_a_link_local_address_is_probed_over_its_interface(network: VethNetwork) -> None:
    with network.far.inside():
        lines = Path("/proc/net/if_inet6").read_text().splitlines()  # noqa: ASYNC240
    (digits,) = (line.split()[0] for line in lines if line.startswith("fe80"))
    address = ":".join(digits[i : i + 4] for i in range(0, 32, 4)) + "%cable"
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
        if request.destination == ALIVE:
            host.send(request.reply(), ALIVE)
        else:
            host.send(request.error(3, 1), ALIVE_TOO)

    with scripted_host(network, script):
        async with probing(network, mode=mode, timeout_s=0.5) as rig:
            await rig.prober.round((ALIVE_TOO, ALIVE, UNROUTED) * 100, 0.2)
            await rig.until(300)
    found = Counter((o.target, type(o), getattr(o, "reason", None)) for o in rig.outcomes)
    assert found == {
        (ALIVE, Reply, None): 100,
        (ALIVE_TOO, Lost, f"host unreachable from {ALIVE_TOO}"): 100,
        (UNROUTED, NotMeasured, "ENETUNREACH"): 100,
    }


@pytest.mark.parametrize("mode", BOTH_MODES)
async def test_descriptors_do_not_grow_with_targets_and_all_are_closed(
    network: VethNetwork, mode: SocketMode
) -> None:
    gc.collect()
    before = open_descriptors()
    async with probing(network, mode=mode) as rig:
        opened = open_descriptors()
        await rig.prober.round([ALIVE] * 500, 0.1)
        await rig.until(500)
        assert open_descriptors() == opened
        assert opened - before <= 4
    assert open_descriptors() == before


async def test_replies_in_quick_succession_are_read_in_batches(network: VethNetwork) -> None:
    async with probing(network, timeout_s=0.5) as rig:
        await rig.prober.round([ALIVE] * 3000, 0.5)
        await rig.until(3000)
    assert len(rig.batches) <= 300
    assert all(isinstance(outcome, Reply) for outcome in rig.outcomes)


async def test_a_reply_just_before_its_deadline_counts(network: VethNetwork) -> None:
    """Even while others time out around it, and the sockets are read all the time."""

    def late(request: Request, host: ScriptedHost) -> None:
        host.later(0.22, request.reply(), request.destination)

    with scripted_host(network, late):
        async with probing(network, timeout_s=0.25) as rig:
            await rig.prober.round([*[SILENT] * 100, ALIVE, *[SILENT] * 100], 0.2)
            await rig.until(201)
    (outcome,) = (one for one in rig.outcomes if one.target == ALIVE)
    assert isinstance(outcome, Reply)
    assert outcome.rtt_ms >= 219.0


async def test_interleaved_replies_and_losses_are_delivered_in_order(network: VethNetwork) -> None:
    async with probing(network, timeout_s=0.25) as rig:
        for _ in range(2):
            await rig.prober.round([SILENT, ALIVE] * 250, 0.25)
        await rig.until(1000)
    order = [(outcome.known_s, outcome.target) for outcome in rig.outcomes]
    assert order == sorted(order)


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("router.example", r"router\.example: 'router\.example' is not an IP"),
        ("fe80::1%eth9", "names a port that this machine does not have"),
    ],
)
async def test_a_set_with_an_unusable_address_is_refused_and_changes_nothing(
    network: VethNetwork, address: str, message: str
) -> None:
    async with probing(network) as rig:
        probed = asyncio.create_task(rig.probe(ALIVE, SILENT))
        await asyncio.sleep(0)
        with pytest.raises(ProbeError, match=message):
            rig.prober.prepare(rig.targets(ALIVE_TOO, address))
        alive, silent = await probed
        assert isinstance(alive, Reply), "requests that are out are still awaited"
        assert isinstance(silent, Lost)
        (again,) = await rig.probe(ALIVE)
        assert isinstance(again, Reply), "and the former targets are still probed"


async def test_a_prober_can_be_opened_again_and_closes_its_sockets(network: VethNetwork) -> None:
    gc.collect()
    before = open_descriptors()
    with pytest.raises(ProbeError, match="not open"):
        IcmpProber(SystemClock()).prepare([])
    async with probing(network) as rig:
        await rig.prober.close()
        assert open_descriptors() == before
        with network.near.inside():
            await rig.prober.open(rig.take)
        rig.watch(ALIVE)
        (outcome,) = await rig.probe(ALIVE)
        assert isinstance(outcome, Reply)
