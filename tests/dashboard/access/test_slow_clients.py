"""Slow and many clients: what they hold ends in time, and a browser is served beside them."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from typing import Any

import pytest

from dashboard.http_server import LimitedServer, Limits, group_of
from tests.dashboard.access.slow_clients import (
    HALF_BODY,
    HALF_HEAD,
    NOTHING,
    ask,
    connections,
    is_closed,
)
from tests.dashboard.dashboard_server import DashboardServer, free_port
from tests.dashboard.synthetic_history import quiet, shipped_network
from tests.waiting import eventually

LARGE = b"GET /large HTTP/1.1\r\nHost: x\r\n\r\n"
LIMITS = Limits(connections=40, per_address=10)


def application(environ: dict[str, Any], start_response: Any, /) -> Iterable[bytes]:
    """Answers at once; /large with 8 MB, /unchanged with nothing."""
    if environ["PATH_INFO"] == "/unchanged":
        start_response("304 Not Modified", [("ETag", '"x"')])
        return []
    body = b"x" * 8_000_000 if environ["PATH_INFO"] == "/large" else b"ok"
    start_response("200 OK", [("Content-Length", str(len(body)))])
    return [body]


class Served:
    """A server in a thread; its clock stands still but for `later`."""

    def __init__(self) -> None:
        self.port = free_port()
        self.now_s = 100.0
        self.server = LimitedServer(
            application,
            "127.0.0.1",
            self.port,
            lambda: self.now_s,
            lambda address: address == "127.0.0.9",
            LIMITS,
        )
        self.open = self.server.active_channels

    def later(self, by_s: float) -> None:
        self.now_s += by_s


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    running = Served()
    # Signals are of the main thread; `stop` below is what they call.
    stop: list[Callable[[int, object], None]] = []
    monkeypatch.setattr("signal.signal", lambda _number, handler: stop.append(handler))
    thread = threading.Thread(target=running.server.serve)
    thread.start()
    eventually(lambda: len(stop) == 2)
    yield running
    stop[0](15, None)
    thread.join(10)
    assert not thread.is_alive()


@contextmanager
def one(served: Served, first: bytes, source: str = "127.0.0.2") -> Iterator[socket.socket]:
    with connections(served.port, source, 1, first) as (client,):
        eventually(lambda: len(served.open) == 1)
        yield client


def ends(served: Served, client: socket.socket) -> bool:
    """Whether the server ends the connection now; it looks once a second of its clock."""
    served.later(1.0)
    try:
        eventually(lambda: is_closed(client), within_s=1.5)
    except AssertionError:
        return False
    return True


@pytest.mark.parametrize(
    ("first", "allowed_s"),
    [(NOTHING, LIMITS.first_s), (HALF_HEAD, LIMITS.header_s), (HALF_BODY, LIMITS.body_s)],
    ids=["nothing", "half a header", "half a body"],
)
def test_a_request_that_does_not_arrive_is_given_up(
    served: Served, first: bytes, allowed_s: float
) -> None:
    with one(served, first) as client:
        eventually(lambda: not first or any(each.request for each in served.open.values()))
        served.later(allowed_s - 2)
        assert ask(served.port) == 200
        assert not is_closed(client)
        served.later(2)
        assert ends(served, client)


def test_a_byte_now_and_then_does_not_keep_a_request_alive(served: Served) -> None:
    with one(served, HALF_HEAD) as client:
        for _ in range(9):
            eventually(lambda: any(each.request for each in served.open.values()))
            client.setblocking(True)
            client.sendall(b"x")
            assert ask(served.port) == 200
            served.later(1.0)
        served.later(1.0)
        assert ends(served, client)


def test_an_idle_connection_is_kept_for_the_next_request_and_then_ended(served: Served) -> None:
    with one(served, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n") as client:
        eventually(lambda: any(each.served for each in served.open.values()))
        assert not is_closed(client)
        served.later(LIMITS.idle_s - 2)
        assert ask(served.port) == 200
        assert not is_closed(client)
        served.later(2)
        assert ends(served, client)


def test_a_connection_goes_on_after_a_response_without_a_body(served: Served) -> None:
    connection = HTTPConnection("127.0.0.1", served.port, timeout=5)
    connection.connect()
    own = connection.sock
    for _ in range(3):
        connection.request("GET", "/unchanged")
        answer = connection.getresponse()
        assert (answer.status, answer.headers["Connection"], answer.read()) == (304, None, b"")
        assert connection.sock is own
    connection.request("GET", "/unchanged", headers={"Connection": "close"})
    assert connection.getresponse().headers["Connection"] == "close"
    connection.close()


def test_a_response_that_is_not_read_is_given_up(served: Served) -> None:
    with one(served, LARGE):
        eventually(lambda: any(each.served for each in served.open.values()))
        assert ask(served.port) == 200
        served.later(1.0)
        assert ask(served.port) == 200
        served.later(LIMITS.stalled_s + 1)
        eventually(lambda: not served.open)


def test_connections_of_one_address_are_bounded_and_the_oldest_waiting_one_gives_way(
    served: Served,
) -> None:
    bound = LIMITS.per_address
    with connections(served.port, "127.0.0.2", 5, HALF_HEAD) as old:
        eventually(lambda: len([each for each in served.open.values() if each.request]) == 5)
        served.later(0.5)
        with connections(served.port, "127.0.0.2", bound, HALF_HEAD) as new:
            eventually(lambda: all(is_closed(each) for each in old))
            assert not any(is_closed(each) for each in new)
            with connections(served.port, "127.0.0.3", 1, HALF_HEAD) as (other,):
                eventually(lambda: len(served.open) == bound + 1)
                assert not is_closed(other)


def test_connections_of_all_are_bounded_and_a_whole_request_still_finds_room(
    served: Served,
) -> None:
    with connections(served.port, "127.0.0.9", LIMITS.connections + 20, HALF_HEAD):
        eventually(lambda: len(served.open) == LIMITS.connections)
        assert [ask(served.port) for _ in range(5)] == [200] * 5
        assert len(served.open) <= LIMITS.connections


@pytest.mark.parametrize(
    ("one_address", "other", "same"),
    [
        ("10.1.1.1", "10.1.1.2", False),
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::1", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("::ffff:10.1.1.1", "10.1.1.1", True),
        ("fe80::1%eth0", "fe80::2%eth0", True),
    ],
)
def test_an_ipv6_network_of_64_bits_is_one_address(
    one_address: str, other: str, same: bool
) -> None:
    assert (group_of(one_address) == group_of(other)) is same


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DashboardServer]:
    running = DashboardServer(
        tmp_path_factory.mktemp("slow") / "work", quiet(shipped_network(), time.time())
    )
    running.start()
    yield running
    running.close()


def test_two_hundred_half_sent_requests_do_not_silence_the_page(page: DashboardServer) -> None:
    with (
        connections(page.port, "127.0.0.2", 200, HALF_HEAD),
        connections(page.port, "127.0.0.3", 60, HALF_BODY),
        connections(page.port, "127.0.0.4", 20, LARGE.replace(b"/large", b"/assets/pantau.css")),
        connections(page.port, "127.0.0.1", 200, HALF_HEAD),
    ):
        assert [ask(page.port) for _ in range(20)] == [200] * 20
