"""The result of one SNMP poll of a router, and the arithmetic of sysUpTime."""

from __future__ import annotations

from dataclasses import dataclass

from monitor.core.samples.samples import DeviceSample


@dataclass(frozen=True, slots=True)
class InterfaceCounters:
    """One port in one answer of the router; None: not reported (noSuchInstance)."""

    name: str
    index: int
    in_octets: int | None
    out_octets: int | None
    high_capacity: bool
    in_errors: int | None = None
    out_errors: int | None = None
    in_discards: int | None = None
    out_discards: int | None = None
    oper: int | None = None
    speed_bps: int | None = None
    discontinuity: int | None = None
    alias: str | None = None
    uptime_ticks: int | None = None


@dataclass(frozen=True, slots=True)
class DevicePoll:
    """The answers of one poll of one router. uptime_ticks: sysUpTime in 1/100 s, 32 bits.

    at_s, and `facts.at_s`, is steady. missing: configured interfaces that it does not have.
    """

    device: str
    at_s: float
    uptime_ticks: int | None
    interfaces: tuple[InterfaceCounters, ...]
    facts: DeviceSample | None = None
    sys_name: str | None = None
    description: str | None = None
    missing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PollFailed:
    """A poll without a usable answer. reason: `timeout`, `auth`, `wrong-answer`, …

    ignored_s: for how many more seconds the router is not asked, since it answered wrongly.
    """

    device: str
    at_s: float
    reason: str
    detail: str = ""
    ignored_s: float = 0.0


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
