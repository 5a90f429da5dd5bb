"""Convert the kernel's receive timestamps to the steady timeline.

A timestamp is the wall clock (CLOCK_REALTIME) at the moment the packet arrived. It is converted at
once, with the difference of the two clocks measured at that moment: a step of the wall clock
*between* sending and receiving changes nothing, only one between a packet's arrival and its
reading (milliseconds) could. That one is noticed, because the packet would then have arrived
before the previous read of the socket, or after now.
"""

from __future__ import annotations

import time
from collections.abc import Callable

SLACK_S = 0.001
"""A timestamp may seem this much later than now: the two clocks are not read at one moment."""

QUEUE_DELAY_S = 0.05
"""The kernel stamps a packet before it queues it, and on a busy machine queues it late."""

MAX_UNCERTAINTY_S = 0.05
"""Without a usable timestamp a packet counts as received now, if the previous read was at most
this long ago."""

CALIBRATION_WIDTH_S = 0.00005


def kernel_clock_s() -> float:
    """The clock of the kernel's timestamps; only read to convert them."""
    return time.clock_gettime(time.CLOCK_REALTIME)


class TimestampConverter:
    """Converts timestamps in batches: `calibrate` once, then `steady_s` for each packet.

    If the timestamps do not fit our own reading of the kernel's clock (it was stepped just now, or
    this process is shown another clock, as by libfaketime), the true difference is learned from
    the packets.
    """

    __slots__ = ("_kernel_s", "_learned_s", "_offset_s", "_steady_s")

    def __init__(self, steady_s: Callable[[], float], kernel_s: Callable[[], float]) -> None:
        self._steady_s = steady_s
        self._kernel_s = kernel_s
        self._offset_s = 0.0
        self._learned_s: float | None = None

    def calibrate(self) -> None:
        """Measure how far the kernel's clock is ahead of the steady one."""
        narrowest_s = float("inf")
        for _ in range(3):
            before_s = self._steady_s()
            kernel_s = self._kernel_s()
            after_s = self._steady_s()
            if after_s - before_s < narrowest_s:
                narrowest_s = after_s - before_s
                self._offset_s = kernel_s - (before_s + after_s) / 2
            if narrowest_s < CALIBRATION_WIDTH_S:
                return

    def steady_s(
        self, timestamp_s: float | None, sent_s: float, previous_read_s: float, read_s: float
    ) -> float | None:
        """When a packet arrived, in steady seconds; None when a clock step makes it unknown.

        sent_s: when its request was sent. It arrived between the previous complete read of the
        sockets (previous_read_s) and the present one (read_s).
        """
        earliest_s = max(sent_s, previous_read_s)
        if timestamp_s is not None:
            arrived_s = timestamp_s - self._offset_s
            if (
                previous_read_s - QUEUE_DELAY_S <= arrived_s <= read_s + SLACK_S
                and sent_s - SLACK_S <= arrived_s
            ):
                return max(sent_s, arrived_s)
            error_s = arrived_s - read_s
            known_error_s = self._learned_s
            self._learned_s = error_s
            if known_error_s is not None:
                arrived_s -= max(known_error_s, error_s)
                if earliest_s <= arrived_s:
                    self._learned_s = max(known_error_s, error_s)
                    return arrived_s
        return read_s if read_s - earliest_s <= MAX_UNCERTAINTY_S else None
