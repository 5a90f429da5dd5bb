"""A tracer that knows the paths, on a clock that the test moves."""

from __future__ import annotations

from monitor.core.paths.model import Hop, PathTrace
from tests.fakes.clock import ManualClock


class FakeTracer:
    """`Tracer` for tests. paths: `A * T` by target; a trace takes `duration_s`.

    A target without a path cannot be measured.
    """

    def __init__(self, clock: ManualClock, paths: dict[str, str], addresses: dict[str, str]):
        self.paths = paths
        self.duration_s = 3.0
        self.traced: list[tuple[float, str]] = []
        self.most_at_once = 0
        self._addresses = addresses
        self._clock = clock
        self._running = 0

    async def trace(self, target: str, max_hops: int) -> PathTrace | None:
        at_s = self._clock.steady_s()
        self.traced.append((at_s, target))
        self._running += 1
        self.most_at_once = max(self.most_at_once, self._running)
        path = self.paths.get(target)
        await self._clock.sleep_until(at_s + self.duration_s)
        self._running -= 1
        if path is None:
            return None
        words = path.split()[:max_hops]
        hops = tuple(
            Hop(ttl, None if word == "*" else word, 1.0) for ttl, word in enumerate(words, start=1)
        )
        address = self._addresses[target]
        reached = bool(words) and words[-1] == address
        return PathTrace(target, address, self._clock.utc_s(at_s), hops, reached)
