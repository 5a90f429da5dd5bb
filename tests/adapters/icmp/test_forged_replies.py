"""Forged, late, duplicate and broken packets are counted by kind and change no outcome."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import NamedTuple

import pytest

from monitor.adapters.icmp import SocketMode
from monitor.adapters.system.clock import boottime_s
from monitor.core.model import Lost, NotMeasured, Outcome, Reply
from monitor.core.ports import ProbeCounters, Prober
from tests.adapters.icmp.network import VethNetwork
from tests.adapters.icmp.rig import BOTH_MODES, probing
from tests.adapters.icmp.scripted_host import (
    Request,
    Script,
    ScriptedHost,
    scripted_host,
    with_checksum,
)
from tests.waiting import eventually_async

PROBED = VethNetwork.ALIVE
ELSEWHERE = VethNetwork.ALIVE_TOO
TIMEOUT_S = 0.12
HEADER_FIELDS = {"identifier": (4, 6), "sequence": (6, 8), "index": (8, 12), "nonce": (12, 16)}


def counter_moved(prober: Prober, counter: str) -> bool:
    return bool(getattr(prober.counters(), counter) > 0)


async def probe_once(
    network: VethNetwork, mode: SocketMode, script: Script, wait_for: str | None
) -> tuple[Outcome, ProbeCounters]:
    """One request to PROBED on a network that runs `script`.

    wait_for: a counter that must increase before the prober is closed. When the machine is so
    busy that the prober itself reports a stall, the request is repeated.
    """
    for _ in range(10):
        with scripted_host(network, script) as host:
            async with probing(network, mode=mode, timeout_s=TIMEOUT_S) as rig:
                (outcome,) = await rig.probe(PROBED)
                if wait_for is not None:
                    await eventually_async(partial(counter_moved, rig.prober, wait_for))
                assert len(rig.outcomes) == len(host.requests) == 1
                if not isinstance(outcome, NotMeasured):
                    return outcome, rig.prober.counters()
                assert outcome.reason == "stalled"
    raise AssertionError("this machine stalled ten times in a row")


def reply(request: Request, host: ScriptedHost, *, after_s: float = 0.0) -> None:
    host.later(after_s, request.reply(), PROBED)


def reply_from_elsewhere(request: Request, host: ScriptedHost) -> None:
    host.send(request.reply(), ELSEWHERE)


def reply_with(field: str) -> Script:
    """A reply with the lowest bit of one field flipped; of the index one that was never used."""
    start, stop = HEADER_FIELDS[field]

    def script(request: Request, host: ScriptedHost) -> None:
        value = int.from_bytes(request.icmp[start:stop], "big")
        flipped = value ^ (0x40000000 if field == "index" else 1)
        host.send(request.changed(**{field: flipped}), PROBED)

    return script


def reply_with_code(request: Request, host: ScriptedHost) -> None:
    host.send(request.changed(code=3), PROBED)


def reply_with_wrong_checksum(request: Request, host: ScriptedHost) -> None:
    packet = request.reply()
    host.send(packet[:2] + bytes([packet[2] ^ 1]) + packet[3:], PROBED)


def truncated_replies(request: Request, host: ScriptedHost) -> None:
    for length in range(16):
        host.send(with_checksum(request.reply()[:length]), PROBED)


def three_replies(request: Request, host: ScriptedHost) -> None:
    for _ in range(3):
        reply(request, host)


def forged_then_true_reply(request: Request, host: ScriptedHost) -> None:
    reply_from_elsewhere(request, host)
    reply_with("nonce")(request, host)
    reply(request, host, after_s=0.04)


def icmp_error(kind: int, code: int, quoted_bytes: int) -> Script:
    def script(request: Request, host: ScriptedHost) -> None:
        host.send(request.error(kind, code, quoted_bytes), ELSEWHERE)

    return script


def forged_error(forge: Callable[[bytearray], None], quoted_bytes: int = 84) -> Script:
    """An ICMP error about a packet that was not sent like this; the true reply follows."""

    def script(request: Request, host: ScriptedHost) -> None:
        packet = bytearray(request.packet)
        forge(packet)
        host.send(replace(request, packet=bytes(packet)).error(3, 1, quoted_bytes), ELSEWHERE)
        reply(request, host, after_s=0.04)

    return script


def flip(at: int) -> Callable[[bytearray], None]:
    def forge(packet: bytearray) -> None:
        packet[at] ^= 1

    return forge


class Case(NamedTuple):
    """kind, reason and shortest RTT of the outcome; the counters, and the one to wait for.

    datagram: the counters of a datagram socket, where the kernel itself rejects more.
    """

    script: Script
    kind: type[Reply] | type[Lost]
    counters: ProbeCounters
    datagram: ProbeCounters | None = None
    rtt_ms: float = 0.0
    reason: str = ""
    wait_for: str | None = None


LOST, ANSWERED = ProbeCounters(sent=1, lost=1), ProbeCounters(sent=1, received=1)
UNREACHABLE = ProbeCounters(sent=1, lost=1, errors={"host unreachable": 1})
LOOPED = ProbeCounters(sent=1, lost=1, errors={"time to live exceeded": 1})

CASES = {
    "reply": Case(partial(reply, after_s=0.03), Reply, ANSWERED, rtt_ms=29.9),
    "from another address": Case(reply_from_elsewhere, Lost, replace(LOST, spoofed=1)),
    "wrong nonce": Case(reply_with("nonce"), Lost, replace(LOST, spoofed=1)),
    "wrong sequence": Case(reply_with("sequence"), Lost, replace(LOST, malformed=1)),
    "wrong code": Case(reply_with_code, Lost, replace(LOST, malformed=1)),
    "unused index": Case(reply_with("index"), Lost, replace(LOST, foreign=1)),
    # The kernel's filter keeps the reply to another program away.
    "other identifier": Case(reply_with("identifier"), Lost, LOST),
    # For a datagram socket the kernel verifies the checksum.
    "wrong checksum": Case(reply_with_wrong_checksum, Lost, replace(LOST, malformed=1), LOST),
    # The kernel itself drops those under 8 bytes.
    "truncated": Case(truncated_replies, Lost, replace(LOST, malformed=8)),
    "three replies": Case(
        three_replies, Reply, replace(ANSWERED, duplicate=2), wait_for="duplicate"
    ),
    "late": Case(
        partial(reply, after_s=TIMEOUT_S + 0.05), Lost, replace(LOST, late=1), wait_for="late"
    ),
    "forged, then true": Case(
        forged_then_true_reply, Reply, replace(ANSWERED, spoofed=2), rtt_ms=39.9
    ),
    **{
        f"error, {quoted} bytes quoted": Case(
            icmp_error(3, 1, quoted), Lost, UNREACHABLE, reason=f"host unreachable from {ELSEWHERE}"
        )
        for quoted in (28, 36, 84)
    },
    "routing loop": Case(
        icmp_error(11, 0, 84), Lost, LOOPED, reason=f"time to live exceeded from {ELSEWHERE}"
    ),
    "error, wrong nonce quoted": Case(
        forged_error(flip(32)), Reply, replace(ANSWERED, spoofed=1), rtt_ms=39.9
    ),
    "error, wrong checksum quoted": Case(
        forged_error(flip(22), 28), Reply, replace(ANSWERED, spoofed=1), rtt_ms=39.9
    ),
    "error about another address": Case(
        forged_error(flip(19)), Reply, replace(ANSWERED, spoofed=1), rtt_ms=39.9
    ),
}


@pytest.mark.parametrize("mode", BOTH_MODES)
@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
async def test_what_a_packet_does_to_a_request_and_the_counters(
    network: VethNetwork, mode: SocketMode, case: Case
) -> None:
    outcome, counters = await probe_once(network, mode, case.script, case.wait_for)
    assert isinstance(outcome, case.kind)
    if isinstance(outcome, Reply):
        assert outcome.rtt_ms >= case.rtt_ms
    elif case.reason:
        assert outcome.reason == case.reason
        assert outcome.known_s < outcome.sent_s + TIMEOUT_S
    else:
        assert outcome == Lost(PROBED, outcome.sent_s, outcome.sent_s + TIMEOUT_S)
    in_datagram_mode = mode is SocketMode.DATAGRAM and case.datagram is not None
    assert counters == (case.datagram if in_datagram_mode else case.counters)


async def test_a_late_reply_that_is_read_before_its_deadline_is_evaluated_is_late_too(
    network: VethNetwork,
) -> None:
    """The event loop is blocked across the deadline; the reply arrives then and is read first."""
    with scripted_host(network, lambda request, host: None) as host:
        async with probing(network, timeout_s=0.5) as rig:
            await rig.prober.round([PROBED], 0.0)
            deadline_s = boottime_s() + 0.5
            while boottime_s() < deadline_s + 0.02:
                host.read_requests()
            host.send(host.requests[0].reply(), PROBED)
            await rig.until(1)
    (outcome,) = rig.outcomes
    assert outcome == Lost(PROBED, outcome.sent_s, outcome.sent_s + 0.5)
    assert rig.prober.counters() == replace(LOST, late=1)
