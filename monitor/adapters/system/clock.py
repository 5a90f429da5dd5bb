"""The machine's clocks: the steady timeline and UTC (port `Clock`); whether NTP keeps them right.

The only module that reads the time of day. Durations and deadlines come from CLOCK_BOOTTIME,
which cannot be set and counts through suspend.
"""

from __future__ import annotations

import ctypes
import time
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

STEP_OVER_S = 2.0
"""A larger difference to the wall clock is a step; a smaller one is slewed."""

MAX_SLEW_S = 0.005
"""How far one call of `step_s` may move UTC towards the wall clock."""

MAX_SLEW_RATE = 0.5
"""And which share of the time since the last call: below 1, so that UTC never goes back."""

SYNCHRONISED_BY_SYSTEMD = Path("/run/systemd/timesync/synchronized")
"""systemd-timesyncd touches this file each time it has compared the clock with a server's."""

TIMESYNCD_STALE_S = 10_800.0
"""It asks at least every 34 minutes."""

_NOT_SYNCHRONISED = 0x0040  # STA_UNSYNC of adjtimex(2)


def boottime_s() -> float:
    """Seconds since the machine started, including time in suspend."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


class SystemClock:
    """`Clock` of this machine.

    The steady timeline begins at the wall clock's reading when this object is created, and then
    follows CLOCK_BOOTTIME alone. UTC is the steady time plus an offset, at first 0.

    boot_s: a clock that never steps, in seconds.   wall_s: the machine's Unix time.
    """

    __slots__ = ("_boot_s", "_checked_s", "_offset_s", "_origin_s", "_wall_s")

    def __init__(
        self,
        boot_s: Callable[[], float] = boottime_s,
        wall_s: Callable[[], float] = time.time,
    ) -> None:
        self._boot_s = boot_s
        self._wall_s = wall_s
        self._origin_s = wall_s() - boot_s()
        self._offset_s = 0.0
        self._checked_s = self.steady_s()

    def steady_s(self) -> float:
        return self._origin_s + self._boot_s()

    def utc_s(self, steady_s: float) -> float:
        return steady_s + self._offset_s

    def step_s(self) -> float | None:
        now_s = self.steady_s()
        difference_s = self._wall_s() - self.utc_s(now_s)
        since_s = now_s - self._checked_s
        self._checked_s = now_s
        if abs(difference_s) > STEP_OVER_S:
            self._offset_s += difference_s
            return difference_s
        limit_s = min(MAX_SLEW_S, MAX_SLEW_RATE * since_s)
        self._offset_s += max(-limit_s, min(limit_s, difference_s))
        return None


class _Timex(ctypes.Structure):
    """struct timex of adjtimex(2), up to `status`; the rest is padding."""

    _fields_: ClassVar = [
        ("modes", ctypes.c_uint),
        *((name, ctypes.c_long) for name in ("offset", "freq", "maxerror", "esterror")),
        ("status", ctypes.c_int),
        ("rest", ctypes.c_long * 32),
    ]


def clock_is_synchronised() -> bool | None:
    """Whether this machine's clock is synchronised (NTP); None: not known.

    The kernel has the state that the NTP daemon sets, and clears it when it is not renewed.
    Reading it (adjtimex with modes 0) changes nothing and needs no rights, but a sandbox may
    forbid it: then systemd-timesyncd decides, where it runs.
    """
    timex = _Timex()
    if ctypes.CDLL(None, use_errno=True).adjtimex(ctypes.byref(timex)) < 0:
        return synchronised_by_timesyncd(SYNCHRONISED_BY_SYSTEMD, time.time())
    return not timex.status & _NOT_SYNCHRONISED


def synchronised_by_timesyncd(file: Path, now_s: float) -> bool | None:
    """What its file says; None: it does not run here. now_s: Unix seconds."""
    try:
        age_s = now_s - file.stat().st_mtime
    except OSError:
        return False if file.parent.is_dir() else None
    return abs(age_s) < TIMESYNCD_STALE_S
