"""What one SNMP poll of a router returned: counters and facts, or why it failed."""

from __future__ import annotations

from dataclasses import dataclass

from monitor.core.samples.samples import DeviceSample


@dataclass(frozen=True, slots=True)
class InterfaceCounters:
    """One port as the router told it in one answer; None: not told (noSuchInstance)."""

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
    """What one poll of one router brought. uptime_ticks: sysUpTime in 1/100 s, 32 bits.

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
    """A router gave nothing usable. reason: `timeout`, `auth`, `wrong-answer`, … in a word."""

    device: str
    at_s: float
    reason: str
    detail: str = ""
