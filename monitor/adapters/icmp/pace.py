"""When the requests of one round are due: evenly spread, late ones caught up. No I/O here."""

from __future__ import annotations

from collections.abc import Sequence

AT_MOST = 200
"""Requests sent in one go when a round has to catch up."""

PAUSE_S = 0.005
"""A round that has to wait waits at least so long: requests due meanwhile go out together."""


class Pace:
    """One round on its way. Times are steady seconds.

    done: how many names have had their request.   stalled: some came too late for theirs.
    """

    __slots__ = ("_gap_s", "_start_s", "done", "names", "stalled")

    def __init__(self, names: Sequence[str], start_s: float, over_s: float) -> None:
        self.names = names
        self.done = 0
        self.stalled = False
        self._start_s = start_s
        self._gap_s = over_s / len(names) if names else 0.0

    @property
    def finished(self) -> bool:
        return self.done >= len(self.names)

    def until(self, now_s: float) -> int:
        """How many should be done after this go."""
        due = len(self.names)
        if self._gap_s > 0.0:
            due = min(due, int((now_s - self._start_s) / self._gap_s) + 1)
        return min(due, self.done + AT_MOST)

    def late_s(self, now_s: float) -> float:
        """How late the next request is."""
        return now_s - (self._start_s + self.done * self._gap_s)

    def wait_s(self, now_s: float) -> float:
        """How long to wait for the next go; 0: only let the others have their turn."""
        wait_s = -self.late_s(now_s)
        return max(wait_s, PAUSE_S) if wait_s > 0.0 else 0.0
