"""What we may have missed: this process stood still, or had no room for the answers.

A request whose answer may have come meanwhile is not measured, whatever the network did.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Iterable

from monitor.adapters.icmp.book import Asked

STALL_S = 0.05
"""An event loop that is later than this is remembered; what it hides depends on time-outs."""

STALLS_KEPT = 8
COMPLAIN_EVERY_S = 60.0

STALLED = "stalled"
NO_BUFFER = "ENOBUFS"

log = logging.getLogger(__name__)


class Absence:
    """Remembers the last stalls of the event loop and the last loss of answers. Steady seconds."""

    def __init__(self, now_s: float) -> None:
        self._expected: dict[object, float] = {}
        self._stalls: deque[tuple[float, float]] = deque(maxlen=STALLS_KEPT)
        self._deaf_to_s = now_s
        self._complained_s = now_s - COMPLAIN_EVERY_S

    def expect(self, who: object, at_s: float) -> None:
        """`who` waits for the event loop, and should be woken then."""
        self._expected[who] = at_s

    def forget(self, who: object) -> None:
        """`who` waits no longer."""
        self._expected.pop(who, None)

    def expected_s(self) -> Iterable[float]:
        """When those who wait should be woken."""
        return self._expected.values()

    def awake(self, now_s: float, due_s: float = float("inf")) -> None:
        """The event loop runs now. Should it have done so before, at `due_s` or for a waiter?"""
        since_s = min(due_s, *self._expected.values(), now_s)
        if now_s - since_s > STALL_S:
            self._stalls.append((since_s, now_s))

    def deaf(self, now_s: float) -> None:
        """Answers were dropped before now, for want of room."""
        self._deaf_to_s = now_s
        if now_s - self._complained_s >= COMPLAIN_EVERY_S:
            self._complained_s = now_s
            log.warning("answers were dropped: the receive buffer for ICMP is too small")

    def excuse(self, asked: Asked) -> str | None:
        """Why silence on this request says nothing of its target; None when it does.

        We were away for longer than its time-out, or lost answers, after it was sent.
        """
        if asked.sent_s <= self._deaf_to_s:
            return NO_BUFFER
        timeout_s = asked.deadline_s - asked.sent_s
        for from_s, to_s in self._stalls:
            if asked.sent_s < to_s and to_s - from_s > timeout_s:
                return STALLED
        return None

    def complain_of_stall(self, requests: int) -> None:
        """So many requests are not measured because of it."""
        longest_s = max(to_s - from_s for from_s, to_s in self._stalls)
        log.warning(
            "this process stood still for %.1f s: %d requests are not measured",
            longest_s,
            requests,
        )
