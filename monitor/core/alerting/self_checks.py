"""What can be the matter with the monitor itself so that somebody must be told. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from monitor.core.progress import DaemonProgress

FULL_SHARE = 0.8
CLEAR_SHARE = 0.75
"""Told above the one, over below the other: what hovers between them is told once."""


class SelfCheck(StrEnum):
    """One thing that is the matter."""

    JOURNAL = "journal"
    """Samples cannot be written."""
    QUOTA = "quota"
    """Most of max_mb waits for InfluxDB; the oldest are thrown away when it is full."""


OUTBOX_INCIDENT = {SelfCheck.JOURNAL: -1, SelfCheck.QUOTA: -2}
"""Messages run under these instead of an incident's number: an incident is about the network."""

FAILURE_HOLD_S = {SelfCheck.JOURNAL: 30.0, SelfCheck.QUOTA: 0.0}
"""So long it lasts before it is told."""

RECOVERY_HOLD_S = {SelfCheck.JOURNAL: 60.0, SelfCheck.QUOTA: 0.0}
"""So long it is well before its end is told."""


@dataclass(frozen=True, slots=True)
class SelfCheckReport:
    """A plight as a message tells of it. Times UTC; ended_s None: it lasts.

    is_full: the disk is. why: the program's own words. share: of max_mb.
    """

    check: SelfCheck
    since_s: float
    ended_s: float | None = None
    is_full: bool = False
    why: str | None = None
    share: float | None = None


def failed_checks(
    progress: DaemonProgress, share: float, told: frozenset[SelfCheck]
) -> frozenset[SelfCheck]:
    """What is the matter now. share: of max_mb, not shipped; told: what was the matter before."""
    limit = CLEAR_SHARE if SelfCheck.QUOTA in told else FULL_SHARE
    return frozenset(
        plight
        for plight, is_so in (
            (SelfCheck.JOURNAL, progress.journal.error is not None),
            (SelfCheck.QUOTA, share >= limit),
        )
        if is_so
    )
