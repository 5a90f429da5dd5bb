"""Plan which rows answer a query: raw ones, minutes or hours. Times are Unix milliseconds.

A bucket is made of whole minutes or hours where its width allows it, and of raw rows at the two
ends of the range and wherever an hour is not summed up (yet, or again), so that counts are always
exactly those of the raw rows. Short ranges use raw rows as long as there are any.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import IntEnum

MINUTE_MS = 60_000
HOUR_MS = 3_600_000

RAW_UP_TO_MS = 6 * HOUR_MS
"""A range of up to six hours is drawn from raw rows."""


class Resolution(IntEnum):
    """From fine to coarse; the value is the width in ms."""

    RAW = 1
    MINUTE = MINUTE_MS
    HOUR = HOUR_MS


@dataclass(frozen=True, slots=True)
class QueryRange:
    """Rows of one level with start_ms <= time < end_ms."""

    level: Resolution
    start_ms: int
    end_ms: int


@dataclass(frozen=True, slots=True)
class AvailableRanges:
    """The rows of a store. *_from_ms: when those of that level begin; None: it has none.

    summed: is the hour that begins then summed up, with all its rows?
    """

    raw_from_ms: int | None
    minutes_from_ms: int | None
    hours_from_ms: int | None
    summed: Callable[[int], bool]


def resolution_for(span_ms: int, width_ms: int) -> Resolution:
    """The coarsest level that makes up buckets of that width exactly."""
    if span_ms <= RAW_UP_TO_MS:
        return Resolution.RAW
    if width_ms % HOUR_MS == 0:
        return Resolution.HOUR
    return Resolution.MINUTE if width_ms % MINUTE_MS == 0 else Resolution.RAW


def plan_ranges(
    start_ms: int, end_ms: int, width_ms: int, available: AvailableRanges
) -> list[QueryRange]:
    """The parts of [start_ms, end_ms) in order, without overlap.

    Where raw rows are gone, minutes stand in for them whatever the width is, and hours for
    minutes: then a rollup counts in the bucket in which it begins.
    """
    level = resolution_for(end_ms - start_ms, width_ms)
    parts: list[QueryRange] = []
    for part in _cut(start_ms, end_ms, level, available.summed):
        for usable in _available(part, available):
            last = parts[-1] if parts else None
            if last and last.level is usable.level and last.end_ms == usable.start_ms:
                parts[-1] = QueryRange(last.level, last.start_ms, usable.end_ms)
            else:
                parts.append(usable)
    return parts


def _cut(
    start_ms: int, end_ms: int, level: Resolution, summed: Callable[[int], bool]
) -> Iterator[QueryRange]:
    """Hour by hour: whole hours at the level, parts of one with finer rows."""
    at_ms = start_ms
    while at_ms < end_ms:
        hour_ms = at_ms // HOUR_MS * HOUR_MS
        hour_end_ms = min(end_ms, hour_ms + HOUR_MS)
        if level is Resolution.RAW or not summed(hour_ms):
            yield QueryRange(Resolution.RAW, at_ms, hour_end_ms)
        elif level is Resolution.HOUR and hour_end_ms - at_ms == HOUR_MS:
            yield QueryRange(Resolution.HOUR, at_ms, hour_end_ms)
        else:
            first_ms = min(hour_end_ms, -(-at_ms // MINUTE_MS) * MINUTE_MS)
            last_ms = max(first_ms, hour_end_ms // MINUTE_MS * MINUTE_MS)
            yield QueryRange(Resolution.RAW, at_ms, first_ms)
            yield QueryRange(Resolution.MINUTE, first_ms, last_ms)
            yield QueryRange(Resolution.RAW, last_ms, hour_end_ms)
        at_ms = hour_end_ms


def _available(part: QueryRange, available: AvailableRanges) -> Iterator[QueryRange]:
    """The part, unless it is empty, with coarser rows where the finer ones are gone."""
    if part.start_ms >= part.end_ms:
        return
    level = part.level
    if level is Resolution.RAW and _begins_before(part, available.raw_from_ms):
        level = Resolution.MINUTE if available.minutes_from_ms is not None else level
    if level is Resolution.MINUTE and _begins_before(part, available.minutes_from_ms):
        level = Resolution.HOUR if available.hours_from_ms is not None else level
    yield QueryRange(level, part.start_ms, part.end_ms)


def _begins_before(part: QueryRange, from_ms: int | None) -> bool:
    return from_ms is None or part.end_ms <= from_ms
