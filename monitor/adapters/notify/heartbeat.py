"""The dead-man's switch: somebody else notices when the monitor falls silent.

An address outside is asked for every minute, only while the monitor is healthy: when the calls
stop, that service tells people that the monitor is dead, cut off, or stuck.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from monitor.adapters.notify.exchange import Bounds, HttpExchange, NoAnswer
from monitor.adapters.notify.redaction import Redaction

log = logging.getLogger("monitor.notify")

EVERY_S = 60.0


class Heartbeat:
    """`beat()` once a minute, or `run()` for good."""

    def __init__(self, url: str, healthy: Callable[[], bool], bounds: Bounds | None = None) -> None:
        self._url = url
        self._healthy = healthy
        self._exchange = HttpExchange(Redaction(url), bounds)
        self._last: str | None = ""

    def __repr__(self) -> str:
        return "Heartbeat(…)"

    async def beat(self) -> bool:
        """Ask once, if all is well here. True: it was heard. Never raises for the other side."""
        why = await self._why_not()
        if why != self._last:
            if why is not None:
                log.warning("no heartbeat: %s", why)
            elif self._last:
                log.info("the heartbeat is heard again")
            self._last = why
        return why is None

    async def run(self, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        """A beat a minute until it is cancelled."""
        while True:
            await self.beat()
            await sleep(EVERY_S)

    async def close(self) -> None:
        await self._exchange.close()

    async def _why_not(self) -> str | None:
        if not self._healthy():
            return "the monitor is not well"
        answer = await self._exchange.get(self._url)
        if isinstance(answer, NoAnswer):
            return answer.why
        return None if 200 <= answer.status < 300 else f"HTTP {answer.status}"
