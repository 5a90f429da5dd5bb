"""A thread of one's own: what waits there holds up nobody else.

The event loop's common threads are few, and name look-ups need them, too.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")


class WorkerThread:
    """`core.aside.Aside` on one thread, in the order of asking."""

    def __init__(self, name: str) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=name)

    def __call__(self, what: Callable[[], T], /) -> Awaitable[T]:
        return asyncio.get_running_loop().run_in_executor(self._thread, what)

    def close(self) -> None:
        """Wait for what is under way, and do nothing more."""
        self._thread.shutdown(cancel_futures=True)
