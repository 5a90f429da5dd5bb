"""Contract of `Prober`: IcmpProber with raw and datagram sockets, and the fake."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio

from monitor.adapters.icmp import IcmpProber, SocketMode
from monitor.adapters.system.clock import SystemClock
from monitor.core.errors import ProbeError
from monitor.core.model import Lost, NotMeasured, ProbeRules, Reply, Target, TargetRole
from tests.adapters.icmp.network import VethNetwork
from tests.adapters.icmp.realtime import realtime_priority
from tests.adapters.icmp.rig import ProbeRig
from tests.fakes.clock import ManualClock
from tests.fakes.prober import CannotSend, FakeProber, Refused, Silent

TIMEOUT_S = 0.25
ROUTER = VethNetwork.ROUTER


def target(name: str, address: str, timeout_s: float = TIMEOUT_S) -> Target:
    return Target(name, address, TargetRole.LINK, ProbeRules(timeout_s=timeout_s))


ALIVE = target("alive", VethNetwork.ALIVE)
SILENT = target("silent", VethNetwork.SILENT)
REFUSED = target("refused", VethNetwork.REFUSED)
UNROUTED = target("unrouted", VethNetwork.UNROUTED)
ALL = (ALIVE, SILENT, REFUSED, UNROUTED)
NAMES = tuple(one.name for one in ALL)
OTHERS = ("alive", "silent", "unrouted")
"""Without `refused`: as a router, Linux limits ICMP errors to one a second after five."""


def fake_prober(clock: ManualClock) -> FakeProber:
    prober = FakeProber(clock)
    prober.behave("silent", Silent())
    prober.behave("refused", Refused(f"host unreachable from {ROUTER}"))
    prober.behave("unrouted", CannotSend("ENETUNREACH"))
    return prober


@pytest.fixture(scope="module")
def network() -> Iterator[VethNetwork]:
    made = VethNetwork()
    yield made
    made.close()


@pytest_asyncio.fixture(params=["fake", "raw", "datagram"])
async def rig(request: pytest.FixtureRequest) -> AsyncIterator[ProbeRig]:
    if request.param == "fake":
        manual = ManualClock()
        made = ProbeRig(fake_prober(manual), manual)
    else:
        clock = SystemClock()
        made = ProbeRig(IcmpProber(clock, mode=SocketMode(request.param)), clock)
    with realtime_priority():
        yield made
    await made.prober.close()


@pytest_asyncio.fixture
async def opened(rig: ProbeRig, network: VethNetwork) -> ProbeRig:
    with network.near.inside():
        await rig.prober.open(rig.take)
    rig.prober.watch(ALL)
    return rig


async def test_a_round_before_open_is_refused(rig: ProbeRig) -> None:
    with pytest.raises(ProbeError, match="not open"):
        await rig.prober.round(["alive"], 0.0)


async def test_each_request_has_exactly_one_outcome(opened: ProbeRig) -> None:
    await opened.prober.round(NAMES, 0.0)
    await opened.until(4)
    await opened.pass_time(TIMEOUT_S)
    assert Counter(outcome.target for outcome in opened.outcomes) == Counter(NAMES)
    by_name = {outcome.target: outcome for outcome in opened.outcomes}

    reply = by_name["alive"]
    assert isinstance(reply, Reply)
    assert 0.0 < reply.rtt_ms < TIMEOUT_S * 1000.0
    assert reply.known_s == pytest.approx(reply.sent_s + reply.rtt_ms / 1000.0, abs=0.005)

    silent = by_name["silent"]
    assert silent == Lost("silent", silent.sent_s, silent.sent_s + TIMEOUT_S)

    refused = by_name["refused"]
    assert refused == Lost(
        "refused", refused.sent_s, refused.known_s, f"host unreachable from {ROUTER}"
    )
    assert refused.sent_s <= refused.known_s < refused.sent_s + TIMEOUT_S

    unrouted = by_name["unrouted"]
    assert unrouted == NotMeasured("unrouted", unrouted.sent_s, unrouted.known_s, "ENETUNREACH")


async def test_outcomes_are_delivered_in_order_and_never_early(
    opened: ProbeRig,
) -> None:
    for _ in range(8):
        await opened.prober.round(OTHERS, 0.0)
        await opened.pass_time(TIMEOUT_S / 7)
    await opened.until(24)
    order = [(outcome.known_s, outcome.target) for outcome in opened.outcomes]
    assert order == sorted(order)
    for delivered_s, outcomes in opened.batches:
        assert outcomes, "no batch is empty"
        assert all(outcome.known_s <= delivered_s for outcome in outcomes)


async def test_a_target_may_have_several_requests_out_at_once(opened: ProbeRig) -> None:
    names = ["silent", "alive", "silent", "silent"]
    await opened.prober.round(names, 0.0)
    await opened.until(4)
    lost = [outcome for outcome in opened.outcomes if outcome.target == "silent"]
    assert len(lost) == 3
    assert [outcome.sent_s for outcome in lost] == sorted(outcome.sent_s for outcome in lost)
    assert all(outcome.known_s == outcome.sent_s + TIMEOUT_S for outcome in lost)


async def test_each_target_has_its_own_time_out(opened: ProbeRig) -> None:
    opened.prober.watch([SILENT, target("patient", VethNetwork.SILENT_TOO, 0.4)])
    if isinstance(opened.prober, FakeProber):
        opened.prober.behave("patient", Silent())
    await opened.prober.round(["patient", "silent"], 0.0)
    await opened.until(2)
    assert [outcome.target for outcome in opened.outcomes] == ["silent", "patient"]
    waited_s = [outcome.known_s - outcome.sent_s for outcome in opened.outcomes]
    assert waited_s == [pytest.approx(TIMEOUT_S), pytest.approx(0.4)]


async def test_sends_are_paced_and_never_early(opened: ProbeRig) -> None:
    names = ["alive"] * 5
    began_s = opened.clock.steady_s()
    sending = asyncio.create_task(opened.prober.round(names, 0.25))
    await opened.until(5)
    await sending
    sent_s = sorted(outcome.sent_s for outcome in opened.outcomes)
    for place, one_s in enumerate(sent_s):
        assert one_s >= began_s + place * 0.05 - 1e-6


async def test_rounds_may_overlap(opened: ProbeRig) -> None:
    slow = asyncio.create_task(opened.prober.round(["alive", "silent"] * 3, 0.2))
    fast = asyncio.create_task(opened.prober.round(["alive"] * 4, 0.05))
    await opened.until(10)
    await asyncio.gather(slow, fast)
    assert Counter(outcome.target for outcome in opened.outcomes) == {"alive": 7, "silent": 3}


async def test_outcomes_still_due_for_a_removed_target_are_dropped(opened: ProbeRig) -> None:
    await opened.prober.round(["silent", "alive"], 0.0)
    opened.prober.watch([ALIVE])
    await opened.pass_time(1.5 * TIMEOUT_S)
    await opened.prober.round(["silent", "alive"], 0.0)
    await opened.until(2)
    await opened.pass_time(1.5 * TIMEOUT_S)
    assert [outcome.target for outcome in opened.outcomes] == ["alive"] * 2


async def test_a_prepared_set_changes_nothing_until_it_is_committed(opened: ProbeRig) -> None:
    commit = opened.prober.prepare([SILENT])
    await opened.prober.round(["alive"], 0.0)
    await opened.until(1)
    commit()
    await opened.prober.round(["alive", "silent"], 0.0)
    await opened.until(2)
    assert [outcome.target for outcome in opened.outcomes] == ["alive", "silent"]


async def test_an_outcome_that_is_known_but_not_delivered_is_dropped_with_its_target(
    opened: ProbeRig,
) -> None:
    """A request that could not be sent has its outcome at once; it is delivered a little later."""
    await opened.prober.round(["unrouted"], 0.0)
    delivered = len(opened.outcomes)
    opened.prober.watch([ALIVE])
    await opened.pass_time(0.1)
    assert len(opened.outcomes) == delivered


async def test_outcomes_of_a_former_address_are_dropped(opened: ProbeRig) -> None:
    opened.prober.watch([target("moves", VethNetwork.ALIVE)])
    await opened.prober.round(["moves"], 0.0)
    commit = opened.prober.prepare([target("moves", VethNetwork.ALIVE_TOO)])
    commit()
    await opened.prober.round(["moves"], 0.0)
    await opened.until(1)
    await opened.pass_time(TIMEOUT_S)
    assert len(opened.outcomes) == 1


async def test_a_new_time_out_does_not_change_requests_that_are_out(opened: ProbeRig) -> None:
    await opened.prober.round(["silent"], 0.0)
    opened.prober.watch([target("silent", VethNetwork.SILENT, 0.1)])
    await opened.prober.round(["silent"], 0.0)
    await opened.until(2)
    waited_s = sorted(outcome.known_s - outcome.sent_s for outcome in opened.outcomes)
    assert waited_s == [pytest.approx(0.1), pytest.approx(TIMEOUT_S)]


async def test_two_changes_in_a_row_drop_what_is_out(opened: ProbeRig) -> None:
    await opened.prober.round(["silent"], 0.0)
    opened.prober.watch([target("silent", VethNetwork.SILENT, 0.1)])
    opened.prober.watch([ALIVE])
    await opened.pass_time(1.5 * TIMEOUT_S)
    assert opened.outcomes == []


async def test_unknown_names_are_not_probed_and_an_empty_round_ends(
    opened: ProbeRig,
) -> None:
    await opened.prober.round([], 1.0)
    await opened.prober.round(["nobody", "alive"], 0.0)
    await opened.until(1)
    assert [outcome.target for outcome in opened.outcomes] == ["alive"]


async def test_the_counters_add_up(opened: ProbeRig) -> None:
    for _ in range(3):
        await opened.prober.round(OTHERS, 0.0)
    await opened.until(9)
    counters = opened.prober.counters()
    assert counters.sent == 6
    assert counters.received == 3
    assert counters.lost == 3
    assert counters.not_measured == 3
    assert counters.errors["ENETUNREACH"] == 3
    assert counters.unmeasured == {"ENETUNREACH": 3}


async def test_after_close_nothing_is_delivered(opened: ProbeRig) -> None:
    await opened.prober.round(["silent"], 0.0)
    await opened.prober.close()
    await opened.pass_time(1.5 * TIMEOUT_S)
    assert opened.outcomes == []
    with pytest.raises(ProbeError):
        await opened.prober.round(["silent"], 0.0)


async def test_a_round_under_way_ends_when_the_prober_is_closed(opened: ProbeRig) -> None:
    sending = asyncio.create_task(opened.prober.round(["alive"] * 4, 0.3))
    await opened.pass_time(0.05)
    await opened.prober.close()
    await opened.pass_time(0.3)
    async with asyncio.timeout(5):
        await sending
