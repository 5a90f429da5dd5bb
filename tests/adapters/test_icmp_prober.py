"""Real ICMP over a real (virtual) cable."""

from __future__ import annotations

import asyncio
import gc
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from monitor.adapters.icmp import IcmpProber, SocketMode
from monitor.adapters.system.clock import SystemClock
from monitor.core.errors import ProbeError
from monitor.core.model import Lost, NotMeasured, ProbeRules, Reply, Target, TargetRole
from tests.adapters.icmp_rig import BOTH_MODES, probing
from tests.adapters.private_network import TwoSides
from tests.adapters.scripted_side import Request, ScriptedSide


@pytest.fixture(scope="module")
def network() -> Iterator[TwoSides]:
    made = TwoSides()
    yield made
    made.close()


@pytest.mark.parametrize("mode", BOTH_MODES)
async def test_ipv6_is_probed_by_the_same_engine(network: TwoSides, mode: SocketMode) -> None:
    async with probing(network, mode=mode) as rig:
        alive, refused, silent, unrouted = await rig.ask(
            TwoSides.ALIVE6, TwoSides.REFUSED6, TwoSides.SILENT6, TwoSides.UNROUTED6
        )
        assert isinstance(alive, Reply)
        assert refused == Lost(
            TwoSides.REFUSED6,
            refused.sent_s,
            refused.known_s,
            f"no route to destination from {TwoSides.ROUTER6}",
        )
        assert silent == Lost(TwoSides.SILENT6, silent.sent_s, silent.sent_s + 0.2)
        assert isinstance(unrouted, NotMeasured)
        assert unrouted.reason == "ENETUNREACH"
        assert rig.prober.counters().malformed == 0


def open_descriptors() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


def link_local_address_of_the_far_side(network: TwoSides) -> str:
    with network.far.inside():
        known = Path("/proc/net/if_inet6").read_text(encoding="ascii")
    (digits,) = (line.split()[0] for line in known.splitlines() if line.startswith("fe80"))
    return ":".join(digits[i : i + 4] for i in range(0, 32, 4))


async def test_a_link_local_address_is_probed_over_the_port_that_it_names(
    network: TwoSides,
) -> None:
    address = f"{link_local_address_of_the_far_side(network)}%cable"
    async with probing(network) as rig:
        with network.near.inside():
            rig.watch(address)
        (outcome,) = await rig.ask(address)
        assert isinstance(outcome, Reply)


@pytest.mark.parametrize("mode", BOTH_MODES)
async def test_an_error_of_one_target_is_never_another_ones(
    network: TwoSides, mode: SocketMode
) -> None:
    """The kernel hands an ICMP error to the next call on the socket, whomever that is about."""

    def script(request: Request, side: ScriptedSide) -> None:
        if request.destination == TwoSides.ALIVE:
            side.send(request.reply(), TwoSides.ALIVE)
        else:
            side.send(request.error(3, 1), TwoSides.ALIVE_TOO)

    side = ScriptedSide(network, script)
    try:
        async with probing(network, mode=mode, timeout_s=0.5) as rig:
            names = (TwoSides.ALIVE_TOO, TwoSides.ALIVE, TwoSides.UNROUTED)
            await rig.prober.round(names * 100, 0.2)
            await rig.until(300)
            said = Counter(
                (outcome.target, type(outcome), getattr(outcome, "reason", None))
                for outcome in rig.outcomes
            )
            assert said == {
                (TwoSides.ALIVE, Reply, None): 100,
                (TwoSides.ALIVE_TOO, Lost, f"host unreachable from {TwoSides.ALIVE_TOO}"): 100,
                (TwoSides.UNROUTED, NotMeasured, "ENETUNREACH"): 100,
            }
    finally:
        side.close()


