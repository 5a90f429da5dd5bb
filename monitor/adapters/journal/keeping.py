"""What is kept how long, and what goes first when there is too much. Retention removes files.

Rows and evidence share `max_mb`. Over it the oldest evidence goes first, then the oldest day of
rows, shipped or not: what was not shipped is counted. Rollups are small and go by their age only.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from monitor.adapters.journal.files import (
    DAY_MS,
    EVIDENCE,
    HOURS,
    MINUTES,
    SAMPLES,
    day_of,
    days_in,
    month_of,
    remove,
    size_of,
)
from monitor.core.samples.schema import stamp_ms

MB = 1_000_000


@dataclass(frozen=True, slots=True)
class RetentionPolicy:
    """How long in days, and how much of rows and evidence together."""

    raw_days: int = 14
    evidence_days: int = 35
    minute_days: int = 180
    hour_days: int = 1826
    max_mb: int = 2048


@dataclass(frozen=True, slots=True)
class PruneResult:
    """What `prune` did: days removed, days due but held back as they are not shipped yet.

    lost: rows that were removed although no shipper had passed them.
    """

    removed: tuple[str, ...] = ()
    held: tuple[str, ...] = ()
    lost: int = 0


@dataclass(frozen=True, slots=True)
class JournalUsage:
    """Bytes on the disk by kind; share: how much of max_mb the days not shipped fill (0 to 1)."""

    sizes: Mapping[str, int]
    quota: int
    share_unshipped: float


def usage_of(directory: Path, max_mb: int, unshipped: Mapping[str, int]) -> JournalUsage:
    """unshipped: the days that have rows which are not shipped."""
    sizes = {kind: _size(directory, kind) for kind in (SAMPLES, EVIDENCE, MINUTES, HOURS)}
    waiting = sum(size_of(directory, day) for day in unshipped)
    return JournalUsage(sizes, max_mb * MB, waiting / (max_mb * MB))


def prune(
    directory: Path,
    at_s: float,
    keep: RetentionPolicy,
    unshipped: Mapping[str, int],
    forget: Callable[[str], None],
) -> PruneResult:
    """forget: is told each day of rows before its file goes."""
    now_ms = stamp_ms(at_s)
    today = day_of(now_ms)
    _by_age(directory, EVIDENCE, day_of(now_ms - keep.evidence_days * DAY_MS))
    _by_age(directory, MINUTES, day_of(now_ms - keep.minute_days * DAY_MS))
    _by_age(directory, HOURS, month_of(now_ms - keep.hour_days * DAY_MS))
    oldest_kept = day_of(now_ms - keep.raw_days * DAY_MS)
    over = _size(directory, SAMPLES) + _size(directory, EVIDENCE) - keep.max_mb * MB
    for day in days_in(directory, EVIDENCE):
        if over > 0 and day < today:
            over -= size_of(directory, day, EVIDENCE)
            remove(directory, day, EVIDENCE)
    removed, held, lost = [], [], 0
    for day in days_in(directory):
        if day >= today or (day >= oldest_kept and over <= 0):
            continue
        if day in unshipped and over <= 0:
            held.append(day)
            continue
        over -= size_of(directory, day)
        lost += unshipped.get(day, 0)
        forget(day)
        remove(directory, day)
        removed.append(day)
    return PruneResult(tuple(removed), tuple(held), lost)


def _by_age(directory: Path, kind: str, oldest_kept: str) -> None:
    for label in days_in(directory, kind):
        if label < oldest_kept:
            remove(directory, label, kind)


def _size(directory: Path, kind: str) -> int:
    return sum(size_of(directory, label, kind) for label in days_in(directory, kind))
