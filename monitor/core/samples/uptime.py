"""sysUpTime: whether a router went on from one reading to the next. Pure."""

from __future__ import annotations

TICKS_A_SECOND = 100
"""sysUpTime and ifCounterDiscontinuityTime count hundredths of a second (RFC 3418)."""

TICKS_WRAP = 2**32
"""sysUpTime starts at zero again after 497.1 days."""

SLACK_S = 5.0
SLACK_RATIO = 0.02
"""For a router's own clock, and for the time a request waits on the way: the larger of both."""


def uptime_continues(before_ticks: int, now_ticks: int, elapsed_s: float) -> bool:
    """Whether sysUpTime went on, `elapsed_s` later by our clock; its wrap is no reboot."""
    expected = before_ticks + round(elapsed_s * TICKS_A_SECOND)
    off = (now_ticks - expected + TICKS_WRAP // 2) % TICKS_WRAP - TICKS_WRAP // 2
    slack_s = max(SLACK_S, SLACK_RATIO * abs(elapsed_s))
    return abs(off) <= slack_s * TICKS_A_SECOND


def ticks_between_s(before_ticks: int, now_ticks: int) -> float:
    """Seconds from one sysUpTime to the next, through its wrap; never negative."""
    return ((now_ticks - before_ticks) % TICKS_WRAP) / TICKS_A_SECOND