@pytest.mark.parametrize("mode", BOTH_MODES)
async def test_descriptors_do_not_grow_with_targets_and_all_are_given_back(
    network: TwoSides, mode: SocketMode
) -> None:
    gc.collect()
    before = open_descriptors()
    async with probing(network, mode=mode) as rig:
        opened = open_descriptors()
        await rig.prober.round([TwoSides.ALIVE] * 500, 0.1)
        await rig.until(500)
        assert open_descriptors() == opened
        assert opened - before <= 4
    assert open_descriptors() == before


async def test_while_answers_flow_one_look_takes_many(network: TwoSides) -> None:
    """Like a network card: 3,000 answers in half a second are no 3,000 calls."""
    async with probing(network, timeout_s=0.5) as rig:
        await rig.prober.round([TwoSides.ALIVE] * 3000, 0.5)
        await rig.until(3000)
    assert rig.batches <= 300
    assert all(isinstance(outcome, Reply) for outcome in rig.outcomes)


async def test_an_answer_just_before_its_deadline_is_waited_for(network: TwoSides) -> None:
    """While others around it time out, and the sockets are looked at all the time."""
    side = ScriptedSide(
        network, lambda request, side: side.later(0.22, request.reply(), request.destination)
    )
    try:
        async with probing(network, timeout_s=0.25) as rig:
            silence = [TwoSides.SILENT] * 100
            await rig.prober.round([*silence, TwoSides.ALIVE, *silence], 0.2)
            await rig.until(201)
            (outcome,) = (one for one in rig.outcomes if one.target == TwoSides.ALIVE)
            assert isinstance(outcome, Reply)
            assert outcome.rtt_ms >= 219.0
    finally:
        side.close()


async def test_answers_and_deadlines_that_mingle_are_told_in_order(network: TwoSides) -> None:
    async with probing(network, timeout_s=0.25) as rig:
        await rig.prober.round([TwoSides.SILENT, TwoSides.ALIVE] * 250, 0.25)
        await rig.prober.round([TwoSides.SILENT, TwoSides.ALIVE] * 250, 0.25)
        await rig.until(1000)
    order = [(outcome.known_s, outcome.target) for outcome in rig.outcomes]
    assert order == sorted(order)


async def test_an_address_that_is_none_is_refused_in_a_sentence(network: TwoSides) -> None:
    async with probing(network) as rig:
        with pytest.raises(ProbeError, match=r"router\.example: 'router\.example' is not an IP"):
            rig.watch("router.example")


async def test_a_set_with_an_unknown_interface_is_refused_and_changes_nothing(
    network: TwoSides,
) -> None:
    async with probing(network) as rig:
        asked = asyncio.create_task(rig.ask(TwoSides.ALIVE, TwoSides.SILENT))
        await asyncio.sleep(0)
        with pytest.raises(ProbeError, match="names a port that this machine does not have"):
            rig.prober.prepare(
                Target(one, one, TargetRole.LINK, ProbeRules(timeout_s=0.2))
                for one in (TwoSides.ALIVE_TOO, "fe80::1%eth9")
            )
        alive, silent = await asked
        assert isinstance(alive, Reply), "requests that are out are still awaited"
        assert isinstance(silent, Lost)
        (again,) = await rig.ask(TwoSides.ALIVE)
        assert isinstance(again, Reply), "and the former targets are still probed"


async def test_the_same_prober_can_be_opened_again(network: TwoSides) -> None:
    async with probing(network) as rig:
        await rig.prober.close()
        with network.near.inside():
            await rig.prober.open(rig.take)
        rig.watch(TwoSides.ALIVE)
        (outcome,) = await rig.ask(TwoSides.ALIVE)
        assert isinstance(outcome, Reply)


async def test_a_closed_prober_gives_its_sockets_back(network: TwoSides) -> None:
    gc.collect()
    before = open_descriptors()
    prober = IcmpProber(SystemClock())
    with pytest.raises(ProbeError, match="not open"):
        prober.prepare([])
    with network.near.inside():
        await prober.open(lambda outcomes: None)
    await prober.close()
    assert open_descriptors() == before
