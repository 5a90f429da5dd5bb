"""Packets that lie, come late, come twice or are broken: counted, ignored, and no crash."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

import pytest

from monitor.adapters.icmp import SocketMode
from monitor.adapters.system.clock import boottime_s
from monitor.core.model import Lost, NotMeasured, Outcome, Reply
from monitor.core.ports import ProbeCounters, Prober
from tests.adapters.icmp_rig import BOTH_MODES, probing
from tests.adapters.private_network import TwoSides
from tests.adapters.scripted_side import Request, Script, ScriptedSide, checksum
from tests.waiting import eventually_async

ASKED = TwoSides.ALIVE
ELSEWHERE = TwoSides.ALIVE_TOO
TIMEOUT_S = 0.12


@pytest.fixture(scope="module")
def network() -> Iterator[TwoSides]:
    made = TwoSides()
    yield made
    made.close()


def moved(prober: Prober, counter: str) -> bool:
    return bool(getattr(prober.counters(), counter) > 0)


async def what_becomes_of_one(
    network: TwoSides, mode: SocketMode, script: Script, afterwards: str | None = None
) -> tuple[Outcome, ProbeCounters]:
    """One request to ASKED on a network that does as `script` says.

    afterwards: a counter that has to move before we leave. On a machine so busy that the prober
    itself says "stalled", it is asked again.
    """
    for _ in range(10):
        side = ScriptedSide(network, script)
        try:
            async with probing(network, mode=mode, timeout_s=TIMEOUT_S) as rig:
                (outcome,) = await rig.ask(ASKED)
                if afterwards is not None:
                    await eventually_async(partial(moved, rig.prober, afterwards))
                assert len(rig.outcomes) == 1
                assert len(side.requests) == 1
                if not isinstance(outcome, NotMeasured):
                    return outcome, rig.prober.counters()
                assert outcome.reason == "stalled"
        finally:
            side.close()
    raise AssertionError("this machine stood still ten times in a row")


@pytest.mark.parametrize("mode", BOTH_MODES)
async def test_an_honest_answer_is_a_reply_with_its_delay(
    network: TwoSides, mode: SocketMode
) -> None:
    def honest(request: Request, side: ScriptedSide) -> None:
        side.later(0.03, request.reply(), ASKED)

    outcome, counters = await what_becomes_of_one(network, mode, honest)
    assert isinstance(outcome, Reply)
    assert outcome.rtt_ms >= 29.9
    assert counters == ProbeCounters(sent=1, received=1)


def from_elsewhere(request: Request, side: ScriptedSide) -> None:
    side.send(request.reply(), ELSEWHERE)


def wrong_nonce(request: Request, side: ScriptedSide) -> None:
    nonce = int.from_bytes(request.icmp[12:16], "big")
    side.send(request.changed(nonce=nonce ^ 1), ASKED)


def wrong_sequence(request: Request, side: ScriptedSide) -> None:
    sequence = int.from_bytes(request.icmp[6:8], "big")
    side.send(request.changed(sequence=sequence ^ 1), ASKED)


def index_never_used(request: Request, side: ScriptedSide) -> None:
    index = int.from_bytes(request.icmp[8:12], "big")
    side.send(request.changed(index=index ^ 0x40000000), ASKED)


def strange_code(request: Request, side: ScriptedSide) -> None:
    side.send(request.changed(code=3), ASKED)


@pytest.mark.parametrize("mode", BOTH_MODES)
@pytest.mark.parametrize(
    ("script", "counted_as"),
    [
        (from_elsewhere, "spoofed"),
        (wrong_nonce, "spoofed"),
        (wrong_sequence, "malformed"),
        (strange_code, "malformed"),
        (index_never_used, "foreign"),
    ],
)
async def test_a_forged_answer_is_counted_under_its_name_and_revives_nobody(
    network: TwoSides, mode: SocketMode, script: Script, counted_as: str
) -> None:
    outcome, counters = await what_becomes_of_one(network, mode, script)
    assert outcome == Lost(ASKED, outcome.sent_s, outcome.sent_s + TIMEOUT_S)
    odd = ("late", "duplicate", "foreign", "spoofed", "malformed")
    assert {name: getattr(counters, name) for name in odd} == {
        name: int(name == counted_as) for name in odd
    }
    assert (counters.sent, counters.received, counters.lost) == (1, 0, 1)


@pytest.mark.parametrize("mode", BOTH_MODES)
async def test_an_answer_with_a_wrong_checksum_revives_nobody(
    network: TwoSides, mode: SocketMode
) -> None:
    def broken(request: Request, side: ScriptedSide) -> None:
        reply = request.reply()
        side.send(reply[:2] + bytes([reply[2] ^ 1]) + reply[3:], ASKED)

    outcome, counters = await what_becomes_of_one(network, mode, broken)
    assert isinstance(outcome, Lost)
    # A datagram socket does not see it: there the kernel checks.
    assert counters.malformed == (1 if mode is SocketMode.RAW else 0)


@pytest.mark.parametrize("mode", BOTH_MODES)
async def test_an_answer_to_another_program_is_not_ours(
    network: TwoSides, mode: SocketMode
) -> None:
    def for_another(request: Request, side: ScriptedSide) -> None:
        identifier = int.from_bytes(request.icmp[4:6], "big")
        side.send(request.changed(identifier=identifier ^ 1), ASKED)

    outcome, counters = await what_becomes_of_one(network, mode, for_another)
    assert isinstance(outcome, Lost)
    assert counters == ProbeCounters(sent=1, lost=1), "the kernel's filter keeps it from us"


@pytest.mark.parametrize("mode", BOTH_MODES)
async def test_answers_cut_off_anywhere_are_no_answers(network: TwoSides, mode: SocketMode) -> None:
    def all_lengths(request: Request, side: ScriptedSide) -> None:
        for length in range(16):
            cut = request.reply()[:length]
            if length >= 4:
                bare = cut[:2] + b"\0\0" + cut[4:]
                cut = bare[:2] + checksum(bare).to_bytes(2, "big") + bare[4:]
            side.send(cut, ASKED)

    outcome, counters = await what_becomes_of_one(network, mode, all_lengths)
    assert isinstance(outcome, Lost)
    # Under 8 bytes the kernel itself throws them away.
    assert counters == ProbeCounters(sent=1, lost=1, malformed=8)


@pytest.mark.parametrize("mode", BOTH_MODES)
async def test_a_second_and_a_third_answer_are_duplicates(
    network: TwoSides, mode: SocketMode
) -> None:
    def three_times(request: Request, side: ScriptedSide) -> None:
        for _ in range(3):
            side.send(request.reply(), ASKED)

    outcome, counters = await what_becomes_of_one(network, mode, three_times, "duplicate")
    assert isinstance(outcome, Reply)
    assert counters == ProbeCounters(sent=1, received=1, duplicate=2)


@pytest.mark.parametrize("mode", BOTH_MODES)
async def test_an_answer_after_the_deadline_is_late_and_the_request_lost(
    network: TwoSides, mode: SocketMode
) -> None:
    def too_late(request: Request, side: ScriptedSide) -> None:
        side.later(TIMEOUT_S + 0.05, request.reply(), ASKED)

    outcome, counters = await what_becomes_of_one(network, mode, too_late, "late")
    assert outcome == Lost(ASKED, outcome.sent_s, outcome.sent_s + TIMEOUT_S)
    assert counters == ProbeCounters(sent=1, lost=1, late=1)


async def test_an_answer_that_is_read_before_its_late_deadline_is_settled_is_late_too(
    network: TwoSides,
) -> None:
    """The loop is held over the deadline, a little; the answer comes then, and is read first."""
    side = ScriptedSide(network, lambda request, side: None)
    try:
        async with probing(network, timeout_s=0.5) as rig:
            await rig.prober.round([ASKED], 0.0)
            deadline_s = boottime_s() + 0.5
            while boottime_s() < deadline_s + 0.02:
                side.take_in()
            side.send(side.requests[0].reply(), ASKED)
            await rig.until(1)
            (outcome,) = rig.outcomes
            assert outcome == Lost(ASKED, outcome.sent_s, outcome.sent_s + 0.5)
            assert rig.prober.counters() == ProbeCounters(sent=1, lost=1, late=1)
    finally:
        side.close()


@pytest.mark.parametrize("mode", BOTH_MODES)
async def test_forgeries_before_the_true_answer_do_not_spoil_it(
    network: TwoSides, mode: SocketMode
) -> None:
    def first_lies(request: Request, side: ScriptedSide) -> None:
        from_elsewhere(request, side)
        wrong_nonce(request, side)
        side.later(0.04, request.reply(), ASKED)

    outcome, counters = await what_becomes_of_one(network, mode, first_lies)
    assert isinstance(outcome, Reply)
    assert outcome.rtt_ms >= 39.9
    assert counters == ProbeCounters(sent=1, received=1, spoofed=2)


@pytest.mark.parametrize("mode", BOTH_MODES)
@pytest.mark.parametrize("quote_bytes", [28, 36, 84])
async def test_an_icmp_error_names_its_router_however_little_it_quotes(
    network: TwoSides, mode: SocketMode, quote_bytes: int
) -> None:
    def refuse(request: Request, side: ScriptedSide) -> None:
        side.send(request.error(3, 1, quote_bytes), ELSEWHERE)

    outcome, counters = await what_becomes_of_one(network, mode, refuse)
    assert isinstance(outcome, Lost)
    assert outcome.reason == f"host unreachable from {ELSEWHERE}"
    assert outcome.known_s < outcome.sent_s + TIMEOUT_S
    assert counters == ProbeCounters(sent=1, lost=1, errors={"host unreachable": 1})


@pytest.mark.parametrize("mode", BOTH_MODES)
async def test_a_routing_loop_is_named(network: TwoSides, mode: SocketMode) -> None:
    def loop(request: Request, side: ScriptedSide) -> None:
        side.send(request.error(11, 0), ELSEWHERE)

    outcome, _ = await what_becomes_of_one(network, mode, loop)
    assert isinstance(outcome, Lost)
    assert outcome.reason == f"time to live exceeded from {ELSEWHERE}"


def error_with_wrong_nonce(request: Request, side: ScriptedSide) -> None:
    packet = bytearray(request.packet)
    packet[32] ^= 1
    side.send(replace(request, packet=bytes(packet)).error(3, 1), ELSEWHERE)


def error_with_wrong_checksum_quoted(request: Request, side: ScriptedSide) -> None:
    packet = bytearray(request.packet)
    packet[22] ^= 1
    side.send(replace(request, packet=bytes(packet)).error(3, 1, 28), ELSEWHERE)


def error_about_another_address(request: Request, side: ScriptedSide) -> None:
    packet = request.packet[:16] + bytes([10, 9, 0, 7]) + request.packet[20:]
    side.send(replace(request, packet=packet).error(3, 1), ELSEWHERE)


@pytest.mark.parametrize("mode", BOTH_MODES)
@pytest.mark.parametrize(
    "script",
    [error_with_wrong_nonce, error_with_wrong_checksum_quoted, error_about_another_address],
)
async def test_a_forged_icmp_error_takes_nobody_down_early(
    network: TwoSides, mode: SocketMode, script: Script
) -> None:
    def lie_then_answer(request: Request, side: ScriptedSide) -> None:
        script(request, side)
        side.later(0.04, request.reply(), ASKED)

    outcome, counters = await what_becomes_of_one(network, mode, lie_then_answer)
    assert isinstance(outcome, Reply)
    assert counters == ProbeCounters(sent=1, received=1, spoofed=1)
