"""A clock that stands still until the test moves it."""

from __future__ import annotations

import asyncio
import heapq
import itertools
from collections.abc import Callable, Generator

STEP_OVER_S = 2.0
NUDGE_S = 0.005


class ManualClock:
    """`Clock` for tests: `advance` moves time, `step_wall` steps the wall clock only.

    What other fakes want done at a moment they hand to `call_at`; it is done, in order of
    time, when the clock gets there, and the clock then shows exactly that moment.
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
        """Someone sets the wall clock; the steady timeline does not notice."""
        self._wall_ahead_s += by_s

    def call_at(self, at_s: float, what: Callable[[], None]) -> None:
        """Do `what` when the clock reaches `at_s`; at the next `advance` if that is past."""
        heapq.heappush(self._due, (at_s, next(self._order), what))

    def advance(self, by_s: float) -> None:
        """Move on by `by_s` seconds, and do on the way what is due."""
        self._run_to(self._now_s + by_s)

    async def run(self, for_s: float) -> None:
        """`advance`, but tasks on the event loop get their turn after each thing that is done."""
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
            at_s, _, what = heapq.heappop(self._due)
            self._now_s = max(self._now_s, at_s)
            what()
        self._now_s = max(self._now_s, end_s)


class _Turn:
    """Awaited: everyone else on the event loop has a turn."""

    def __await__(self) -> Generator[None, None, None]:
        yield


async def _let_others_run() -> None:
    for _ in range(10):
        await _Turn()
