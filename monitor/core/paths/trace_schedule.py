"""Which path is traced next: those of targets that are down first, else a usual path that is due.

At most one trace is begun at each call of `next_trace` (once a second), and only MAX_RUNNING are
under way at once. Targets that fall together wait in a queue of MAX_WAITING; the others are
skipped, and named so that somebody can say it.
"""

from __future__ import annotations

import heapq
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

MAX_RUNNING = 20
MAX_WAITING = 60

FIRST_BASELINE_S = 20.0
"""After a start or reload the first usual paths wait so long: states come first."""

BASELINE_PAUSE_S = 5.0
"""Between two usual paths. 10,000 targets a day are one every 8.6 s."""

TRY_AGAIN_S = 900.0
"""A usual path that could not be traced (the target was not up) is due again after so long."""

REPEAT_S = 10.0
"""A trace of a target that is down and that proved nothing is made again after so long."""

LOOKS = 20
"""So many due usual paths are looked at in one call."""


@dataclass(frozen=True, slots=True)
class DownTarget:
    """A target with an open incident. parents: nodes that it hangs on."""

    incident: int
    target: str
    is_node: bool
    parents: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TraceRequest:
    """One trace to make. incident: None for a usual path."""

    target: str
    incident: int | None = None


class TraceSchedule:
    """Owns the queue of targets that are down and the times at which usual paths are due (UTC)."""

    def __init__(self) -> None:
        self._period_s = 86_400.0
        self._due: list[tuple[float, str]] = []
        self._due_s: dict[str, float] = {}  # what counts; other entries of the heap are outdated
        self._waiting: dict[int, DownTarget] = {}
        self._known: set[int] = set()
        self._again_s: dict[int, float] = {}
        self._running: Counter[str] = Counter()
        self._behind: Counter[tuple[str, ...]] = Counter()
        self._next_baseline_s = 0.0

    @property
    def waiting(self) -> int:
        """How many targets that are down wait for their trace."""
        return len(self._waiting)

    @property
    def running(self) -> int:
        return self._running.total()

    def reconfigure(
        self, baselines: Mapping[str, float | None], period_s: float, now_s: float
    ) -> None:
        """Trace these targets from now on. baselines: by target, when its usual path was traced."""
        self._period_s = period_s
        self._waiting = {n: w for n, w in self._waiting.items() if w.target in baselines}
        first_s = now_s + FIRST_BASELINE_S
        self._next_baseline_s = first_s
        self._due_s = {
            target: first_s if at_s is None else max(first_s, self._next_slot_s(target, at_s))
            for target, at_s in baselines.items()
        }
        self._due = [(due_s, target) for target, due_s in self._due_s.items()]
        heapq.heapify(self._due)

    def offer(self, down: Iterable[DownTarget], now_s: float) -> list[DownTarget]:
        """The targets that are down now; returns those whose trace is skipped, once each.

        Those that are no longer down leave the queue.
        """
        current = {each.incident: each for each in down if each.target in self._due_s}
        self._known.intersection_update(current)
        due = [n for n, at_s in self._again_s.items() if not 0.0 < at_s - now_s <= REPEAT_S]
        for number in due:
            del self._again_s[number]
            self._known.discard(number)
        self._waiting = {n: current[n] for n in self._waiting if n in current}
        if not self._waiting and not self._running:
            self._behind.clear()
        new = [each for number, each in sorted(current.items()) if number not in self._known]
        if not new:
            return []
        self._known.update(each.incident for each in new)
        ordered = _spread([*self._waiting.values(), *new])
        self._waiting = {each.incident: each for each in ordered[:MAX_WAITING]}
        return ordered[MAX_WAITING:]

    def next_trace(self, now_s: float, is_up: Callable[[str], bool]) -> TraceRequest | None:
        """The trace to begin now. is_up: whether a usual path can be traced."""
        if self.running >= MAX_RUNNING:
            return None
        request = self._next_down() or self._next_baseline(now_s, is_up)
        if request is not None:
            self._running[request.target] += 1
        return request

    def finished(self, request: TraceRequest, now_s: float, *, usable: bool) -> None:
        """A trace has ended. usable: its result counts; otherwise it will be made again."""
        self._running[request.target] -= 1
        self._running += Counter()  # drops what is 0
        if request.incident is not None:
            if not usable:
                self._again_s[request.incident] = now_s + REPEAT_S
        else:
            due_s = self._next_slot_s(request.target, now_s) if usable else now_s + TRY_AGAIN_S
            self.set_due(request.target, due_s)

    def set_due(self, target: str, at_s: float) -> None:
        """The usual path of a target shall be traced at this time, and not before."""
        if target in self._due_s:
            self._due_s[target] = at_s
            heapq.heappush(self._due, (at_s, target))

    def _next_down(self) -> TraceRequest | None:
        """Nodes first; then of the links one behind each node, before a second one there."""
        if not self._waiting:
            return None
        chosen = min(
            self._waiting.values(),
            key=lambda each: (not each.is_node, self._behind[each.parents], each.incident),
        )
        del self._waiting[chosen.incident]
        self._behind[chosen.parents] += 1
        return TraceRequest(chosen.target, chosen.incident)

    def _next_baseline(self, now_s: float, is_up: Callable[[str], bool]) -> TraceRequest | None:
        # Further ahead than any pause: the wall clock was set back.
        if 0.0 < self._next_baseline_s - now_s <= FIRST_BASELINE_S:
            return None
        for _ in range(LOOKS):
            if not self._due or self._due[0][0] > now_s:
                return None
            due_s, target = heapq.heappop(self._due)
            if self._due_s.get(target) != due_s:
                continue
            if is_up(target) and target not in self._running:
                self._next_baseline_s = now_s + BASELINE_PAUSE_S
                return TraceRequest(target)
            self.set_due(target, now_s + TRY_AGAIN_S)
        return None

    def _next_slot_s(self, target: str, after_s: float) -> float:
        """The target's own time of day (or of the period), strictly after `after_s`."""
        offset_s = zlib.crc32(target.encode()) % round(self._period_s)
        turns = (after_s - offset_s) // self._period_s + 1
        return turns * self._period_s + offset_s


def _spread(targets: Iterable[DownTarget]) -> list[DownTarget]:
    """Nodes first; then links of different nodes in turn, each by the number of its incident."""
    places: Counter[tuple[str, ...]] = Counter()
    keyed: list[tuple[bool, int, int, DownTarget]] = []
    for each in sorted(targets, key=lambda one: one.incident):
        keyed.append((not each.is_node, places[each.parents], each.incident, each))
        places[each.parents] += 1
    return [each for *_, each in sorted(keyed, key=lambda key: key[:3])]
