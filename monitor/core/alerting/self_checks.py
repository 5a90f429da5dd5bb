"""Checks of the monitor itself whose failure is notified (self-alerts)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from monitor.core.progress import DaemonProgress

FULL_SHARE = 0.8
CLEAR_SHARE = 0.75
"""QUOTA fails at the one and is well again below the other (hysteresis)."""


class SelfCheck(StrEnum):
    """A check that can fail."""

    JOURNAL = "journal"
    """Samples cannot be written."""
    QUOTA = "quota"
    """Most of max_mb waits for InfluxDB; at 100 % the oldest samples are deleted."""


OUTBOX_INCIDENT = {SelfCheck.JOURNAL: -1, SelfCheck.QUOTA: -2}
"""`incident` of their outbox rows, in place of the id of an incident."""

FAILURE_HOLD_S = {SelfCheck.JOURNAL: 30.0, SelfCheck.QUOTA: 0.0}
"""A failure is notified after it lasted for so long."""

RECOVERY_HOLD_S = {SelfCheck.JOURNAL: 60.0, SelfCheck.QUOTA: 0.0}
"""The end of a failure is notified after it was well for so long."""


@dataclass(frozen=True, slots=True)
class SelfCheckReport:
    """A failed check. Times UTC; ended_s None: it still fails.

    is_full: the disk is. why: the error message. share: of max_mb, 0 to 1.
    """

    check: SelfCheck
    since_s: float
    ended_s: float | None = None
    is_full: bool = False
    why: str | None = None
    share: float | None = None


def failed_checks(
    progress: DaemonProgress, share: float, failed_before: frozenset[SelfCheck]
) -> frozenset[SelfCheck]:
    """The checks that fail now. share: of max_mb that waits for InfluxDB, 0 to 1."""
    limit = CLEAR_SHARE if SelfCheck.QUOTA in failed_before else FULL_SHARE
    failed = {
        SelfCheck.JOURNAL: progress.journal.error is not None,
        SelfCheck.QUOTA: share >= limit,
    }
    return frozenset(check for check, is_failed in failed.items() if is_failed)
