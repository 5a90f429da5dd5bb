"""When the requests of one round are due: evenly spread, late ones caught up. No I/O here."""

from __future__ import annotations

from collections.abc import Sequence

AT_MOST = 200
"""Requests sent in one go when a round has to catch up."""

BURST = 5
SHORTEST_PAUSE_S, LONGEST_PAUSE_S = 0.001, 0.005
"""A round that waits lets about BURST requests fall due, which then go out together: each time
that we wake costs as much as several sends. But a longer burst makes a queue on the way, and a
queue is in every RTT behind it. The event loop does not wait for less than a millisecond."""


class SendPace:
    """One round on its way. Times are steady seconds.

    done: how many names have had their request.   stalled: some came too late for theirs.
    """

    __slots__ = ("_gap_s", "_pause_s", "_start_s", "done", "names", "stalled")

    def __init__(self, names: Sequence[str], start_s: float, over_s: float) -> None:
        self.names = names
        self.done = 0
        self.stalled = False
        self._start_s = start_s
        self._gap_s = over_s / len(names) if names else 0.0
        self._pause_s = min(LONGEST_PAUSE_S, max(SHORTEST_PAUSE_S, BURST * self._gap_s))

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
        return max(wait_s, self._pause_s) if wait_s > 0.0 else 0.0
