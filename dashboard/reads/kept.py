"""An answer that is kept for a moment, so that a hundred browsers cost as much as one."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Kept(Generic[T]):
    """Asks `make` at most once in `for_s` seconds; callers meanwhile share the last answer.

    clock: seconds that never jump. While one thread asks, the others wait for its answer. What
    `make` raises goes to the caller that asked, and the next call asks again.
    """

    def __init__(self, make: Callable[[], T], for_s: float, clock: Callable[[], float]) -> None:
        self._make = make
        self._for_s = for_s
        self._clock = clock
        self._lock = threading.Lock()
        self._kept: tuple[float, T] | None = None

    def get(self) -> T:
        """The answer, at most `for_s` old when it was asked for."""
        with self._lock:
            now_s = self._clock()
            if self._kept is not None and now_s - self._kept[0] < self._for_s:
                return self._kept[1]
            value = self._make()
            self._kept = (self._clock(), value)
            return value
