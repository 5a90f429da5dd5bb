"""One HTTP request within bounds: connect 5 s, whole 20 s, 64 KiB of reply, no redirect."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from types import TracebackType

import aiohttp

from monitor.adapters.notify.redaction import Redaction

MOST_BYTES = 65_536
LONGEST_WAIT_S = 300.0


@dataclass(frozen=True, slots=True)
class Bounds:
    """How long one request may take."""

    connect_s: float = 5.0
    whole_s: float = 20.0


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """What came back. whole: the body ended by itself, within the bounds."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    whole: bool

    @property
    def retry_after_s(self) -> float | None:
        """What the other side asked for, at most 300 s; None: nothing, or nothing readable.

        A date counts from the answer's own Date: our clocks need not agree (RFC 9110, 10.2.3).
        """
        text = self.headers.get("Retry-After", "").strip()
        if text.isascii() and text.isdigit():
            return min(float(text[:9]), LONGEST_WAIT_S)
        try:
            until = parsedate_to_datetime(text)
            since = parsedate_to_datetime(self.headers.get("Date", ""))
            return min(max(0.0, (until - since).total_seconds()), LONGEST_WAIT_S)
        except (TypeError, ValueError):
            return None


@dataclass(frozen=True, slots=True)
class NoAnswer:
    """No status came back. why: without secrets."""

    why: str


class HttpExchange:
    """A client of its own for one channel: no cookies, no proxy, no redirect."""

    def __init__(self, redact: Redaction, bounds: Bounds | None = None) -> None:
        self._redact = redact
        self._bounds = bounds or Bounds()
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> HttpExchange:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def post(
        self,
        url: str,
        body: bytes,
        headers: Mapping[str, str] | None = None,
        whole_s: float | None = None,
    ) -> HttpAnswer | NoAnswer:
        """Send JSON. whole_s: another bound than usual (long polling)."""
        told = {"Content-Type": "application/json", **(headers or {})}
        return await self._ask("POST", url, body, told, whole_s)

    async def get(self, url: str) -> HttpAnswer | NoAnswer:
        return await self._ask("GET", url, None, {}, None)

    async def _ask(
        self,
        method: str,
        url: str,
        body: bytes | None,
        headers: Mapping[str, str],
        whole_s: float | None,
    ) -> HttpAnswer | NoAnswer:
        bound_s = whole_s if whole_s is not None else self._bounds.whole_s
        ends_s = asyncio.get_running_loop().time() + bound_s
        if self._session is None:
            self._session = aiohttp.ClientSession(
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
                headers={"User-Agent": "pantau", "Accept-Encoding": "identity"},
            )
        try:
            async with (
                asyncio.timeout_at(ends_s),
                self._session.request(
                    method,
                    url,
                    data=body,
                    headers=headers,
                    allow_redirects=False,
                    timeout=aiohttp.ClientTimeout(total=None, sock_connect=self._bounds.connect_s),
                ) as response,
            ):
                content, whole = await _read(response, ends_s)
                return HttpAnswer(response.status, response.headers, content, whole)
        except TimeoutError:
            return NoAnswer(f"no answer within {bound_s:g} s")
        except (aiohttp.ClientError, OSError, ValueError) as error:
            return NoAnswer(self._redact(_said(error)))


async def _read(response: aiohttp.ClientResponse, ends_s: float) -> tuple[bytes, bool]:
    """The body as far as the bounds allow. A status that has come is not lost with its body."""
    parts: list[bytes] = []
    size = 0
    whole = False
    margin_s = 0.05
    try:
        async with asyncio.timeout_at(ends_s - margin_s):
            while size < MOST_BYTES:
                part = await response.content.read(MOST_BYTES - size)
                if not part:
                    whole = True
                    break
                parts.append(part)
                size += len(part)
    except (TimeoutError, aiohttp.ClientError):
        whole = False
    if not whole:
        response.close()
    return b"".join(parts), whole


def _said(error: BaseException) -> str:
    name = type(error).__name__
    text = str(error)
    return f"{name}: {text}" if text else name
