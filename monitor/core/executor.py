"""Runs a blocking call in a worker thread, so that the event loop goes on."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Protocol, TypeVar

T = TypeVar("T")


class Executor(Protocol):
    """Run `call` in a thread and await its result."""

    def __call__(self, call: Callable[[], T], /) -> Awaitable[T]: ...
