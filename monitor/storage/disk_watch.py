"""Watch the data directory's disk and the backups: warnings, and failures for self-alerts."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from monitor.adapters.system.disk_usage import read_disk
from monitor.core.alerting.self_checks import SelfCheck, SelfCheckReport
from monitor.core.backup_status import (
    BACKUP_STATUS_FILE,
    BackupStatus,
    backup_failure,
    parse_backup_status,
)
from monitor.core.disk_space import DiskLimits, DiskReading, DiskState, DiskTrend
from monitor.core.job import Job
from monitor.core.ports import Clock
from monitor.core.warning import MonitorWarning, WarningValue

DISK_S = 5.0
BACKUP_S = 60.0
MAX_STATUS_BYTES = 65_536


class DiskWatch:
    """The room on the disk of `directory`. state: as of the last look, None before the first."""

    def __init__(
        self,
        directory: Path,
        clock: Clock,
        limits: DiskLimits,
        read: Callable[[Path, float], DiskReading | None] = read_disk,
    ) -> None:
        self.state: DiskState | None = None
        self._directory = directory
        self._clock = clock
        self._limits = limits
        self._read = read
        self._trend = DiskTrend()

    def reconfigure(self, limits: DiskLimits) -> None:
        """Use other limits from the next look on."""
        self._limits = limits

    def jobs(self) -> list[Job]:
        return [Job("room on the disk", DISK_S, self.look, deadline_s=60)]

    async def look(self) -> None:
        """Read the disk; a file system that hangs delays only this job."""
        reading = await asyncio.to_thread(self._read, self._directory, self._clock.steady_s())
        if reading is not None:
            self.state = self._trend.add(reading, self._limits)

    def failures(self) -> list[SelfCheckReport]:
        """The disk, while it is low."""
        state = self.state
        if state is None or not state.is_low:
            return []
        return [
            SelfCheckReport(
                SelfCheck.DISK,
                0.0,
                free_bytes=state.free_bytes,
                free_inodes=state.free_inodes if state.by_inodes else None,
                full_in_s=state.full_in_s,
            )
        ]

    def warnings(self) -> list[MonitorWarning]:
        state = self.state
        if state is None or not state.is_low:
            return []
        free_mb = round(state.free_bytes / 1e6)
        values: dict[str, WarningValue] = {"free_mb": free_mb}
        what = f"{free_mb} MB are free"
        if state.by_inodes and state.free_inodes is not None:
            values["inodes"] = state.free_inodes
            what = f"{state.free_inodes} inodes (files) are left"
        kind = "disk_inodes" if "inodes" in values else "disk_low"
        if state.full_in_s is not None:
            values["left_s"] = round(state.full_in_s)
            what += f", and at the present rate it is full in {_length(state.full_in_s)}"
            kind += "_soon"
        text = f"the disk of {self._directory} fills up: {what}; make room there"
        return [MonitorWarning(text, kind, values)]


class BackupWatch:
    """What the last backup said in `backup-status.json`. failure: as of the last look.

    is_used: the file is there.
    """

    def __init__(self, directory: Path, clock: Clock) -> None:
        self.failure: str | None = None
        self.is_used = False
        self._path = directory / BACKUP_STATUS_FILE
        self._clock = clock

    def jobs(self) -> list[Job]:
        return [Job("backups", BACKUP_S, self.look, deadline_s=60)]

    async def look(self) -> None:
        self.failure = await asyncio.to_thread(self._find_failure)

    def has_failed(self) -> bool | None:
        """None: no backup has ever left its status here."""
        return self.failure is not None if self.is_used else None

    def failures(self) -> list[SelfCheckReport]:
        if self.failure is None:
            return []
        return [SelfCheckReport(SelfCheck.BACKUP, 0.0, why=self.failure)]

    def warnings(self) -> list[MonitorWarning]:
        if self.failure is None:
            return []
        text = f"the backups fail: {self.failure}"
        return [MonitorWarning(text, "backup", {"why": self.failure})]

    def _find_failure(self) -> str | None:
        try:
            status = self._read()
        except FileNotFoundError:
            self.is_used = False
            return None
        except (OSError, ValueError) as error:
            return f"{self._path} cannot be read ({error})"
        return backup_failure(status, self._clock.utc_s(self._clock.steady_s()))

    def _read(self) -> BackupStatus:
        with self._path.open("rb") as file:
            self.is_used = True
            return parse_backup_status(file.read(MAX_STATUS_BYTES).decode("utf-8"))


def _length(length_s: float) -> str:
    if length_s < 5400:
        return f"{length_s / 60:.0f} min"
    return f"{length_s / 3600:.0f} h"
