"""A hundred browsers that ask for the snapshot each second, signed in, as their pages do.

    pytest -m bench -s tests/bench/test_page_clients.py

Prints how soon they were answered and what it cost. Asserted: all were answered.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Iterator
from statistics import quantiles
from typing import Any
from urllib.parse import urlencode

import psutil
import pytest

from monitor.adapters.passwords import Argon2Passwords
from monitor.adapters.users_file import UsersFile
from monitor.core.access import Role, User
from monitor.core.documents import Document, rfc3339
from tests.dashboard.serving import Served
from tests.dashboard.story import Story, shipped_network, trouble

pytestmark = pytest.mark.bench

CLIENTS = 100
LASTS_S = 20.0
PASSWORD = "kuda hijau melompat"


@pytest.fixture
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    work = tmp_path_factory.mktemp("clients") / "work"
    story = trouble(shipped_network(), time.time())
    running = Served(work, story)
    running.write_verdicts()
    running.write_hour()
    kept = Argon2Passwords().hash(PASSWORD)
    UsersFile(running.data).change(lambda users: users.with_user(User("siti", Role.SEE, kept)))
    running.start(lambda: _living(story))
    yield running
    running.close()


def _living(story: Story) -> Document:
    """As a daemon tells it whose rounds end each second: every snapshot is another one."""
    told = story.later(time.time() - story.now_s).document()
    monitor: Any = told["monitor"]
    return told | {"monitor": monitor | {"last_round": rfc3339(float(int(time.time())))}}


class Client:
    """One connection that is kept, a session's cookie, and the newest ETag."""

    def __init__(self, port: int, cookie: str) -> None:
        self._port = port
        self._cookie = cookie
        self._etag = ""
        self.took_ms: list[float] = []
        self.told: Counter[int] = Counter()
        self.bytes = 0

    async def run(self, until_s: float, begin_s: float) -> None:
        """Ask each second from begin_s (steady) on."""
        loop = asyncio.get_running_loop()
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        due_s = begin_s
        while due_s < until_s:
            await _wait_until(loop, due_s)
            asked_s = time.perf_counter()
            writer.write(
                (
                    "GET /api/v1/snapshot HTTP/1.1\r\n"
                    f"Host: 127.0.0.1:{self._port}\r\nCookie: {self._cookie}\r\n"
                    f"Accept-Encoding: br\r\nIf-None-Match: {self._etag}\r\n\r\n"
                ).encode()
            )
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            lines = {
                name.lower(): value
                for name, _, value in (line.partition(": ") for line in head.splitlines()[1:])
            }
            status = int(head.split(" ", 2)[1])
            size = int(lines.get("content-length", "0")) if status == 200 else 0
            self.bytes += len(head) + len(await reader.readexactly(size))
            self.took_ms.append((time.perf_counter() - asked_s) * 1000)
            self.told[status] += 1
            self._etag = lines.get("etag", self._etag)
            due_s += 1.0
        writer.close()
        await writer.wait_closed()


async def _wait_until(loop: asyncio.AbstractEventLoop, due_s: float) -> None:
    due = asyncio.Event()
    loop.call_at(due_s, due.set)
    await due.wait()


async def sign_in(port: int) -> str:
    """The cookie of a session."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    form = urlencode({"nama": "siti", "sandi": PASSWORD, "ke": ""})
    host = f"127.0.0.1:{port}"
    writer.write(
        (
            f"POST /masuk HTTP/1.1\r\nHost: {host}\r\nOrigin: http://{host}\r\n"
            "Content-Type: application/x-www-form-urlencoded\r\nConnection: close\r\n"
            f"Content-Length: {len(form)}\r\n\r\n{form}"
        ).encode()
    )
    answer = (await reader.read()).decode("latin-1")
    writer.close()
    (cookie,) = [line for line in answer.splitlines() if line.startswith("Set-Cookie:")]
    return cookie.partition(": ")[2].partition(";")[0]


async def test_a_hundred_browsers_are_answered(served: Served) -> None:
    assert served.web is not None
    cookie = await sign_in(served.port)
    (worker,) = psutil.Process(served.web.pid).children()
    loop = asyncio.get_running_loop()
    clients = [Client(served.port, cookie) for _ in range(CLIENTS)]
    begin_s = loop.time() + 0.5
    before = worker.cpu_times()
    began_s = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for number, client in enumerate(clients):
            offset_s = number / CLIENTS
            group.create_task(client.run(begin_s + LASTS_S + offset_s, begin_s + offset_s))
    spent_s = time.perf_counter() - began_s
    after = worker.cpu_times()
    cpu_s = after.user + after.system - before.user - before.system
    took = sorted(ms for client in clients for ms in client.took_ms)
    told = sum((client.told for client in clients), Counter[int]())
    cuts = quantiles(took, n=100)
    print(
        f"\n{CLIENTS} browsers, one question a second each, {LASTS_S:.0f} s, behind the gate:\n"
        f"  answered   {len(took)} ({dict(told)}), "
        f"{sum(client.bytes for client in clients) / len(took):.0f} bytes each\n"
        f"  soon       p50 {cuts[49]:.1f} ms, p95 {cuts[94]:.1f} ms, p99 {cuts[98]:.1f} ms, "
        f"worst {took[-1]:.1f} ms\n"
        f"  CPU        {cpu_s / spent_s:.0%} of one core, {cpu_s / len(took) * 1000:.2f} ms a "
        f"question; {worker.memory_info().rss / 1e6:.0f} MB"
    )
    assert len(took) == CLIENTS * LASTS_S
    assert set(told) <= {200, 304}
