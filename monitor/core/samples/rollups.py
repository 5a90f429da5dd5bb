"""Rollups: rows summed up over a minute and over an hour.

A row belongs to the bucket in which its time lies, as everywhere (core.samples.buckets). Counts and
sums add up exactly, percentiles come from histograms.

down_s, unreachable_s, unknown_s and maintenance_s come from the transitions in the ledger and not
from the `state` of the rows: a row holds what was known when it was written. An outage is dated
back to its first lost request, and a blind interval is known only when it is over; both are
written as a transition with its own time, which marks its hour to be summed up again. Rows would
also be exact to `record_s` only.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from typing import TypeVar

from monitor.core.samples.histogram import Histogram, from_percentiles, histogram_of
from monitor.core.samples.resolution import HOUR_MS, MINUTE_MS
from monitor.core.samples.samples import (
    InterfaceHour,
    InterfaceMinute,
    InterfaceSample,
    PingHour,
    PingMinute,
    PingRollup,
    PingSample,
)
from monitor.core.samples.schema import seconds, stamp_ms
from monitor.core.state_history import StateHistory

P = TypeVar("P", PingMinute, PingHour)
R = TypeVar("R", InterfaceMinute, InterfaceHour)

Times = tuple[float | None, float | None, float | None, float | None]
NO_TIMES: Times = (None, None, None, None)


@dataclass(slots=True)
class _Pings:
    """One bucket of pings."""

    last: PingSample | PingRollup
    rows: int = 0
    sent: int = 0
    received: int = 0
    not_measured: int = 0
    rtt_sum: float | None = None
    rtt_min: float | None = None
    rtt_max: float | None = None
    histogram: Histogram = 0
    times: Times = NO_TIMES

    def add(
        self, part: PingSample | PingRollup, rows: int, rtt_sum: float | None, of: Histogram
    ) -> None:
        self.last = part
        self.rows += rows
        self.sent += part.sent
        self.received += part.received
        self.not_measured += part.not_measured
        self.rtt_sum = add_known(self.rtt_sum, rtt_sum)
        self.rtt_min = min_known(self.rtt_min, part.rtt_min)
        self.rtt_max = max_known(self.rtt_max, part.rtt_max)
        self.histogram += of

    def rollup(self, kind: type[P], start_ms: int) -> P:
        who = self.last
        down_s, unreachable_s, unknown_s, maintenance_s = self.times
        return kind(
            at_s=seconds(start_ms),
            target=who.target,
            site=who.site,
            link=who.link,
            node=who.node,
            kind=who.kind,
            provider=who.provider,
            rows=self.rows,
            sent=self.sent,
            received=self.received,
            not_measured=self.not_measured,
            rtt_sum=self.rtt_sum,
            rtt_min=self.rtt_min,
            rtt_max=self.rtt_max,
            down_s=down_s,
            unreachable_s=unreachable_s,
            unknown_s=unknown_s,
            maintenance_s=maintenance_s,
            histogram=self.histogram,
        )


def ping_minutes(
    rows: Iterable[tuple[PingSample, Sequence[float] | None]], history: StateHistory | None
) -> list[PingMinute]:
    """Sum up rows of any targets and minutes, each with its replies (ms; None: without evidence).

    When the kind or provider of a target changed in a minute, the last one has the seconds in
    each state.
    """
    found: dict[tuple[int, str, str | None, str | None], _Pings] = {}
    latest: dict[tuple[int, str], _Pings] = {}
    for row, replies in rows:
        start_ms = stamp_ms(row.at_s) // MINUTE_MS * MINUTE_MS
        pings = found.setdefault((start_ms, row.target, row.kind, row.provider), _Pings(row))
        if replies is not None and len(replies) == row.received:
            rtt_sum, histogram = sum(replies), histogram_of(replies)
        else:
            rtt_sum = 0.0 if row.rtt_avg is None else row.rtt_avg * row.received
            histogram = from_percentiles(
                row.received, row.rtt_min, row.rtt_p50, row.rtt_p95, row.rtt_max
            )
        pings.add(row, 1, rtt_sum if row.received else None, histogram)
        latest[start_ms, row.target] = pings
    if history is not None:
        for (start_ms, target), pings in latest.items():
            times = history.within(target, seconds(start_ms), seconds(start_ms + MINUTE_MS))
            pings.times = (
                times.down_s,
                times.unreachable_s,
                times.unknown_s,
                times.maintenance_s,
            )
    return [pings.rollup(PingMinute, key[0]) for key, pings in found.items()]


class PingHours:
    """Sums minutes of all targets up to hours."""

    def __init__(self) -> None:
        self._found: dict[tuple[int, str, str | None, str | None], _Pings] = {}

    def add(self, minutes: Iterable[PingMinute]) -> None:
        for minute in minutes:
            start_ms = stamp_ms(minute.at_s) // HOUR_MS * HOUR_MS
            key = (start_ms, minute.target, minute.kind, minute.provider)
            pings = self._found.setdefault(key, _Pings(minute))
            pings.add(minute, minute.rows, minute.rtt_sum, minute.histogram)
            spent = (
                minute.down_s,
                minute.unreachable_s,
                minute.unknown_s,
                minute.maintenance_s,
            )
            down, unreachable, unknown, maintenance = map(add_known, pings.times, spent)
            pings.times = (down, unreachable, unknown, maintenance)

    def hours(self) -> list[PingHour]:
        return [pings.rollup(PingHour, key[0]) for key, pings in self._found.items()]


def interface_minutes(rows: Iterable[InterfaceSample]) -> list[InterfaceMinute]:
    """Sum up rows of any ports and minutes."""
    found: dict[tuple[int, str, str, str | None], InterfaceMinute] = {}
    for row in rows:
        start_ms = stamp_ms(row.at_s) // MINUTE_MS * MINUTE_MS
        key = (start_ms, row.device, row.ifname, row.link)
        one = InterfaceMinute(
            at_s=seconds(start_ms),
            device=row.device,
            ifname=row.ifname,
            site=row.site,
            link=row.link,
            rows=1,
            in_count=int(row.in_bps is not None),
            out_count=int(row.out_bps is not None),
            in_sum=row.in_bps,
            out_sum=row.out_bps,
            in_min=row.in_bps,
            out_min=row.out_bps,
            in_max=row.in_bps,
            out_max=row.out_bps,
            in_util_max=row.in_util,
            out_util_max=row.out_util,
            in_errors_max=row.in_errors,
            out_errors_max=row.out_errors,
            in_discards_max=row.in_discards,
            out_discards_max=row.out_discards,
        )
        found[key] = _summed(found[key], one) if key in found else one
    return list(found.values())


class InterfaceHours:
    """Sums minutes of all ports up to hours."""

    def __init__(self) -> None:
        self._found: dict[tuple[int, str, str, str | None], InterfaceHour] = {}

    def add(self, minutes: Iterable[InterfaceMinute]) -> None:
        for minute in minutes:
            start_ms = stamp_ms(minute.at_s) // HOUR_MS * HOUR_MS
            key = (start_ms, minute.device, minute.ifname, minute.link)
            values = {each.name: getattr(minute, each.name) for each in fields(minute)}
            hour = InterfaceHour(**{**values, "at_s": seconds(start_ms)})
            self._found[key] = _summed(self._found[key], hour) if key in self._found else hour

    def hours(self) -> list[InterfaceHour]:
        return list(self._found.values())


_SUMMED = ("rows", "in_count", "out_count", "in_sum", "out_sum")
_LEAST = ("in_min", "out_min")
_MOST = (
    *("in_max", "out_max", "in_util_max", "out_util_max"),
    *("in_errors_max", "out_errors_max", "in_discards_max", "out_discards_max"),
)


def _summed(one: R, other: R) -> R:
    joined = {each.name: getattr(one, each.name) for each in fields(one)}
    for names, how in ((_SUMMED, add_known), (_LEAST, min_known), (_MOST, max_known)):
        for name in names:
            joined[name] = how(joined[name], getattr(other, name))
    return type(one)(**joined)


def add_known(one: float | None, other: float | None) -> float | None:
    """The sum of what is known."""
    return other if one is None else one if other is None else one + other


def min_known(one: float | None, other: float | None) -> float | None:
    """The smaller value of those known."""
    return other if one is None else one if other is None else min(one, other)


def max_known(one: float | None, other: float | None) -> float | None:
    """The larger value of those known."""
    return other if one is None else one if other is None else max(one, other)
