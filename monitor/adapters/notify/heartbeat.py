"""The heartbeat (dead-man's switch): an outside service notices when the monitor stops.

Its address is requested every minute while the monitor is healthy. When the requests stop, that
service notifies people that the monitor is dead, cut off or stuck.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from monitor.adapters.notify.http_client import HttpClient, NoResponse, Timeouts
from monitor.adapters.notify.redaction import Redaction

log = logging.getLogger("monitor.notify")

HEARTBEAT_INTERVAL_S = 60.0
RETRY_S = 10.0
"""After a heartbeat that was not accepted."""
HEALTH_CHECK_S = 1.0
"""While the monitor is not healthy: the heartbeat is sent as soon as it is."""
NOT_HEALTHY = "the monitor is not well"


class Heartbeat:
    """healthy: whether the heartbeat may be sent."""

    def __init__(
        self, url: str, healthy: Callable[[], bool], timeouts: Timeouts | None = None
    ) -> None:
        self._url = url
        self._healthy = healthy
        self._client = HttpClient(Redaction(url), timeouts)
        self._last: str | None = ""

    def __repr__(self) -> str:
        return "Heartbeat(…)"

    async def beat(self) -> bool:
        """Request the address once if the monitor is healthy; returns whether it answered 2xx."""
        why = await self._why_not()
        if why != self._last:
            if why is not None:
                log.warning("no heartbeat: %s", why)
            elif self._last:
                log.info("the heartbeat is heard again")
            self._last = why
        return why is None

    async def run(self, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        """One heartbeat a minute, until cancelled; the first as soon as the monitor is healthy."""
        while True:
            if await self.beat():
                await sleep(HEARTBEAT_INTERVAL_S)
            else:
                await sleep(HEALTH_CHECK_S if self._last == NOT_HEALTHY else RETRY_S)

    async def close(self) -> None:
        await self._client.close()

    async def _why_not(self) -> str | None:
        """Why no heartbeat was accepted; an exception must not end the heartbeat for good."""
        try:
            return await self._request()
        except Exception as error:  # noqa: BLE001  the worker boundary; its text is kept out
            return f"a fault of pantau ({type(error).__name__})"

    async def _request(self) -> str | None:
        if not self._healthy():
            return NOT_HEALTHY
        response = await self._client.get(self._url)
        if isinstance(response, NoResponse):
            return response.why
        return None if 200 <= response.status < 300 else f"HTTP {response.status}"
