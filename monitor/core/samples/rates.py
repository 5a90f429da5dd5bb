"""Compute rates from the SNMP counters of two polls, or the reason why there is none.

Only the difference of two readings of a counter means anything, and only when nothing happened to
the counter in between. Each such event has a name (`NoRate`); a doubtful difference gives no value,
never a guess.

The checks for one port, in order: is there an earlier reading; did the router or the counters
restart (reboot, discontinuity time, another ifIndex, another width); is the time between usable;
then for each counter: did it go down, could it have wrapped unseen, can the line carry the rate.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from monitor.core.model import Device, Interface
from monitor.core.samples.samples import InterfaceSample
from monitor.core.samples.snmp_poll import (
    TICKS_A_SECOND,
    TICKS_WRAP,
    DevicePoll,
    InterfaceCounters,
    ticks_between_s,
    uptime_continues,
)

_NARROW = 2**32
_GOES_BACK_S = TICKS_WRAP / TICKS_A_SECOND / 2
_OCTET_BITS = 8
# The shortest Ethernet frame: an error or a discard is a packet, and took at least this.
_PACKET_BITS = 64 * 8


class NoRate(StrEnum):
    """Why a counter gave no rate."""

    FIRST = "first"
    NO_UPTIME = "no-uptime"
    REBOOT = "reboot"
    DISCONTINUITY = "discontinuity"
    INDEX_MOVED = "index-moved"
    WIDTH_CHANGED = "width-changed"
    GAP = "gap"
    TOO_SOON = "too-soon"
    NOT_REPORTED = "not-told"
    RESET = "reset"
    WRAP_CAN_HIDE = "wrap-can-hide"
    SPEED_UNKNOWN = "speed-unknown"
    TOO_FAST = "too-fast"


@dataclass(frozen=True, slots=True)
class RateLimits:
    """gap_intervals: a longer time between two readings gives a baseline only.

    shortest_s: a shorter one gives nothing and keeps the baseline: an agent renews its tables
    every few seconds (net-snmp: 3), so a difference over less than three such times is noise.
    over_speed: a rate above this many times the speed of the line is a fault of the counter.
    """

    gap_intervals: float = 3.0
    shortest_s: float = 9.0
    over_speed: float = 1.2


@dataclass(frozen=True, slots=True)
class Baseline:
    """The reading of one port that the next one is compared with; at_s is steady."""

    counters: InterfaceCounters
    uptime_ticks: int | None
    at_s: float


@dataclass(frozen=True, slots=True)
class RateBaselines:
    """The baselines of one router's ports, by ifName."""

    ports: Mapping[str, Baseline] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DroppedRate:
    """A rate that was not computed. counter: the field of InterfaceSample, None: all of a port."""

    ifname: str
    counter: str | None
    reason: NoRate


@dataclass(frozen=True, slots=True)
class PollRates:
    """The result of one poll. baselines: for the next poll. samples: one a port."""

    baselines: RateBaselines
    samples: tuple[InterfaceSample, ...]
    dropped: tuple[DroppedRate, ...]


@dataclass(frozen=True, slots=True)
class _Counter:
    """One counter of a port, and the smallest number of bits on the line that one count means."""

    source: str
    rate: str
    bits: int
    octets: bool


_COUNTERS = (
    _Counter("in_octets", "in_bps", _OCTET_BITS, True),
    _Counter("out_octets", "out_bps", _OCTET_BITS, True),
    _Counter("in_errors", "in_errors", _PACKET_BITS, False),
    _Counter("out_errors", "out_errors", _PACKET_BITS, False),
    _Counter("in_discards", "in_discards", _PACKET_BITS, False),
    _Counter("out_discards", "out_discards", _PACKET_BITS, False),
)


def compute_rates(
    baselines: RateBaselines,
    device: Device,
    poll: DevicePoll,
    at_utc_s: float,
    limits: RateLimits | None = None,
) -> PollRates:
    """Compare `poll` with the baselines of the same router.

    at_utc_s: the time of the samples. Every port of the poll gives one sample; its rates are None
    where `dropped` says why, its `oper` and `speed_bps` are set in any case. After a failed poll
    the baselines stay as they are.
    """
    rules = limits or RateLimits()
    configured = {interface.name: interface for interface in device.interfaces}
    ports: dict[str, Baseline] = {
        name: before for name, before in baselines.ports.items() if name in configured
    }
    samples: list[InterfaceSample] = []
    dropped: list[DroppedRate] = []
    for counters in poll.interfaces:
        now = Baseline(counters, _uptime(counters, poll), poll.at_s)
        before = baselines.ports.get(counters.name)
        interface = configured.get(counters.name)
        speed_bps = line_speed_bps(interface, counters)
        rates, reasons = _port_rates(before, now, device.interval_s, speed_bps, rules)
        # Too soon: the older baseline is kept, so that the next rate covers the whole time.
        too_soon = reasons.get(None) is NoRate.TOO_SOON
        ports[counters.name] = before if before is not None and too_soon else now
        dropped.extend(DroppedRate(counters.name, name, why) for name, why in reasons.items())
        samples.append(
            _sample(at_utc_s, device, counters, interface=interface, rates=rates, speed=speed_bps)
        )
    return PollRates(RateBaselines(ports), tuple(samples), tuple(dropped))


def line_speed_bps(interface: Interface | None, counters: InterfaceCounters) -> float | None:
    """The speed of the line: the configured capacity, else what the port reports."""
    if interface is not None and interface.capacity_bps:
        return interface.capacity_bps
    return float(counters.speed_bps) if counters.speed_bps else None


