"""The machine's clocks: one that never jumps, and the wall clock that people read.

The only place that asks for the time of day. Durations and deadlines come from
CLOCK_BOOTTIME, which no one can set and which goes on through suspend.
"""

from __future__ import annotations

import ctypes
import time
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

STEP_OVER_S = 2.0
"""A difference of the wall clock that is called a step; a smaller one is followed."""

NUDGE_S = 0.005
"""How far one call of `step_s` may move UTC towards the wall clock."""

NUDGE_PER_S = 0.5
"""And how much of the time since the last call it may take, however often it is called:
less than all of it, so that UTC goes forward."""

SYNCHRONISED_BY_SYSTEMD = Path("/run/systemd/timesync/synchronized")
"""systemd-timesyncd makes this file when it has set the clock for the first time."""

_NOT_SYNCHRONISED = 0x0040  # STA_UNSYNC of adjtimex(2)


def boottime_s() -> float:
    """Seconds since the machine started, time in suspend included."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


class SystemClock:
    """`Clock` of this machine.

    The steady timeline starts at the wall clock's reading when this object is made, and from
    then on follows CLOCK_BOOTTIME alone. UTC is the steady time plus an offset, at first 0.

    counted_s: a reading, in s, that never steps.   wall_s: the Unix time as the machine has it.
    """

    __slots__ = ("_counted_s", "_looked_s", "_offset_s", "_origin_s", "_wall_s")

    def __init__(
        self,
        counted_s: Callable[[], float] = boottime_s,
        wall_s: Callable[[], float] = time.time,
    ) -> None:
        self._counted_s = counted_s
        self._wall_s = wall_s
        self._origin_s = wall_s() - counted_s()
        self._offset_s = 0.0
        self._looked_s = self.steady_s()

    def steady_s(self) -> float:
        return self._origin_s + self._counted_s()

    def utc_s(self, steady_s: float) -> float:
        return steady_s + self._offset_s

    def step_s(self) -> float | None:
        now_s = self.steady_s()
        off_s = self._wall_s() - self.utc_s(now_s)
        since_s = now_s - self._looked_s
        self._looked_s = now_s
        if abs(off_s) > STEP_OVER_S:
            self._offset_s += off_s
            return off_s
        limit_s = min(NUDGE_S, NUDGE_PER_S * since_s)
        self._offset_s += max(-limit_s, min(limit_s, off_s))
        return None


class _Timex(ctypes.Structure):
    """struct timex of adjtimex(2), as far as `status`; the rest is only room."""

    _fields_: ClassVar = [
        ("modes", ctypes.c_uint),
        *((name, ctypes.c_long) for name in ("offset", "freq", "maxerror", "esterror")),
        ("status", ctypes.c_int),
        ("rest", ctypes.c_long * 32),
    ]


def clock_is_synchronised() -> bool | None:
    """Whether something keeps this machine's clock right (NTP); None when nobody tells.

    The kernel knows: whoever keeps the clock tells it so, and when it has not been told for long
    it says that the clock may be wrong. Asking (adjtimex with modes 0) changes nothing and needs
    no rights, but a sandbox may forbid it: then the mark of systemd-timesyncd is looked for.
    """
    told = _Timex()
    if ctypes.CDLL(None, use_errno=True).adjtimex(ctypes.byref(told)) < 0:
        return True if SYNCHRONISED_BY_SYSTEMD.exists() else None
    return not told.status & _NOT_SYNCHRONISED
