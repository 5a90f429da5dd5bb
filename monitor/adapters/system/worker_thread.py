"""A dedicated worker thread for blocking calls.

The event loop's default thread pool is small, and name resolution needs it, too.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")


class WorkerThread:
    """`core.executor.Executor` on one thread: calls run one at a time, first in, first out."""

    def __init__(self, name: str) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=name)

    def __call__(self, call: Callable[[], T], /) -> Awaitable[T]:
        return asyncio.get_running_loop().run_in_executor(self._thread, call)

    def close(self) -> None:
        """Wait for the call that is running and discard those that have not begun."""
        self._thread.shutdown(cancel_futures=True)
