"""How much room the disk has, how fast it fills, and whether somebody should make room now.

Two rates, so that neither a slow leak nor a runaway log is missed and no single large file alarms:
over the last hour (once it has seen ten minutes), and over the last minute. Both are looked at in
five parts, and a slow one counts: only a filling that goes on does, not one burst.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

LONG_S = 3600.0
LONG_AT_LEAST_S = 600.0
SHORT_S = 60.0
PARTS = 5
SHORT_WITHIN_S = 3600.0
"""The rate of a minute is believed only where it fills the disk within this time."""

TOTAL_SHARE = 0.1

CLEAR_FACTOR = 1.25
"""Well again at so many times the limits (hysteresis)."""


@dataclass(frozen=True, slots=True)
class DiskLimits:
    """free_mb: of space, in 10⁶ bytes, but at most TOTAL_SHARE of the disk. within_s: until full.

    inodes_share: free ones, 0 to 1.
    """

    free_mb: float = 500.0
    within_s: float = 86_400.0
    inodes_share: float = 0.05


@dataclass(frozen=True, slots=True)
class DiskReading:
    """What a user without privileges may still use. inodes None: the file system counts none."""

    at_s: float
    free_bytes: int
    total_bytes: int
    free_inodes: int | None = None
    total_inodes: int | None = None


@dataclass(frozen=True, slots=True)
class DiskState:
    """full_in_s: until space or inodes are used up at the measured rate; None: they do not shrink.

    is_low: somebody should make room. by_inodes: inodes are what runs out.
    """

    free_bytes: int
    free_inodes: int | None
    full_in_s: float | None
    is_low: bool
    by_inodes: bool = False


class DiskTrend:
    """The readings of the last hour. Times are steady seconds."""

    def __init__(self) -> None:
        self._readings: deque[DiskReading] = deque()
        self._is_low = False

    def add(self, reading: DiskReading, limits: DiskLimits) -> DiskState:
        """The state of the disk with this reading, the newest."""
        self._readings.append(reading)
        while reading.at_s - self._readings[0].at_s > LONG_S:
            self._readings.popleft()
        factor = CLEAR_FACTOR if self._is_low else 1.0
        space_s = self._full_in_s([(each.at_s, each.free_bytes) for each in self._readings])
        counted = [
            (each.at_s, each.free_inodes) for each in self._readings if each.free_inodes is not None
        ]
        inodes_s = self._full_in_s(counted)
        low_inodes = (
            reading.free_inodes is not None
            and bool(reading.total_inodes)
            and reading.free_inodes < factor * limits.inodes_share * (reading.total_inodes or 0)
        )
        space_limit = min(limits.free_mb * 1e6, TOTAL_SHARE * reading.total_bytes)
        low_space = reading.free_bytes < factor * space_limit
        soon_space = space_s is not None and space_s < factor * limits.within_s
        soon_inodes = inodes_s is not None and inodes_s < factor * limits.within_s
        self._is_low = low_space or low_inodes or soon_space or soon_inodes
        times = [each for each in (space_s, inodes_s) if each is not None]
        return DiskState(
            reading.free_bytes,
            reading.free_inodes,
            min(times, default=None),
            self._is_low,
            by_inodes=(low_inodes or soon_inodes) and not (low_space or soon_space),
        )

    def _full_in_s(self, free: list[tuple[float, int]]) -> float | None:
        """Seconds until nothing is free; None: it does not shrink, or nobody knows yet."""
        if not free:
            return None
        left = free[-1][1]
        length_s = free[-1][0] - free[0][0]
        found: list[float] = []
        if length_s >= LONG_AT_LEAST_S:
            found += _seconds_left(left, sorted(_rates(free, length_s))[1])
        if length_s >= SHORT_S:
            short = _seconds_left(left, min(_rates(free, SHORT_S)))
            found += [each_s for each_s in short if each_s <= SHORT_WITHIN_S]
        return min(found, default=None)


def _rates(free: list[tuple[float, int]], length_s: float) -> list[float]:
    """How fast it was used up over the last `length_s`, a second, from part to part.

    Compared is the least that was free in each part: a file that is written and removed again
    does not count.
    """
    begin_s, part_s = free[-1][0] - length_s, length_s / PARTS
    least: dict[int, tuple[int, float]] = {}
    for at_s, value in free:
        if at_s >= begin_s:
            part = min(PARTS - 1, int((at_s - begin_s) / part_s))
            least[part] = min((value, at_s), least.get(part, (value, at_s)))
    rates = []
    for part in range(1, PARTS):
        before, after = least.get(part - 1), least.get(part)
        if before is None or after is None:
            rates.append(0.0)
        else:
            rates.append((before[0] - after[0]) / (after[1] - before[1]))
    return rates


def _seconds_left(left: int, rate: float) -> list[float]:
    return [left / rate] if rate > 0 else []
