"""The store's own jobs: sum up hours, throw old files away, say how full it is."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from monitor.core.alerting import Window
from monitor.core.errors import StoreError
from monitor.core.maintenance import Maintenance, reach_of
from monitor.core.ports import Clock, LedgerReader
from monitor.core.timelines import Spans, Timelines, maintenance_spans
from monitor.schedule import Job
from monitor.settings.model import JournalSettings, Settings
from monitor.shipper import Shipper

log = logging.getLogger("monitor.storekeeping")

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

    def roll(
        self,
        now_s: float,
        timelines: Callable[[float, float], Timelines] | None = None,
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

    def windows(self, start_s: float, end_s: float) -> list[Window]: ...


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


class Storekeeping:
    """Keeps the journal in order.

    shippers: what follows it; the first one ships the raw rows. maintenance: the spans of each
    target that touch [start, end) (UTC).
    """

    def __init__(
        self,
        journal: KeptJournal,
        ledger: LedgerReader,
        clock: Clock,
        shippers: Sequence[Shipper],
        keep: JournalSettings,
        maintenance: Callable[[float, float], Mapping[str, Spans]] = nobody,
    ) -> None:
        self.lost = 0
        self._journal = journal
        self._ledger = ledger
        self._clock = clock
        self._shippers = tuple(shippers)
        self._keep = keep
        self._maintenance = maintenance
        self._share = 0.0
        self._trouble: str | None = None

    def jobs(self) -> list[Job]:
        """Rollups every minute, retention every hour."""
        return [
            Job("rollups", ROLL_S, self.roll, deadline_s=3600),
            Job("how full the journal is", LOOK_S, self.look, deadline_s=600),
            Job("prune", PRUNE_S, self.prune, deadline_s=600),
        ]

    def warnings(self) -> list[str]:
        """What a person should know or do."""
        found = [f"journal: {problem}" for problem in self._journal.problems]
        if self._trouble is not None:
            found.append(f"rollups: {self._trouble}")
        if self._journal.evidence_trouble is not None:
            found.append(f"requests are not kept for replay: {self._journal.evidence_trouble}")
        if self.lost:
            found.append(
                f"{self.lost} samples were thrown away before InfluxDB had them: max_mb was reached"
            )
        for share in ALARMS:
            if self._share >= share:
                found.append(
                    f"{self._share:.0%} of the journal's max_mb is full of samples that InfluxDB"
                    " does not have: the oldest are thrown away at 100 %"
                )
                break
        found += [
            f"InfluxDB, {shipper.name}: {shipper.state.last_error}"
            for shipper in self._shippers[1:]
            if shipper.state.last_error
        ]
        return found

    async def roll(self) -> None:
        """Sum up what is over; what fails is said, and tried again in a minute."""
        try:
            await asyncio.to_thread(
                self._journal.roll, self._now_s(), self._timelines, HOURS_AT_ONCE
            )
        except StoreError as error:
            if self._trouble is None:
                log.error("rollups: %s; trying again", error)
            self._trouble = str(error)
        else:
            self._trouble = None

    async def look(self) -> None:
        """How much of the quota is filled with what was not shipped."""
        before = self._share
        usage = await asyncio.to_thread(self._journal.usage, self._keep.max_mb, self._first())
        self._share = usage.share_unshipped
        for share in ALARMS:
            if before < share <= self._share:
                log.warning(
                    "journal: %.0f %% of max_mb is full of samples that InfluxDB does not have",
                    self._share * 100,
                )
                break

    async def prune(self) -> None:
        """Remove what is too old, and what is too much."""
        keep = self._keep
        pruned = await asyncio.to_thread(
            lambda: self._journal.prune(
                self._now_s(),
                keep.raw_days,
                keep.max_mb,
                self._first(),
                evidence_days=keep.evidence_days,
                minute_days=keep.minute_days,
                hour_days=keep.hour_days,
            )
        )
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

    def _timelines(self, start_s: float, end_s: float) -> Timelines:
        transitions = self._ledger.transitions(start_s, end_s)
        return Timelines.of(transitions, self._maintenance(start_s, end_s))

    def _first(self) -> str | None:
        return self._shippers[0].name if self._shippers else None

    def _now_s(self) -> float:
        return self._clock.utc_s(self._clock.steady_s())
