"""The network of the probing bench: a TUN device whose far end replies for many addresses.

    probing_network.py TARGETS SILENT_SHARE

Runs in a network namespace of its own. Prints `ready`; then, for each line on stdin, the RTTs
since the previous line: a JSON list in the order of `addresses`, for each address the RTT in ms
of each request in the order of sending, null for one without a reply. The RTTs are from a
capture on the device with the kernel's timestamps, whatever the load of this machine.
"""

from __future__ import annotations

import asyncio
import gc
import json
import selectors
import socket
import struct
import sys

from monitor.simulator.behaviour import Behaviour, ReplyMode
from monitor.simulator.responder import PacketResponder
from monitor.simulator.tun_device import TunDevice

MAX_DELAY_MS, MIN_DELAY_MS = 80.0, 5.0
DEVICE = "indramayu"
ETH_P_ALL = 3
SO_RCVBUFFORCE, SO_TIMESTAMPNS = 33, 35
CAPTURE_BYTES = 128 << 20


def addresses(count: int) -> list[str]:
    """10.77.0.1, 10.77.0.2, … 250 to a /24."""
    return [f"10.77.{place // 250}.{place % 250 + 1}" for place in range(count)]


def delay_ms(place: int) -> float:
    """5 to 80 ms, spread over the targets so that neighbours differ."""
    return MIN_DELAY_MS + (place * 37 % 751) / 750 * (MAX_DELAY_MS - MIN_DELAY_MS)


def is_silent(place: int, silent_share: float) -> bool:
    return place * 7 % 10 < silent_share * 10


def behaviour(place: int, silent_share: float) -> Behaviour:
    mode = ReplyMode.SILENT if is_silent(place, silent_share) else ReplyMode.ANSWERED
    return Behaviour(delay_ms=delay_ms(place), mode=mode)


class Capture:
    """ICMP echo packets as tcpdump shows them; buffered by the kernel until they are read."""

    def __init__(self) -> None:
        self._sock = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, ETH_P_ALL << 8)
        self._sock.bind((DEVICE, ETH_P_ALL))
        self._sock.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, CAPTURE_BYTES)
        self._sock.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        self._sock.setblocking(False)

    def rtts_ms(self) -> dict[str, list[float | None]]:
        """By address; requests and replies are paired by identifier and sequence."""
        sent: dict[tuple[bytes, bytes], float] = {}
        replied: dict[tuple[bytes, bytes], float] = {}
        while True:
            try:
                packet, extra, _, _ = self._sock.recvmsg(128, 64)
            except BlockingIOError:
                break
            if packet[0] != 0x45 or packet[9] != socket.IPPROTO_ICMP:
                continue
            seconds, nanoseconds = struct.unpack("@ll", extra[0][2])
            at_s = seconds + nanoseconds * 1e-9
            if packet[20] == 8:
                sent.setdefault((packet[16:20], packet[24:28]), at_s)
            elif packet[20] == 0:
                replied.setdefault((packet[12:16], packet[24:28]), at_s)
        found: dict[str, list[float | None]] = {}
        for key, at_s in sent.items():
            rtt_ms = (replied[key] - at_s) * 1000.0 if key in replied else None
            found.setdefault(socket.inet_ntoa(key[0]), []).append(rtt_ms)
        return found


def main() -> None:
    count, silent_share = int(sys.argv[1]), float(sys.argv[2])
    known = addresses(count)
    tun = TunDevice(known)
    capture = Capture()
    # The responder needs a selector with a resolution of microseconds.
    loop = asyncio.SelectorEventLoop(selectors.SelectSelector())
    responder = PacketResponder(
        tun.fd,
        {address: (address, behaviour(i, silent_share)) for i, address in enumerate(known)},
        {},
        seed=1,
        on_gone=loop.stop,
    )

    def on_line() -> None:
        if not sys.stdin.readline():
            loop.stop()
            return
        rtts = capture.rtts_ms()
        print(json.dumps([rtts.get(address, []) for address in known]), flush=True)

    responder.start(loop)
    loop.add_reader(sys.stdin.fileno(), on_line)
    gc.collect()
    gc.freeze()
    print("ready", flush=True)
    loop.run_forever()
    responder.stop()
    tun.close()


if __name__ == "__main__":
    main()
