"""Whether a router is still listened to: after a few wrong answers in a row it is not, for a while.

Only answers to an awaited number from the router's own address count, so nobody else can make us
turn away from a router. No I/O here.
"""

from __future__ import annotations

MAX_WRONG = 6
"""Wrong answers in a row, retries included, until a router is ignored."""

FIRST_PAUSE_S = 60.0
LONGEST_PAUSE_S = 900.0


class PeerTrust:
    """Counts the wrong answers of one router. Times: the event loop's clock."""

    def __init__(self) -> None:
        self._wrong = 0
        self._pause_s = FIRST_PAUSE_S
        self._until_s = 0.0

    def ignored_s(self, now_s: float) -> float:
        """For how many more seconds the router is ignored; 0: it is listened to."""
        return max(0.0, self._until_s - now_s)

    def on_right(self) -> None:
        """A right answer: all is forgotten."""
        self._wrong = 0
        self._pause_s = FIRST_PAUSE_S

    def on_wrong(self, now_s: float, weight: int = 1) -> None:
        """A wrong answer. After each pause one more is enough for the next, twice as long."""
        self._wrong += weight
        if self._wrong >= MAX_WRONG:
            self._wrong = MAX_WRONG - 1
            self._until_s = now_s + self._pause_s
            self._pause_s = min(2 * self._pause_s, LONGEST_PAUSE_S)
