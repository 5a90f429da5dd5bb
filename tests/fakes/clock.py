"""A clock that only the test moves."""

from __future__ import annotations

import asyncio
import heapq
import itertools
from collections.abc import Callable, Generator

STEP_OVER_S = 2.0
NUDGE_S = 0.005


class ManualClock:
    """`Clock` for tests: `advance` moves time, `step_wall` steps the wall clock only.

    Other fakes schedule callbacks with `call_at`; they run in order of time when the clock
    reaches them, and it then shows exactly that time.
    """

    def __init__(self, start_s: float = 1_764_000_000.0) -> None:
        self._now_s = start_s
        self._wall_ahead_s = 0.0
        self._offset_s = 0.0
        self._due: list[tuple[float, int, Callable[[], None]]] = []
        self._order = itertools.count()

    def steady_s(self) -> float:
        return self._now_s

    def utc_s(self, steady_s: float) -> float:
        return steady_s + self._offset_s

    def step_s(self) -> float | None:
        off_s = self._wall_ahead_s - self._offset_s
        if abs(off_s) > STEP_OVER_S:
            self._offset_s += off_s
            return off_s
        self._offset_s += max(-NUDGE_S, min(NUDGE_S, off_s))
        return None

    def step_wall(self, by_s: float) -> None:
        """Set the wall clock; steady time goes on."""
        self._wall_ahead_s += by_s

    def call_at(self, at_s: float, callback: Callable[[], None]) -> None:
        """Run `callback` when the clock reaches `at_s`; at the next `advance` if that is past."""
        heapq.heappush(self._due, (at_s, next(self._order), callback))

    def advance(self, by_s: float) -> None:
        """Move on by `by_s` seconds and run what is due on the way."""
        self._run_to(self._now_s + by_s)

    async def run(self, for_s: float) -> None:
        """`advance`, but tasks on the event loop run after each callback."""
        end_s = self._now_s + for_s
        await _let_others_run()
        while self._due and self._due[0][0] <= end_s:
            self._run_to(max(self._now_s, self._due[0][0]))
            await _let_others_run()
        self._run_to(end_s)
        await _let_others_run()

    async def sleep_until(self, at_s: float) -> None:
        """Wait until the clock is moved to `at_s` or past it."""
        if at_s <= self._now_s:
            return
        reached = asyncio.get_running_loop().create_future()

        def wake() -> None:
            if not reached.done():
                reached.set_result(None)

        self.call_at(at_s, wake)
        await reached

    def _run_to(self, end_s: float) -> None:
        while self._due and self._due[0][0] <= end_s:
            at_s, _, callback = heapq.heappop(self._due)
            self._now_s = max(self._now_s, at_s)
            callback()
        self._now_s = max(self._now_s, end_s)


class _Turn:
    """Awaited: the other tasks of the event loop run once."""

    def __await__(self) -> Generator[None, None, None]:
        yield


async def _let_others_run() -> None:
    for _ in range(10):
        await _Turn()
