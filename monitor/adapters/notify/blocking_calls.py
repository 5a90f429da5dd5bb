"""Runs a blocking call in a thread of its own, with a hard time limit.

Apprise and smtplib block, and a server that trickles bytes can hold them for ever. A thread that
exceeds the limit is abandoned (it is a daemon thread) and remembered by the message's key.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable

from monitor.core.alerting.model import Delivered, Delivery, RetryLater

MAX_HANGING = 3


class _Call:
    """One call; `delivery` is set when it has returned."""

    def __init__(self, work: Callable[[], Delivery], loop: asyncio.AbstractEventLoop) -> None:
        self.delivery: Delivery | None = None
        self.finished = False
        self.done = asyncio.Event()
        self._work = work
        self._loop = loop

    def start(self, name: str) -> None:
        threading.Thread(target=self._run, name=name, daemon=True).start()

    def _run(self) -> None:
        try:
            self.delivery = self._work()
        finally:
            self.finished = True
            if not self._loop.is_closed():
                self._loop.call_soon_threadsafe(self.done.set)


class BlockingCalls:
    """The blocking calls of one channel."""

    def __init__(self, name: str, timeout_s: float = 20.0) -> None:
        self._name = name
        self._timeout_s = timeout_s
        self._hanging: dict[str, _Call] = {}

    async def call(self, key: str, work: Callable[[], Delivery]) -> Delivery:
        """The result of `work`, or RetryLater after the time limit.

        The result of an abandoned call counts at the next try of its key: a message that was
        accepted late is not sent again.
        """
        late = self._hanging.get(key)
        if late is not None and not late.finished:
            return RetryLater("the try before is still on its way")
        if late is not None:
            del self._hanging[key]
            if isinstance(late.delivery, Delivered):
                return late.delivery
        self._hanging = {
            each: call
            for each, call in self._hanging.items()
            if not call.finished or isinstance(call.delivery, Delivered)
        }
        hanging = sum(not call.finished for call in self._hanging.values())
        if hanging >= MAX_HANGING:
            return RetryLater(f"{hanging} earlier tries have not come back")
        call = _Call(work, asyncio.get_running_loop())
        call.start(self._name)
        try:
            async with asyncio.timeout(self._timeout_s):
                await call.done.wait()
        except TimeoutError:
            self._hanging[key] = call
            return RetryLater(f"no answer within {self._timeout_s:g} s")
        return call.delivery or RetryLater("the try broke off")
