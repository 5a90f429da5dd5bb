"""How often somebody may try a password."""

from __future__ import annotations

import threading
from collections import OrderedDict, deque
from collections.abc import Callable

WITHIN_S = 900.0
OF_AN_ADDRESS = 10
OF_A_NAME = 30
"""More than an address may, so that one that tries cannot keep the person out as well."""

MOST_KEYS = 10_000


class Attempts:
    """Attempts that failed, by address and by name; kept for a quarter of an hour.

    An attempt counts as soon as it begins: many at once gain nothing. Any number of threads.
    """

    def __init__(self, steady: Callable[[], float]) -> None:
        self._steady = steady
        self._lock = threading.Lock()
        self._failed: OrderedDict[str, deque[float]] = OrderedDict()

    def begin(self, address: str, name: str) -> float:
        """0: go on. Else how many seconds to wait; the attempt is then not made."""
        now_s = self._steady()
        with self._lock:
            tried = [
                (self._of(f"@{address}", now_s), OF_AN_ADDRESS),
                (self._of(f"={name}", now_s), OF_A_NAME),
            ]
            waits = [times[-most] + WITHIN_S - now_s for times, most in tried if len(times) >= most]
            if waits:
                return max(waits)
            for times, _ in tried:
                times.append(now_s)
            return 0.0

    def succeeded(self, address: str, name: str) -> None:
        """That was the right password: the address begins anew, the name loses one."""
        with self._lock:
            self._failed.pop(f"@{address}", None)
            times = self._failed.get(f"={name}")
            if times:
                times.pop()

    def _of(self, key: str, now_s: float) -> deque[float]:
        times = self._failed.setdefault(key, deque())
        self._failed.move_to_end(key)
        while times and times[0] <= now_s - WITHIN_S:
            times.popleft()
        while len(self._failed) > MOST_KEYS:
            self._failed.popitem(last=False)
        return times
