"""The network of the probing bench: a TUN device whose far end answers for many addresses.

    probing_network.py TARGETS SILENT_SHARE

Runs in a network namespace of its own. Prints `ready`; then, for each line on stdin, what has
passed since the last one: a JSON list in the order of `addresses`, and for each address the RTT
in ms of each request in order of sending, null for one that the network did not answer. These
RTTs are the kernel's, from a capture on the device, whatever else keeps this machine busy.
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

SLOWEST_MS, QUICKEST_MS = 80.0, 5.0
DEVICE = "indramayu"
EVERY_PROTOCOL = 3
SO_RCVBUFFORCE, SO_TIMESTAMPNS = 33, 35
CAPTURE_BYTES = 128 << 20


def addresses(count: int) -> list[str]:
    """10.77.0.1, 10.77.0.2, … 250 to a /24."""
    return [f"10.77.{place // 250}.{place % 250 + 1}" for place in range(count)]


def delay_ms(place: int) -> float:
    """5 to 80 ms, spread over the targets so that neighbours differ."""
    return QUICKEST_MS + (place * 37 % 751) / 750 * (SLOWEST_MS - QUICKEST_MS)


def is_silent(place: int, silent_share: float) -> bool:
    return place * 7 % 10 < silent_share * 10


def behaviour(place: int, silent_share: float) -> Behaviour:
    fate = ReplyMode.SILENT if is_silent(place, silent_share) else ReplyMode.ANSWERED
    return Behaviour(delay_ms=delay_ms(place), mode=fate)


class Capture:
    """What tcpdump would show of ICMP echo. The kernel keeps it until it is asked for."""

    def __init__(self) -> None:
        self._sock = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, EVERY_PROTOCOL << 8)
        self._sock.bind((DEVICE, EVERY_PROTOCOL))
        self._sock.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, CAPTURE_BYTES)
        self._sock.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        self._sock.setblocking(False)

    def rtts_ms(self) -> dict[str, list[float | None]]:
        """By address; identifier and sequence tell which answer belongs to which request."""
        sent: dict[tuple[bytes, bytes], float] = {}
        came: dict[tuple[bytes, bytes], float] = {}
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
                came.setdefault((packet[12:16], packet[24:28]), at_s)
        found: dict[str, list[float | None]] = {}
        for key, at_s in sent.items():
            rtt_ms = (came[key] - at_s) * 1000.0 if key in came else None
            found.setdefault(socket.inet_ntoa(key[0]), []).append(rtt_ms)
        return found


def main() -> None:
    count, silent_share = int(sys.argv[1]), float(sys.argv[2])
    known = addresses(count)
    tun = TunDevice(known)
    capture = Capture()
    # The wire wants a selector that waits to the microsecond.
    loop = asyncio.SelectorEventLoop(selectors.SelectSelector())
    wire = PacketResponder(
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
        passed = capture.rtts_ms()
        print(json.dumps([passed.get(address, []) for address in known]), flush=True)

    wire.start(loop)
    loop.add_reader(sys.stdin.fileno(), on_line)
    gc.collect()
    gc.freeze()
    print("ready", flush=True)
    loop.run_forever()
    wire.stop()
    tun.close()


if __name__ == "__main__":
    main()
