"""How often somebody may try a password.

A browser in which a user has signed in before is known (a signed cookie) and counted by itself: no
stranger can keep that user out. Everybody else is counted by address and name together, and by
address; after some free attempts each next one must wait twice as long. The attempts on a name from
everywhere shorten what is free to others, but never lock the name.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

FORGET_S = 3600.0
"""Without an attempt for so long, one begins anew."""

UNDER_ATTACK = 30
"""So many failed attempts on one name within FORGET_S, from browsers that are not known."""

MOST_KEYS = 10_000

K = TypeVar("K", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Pace:
    """free: failures without a delay; then first_s, twice as much after each, up to longest_s."""

    free: int
    first_s: float
    longest_s: float

    def delay_s(self, failed: int) -> float:
        """How long after the last attempt the next may be made."""
        beyond = failed - self.free
        return 0.0 if beyond < 0 else min(self.first_s * 2.0 ** min(beyond, 30), self.longest_s)


OF_A_DEVICE = Pace(free=10, first_s=5.0, longest_s=900.0)
OF_A_PAIR = Pace(free=5, first_s=5.0, longest_s=900.0)
OF_A_PAIR_UNDER_ATTACK = Pace(free=1, first_s=60.0, longest_s=900.0)
OF_AN_ADDRESS = Pace(free=20, first_s=5.0, longest_s=60.0)


@dataclass(slots=True)
class _Failures:
    count: int = 0
    last_s: float = 0.0
    times: deque[float] = field(default_factory=lambda: deque(maxlen=UNDER_ATTACK))


class _Table(Generic[K]):
    """Failures by key; when it is full, those with the fewest failures go first."""

    def __init__(self) -> None:
        self._kept: dict[K, _Failures] = {}

    def find(self, key: K, now_s: float) -> _Failures | None:
        found = self._kept.get(key)
        if found is not None and now_s - found.last_s > FORGET_S:
            del self._kept[key]
            return None
        return found

    def add(self, key: K, now_s: float) -> None:
        found = self.find(key, now_s)
        if found is None:
            if len(self._kept) >= MOST_KEYS:
                self._make_room(now_s)
            found = self._kept[key] = _Failures()
        found.count += 1
        found.last_s = now_s
        found.times.append(now_s)

    def take_back(self, key: K) -> None:
        """The newest attempt was none that failed."""
        found = self._kept.get(key)
        if found is not None and found.count:
            found.count -= 1
            found.times.pop()

    def clear(self, key: K) -> None:
        self._kept.pop(key, None)

    def _make_room(self, now_s: float) -> None:
        """A tenth: many at once, as this looks at all of them."""
        order = sorted(
            self._kept.items(),
            key=lambda item: (
                now_s - item[1].last_s <= FORGET_S,
                item[1].count,
                item[1].last_s,
            ),
        )
        for key, _ in order[: MOST_KEYS // 10]:
            del self._kept[key]


class Attempts:
    """Attempts that failed. Any number of threads.

    An attempt counts as soon as it begins: many at once gain nothing.
    """

    def __init__(self, steady: Callable[[], float]) -> None:
        self._steady = steady
        self._lock = threading.Lock()
        self._devices: _Table[str] = _Table()
        self._pairs: _Table[tuple[str, str]] = _Table()
        self._addresses: _Table[str] = _Table()
        self._names: _Table[str] = _Table()

    def begin(self, address: str, name: str, device: str | None = None) -> float:
        """0: go on. Else how many seconds to wait; the attempt is then not made.

        device: of the browser, where this user has signed in with it before.
        """
        now_s = self._steady()
        with self._lock:
            if device is not None:
                wait_s = self._wait_s(self._devices.find(device, now_s), OF_A_DEVICE, now_s)
                if wait_s <= 0:
                    self._devices.add(device, now_s)
                return wait_s
            pair = (address, name)
            attacked = self._is_attacked(name, now_s)
            pace = OF_A_PAIR_UNDER_ATTACK if attacked else OF_A_PAIR
            wait_s = max(
                self._wait_s(self._pairs.find(pair, now_s), pace, now_s),
                self._wait_s(self._addresses.find(address, now_s), OF_AN_ADDRESS, now_s),
            )
            if wait_s <= 0:
                self._pairs.add(pair, now_s)
                self._addresses.add(address, now_s)
                self._names.add(name, now_s)
            return wait_s

    def succeeded(self, address: str, name: str, device: str | None = None) -> None:
        """That was the right password.

        What others failed from the same address stays counted: an account of one's own is no way
        to begin anew.
        """
        with self._lock:
            if device is not None:
                self._devices.clear(device)
                return
            self._pairs.clear((address, name))
            self._addresses.take_back(address)
            self._names.take_back(name)

    def _is_attacked(self, name: str, now_s: float) -> bool:
        found = self._names.find(name, now_s)
        if found is None or len(found.times) < UNDER_ATTACK:
            return False
        return now_s - found.times[0] <= FORGET_S

    @staticmethod
    def _wait_s(found: _Failures | None, pace: Pace, now_s: float) -> float:
        return 0.0 if found is None else found.last_s + pace.delay_s(found.count) - now_s
