"""An HTTP server on loopback with a settable behaviour: it answers, hangs, never ends."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """One request: header names in lower case."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


Behaviour = Callable[[HttpRequest, asyncio.StreamWriter], Awaitable[None]]


class LoopbackHttpServer:
    """Started by `async with`; every connection serves one request."""

    def __init__(self, behave: Behaviour) -> None:
        self.behave = behave
        self.requests: list[HttpRequest] = []
        self._server: asyncio.Server | None = None
        self._serving: set[asyncio.Task[None]] = set()
        self.port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def __aenter__(self) -> LoopbackHttpServer:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._server is not None
        self._server.close()
        for task in list(self._serving):
            task.cancel()
        await asyncio.gather(*self._serving, return_exceptions=True)
        await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._serving.add(task)
        try:
            request = await _request(reader)
            self.requests.append(request)
            await self.behave(request, writer)
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            self._serving.discard(task)
            writer.close()


async def _request(reader: asyncio.StreamReader) -> HttpRequest:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    method, path, _ = head[0].split(" ", 2)
    headers = {
        name.strip().lower(): value.strip()
        for name, colon, value in (line.partition(":") for line in head[1:])
        if colon
    }
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return HttpRequest(method, path, headers, body)


def reply(
    writer: asyncio.StreamWriter,
    status: int,
    body: bytes = b"",
    headers: Mapping[str, str] | None = None,
) -> None:
    """A complete response."""
    all_headers = {"Content-Length": str(len(body)), "Connection": "close", **(headers or {})}
    lines = [f"HTTP/1.1 {status} x", *(f"{name}: {value}" for name, value in all_headers.items())]
    writer.write("\r\n".join(lines).encode() + b"\r\n\r\n" + body)


def answering(
    status: int, body: object = None, headers: Mapping[str, str] | None = None
) -> Behaviour:
    """Always this answer; a body that is not bytes is sent as JSON."""

    async def behave(_: HttpRequest, writer: asyncio.StreamWriter) -> None:
        raw = (
            body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        )
        reply(writer, status, raw, headers)

    return behave


async def hanging(_: HttpRequest, writer: asyncio.StreamWriter) -> None:
    """Reads the request and never answers."""
    await asyncio.Event().wait()


async def trickling(_: HttpRequest, writer: asyncio.StreamWriter) -> None:
    """One byte of the answer's head a tenth of a second."""
    for one in b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok" * 10:
        writer.write(bytes([one]))
        await writer.drain()
        await _pause(0.1)


async def never_ending(_: HttpRequest, writer: asyncio.StreamWriter) -> None:
    """Status 200, then a body without an end."""
    writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
    while True:
        writer.write(b"x" * 65_536)
        await writer.drain()


async def stalling(_: HttpRequest, writer: asyncio.StreamWriter) -> None:
    """Status 200 and half of the promised body, then nothing."""
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nhalf")
    await writer.drain()
    await asyncio.Event().wait()


async def hanging_up(_: HttpRequest, writer: asyncio.StreamWriter) -> None:
    """Closes the connection without an answer."""


async def _pause(length_s: float) -> None:
    """A pause of the server, whose slowness is what the test is about."""
    try:
        async with asyncio.timeout(length_s):
            await asyncio.Event().wait()
    except TimeoutError:
        return
