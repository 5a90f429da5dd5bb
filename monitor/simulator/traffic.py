"""A made-up week of traffic for one direction of one port. Pure: time comes in.

The rate is a curve of an office's day in WIB, drawn through knots every 15 minutes that are
noisy in a way that only the name decides, plus a small ripple. Its integral is exact, so that
counters and rates tell the same story.
"""

from __future__ import annotations

import math
import random
from bisect import bisect_right
from dataclasses import dataclass
from itertools import accumulate, pairwise

WIB_S = 7 * 3600
"""West Indonesia Time is UTC+7, without summer time."""

WEEK_S = 7 * 86_400
_FIRST_MONDAY_S = 4 * 86_400 - WIB_S  # Monday 1970-01-05 00:00 WIB, in Unix time
_KNOT_S = 900
_KNOTS = WEEK_S // _KNOT_S
_NOISE = 0.25
_RIPPLE = 0.4

_OFFICE_DAY = (
    (0.0, 0.05),
    (5.0, 0.05),
    (6.5, 0.12),
    (8.0, 0.70),
    (9.5, 1.00),
    (11.5, 0.92),
    (12.5, 0.55),
    (13.5, 0.88),
    (15.0, 0.78),
    (16.5, 0.35),
    (18.0, 0.18),
    (21.0, 0.14),
    (24.0, 0.05),
)
"""(hour in WIB, share of the busiest hour): lunch is seen, and everybody goes home at four."""

_WEEKEND = 0.3


@dataclass(frozen=True, slots=True)
class Traffic:
    """One direction of one port. Times are Unix seconds, rates bits a second.

    knots: the rate at each 15 minutes of a WIB week, from Monday 00:00, the first repeated at the
    end. bits: what has flowed since Monday at each knot, ripple aside.
    """

    knots: tuple[float, ...]
    bits: tuple[float, ...]
    ripple_bps: float
    ripple_period_s: float

    @property
    def peak_bps(self) -> float:
        """No rate is higher."""
        return max(self.knots) + self.ripple_bps

    def rate_bps(self, at_s: float) -> float:
        """The rate at a moment."""
        _, second = _week(at_s)
        knot, part = divmod(second, _KNOT_S)
        low, high = self.knots[int(knot)], self.knots[int(knot) + 1]
        curve = low + (high - low) * part / _KNOT_S
        return curve + self.ripple_bps * math.sin(math.tau * second / self.ripple_period_s)

    def bits_between(self, start_s: float, end_s: float) -> float:
        """The integral of `rate_bps` from start to end."""
        first, second_a = _week(start_s)
        last, second_b = _week(end_s)
        # Whole weeks since the first one only, so that the float keeps single bits.
        weeks = (last - first) * self._since_monday(WEEK_S)
        return weeks + self._since_monday(second_b) - self._since_monday(second_a)

    def _since_monday(self, second: float) -> float:
        knot = min(int(second // _KNOT_S), _KNOTS - 1)
        part = second - knot * _KNOT_S
        low, high = self.knots[knot], self.knots[knot + 1]
        curve = self.bits[knot] + low * part + (high - low) * part * part / (2 * _KNOT_S)
        turn = math.tau / self.ripple_period_s
        return curve + self.ripple_bps / turn * (1.0 - math.cos(turn * second))


def made_up_traffic(name: str, busiest_bps: float, seed: int) -> Traffic:
    """The traffic of one direction of one port: the same for the same name and seed.

    busiest_bps: about the rate of the busiest hour; no moment is above 1.5 times it.
    """
    dice = random.Random(f"{seed}:traffic:{name}")  # noqa: S311 - made-up traffic, no secret
    rates = [
        busiest_bps * _share(knot * _KNOT_S) * (1.0 + dice.uniform(-_NOISE, _NOISE))
        for knot in range(_KNOTS)
    ]
    knots = (*rates, rates[0])
    areas = [(low + high) / 2 * _KNOT_S for low, high in pairwise(knots)]
    # A whole number of ripples a week: the curve closes where it began.
    period = WEEK_S / dice.randrange(WEEK_S // 170, WEEK_S // 90)
    return Traffic(
        knots=knots,
        bits=tuple(accumulate(areas, initial=0.0)),
        ripple_bps=_RIPPLE * min(knots),
        ripple_period_s=period,
    )


def _week(at_s: float) -> tuple[int, float]:
    """Which week since 1970, and the second in it, in WIB."""
    week, second = divmod(at_s - _FIRST_MONDAY_S, WEEK_S)
    return int(week), second


def _share(second: float) -> float:
    day, in_day = divmod(second, 86_400)
    hour = in_day / 3600
    right = bisect_right(_OFFICE_DAY, hour, key=lambda point: point[0])
    (hour_a, low), (hour_b, high) = _OFFICE_DAY[right - 1], _OFFICE_DAY[right]
    share = low + (high - low) * (hour - hour_a) / (hour_b - hour_a)
    return share * (_WEEKEND if day >= 5 else 1.0)
