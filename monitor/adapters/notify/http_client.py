"""The HTTP client of all channels: connect 5 s, total 20 s, 64 KiB of body, no redirect."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from types import TracebackType

import aiohttp

from monitor.adapters.notify.redaction import Redaction

MAX_BODY_BYTES = 65_536
MAX_RETRY_AFTER_S = 300.0


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Limits of one request: to connect, and in total (seconds)."""

    connect_s: float = 5.0
    total_s: float = 20.0


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """complete: the whole body arrived within the limits of time and size."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    complete: bool

    @property
    def retry_after_s(self) -> float | None:
        """The pause that the server asks for, at most 300 s; None: absent or unreadable.

        A date is relative to the response's own Date: clocks may differ (RFC 9110, 10.2.3).
        """
        text = self.headers.get("Retry-After", "").strip()
        if text.isascii() and text.isdigit():
            return min(float(text[:9]), MAX_RETRY_AFTER_S)
        try:
            until = parsedate_to_datetime(text)
            since = parsedate_to_datetime(self.headers.get("Date", ""))
            return min(max(0.0, (until - since).total_seconds()), MAX_RETRY_AFTER_S)
        except (TypeError, ValueError):
            return None


@dataclass(frozen=True, slots=True)
class NoResponse:
    """No status arrived. why: without secrets."""

    why: str


class HttpClient:
    """One client a channel: no cookies, no proxy, no redirect."""

    def __init__(self, redact: Redaction, timeouts: Timeouts | None = None) -> None:
        self._redact = redact
        self._timeouts = timeouts or Timeouts()
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> HttpClient:
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
        total_s: float | None = None,
    ) -> HttpResponse | NoResponse:
        """POST JSON. total_s: instead of the usual limit (long polling)."""
        all_headers = {"Content-Type": "application/json", **(headers or {})}
        return await self._request("POST", url, body, all_headers, total_s)

    async def get(self, url: str) -> HttpResponse | NoResponse:
        return await self._request("GET", url, None, {}, None)

    async def _request(
        self,
        method: str,
        url: str,
        body: bytes | None,
        headers: Mapping[str, str],
        total_s: float | None,
    ) -> HttpResponse | NoResponse:
        timeout_s = total_s if total_s is not None else self._timeouts.total_s
        ends_s = asyncio.get_running_loop().time() + timeout_s
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
                    timeout=aiohttp.ClientTimeout(
                        total=None, sock_connect=self._timeouts.connect_s
                    ),
                ) as response,
            ):
                content, complete = await _read(response, ends_s)
                return HttpResponse(response.status, response.headers, content, complete)
        except TimeoutError:
            return NoResponse(f"no answer within {timeout_s:g} s")
        except (aiohttp.ClientError, OSError, ValueError) as error:
            return NoResponse(self._redact(_describe(error)))


async def _read(response: aiohttp.ClientResponse, ends_s: float) -> tuple[bytes, bool]:
    """Read the body within the limits; a status that arrived is not lost with its body."""
    parts: list[bytes] = []
    size = 0
    complete = False
    margin_s = 0.05
    try:
        async with asyncio.timeout_at(ends_s - margin_s):
            while size < MAX_BODY_BYTES:
                part = await response.content.read(MAX_BODY_BYTES - size)
                if not part:
                    complete = True
                    break
                parts.append(part)
                size += len(part)
    except (TimeoutError, aiohttp.ClientError):
        complete = False
    if not complete:
        response.close()
    return b"".join(parts), complete


def _describe(error: BaseException) -> str:
    name = type(error).__name__
    text = str(error)
    return f"{name}: {text}" if text else name
