"""Is the RTT true? A capture on the monitor's own port says when each packet really passed."""

from __future__ import annotations

import socket
import statistics
import struct
from collections.abc import Iterator

import pytest

from monitor.adapters.icmp import SocketMode
from monitor.adapters.system.clock import boottime_s
from monitor.core.model import Reply
from tests.adapters.icmp_rig import BOTH_MODES, probing
from tests.adapters.private_network import TwoSides
from tests.adapters.scripted_side import Request, ScriptedSide

SO_TIMESTAMPNS = 35
EVERY_PROTOCOL = 3
SENT, CAME = 8, 0


class Capture:
    """What tcpdump would show of ICMP echo on a port: the kernel's time of each packet."""

    def __init__(self, network: TwoSides, port: str = "cable") -> None:
        with network.near.inside():
            self._sock = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, EVERY_PROTOCOL << 8)
            self._sock.bind((port, EVERY_PROTOCOL))
        self._sock.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        self._sock.setblocking(False)

    def rtts_ms(self) -> list[float]:
        """The time from each request to its answer, in the order of the requests."""
        seen: dict[tuple[int, bytes], float] = {}
        while True:
            try:
                packet, extra, _, _ = self._sock.recvmsg(256, 64)
            except BlockingIOError:
                break
            icmp = packet[20:]
            if packet[:1] == b"\x45" and packet[9] == socket.IPPROTO_ICMP and icmp[0] in (8, 0):
                seconds, nanoseconds = struct.unpack("@ll", extra[0][2])
                seen.setdefault((icmp[0], icmp[8:16]), seconds + nanoseconds * 1e-9)
        sent = {marks: at_s for (kind, marks), at_s in seen.items() if kind == SENT}
        return [(seen[CAME, marks] - at_s) * 1000.0 for marks, at_s in sent.items()]

    def close(self) -> None:
        self._sock.close()


@pytest.fixture(scope="module")
def network() -> Iterator[TwoSides]:
    made = TwoSides()
    yield made
    made.close()


@pytest.mark.parametrize("mode", BOTH_MODES)
async def test_an_rtt_is_what_a_capture_says_however_busy_the_loop_is(
    network: TwoSides, mode: SocketMode
) -> None:
    def after_a_moment(request: Request, side: ScriptedSide) -> None:
        side.later(0.001 * (len(side.requests) % 7), request.reply(), request.destination)

    side, capture = ScriptedSide(network, after_a_moment), Capture(network)
    try:
        async with probing(network, mode=mode, timeout_s=1.0) as rig:
            for _ in range(6):
                await rig.prober.round([TwoSides.ALIVE] * 20, 0.02)
                busy_until_s = boottime_s() + 0.02
                while boottime_s() < busy_until_s:
                    pass
                await rig.pass_time(0.01)
            await rig.until(120)
        replies = sorted(
            (one for one in rig.outcomes if isinstance(one, Reply)), key=lambda one: one.sent_s
        )
        truth_ms = capture.rtts_ms()
        assert len(replies) == len(truth_ms) == 120
        errors_ms = [
            abs(one.rtt_ms - true_ms) for one, true_ms in zip(replies, truth_ms, strict=True)
        ]
        assert statistics.median(errors_ms) <= 0.1
        assert max(truth_ms) >= 5.0
    finally:
        capture.close()
        side.close()
