"""The store's own jobs: sum up hours, throw old files away, say how full it is."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Protocol, TypeVar

from monitor.core.alerting.maintenance import Maintenance, maintenance_spans, reach_of
from monitor.core.alerting.model import MaintenanceWindow
from monitor.core.errors import StoreError
from monitor.core.job import Job
from monitor.core.ports import Clock, LedgerReader
from monitor.core.state_history import Spans, StateHistory
from monitor.core.warning import MonitorWarning
from monitor.settings.model import JournalSettings, Settings

log = logging.getLogger("monitor.storage.rollup_job")

Done = TypeVar("Done")

JOBS: Mapping[str, str] = MappingProxyType(
    {"rollups": "rollups", "usage": "how full the journal is", "prune": "prune"}
)
"""What a job is called in the log, by the kind of the remark on its trouble."""

ROLL_S = 60.0
HOURS_AT_ONCE = 24
"""After a long pause there are many: others have a turn between."""

PRUNE_S = 3600.0
LOOK_S = 60.0
ALARMS = (0.8, 0.5)
"""Shares of max_mb that samples may fill which InfluxDB does not have, until somebody is told."""


class Pruned(Protocol):
    """What came of throwing old files away: days removed, days not shipped yet, rows lost."""

    @property
    def removed(self) -> tuple[str, ...]: ...

    @property
    def held(self) -> tuple[str, ...]: ...

    @property
    def lost(self) -> int: ...


class Usage(Protocol):
    """How full it is: share of the quota that is filled with what was not shipped."""

    @property
    def share_unshipped(self) -> float: ...


class KeptJournal(Protocol):
    """The journal, as the one who keeps it sees it."""

    @property
    def problems(self) -> tuple[str, ...]: ...

    @property
    def evidence_trouble(self) -> str | None: ...

    def keep_evidence(self, kept: bool) -> None: ...

    def roll(
        self,
        now_s: float,
        timelines: Callable[[float, float], StateHistory] | None = None,
        most: int | None = None,
    ) -> int: ...

    def usage(self, max_mb: int, shipper: str | None = None) -> Usage: ...

    def prune(
        self,
        at_s: float,
        keep_days: int,
        max_mb: int,
        shipper: str | None = None,
        *,
        evidence_days: int = 35,
        minute_days: int = 180,
        hour_days: int = 1826,
    ) -> Pruned: ...


def nobody(_start_s: float, _end_s: float) -> Mapping[str, Spans]:
    """No target is ever under maintenance."""
    return {}


class Windows(Protocol):
    """Maintenance windows made by hand; see core.alertports."""

    def windows(self, start_s: float, end_s: float) -> list[MaintenanceWindow]: ...


def maintenance_from(
    ledger: Windows, settings: Settings
) -> Callable[[float, float], Mapping[str, Spans]]:
    """Who is under maintenance when: by the ledger and by maintenance.toml."""

    def spans(start_s: float, end_s: float) -> Mapping[str, Spans]:
        windows = tuple(ledger.windows(start_s, end_s))
        reach = reach_of(settings.network)
        known = Maintenance(reach, settings.timezone, windows, settings.alerts.maintenance)
        return maintenance_spans(known, start_s, end_s)

    return spans


class StorageJobs:
    """Keeps the journal in order.

    shipper: the name of what ships the raw rows, None: nothing does. maintenance: the spans of
    each target that touch [start, end) (UTC). lost: samples thrown away that were never shipped;
    share: of max_mb, filled with what is not shipped.
    """

    def __init__(
        self,
        journal: KeptJournal,
        ledger: LedgerReader,
        clock: Clock,
        shipper: str | None,
        keep: JournalSettings,
        maintenance: Callable[[float, float], Mapping[str, Spans]] = nobody,
    ) -> None:
        self.lost = 0
        self.share = 0.0
        self._journal = journal
        self._ledger = ledger
        self._clock = clock
        self._shipper = shipper
        self._keep = keep
        self._maintenance = maintenance
        self._troubles: dict[str, str] = {}
        self._ships_otherwise = False

    def reconfigure(
        self,
        keep: JournalSettings,
        maintenance: Callable[[float, float], Mapping[str, Spans]],
        *,
        ships_otherwise: bool = False,
    ) -> None:
        """Another configuration is in force; what is too old by it goes within the hour.

        ships_otherwise: it names another InfluxDB than the one that is written to until a restart.
        """
        self._ships_otherwise = ships_otherwise
        self._keep = keep
        self._maintenance = maintenance
        self._journal.keep_evidence(keep.evidence_days > 0)

    def jobs(self) -> list[Job]:
        """Rollups every minute, retention every hour."""
        return [
            Job(JOBS["rollups"], ROLL_S, self.roll, deadline_s=3600),
            Job(JOBS["usage"], LOOK_S, self.look, deadline_s=600),
            Job(JOBS["prune"], PRUNE_S, self.prune, deadline_s=600),
        ]

    def remarks(self) -> list[MonitorWarning]:
        """What a person should know or do."""
        found = [
            MonitorWarning(f"journal: {problem}", "journal_problem", {"why": problem})
            for problem in self._journal.problems
        ]
        found += [
            MonitorWarning(f"{JOBS[what]}: {why}", what, {"why": why})
            for what, why in self._troubles.items()
        ]
        if self._ships_otherwise:
            found.append(
                MonitorWarning(
                    "[storage.influxdb] was changed: it is used after a restart of the daemon",
                    "influx_later",
                )
            )
        ill = self._journal.evidence_trouble
        if ill is not None:
            found.append(
                MonitorWarning(f"requests are not kept for replay: {ill}", "evidence", {"why": ill})
            )
        if self.lost:
            found.append(
                MonitorWarning(
                    f"{self.lost} samples were thrown away before InfluxDB had them: max_mb was"
                    " reached",
                    "thrown_away",
                    {"count": self.lost},
                )
            )
        if self.share >= min(ALARMS):
            found.append(
                MonitorWarning(
                    f"{self.share:.0%} of the journal's max_mb is full of samples that InfluxDB"
                    " does not have: the oldest are thrown away at 100 %",
                    "quota",
                    {"full_share": round(self.share, 3)},
                )
            )
        return found

    async def roll(self) -> None:
        """Sum up what is over; what fails is said, and tried again in a minute."""
        await self._attempt(
            "rollups",
            lambda: self._journal.roll(self._now_s(), self._timelines, HOURS_AT_ONCE),
        )

    async def look(self) -> None:
        """How much of the quota is filled with what was not shipped."""
        before = self.share
        usage = await self._attempt(
            "usage", lambda: self._journal.usage(self._keep.max_mb, self._shipper)
        )
        if usage is None:
            return
        self.share = usage.share_unshipped
        for share in ALARMS:
            if before < share <= self.share:
                log.warning(
                    "journal: %.0f %% of max_mb is full of samples that InfluxDB does not have",
                    self.share * 100,
                )
                break

    async def prune(self) -> None:
        """Remove what is too old, and what is too much."""
        keep = self._keep
        pruned = await self._attempt(
            "prune",
            lambda: self._journal.prune(
                self._now_s(),
                keep.raw_days,
                keep.max_mb,
                self._shipper,
                evidence_days=keep.evidence_days,
                minute_days=keep.minute_days,
                hour_days=keep.hour_days,
            ),
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

    async def _attempt(self, what: str, act: Callable[[], Done]) -> Done | None:
        """Do it beside the loop; what fails is said once, and tried again when it is due."""
        try:
            done = await asyncio.to_thread(act)
        except StoreError as error:
            if what not in self._troubles:
                log.error("%s: %s; trying again", JOBS[what], error)
            self._troubles[what] = str(error)
            return None
        self._troubles.pop(what, None)
        return done

    def _timelines(self, start_s: float, end_s: float) -> StateHistory:
        transitions = self._ledger.transitions(start_s, end_s)
        return StateHistory.of(transitions, self._maintenance(start_s, end_s))

    def _now_s(self) -> float:
        return self._clock.utc_s(self._clock.steady_s())
