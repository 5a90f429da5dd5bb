"""RTTs compared with a packet capture on the monitor's interface."""

from __future__ import annotations

import socket
import statistics
import struct

import pytest

from monitor.adapters.icmp import SocketMode
from monitor.adapters.system.clock import boottime_s
from monitor.core.model import Reply
from tests.adapters.icmp.network import VethNetwork
from tests.adapters.icmp.rig import BOTH_MODES, probing
from tests.adapters.icmp.scripted_host import Request, ScriptedHost

SO_TIMESTAMPNS = 35
ETH_P_ALL = 3
REQUEST, REPLY = 8, 0


class Capture:
    """ICMP echo packets on an interface with the kernel's timestamps, as tcpdump shows them."""

    def __init__(self, network: VethNetwork, interface: str = "cable") -> None:
        with network.near.inside():
            self._sock = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, ETH_P_ALL << 8)
            self._sock.bind((interface, ETH_P_ALL))
        self._sock.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        self._sock.setblocking(False)

    def rtts_ms(self) -> list[float]:
        """The time from each request to its reply, in the order of the requests."""
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
        sent = {marks: at_s for (kind, marks), at_s in seen.items() if kind == REQUEST}
        return [(seen[REPLY, marks] - at_s) * 1000.0 for marks, at_s in sent.items()]

    def close(self) -> None:
        self._sock.close()


@pytest.mark.parametrize("mode", BOTH_MODES)
async def test_rtts_agree_with_a_capture_while_the_event_loop_is_busy(
    network: VethNetwork, mode: SocketMode
) -> None:
    def delayed(request: Request, host: ScriptedHost) -> None:
        host.later(0.001 * (len(host.requests) % 7), request.reply(), request.destination)

    host, capture = ScriptedHost(network, delayed), Capture(network)
    try:
        async with probing(network, mode=mode, timeout_s=1.0) as rig:
            for _ in range(6):
                await rig.prober.round([VethNetwork.ALIVE] * 20, 0.02)
                busy_until_s = boottime_s() + 0.02
                while boottime_s() < busy_until_s:
                    pass
                await rig.pass_time(0.01)
            await rig.until(120)
        replies = sorted(
            (one for one in rig.outcomes if isinstance(one, Reply)), key=lambda one: one.sent_s
        )
        captured_ms = capture.rtts_ms()
        assert len(replies) == len(captured_ms) == 120
        errors_ms = [
            abs(one.rtt_ms - captured_one_ms)
            for one, captured_one_ms in zip(replies, captured_ms, strict=True)
        ]
        assert statistics.median(errors_ms) <= 0.1
        assert max(captured_ms) >= 5.0
    finally:
        capture.close()
        host.close()
