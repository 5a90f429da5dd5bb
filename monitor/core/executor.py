"""Where what blocks is done: never on the event loop."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Protocol, TypeVar

T = TypeVar("T")


class Executor(Protocol):
    """Does something that blocks on a thread; the answer is awaited."""

    def __call__(self, what: Callable[[], T], /) -> Awaitable[T]: ...