def _uptime(counters: InterfaceCounters, poll: DevicePoll) -> int | None:
    """The sysUpTime of the same answer that held the port's counters."""
    return poll.uptime_ticks if counters.uptime_ticks is None else counters.uptime_ticks


def _port_rates(
    before: Baseline | None,
    now: Baseline,
    interval_s: float,
    speed_bps: float | None,
    limits: RateLimits,
) -> tuple[dict[str, float], dict[str | None, NoRate]]:
    """The rates of one port by field, and the reasons for those that are absent."""
    if before is None:
        return {}, {None: NoRate.FIRST}
    old_ticks, new_ticks = before.uptime_ticks, now.uptime_ticks
    if old_ticks is None or new_ticks is None:
        return {}, {None: NoRate.NO_UPTIME}
    if not uptime_continues(old_ticks, new_ticks, now.at_s - before.at_s):
        return {}, {None: NoRate.REBOOT}
    restart = _restarted(before.counters, now.counters)
    if restart is not None:
        return {}, {None: restart}
    delta_s = ticks_between_s(old_ticks, new_ticks)
    # Within the slack around a short time the uptime may go back, which looks like 497 days.
    if not max(limits.shortest_s, 0.01) <= delta_s < _GOES_BACK_S:
        return {}, {None: NoRate.TOO_SOON}
    if delta_s > limits.gap_intervals * interval_s:
        return {}, {None: NoRate.GAP}
    rates: dict[str, float] = {}
    reasons: dict[str | None, NoRate] = {}
    for counter in _COUNTERS:
        found = _rate(counter, before.counters, now.counters, delta_s, speed_bps, limits)
        if isinstance(found, NoRate):
            # A reset of an octet counter means that all counters of the port were reset.
            if found is NoRate.RESET and counter.octets:
                return {}, {None: NoRate.RESET}
            reasons[counter.rate] = found
        else:
            rates[counter.rate] = found
    return rates, reasons


def _restarted(old: InterfaceCounters, new: InterfaceCounters) -> NoRate | None:
    """Why two readings of a port cannot be compared at all, None when they can."""
    if (
        old.discontinuity is not None
        and new.discontinuity is not None
        and old.discontinuity != new.discontinuity
    ):
        return NoRate.DISCONTINUITY
    if old.index != new.index:
        return NoRate.INDEX_MOVED
    if old.high_capacity != new.high_capacity:
        return NoRate.WIDTH_CHANGED
    return None


def _rate(
    counter: _Counter,
    old: InterfaceCounters,
    new: InterfaceCounters,
    delta_s: float,
    speed_bps: float | None,
    limits: RateLimits,
) -> float | NoRate:
    """The rate of one counter a second (octets: bits a second)."""
    before: int | None = getattr(old, counter.source)
    now: int | None = getattr(new, counter.source)
    if now is None:
        return NoRate.NOT_REPORTED
    if before is None:
        return NoRate.FIRST
    grown = now - before
    if not (counter.octets and new.high_capacity):
        unwrapped = _narrow(counter, grown, delta_s, speed_bps)
        if isinstance(unwrapped, NoRate):
            return unwrapped
        wrapped, grown = grown < 0, unwrapped
    elif grown < 0:
        return NoRate.RESET
    else:
        wrapped = False
    if speed_bps is not None and grown * counter.bits > limits.over_speed * speed_bps * delta_s:
        # Too fast with a wrap added: it was a reset.
        return NoRate.RESET if wrapped else NoRate.TOO_FAST
    scale = _OCTET_BITS if counter.octets else 1
    return grown * scale / delta_s


def _narrow(counter: _Counter, grown: int, delta_s: float, speed_bps: float | None) -> int | NoRate:
    """The growth of a 32-bit counter, through a wrap, where it is certain."""
    if speed_bps is None:
        if counter.octets:
            return NoRate.SPEED_UNKNOWN
        # 2^32 errors between two polls are impossible, so a count of packets that went up did not
        # wrap; one that went down cannot be told from a reset.
        return grown if grown >= 0 else NoRate.SPEED_UNKNOWN
    if speed_bps * delta_s / counter.bits >= _NARROW:
        return NoRate.WRAP_CAN_HIDE
    return grown if grown >= 0 else grown + _NARROW


def _sample(
    at_utc_s: float,
    device: Device,
    counters: InterfaceCounters,
    *,
    interface: Interface | None,
    rates: Mapping[str, float],
    speed: float | None,
) -> InterfaceSample:
    return InterfaceSample(
        at_s=at_utc_s,
        device=device.name,
        ifname=counters.name,
        site=device.site,
        link=None if interface is None else interface.link,
        in_bps=rates.get("in_bps"),
        out_bps=rates.get("out_bps"),
        in_util=_utilisation(rates.get("in_bps"), speed),
        out_util=_utilisation(rates.get("out_bps"), speed),
        in_errors=rates.get("in_errors"),
        out_errors=rates.get("out_errors"),
        in_discards=rates.get("in_discards"),
        out_discards=rates.get("out_discards"),
        oper=counters.oper,
        speed_bps=None if speed is None else round(speed),
    )


def _utilisation(rate_bps: float | None, speed_bps: float | None) -> float | None:
    """0 to 1; the tolerated excess over the speed counts as 1."""
    if rate_bps is None or not speed_bps:
        return None
    return min(1.0, rate_bps / speed_bps)
