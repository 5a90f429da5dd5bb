"""Clients that send or read too slowly, from several loopback addresses."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.client import HTTPConnection
from statistics import quantiles

HALF_HEAD = b"GET /api/v1/snapshot HTTP/1.1\r\nHost: x\r\nX-Half:"
HALF_BODY = (
    b"POST /masuk HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n"
    b"Content-Length: 900\r\n\r\nnama="
)
NOTHING = b""


@contextmanager
def connections(port: int, source: str, count: int, first: bytes) -> Iterator[list[socket.socket]]:
    """Open `count` connections from `source`, each of which has sent `first` and no more."""
    with ExitStack() as stack:
        opened = []
        for _ in range(count):
            client = stack.enter_context(socket.socket())
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            client.settimeout(5)
            client.bind((source, 0))
            client.connect(("127.0.0.1", port))
            client.sendall(first)
            opened.append(client)
        yield opened


def is_closed(client: socket.socket) -> bool:
    """Whether the server has ended this connection; reads what it said before."""
    client.setblocking(False)
    try:
        while client.recv(65_536):
            pass
    except BlockingIOError:
        return False
    except ConnectionError:
        return True
    return True


def ask(port: int, path: str = "/api/v1/snapshot", timeout_s: float = 5.0) -> int:
    """The status of a whole request from 127.0.0.1."""
    connection = HTTPConnection("127.0.0.1", port, timeout=timeout_s)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        answer.read()
        return answer.status
    finally:
        connection.close()


def p95_ms(port: int, times: int) -> float:
    """Of so many requests, each on a connection of its own."""
    took = []
    for _ in range(times):
        began_s = time.perf_counter()
        assert ask(port) == 200
        took.append((time.perf_counter() - began_s) * 1000)
    return quantiles(took, n=20)[-1]
