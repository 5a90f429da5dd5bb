"""Send echo requests at a steady rate and record the kernel's time of each reply.

    python -m tests.bench.echo_load ADDRESSES RATE SECONDS RESULT

ADDRESSES: a file with one IPv4 address a line, probed in turn. RESULT: JSON, for each request its
RTT in milliseconds, null when none came within 1.5 s of the last one.
"""

from __future__ import annotations

import gc
import json
import select
import socket
import struct
import sys
import time
from pathlib import Path

from monitor.simulator.packets import checksum

_RECEIVE_BUFFER_FORCE, _TIMESTAMP_NS = 33, 35  # SO_RCVBUFFORCE, SO_TIMESTAMPNS
_SOL_RAW, _ICMP_FILTER, _ONLY_REPLIES = 255, 1, 0xFFFFFFFF & ~1
_LAST_REPLIES_S = 1.5


def main() -> None:
    """Send, receive, write the result."""
    addresses = Path(sys.argv[1]).read_text().split()
    rate, seconds = float(sys.argv[2]), float(sys.argv[3])
    count = int(rate * seconds)
    sent = [0.0] * count
    received: list[float | None] = [None] * count
    gc.disable()
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP) as icmp:
        icmp.setsockopt(socket.SOL_SOCKET, _RECEIVE_BUFFER_FORCE, 64 << 20)
        icmp.setsockopt(socket.SOL_SOCKET, _TIMESTAMP_NS, 1)
        icmp.setsockopt(_SOL_RAW, _ICMP_FILTER, struct.pack("=I", _ONLY_REPLIES))
        icmp.setblocking(False)
        start = time.time()
        number = 0
        while number < count:
            due = min(count, int((time.time() - start) * rate) + 1)
            while number < due:
                packet = request(number)
                sent[number] = time.time()
                icmp.sendto(packet, (addresses[number % len(addresses)], 0))
                number += 1
            read_replies(icmp, received)
            select.select([icmp], [], [], 0.0005)
        end = time.time() + _LAST_REPLIES_S
        while time.time() < end:
            select.select([icmp], [], [], 0.05)
            read_replies(icmp, received)
    rtts = [
        None if reply_s is None else (reply_s - sent_s) * 1000.0
        for sent_s, reply_s in zip(sent, received, strict=True)
    ]
    Path(sys.argv[4]).write_text(json.dumps(rtts))


def request(number: int) -> bytes:
    """An echo request of 64 bytes with its number in the payload."""
    packet = struct.pack("!BBHHHQ", 8, 0, 0, 77, number & 0xFFFF, number) + b"x" * 48
    return packet[:2] + checksum(packet).to_bytes(2, "big") + packet[4:]


def read_replies(icmp: socket.socket, received: list[float | None]) -> None:
    """Record all replies that have arrived."""
    while True:
        try:
            packet, ancillary, _, _ = icmp.recvmsg(256, 64)
        except BlockingIOError:
            return
        (number,) = struct.unpack_from("!Q", packet, 28)
        seconds, nanoseconds = struct.unpack("qq", ancillary[0][2])
        received[number] = seconds + nanoseconds * 1e-9


if __name__ == "__main__":
    main()
