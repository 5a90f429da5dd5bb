"""Hostile SNMP agents in a process of their own: python -m tests.bench.hostile_agents KIND PORTS

Prints the ports it listens on. Each request is answered with what the kind of attack says; the
flood also sends rubbish without being asked, as fast as one core allows, to whoever asked last.
"""

from __future__ import annotations

import selectors
import socket
import sys
import time

from tests.fakes.snmp_agent.snmpd import COMMUNITY

VARBIND = bytes.fromhex("300c06082b060102010101000500")
FLOOD_EVERY_S = 0.001


def number_of(request: bytes) -> bytes:
    """The request-id: the first integer of four bytes after the community and the PDU's head."""
    at = request.index(COMMUNITY.encode()) + len(COMMUNITY)
    at = request.index(b"\x02", at)
    return request[at : at + 2 + request[at + 1]]


def answer(request: bytes, varbinds: int) -> bytes:
    inner = number_of(request) + b"\x02\x01\0\x02\x01\0" + element(0x30, VARBIND * varbinds)
    community = element(0x04, COMMUNITY.encode())
    return element(0x30, b"\x02\x01\x01" + community + element(0xA2, inner))


def element(tag: int, content: bytes) -> bytes:
    return bytes((tag, 0x83)) + len(content).to_bytes(3, "big") + content


KINDS = {
    "63 kB, 4,500 varbinds": lambda request: [answer(request, 4500)],
    "8 kB, 580 varbinds": lambda request: [answer(request, 580)],
    "100 wrong answers a request": lambda request: [answer(request, 30)] * 100,
    "flood": lambda request: [answer(request, 4500)],
}


def main(kind: str, count: int) -> None:
    agents = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(count)]
    ready = selectors.DefaultSelector()
    for agent in agents:
        agent.bind(("127.0.0.1", 0))
        agent.setblocking(False)
        ready.register(agent, selectors.EVENT_READ)
    print(*(agent.getsockname()[1] for agent in agents), flush=True)
    asked: tuple[socket.socket, tuple[str, int], bytes] | None = None
    while True:
        for key, _ in ready.select(FLOOD_EVERY_S if kind == "flood" else 1.0):
            router = key.fileobj
            assert isinstance(router, socket.socket)
            request, sender = router.recvfrom(65535)
            for made in KINDS[kind](request):
                router.sendto(made, sender)
                asked = router, sender, made
        if kind == "flood" and asked is not None:
            for _ in range(20):
                asked[0].sendto(asked[2], asked[1])
            time.sleep(FLOOD_EVERY_S)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
