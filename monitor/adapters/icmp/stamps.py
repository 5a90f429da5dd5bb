"""The kernel's receive stamps, moved to the steady timeline.

A stamp is the wall clock (CLOCK_REALTIME) at the moment the packet came in. It is turned
into steady time at once, with the difference of the two clocks at that moment: so a step of
the wall clock *between* sending and receiving changes nothing, and only one between the
packet's arrival and our reading of it (milliseconds) could. That one is noticed because the
packet would then have come before we last looked, or after now.
"""

from __future__ import annotations

import time
from collections.abc import Callable

SLACK_S = 0.001
"""A stamp may seem this much later than now: the two clocks are not read at one moment."""

HELD_BACK_S = 0.05
"""The kernel stamps a packet before it queues it, and on a busy machine queues it late."""

SHARP_S = 0.05
"""Without a stamp, a packet's time is known when we looked this shortly before."""

BRACKET_S = 0.00005


def kernel_clock_s() -> float:
    """The clock that the kernel stamps with; read to convert stamps, never to tell the time."""
    return time.clock_gettime(time.CLOCK_REALTIME)


class Stamps:
    """Converts stamps, in batches: `look` once, then `steady` for each packet of the batch.

    If the stamps do not fit our own reading of the kernel's clock (it was stepped just now; or
    somebody shows this process another clock), the true difference is learned from packets.
    """

    __slots__ = ("_ahead_s", "_kernel_s", "_learned_s", "_steady_s")

    def __init__(self, steady_s: Callable[[], float], kernel_s: Callable[[], float]) -> None:
        self._steady_s = steady_s
        self._kernel_s = kernel_s
        self._ahead_s = 0.0
        self._learned_s: float | None = None

    def look(self) -> None:
        """Measure how far the kernel's clock is ahead of the steady one."""
        narrowest_s = float("inf")
        for _ in range(3):
            before_s = self._steady_s()
            kernel_s = self._kernel_s()
            after_s = self._steady_s()
            if after_s - before_s < narrowest_s:
                narrowest_s = after_s - before_s
                self._ahead_s = kernel_s - (before_s + after_s) / 2
            if narrowest_s < BRACKET_S:
                return

    def steady(
        self, stamp_s: float | None, sent_s: float, looked_s: float, read_s: float
    ) -> float | None:
        """When a packet came in, in steady seconds; None when a clock step hides it.

        sent_s: when its request was sent.   looked_s: when we last looked in vain.
        read_s: when we had read it.   So it came in between.
        """
        after_s = max(sent_s, looked_s)
        if stamp_s is not None:
            moment_s = stamp_s - self._ahead_s
            if (
                looked_s - HELD_BACK_S <= moment_s <= read_s + SLACK_S
                and sent_s - SLACK_S <= moment_s
            ):
                return max(sent_s, moment_s)
            off_s = moment_s - read_s
            known_off_s = self._learned_s
            self._learned_s = off_s
            if known_off_s is not None:
                moment_s -= max(known_off_s, off_s)
                if after_s <= moment_s:
                    self._learned_s = max(known_off_s, off_s)
                    return moment_s
        return read_s if read_s - after_s <= SHARP_S else None
