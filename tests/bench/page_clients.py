"""A hundred signed-in clients that poll the snapshot each second."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from dataclasses import dataclass
from urllib.parse import urlencode

import psutil

from dashboard.app.gate.sessions import COOKIE
from tests.dashboard.dashboard_server import DashboardServer

CLIENTS = 100
LASTS_S = 20.0
PASSWORD = "kuda hijau melompat"


@dataclass(frozen=True, slots=True)
class Load:
    """What came of it: how soon each was answered, in order, with what, and at what cost.

    cpu_share: of one core.
    """

    took_ms: list[float]
    told: Counter[int]
    cpu_share: float
    rss_mb: float

    def ms(self, share: float) -> float:
        """So soon were so many answered (0 to 1)."""
        return self.took_ms[min(int(len(self.took_ms) * share), len(self.took_ms) - 1)]


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
    session = f"Set-Cookie: {COOKIE}="
    (cookie,) = [line for line in answer.splitlines() if line.startswith(session)]
    return cookie.partition(": ")[2].partition(";")[0]


async def load(served: DashboardServer) -> Load:
    """All of them at once, for LASTS_S."""
    assert served.web is not None
    cookie = await sign_in(served.port)
    worker = psutil.Process(served.web.pid)
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
    return Load(took, told, cpu_s / spent_s, worker.memory_info().rss / 1e6)
