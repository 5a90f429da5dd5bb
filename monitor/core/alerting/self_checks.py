"""Checks of the monitor itself whose failure is notified (self-alerts)."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple
from zlib import crc32

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
    LEDGER = "ledger"
    """Incidents and messages cannot be recorded; messages are sent from memory."""
    DISK = "disk"
    """The disk is nearly full, or soon will be."""
    RELOAD = "reload"
    """A reload was refused: the daemon goes on with the configuration it had."""
    CHANNEL = "channel"
    """Nothing can be sent on a channel. One for each channel."""
    BACKUP = "backup"
    """The last backup failed, or is too old."""
    INFLUXDB = "influxdb"
    """InfluxDB accepts no sample of a measurement (subject), or none because of a setting ("")."""


class CheckKey(NamedTuple):
    """A check, and which of several things it is about (the id of a channel; else empty)."""

    check: SelfCheck
    subject: str = ""

    @property
    def outbox_number(self) -> int:
        """`incident` of its outbox rows, in place of the id of an incident: always the same."""
        number = OUTBOX_INCIDENT[self.check]
        return (
            number * 1_000_000 - crc32(self.subject.encode()) % 999_983 if self.subject else number
        )


OUTBOX_INCIDENT = {
    SelfCheck.JOURNAL: -1,
    SelfCheck.QUOTA: -2,
    SelfCheck.LEDGER: -3,
    SelfCheck.DISK: -4,
    SelfCheck.RELOAD: -5,
    SelfCheck.CHANNEL: -6,
    SelfCheck.BACKUP: -7,
    SelfCheck.INFLUXDB: -8,
}
"""`incident` of their outbox rows, in place of the id of an incident."""

FAILURE_HOLD_S = {
    SelfCheck.JOURNAL: 30.0,
    SelfCheck.QUOTA: 0.0,
    SelfCheck.LEDGER: 10.0,
    SelfCheck.DISK: 0.0,
    SelfCheck.RELOAD: 0.0,
    SelfCheck.CHANNEL: 0.0,
    SelfCheck.BACKUP: 0.0,
    SelfCheck.INFLUXDB: 60.0,
}
"""A failure is notified after it lasted for so long."""

RECOVERY_HOLD_S = {
    SelfCheck.JOURNAL: 60.0,
    SelfCheck.QUOTA: 0.0,
    SelfCheck.LEDGER: 60.0,
    SelfCheck.DISK: 60.0,
    SelfCheck.RELOAD: 0.0,
    SelfCheck.CHANNEL: 0.0,
    SelfCheck.BACKUP: 0.0,
    SelfCheck.INFLUXDB: 0.0,
}
"""The end of a failure is notified after it was well for so long."""


@dataclass(frozen=True, slots=True)
class SelfCheckReport:
    """A failed check. Times UTC; ended_s None: it still fails.

    is_full: the disk is. why: the error message. share: of max_mb, 0 to 1. subject: see CheckKey.
    free_bytes, full_in_s: of the disk; free_inodes: where those run out.
    """

    check: SelfCheck
    since_s: float
    ended_s: float | None = None
    is_full: bool = False
    why: str | None = None
    share: float | None = None
    subject: str = ""
    free_bytes: int | None = None
    free_inodes: int | None = None
    full_in_s: float | None = None

    @property
    def key(self) -> CheckKey:
        return CheckKey(self.check, self.subject)


def store_failures(
    progress: DaemonProgress, share: float, failed_before: Collection[CheckKey]
) -> list[SelfCheckReport]:
    """The failing checks of the stores. share: of max_mb that waits for InfluxDB, 0 to 1."""
    found = []
    for check, store in (
        (SelfCheck.JOURNAL, progress.journal),
        (SelfCheck.LEDGER, progress.ledger),
    ):
        if store.error is not None:
            found.append(SelfCheckReport(check, 0.0, is_full=store.is_full, why=store.error))
    limit = CLEAR_SHARE if CheckKey(SelfCheck.QUOTA) in failed_before else FULL_SHARE
    if share >= limit:
        found.append(SelfCheckReport(SelfCheck.QUOTA, 0.0, share=share))
    return found
