"""What the daemon does besides probing: closes periods, says that it lives, keeps the house."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Callable, Sequence
from functools import partial
from typing import Protocol

from monitor.core.errors import StoreError
from monitor.core.model import Network
from monitor.core.ports import Clock, Ledger, Prober
from monitor.core.samples import MonitorSample
from monitor.pipeline import Pipeline
from monitor.schedule import Job, Schedule
from monitor.settings.model import JournalSettings
from monitor.shipper import Shipper

log = logging.getLogger("monitor.housekeeping")

ALIVE_S = 10.0
PRUNE_S = 3600.0


class Figures(Protocol):
    """What a process costs; see adapters.process."""

    @property
    def rss_bytes(self) -> int | None: ...

    @property
    def open_fds(self) -> int | None: ...


class Pruned(Protocol):
    """What came of throwing old days away: days removed, days not shipped yet."""

    @property
    def removed(self) -> tuple[str, ...]: ...

    @property
    def held(self) -> tuple[str, ...]: ...


class PrunableJournal(Protocol):
    """The journal, as the one who throws old days away sees it."""

    def prune(
        self, at_s: float, keep_days: int, max_mb: int, shipper: str | None = None
    ) -> Pruned: ...


class Housekeeping:
    """Jobs that are no rounds and no polls."""

    def __init__(
        self,
        pipeline: Pipeline,
        schedule: Schedule,
        clock: Clock,
        ledger: Ledger,
        journal: PrunableJournal,
        prober: Prober,
        shipper: Shipper | None,
        figures: Callable[[], Figures],
        keep: JournalSettings,
    ) -> None:
        self._pipeline = pipeline
        self._schedule = schedule
        self._clock = clock
        self._ledger = ledger
        self._journal = journal
        self._prober = prober
        self._shipper = shipper
        self._figures = figures
        self._keep = keep
        self._host = socket.gethostname()

    def jobs(self, network: Network) -> list[Job]:
        """A job a recording period, and the rest."""
        periods: dict[float, list[str]] = {}
        for target in network.targets():
            periods.setdefault(target.rules.record_s, []).append(target.name)
        jobs = [
            Job(
                name=f"record every {record_s:g} s",
                every_s=record_s,
                run=partial(self._record, tuple(names), record_s),
                deadline_s=record_s,
            )
            for record_s, names in sorted(periods.items())
        ]
        jobs.append(Job("alive", ALIVE_S, self.alive, deadline_s=ALIVE_S))
        jobs.append(Job("own figures", ALIVE_S, self._own, deadline_s=ALIVE_S))
        jobs.append(Job("prune", PRUNE_S, self._prune, deadline_s=600))
        return jobs

    def _now_s(self) -> float:
        return self._clock.utc_s(self._clock.steady_s())

    async def _record(self, names: Sequence[str], record_s: float) -> None:
        # The job starts on a multiple of record_s: that boundary is the row's time.
        boundary_s = round(self._now_s() / record_s) * record_s
        self._pipeline.finish_period(boundary_s, names)

    async def alive(self) -> None:
        """Note in the ledger that evidence is being taken, so that a gap is known later."""
        if not self._is_alive():
            return
        try:
            await asyncio.to_thread(self._ledger.alive, round(self._now_s(), 3))
        except StoreError as error:
            log.error("cannot note that the daemon lives: %s", error)

    def _is_alive(self) -> bool:
        """Only what was really measured counts: a stalled prober is not alive."""
        last_s = self._pipeline.progress.last_outcome_s
        return last_s is not None and self._clock.steady_s() - last_s < ALIVE_S

    async def _own(self) -> None:
        progress = self._pipeline.progress
        counters = self._prober.counters()
        figures = self._figures()
        steady_s = self._clock.steady_s()
        written_s = progress.journal_written_s
        self._pipeline.store(
            [
                MonitorSample(
                    at_s=round(self._now_s(), 3),
                    host=self._host,
                    round_lag_s=progress.round_lag_s,
                    loop_lag_s=max(0.0, self._schedule.counters.loop_lag_s),
                    missed_rounds=self._schedule.counters.missed_rounds,
                    journal_age_s=None if written_s is None else steady_s - written_s,
                    spool_lines=None if self._shipper is None else self._shipper.state.lag_lines,
                    open_fds=figures.open_fds,
                    rss_bytes=figures.rss_bytes,
                    odd_packets=counters.late
                    + counters.duplicate
                    + counters.spoofed
                    + counters.malformed,
                )
            ]
        )

    async def _prune(self) -> None:
        shipper = None if self._shipper is None else self._shipper.name
        pruned = await asyncio.to_thread(
            self._journal.prune,
            self._now_s(),
            self._keep.raw_days,
            self._keep.max_mb,
            shipper,
        )
        if pruned.removed:
            log.info("journal: removed the days %s", ", ".join(pruned.removed))
        if pruned.held:
            log.warning(
                "journal: the days %s are due to go but InfluxDB does not have them yet",
                ", ".join(pruned.held),
            )
