"""A channel in memory that accepts, delays or refuses messages as a test sets it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from monitor.core.alerting.model import Delivered, Delivery, Notification

Answer = Callable[[Notification], Delivery]


class MemoryChannel:
    """`Channel` for tests. tried: every message; accepted: those that were accepted.

    answer: the delivery of a message; None: accept it. hold(): from now on a send waits until
    release() (a slow channel without a sleep).
    """

    def __init__(self, answer: Answer | None = None) -> None:
        self.answer = answer
        self.tried: list[Notification] = []
        self.accepted: list[Notification] = []
        self.closed = False
        self._open = asyncio.Event()
        self._open.set()

    @property
    def keys(self) -> list[str]:
        """The keys of the accepted messages, in the order in which they came."""
        return [message.key for message in self.accepted]

    def hold(self) -> None:
        self._open.clear()

    def release(self) -> None:
        self._open.set()

    async def send(self, message: Notification) -> Delivery:
        self.tried.append(message)
        await self._open.wait()
        delivery = Delivered() if self.answer is None else self.answer(message)
        if isinstance(delivery, Delivered):
            self.accepted.append(message)
        return delivery

    async def close(self) -> None:
        self.closed = True
