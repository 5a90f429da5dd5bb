"""An answer that is kept for a moment, so that a hundred browsers cost as much as one."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Kept(Generic[T]):
    """Asks `make` at most once in `for_s` seconds; callers meanwhile share the last answer.

    clock: seconds that never jump. While one thread asks anew, the others go on with the last
    answer as long as it is at most twice `for_s` old, and wait for the new one after that. What
    `make` raises goes to the caller that asked, and the next call asks again.
    """

    def __init__(self, make: Callable[[], T], for_s: float, clock: Callable[[], float]) -> None:
        self._make = make
        self._for_s = for_s
        self._clock = clock
        self._lock = threading.Lock()
        self._kept: tuple[float, T] | None = None

    def get(self) -> T:
        """The answer: it came at most `for_s` ago, or twice that while it is being renewed."""
        kept = self._kept
        if kept is not None and self._age_s(kept) < self._for_s:
            return kept[1]
        if kept is None or self._age_s(kept) >= 2 * self._for_s:
            self._lock.acquire()
        elif not self._lock.acquire(blocking=False):
            return kept[1]
        try:
            if self._kept is not None and self._age_s(self._kept) < self._for_s:
                return self._kept[1]
            value = self._make()
            # Counted from when it came, not from when it was asked for: were a slow answer old
            # at birth, each of those who waited for it would ask again, one after the other.
            self._kept = (self._clock(), value)
            return value
        finally:
            self._lock.release()

    def _age_s(self, kept: tuple[float, T]) -> float:
        return self._clock() - kept[0]
