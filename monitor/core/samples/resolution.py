"""Which rows answer a question: raw ones, minutes or hours. Pure; times are Unix milliseconds.

A bucket is made of whole minutes or hours where its width allows it, and of raw rows at the two
ends of the range and wherever an hour is not summed up (yet, or again): so counts are always
exactly those of the raw rows. Short ranges are answered by raw rows as long as there are any.
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
    """What a store has. *_from_ms: when its rows of that level begin; None: it has none.

    summed: is the hour that begins then summed up, with everything that is known of it?
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


def plan(start_ms: int, end_ms: int, width_ms: int, kept: AvailableRanges) -> list[QueryRange]:
    """The pieces of [start_ms, end_ms) in order, none twice, none overlapping.

    Where raw rows are gone, minutes stand in for them whatever the width is, and hours for
    minutes: then a rollup counts in the bucket in which it begins.
    """
    level = resolution_for(end_ms - start_ms, width_ms)
    pieces: list[QueryRange] = []
    for piece in _cut(start_ms, end_ms, level, kept.summed):
        for held in _held(piece, kept):
            last = pieces[-1] if pieces else None
            if last and last.level is held.level and last.end_ms == held.start_ms:
                pieces[-1] = QueryRange(last.level, last.start_ms, held.end_ms)
            else:
                pieces.append(held)
    return pieces


def _cut(
    start_ms: int, end_ms: int, level: Resolution, summed: Callable[[int], bool]
) -> Iterator[QueryRange]:
    """Hour by hour: whole ones at their level, parts of one as fine as they need it."""
    at_ms = start_ms
    while at_ms < end_ms:
        hour_ms = at_ms // HOUR_MS * HOUR_MS
        over_ms = min(end_ms, hour_ms + HOUR_MS)
        if level is Resolution.RAW or not summed(hour_ms):
            yield QueryRange(Resolution.RAW, at_ms, over_ms)
        elif level is Resolution.HOUR and over_ms - at_ms == HOUR_MS:
            yield QueryRange(Resolution.HOUR, at_ms, over_ms)
        else:
            first_ms = min(over_ms, -(-at_ms // MINUTE_MS) * MINUTE_MS)
            last_ms = max(first_ms, over_ms // MINUTE_MS * MINUTE_MS)
            yield QueryRange(Resolution.RAW, at_ms, first_ms)
            yield QueryRange(Resolution.MINUTE, first_ms, last_ms)
            yield QueryRange(Resolution.RAW, last_ms, over_ms)
        at_ms = over_ms


def _held(piece: QueryRange, kept: AvailableRanges) -> Iterator[QueryRange]:
    """The piece without what is empty, and coarser where the finer rows are gone."""
    if piece.start_ms >= piece.end_ms:
        return
    level = piece.level
    if level is Resolution.RAW and _begins_before(piece, kept.raw_from_ms):
        level = Resolution.MINUTE if kept.minutes_from_ms is not None else level
    if level is Resolution.MINUTE and _begins_before(piece, kept.minutes_from_ms):
        level = Resolution.HOUR if kept.hours_from_ms is not None else level
    yield QueryRange(level, piece.start_ms, piece.end_ms)


def _begins_before(piece: QueryRange, from_ms: int | None) -> bool:
    return from_ms is None or piece.end_ms <= from_ms
