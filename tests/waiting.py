"""Wait for a condition with a deadline, instead of a fixed sleep."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def eventually(check: Callable[[], T], within_s: float = 10.0, every_s: float = 0.05) -> T:
    """Return the first truthy result of `check`; AssertionError after `within_s`."""
    deadline = time.monotonic() + within_s
    pause = threading.Event()
    while True:
        answer = check()
        if answer:
            return answer
        if time.monotonic() >= deadline:
            raise AssertionError(f"not true within {within_s} s: last answer {answer!r}")
        pause.wait(every_s)


async def eventually_async(
    check: Callable[[], T], within_s: float = 10.0, every_s: float = 0.02
) -> T:
    """`eventually` on an event loop."""
    deadline = time.monotonic() + within_s
    pause = asyncio.Event()
    while True:
        answer = check()
        if answer:
            return answer
        if time.monotonic() >= deadline:
            raise AssertionError(f"not true within {within_s} s: last answer {answer!r}")
        try:
            async with asyncio.timeout(every_s):
                await pause.wait()
        except TimeoutError:
            continue
