"""Remove journal files past their retention, and warn before unshipped samples are removed."""

from __future__ import annotations

import logging
from dataclasses import asdict

from monitor.adapters.journal import RetentionPolicy, SqliteJournal
from monitor.core.job import Job
from monitor.core.ports import Clock
from monitor.core.warning import MonitorWarning
from monitor.settings.model import JournalSettings
from monitor.storage.store_errors import StoreErrors

log = logging.getLogger(__name__)

PRUNE_S = 3600.0
USAGE_S = 60.0
ALARM_SHARES = (0.8, 0.5)
"""Shares of max_mb, filled with samples that InfluxDB does not have, at which a warning comes."""


class RetentionJob:
    """Retention of the journal's files.

    shipper: the cursor of the shipper of raw rows, which holds old files back; None: no shipper.
    lost: samples removed before they were shipped. unshipped_share: of max_mb.
    """

    def __init__(
        self, journal: SqliteJournal, clock: Clock, shipper: str | None, settings: JournalSettings
    ) -> None:
        self.lost = 0
        self.unshipped_share = 0.0
        self._journal = journal
        self._clock = clock
        self._shipper = shipper
        self._settings = settings
        self._errors = StoreErrors()
        self._influx_changed = False

    def reconfigure(self, settings: JournalSettings, *, influx_changed: bool = False) -> None:
        """Use other retention times from the next run on.

        influx_changed: [storage.influxdb] came or went, which takes effect after a restart.
        """
        self._influx_changed = influx_changed
        self._settings = settings
        self._journal.keep_evidence(settings.evidence_days > 0)

    def jobs(self) -> list[Job]:
        return [
            Job("how full the journal is", USAGE_S, self.check_usage, deadline_s=600),
            Job("prune", PRUNE_S, self.prune, deadline_s=600),
        ]

    def warnings(self) -> list[MonitorWarning]:
        found = [
            MonitorWarning(f"journal: {problem}", "journal_problem", {"why": problem})
            for problem in self._journal.problems
        ]
        found += self._errors.warnings()
        if self._influx_changed:
            text = (
                "[storage.influxdb] came or went: that takes effect after a restart of the daemon"
            )
            found.append(MonitorWarning(text, "influx_later"))
        error = self._journal.evidence_error
        if error is not None:
            text = f"requests are not kept for replay: {error}"
            found.append(MonitorWarning(text, "evidence", {"why": error}))
        if self.lost:
            text = (
                f"{self.lost} samples were thrown away before InfluxDB had them: max_mb was reached"
            )
            found.append(MonitorWarning(text, "thrown_away", {"count": self.lost}))
        if self.unshipped_share >= min(ALARM_SHARES):
            text = (
                f"{self.unshipped_share:.0%} of the journal's max_mb is full of samples that"
                " InfluxDB does not have: the oldest are thrown away at 100 %"
            )
            share = round(self.unshipped_share, 3)
            found.append(MonitorWarning(text, "quota", {"full_share": share}))
        return found

    async def check_usage(self) -> None:
        """Measure how much of max_mb is filled with unshipped samples."""
        before = self.unshipped_share
        usage = await self._errors.run(
            "usage",
            "how full the journal is",
            lambda: self._journal.usage(self._settings.max_mb, self._shipper),
        )
        if usage is None:
            return
        self.unshipped_share = usage.share_unshipped
        if any(before < share <= self.unshipped_share for share in ALARM_SHARES):
            log.warning(
                "journal: %.0f %% of max_mb is full of samples that InfluxDB does not have",
                self.unshipped_share * 100,
            )

    async def prune(self) -> None:
        """Remove files that are too old, and the oldest ones above max_mb."""
        now_s = self._clock.utc_s(self._clock.steady_s())
        policy = RetentionPolicy(**asdict(self._settings))
        pruned = await self._errors.run(
            "prune", "prune", lambda: self._journal.prune(now_s, policy, self._shipper)
        )
        if pruned is None:
            return
        self.lost += pruned.lost
        if pruned.removed:
            log.info("journal: removed the days %s", ", ".join(pruned.removed))
        if pruned.lost:
            log.error(
                "journal: max_mb is reached: %d samples are gone that InfluxDB never had",
                pruned.lost,
            )
        if pruned.held:
            log.warning(
                "journal: the days %s are due to go but InfluxDB does not have them yet",
                ", ".join(pruned.held),
            )
