"""A blocking call in a thread of its own, with a hard bound in time.

Apprise and smtplib block, and a server that trickles bytes can hold them for ever: a thread that
is over its bound is left to itself (it is a daemon thread) and remembered by the message's key.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable

from monitor.core.alerting.model import Delivered, Delivery, RetryLater

MOST_HANGING = 3


class _Call:
    """One call under way; `delivery` is there once it came back."""

    def __init__(self, work: Callable[[], Delivery], loop: asyncio.AbstractEventLoop) -> None:
        self.delivery: Delivery | None = None
        self.over = False
        self.done = asyncio.Event()
        self._work = work
        self._loop = loop

    def start(self, name: str) -> None:
        threading.Thread(target=self._run, name=name, daemon=True).start()

    def _run(self) -> None:
        try:
            self.delivery = self._work()
        finally:
            self.over = True
            if not self._loop.is_closed():
                self._loop.call_soon_threadsafe(self.done.set)


class BoundedCalls:
    """The blocking calls of one channel."""

    def __init__(self, name: str, bound_s: float = 20.0) -> None:
        self._name = name
        self._bound_s = bound_s
        self._hanging: dict[str, _Call] = {}

    async def call(self, key: str, work: Callable[[], Delivery]) -> Delivery:
        """Within the bound, or TryLater.

        What an abandoned call came to counts at the next try of its key: a message that was
        accepted late is not sent again.
        """
        late = self._hanging.get(key)
        if late is not None and not late.over:
            return RetryLater("the try before is still on its way")
        if late is not None:
            del self._hanging[key]
            if isinstance(late.delivery, Delivered):
                return late.delivery
        self._hanging = {
            each: call
            for each, call in self._hanging.items()
            if not call.over or isinstance(call.delivery, Delivered)
        }
        hanging = sum(not call.over for call in self._hanging.values())
        if hanging >= MOST_HANGING:
            return RetryLater(f"{hanging} earlier tries have not come back")
        call = _Call(work, asyncio.get_running_loop())
        call.start(self._name)
        try:
            async with asyncio.timeout(self._bound_s):
                await call.done.wait()
        except TimeoutError:
            self._hanging[key] = call
            return RetryLater(f"no answer within {self._bound_s:g} s")
        return call.delivery or RetryLater("the try broke off")
