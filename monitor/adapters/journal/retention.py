"""Retention: remove whole files that are too old, or the oldest above the quota `max_mb`.

Raw rows and evidence share the quota. Above it the oldest evidence is removed first, then the
oldest day of rows, shipped or not; rows that were not shipped are counted. Rollups are small and
are removed by age only.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from monitor.adapters.journal.day_files import (
    DAY_MS,
    EVIDENCE,
    HOURS,
    KINDS,
    MINUTES,
    SAMPLES,
    day_of,
    days_in,
    month_of,
    remove,
    size_of,
    size_of_all,
)
from monitor.core.samples.schema import stamp_ms

MB = 1_000_000


@dataclass(frozen=True, slots=True)
class RetentionPolicy:
    """How many days each kind of file is kept; max_mb: raw rows and evidence together."""

    raw_days: int = 14
    evidence_days: int = 35
    minute_days: int = 180
    hour_days: int = 1826
    max_mb: int = 2048


@dataclass(frozen=True, slots=True)
class PruneResult:
    """removed: days of raw rows. held: days that are due but not shipped yet.

    lost: rows that were removed before they were shipped.
    """

    removed: tuple[str, ...] = ()
    held: tuple[str, ...] = ()
    lost: int = 0


@dataclass(frozen=True, slots=True)
class JournalUsage:
    """Bytes on the disk by kind; quota: bytes; share_unshipped: of the quota (0 to 1)."""

    sizes: Mapping[str, int]
    quota: int
    share_unshipped: float


def measure_usage(directory: Path, max_mb: int, unshipped: Mapping[str, int]) -> JournalUsage:
    """unshipped: the days with rows that are not shipped."""
    sizes = {kind: size_of_all(directory, kind) for kind in KINDS}
    waiting = sum(size_of(directory, day) for day in unshipped)
    return JournalUsage(sizes, max_mb * MB, waiting / (max_mb * MB))


def prune_files(
    directory: Path,
    at_s: float,
    policy: RetentionPolicy,
    unshipped: Mapping[str, int],
    before_removal: Callable[[str], None],
) -> PruneResult:
    """Apply the policy. unshipped: rows of each day that are not shipped.

    before_removal: called with each day of raw rows whose file is about to be removed. The files
    of today always stay.
    """
    now_ms = stamp_ms(at_s)
    today = day_of(now_ms)
    _remove_older(directory, EVIDENCE, day_of(now_ms - policy.evidence_days * DAY_MS))
    _remove_older(directory, MINUTES, day_of(now_ms - policy.minute_days * DAY_MS))
    _remove_older(directory, HOURS, month_of(now_ms - policy.hour_days * DAY_MS))
    oldest_kept = day_of(now_ms - policy.raw_days * DAY_MS)
    excess = size_of_all(directory, SAMPLES) + size_of_all(directory, EVIDENCE)
    excess -= policy.max_mb * MB
    for day in days_in(directory, EVIDENCE):
        if excess > 0 and day < today:
            excess -= size_of(directory, day, EVIDENCE)
            remove(directory, day, EVIDENCE)
    removed, held, lost = [], [], 0
    for day in days_in(directory):
        if day >= today or (day >= oldest_kept and excess <= 0):
            continue
        if day in unshipped and excess <= 0:
            held.append(day)
            continue
        excess -= size_of(directory, day)
        lost += unshipped.get(day, 0)
        before_removal(day)
        remove(directory, day)
        removed.append(day)
    return PruneResult(tuple(removed), tuple(held), lost)


def _remove_older(directory: Path, kind: str, oldest_kept: str) -> None:
    for label in days_in(directory, kind):
        if label < oldest_kept:
            remove(directory, label, kind)
