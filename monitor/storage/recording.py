"""What the daemon does besides probing: closes periods, says that it lives, keeps the house."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Protocol

from monitor.adapters.scheduler import Scheduler
from monitor.core.errors import StoreError
from monitor.core.job import Job
from monitor.core.model import Network
from monitor.core.ports import Clock, Ledger, Prober
from monitor.core.samples.recorder import FinishedPeriod
from monitor.core.samples.samples import MonitorSample
from monitor.pipeline.pipeline import Pipeline
from monitor.storage.shipper_group import ShipperGroup

log = logging.getLogger("monitor.storage.recording")

ALIVE_S = 10.0
STORED_AT_ONCE = 500
STORED_WITHIN = 0.5
"""The rows of thousands of targets are computed and written in parts, spread over this share of
the next period: all at once they would hold up the probes."""

EARLY_S = 2.0
"""A row's boundary may be this far ahead by our UTC: a smaller step is followed slowly."""


class Figures(Protocol):
    """What a process costs; see adapters.process."""

    @property
    def rss_bytes(self) -> int | None: ...

    @property
    def open_fds(self) -> int | None: ...

    @property
    def max_fds(self) -> int: ...


class PeriodRecorder:
    """Jobs that are no rounds and no polls.

    own: the newest figures on the daemon itself. unmeasured: requests that could not be measured
    in the last 10 s, by reason.
    """

    def __init__(
        self,
        pipeline: Pipeline,
        schedule: Scheduler,
        clock: Clock,
        ledger: Ledger,
        prober: Prober,
        convoy: ShipperGroup | None,
        figures: Callable[[], Figures],
        synchronised: Callable[[], bool | None],
        outbox_age_s: Callable[[], float | None] = lambda: None,
    ) -> None:
        self.own: MonitorSample | None = None
        self.unmeasured: dict[str, int] = {}
        self._pipeline = pipeline
        self._schedule = schedule
        self._clock = clock
        self._ledger = ledger
        self._prober = prober
        self._convoy = convoy
        self._figures = figures
        self._synchronised = synchronised
        self._outbox_age_s = outbox_age_s
        self._host = socket.gethostname()
        self._unmeasured_before: Mapping[str, int] = {}
        self._recorded: dict[float, float] = {}

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
        return jobs

    def _now_s(self) -> float:
        return self._clock.utc_s(self._clock.steady_s())

    async def _record(self, names: Sequence[str], record_s: float) -> None:
        # The job starts on a multiple of record_s: that boundary is the row's time. UTC may be a
        # little behind the clock that started the job.
        slack_s = min(EARLY_S, record_s / 4)
        boundary_s = (self._now_s() + slack_s) // record_s * record_s
        # Started late, or again after a step of the clock: a second row would take the first's
        # place in InfluxDB.
        if self._recorded.get(record_s) == boundary_s:
            return
        self._recorded[record_s] = boundary_s
        rest = self._pipeline.finish_period(boundary_s, names)
        pause_s = STORED_WITHIN * record_s * STORED_AT_ONCE / max(1, len(rest))
        try:
            while len(rest) > STORED_AT_ONCE:
                self._store(rest[:STORED_AT_ONCE])
                del rest[:STORED_AT_ONCE]
                await asyncio.sleep(pause_s)
        finally:
            self._store(rest)

    def _store(self, finished: Sequence[FinishedPeriod]) -> None:
        self._pipeline.store([one.row() for one in finished])

    def finish(self) -> None:
        """The daemon ends: what was measured in the present period is stored, too."""
        self._store(self._pipeline.finish_period(round(self._now_s(), 3)))

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
        schedule = self._schedule.counters
        counters = self._prober.counters()
        self._look_for_unmeasured(counters.unmeasured)
        figures = self._figures()
        written_s = progress.journal_written_s
        synchronised = self._synchronised()
        shipped = None if self._convoy is None else self._convoy.state
        behind_s = None if self._convoy is None else self._convoy.behind_s()
        before = self.own
        if synchronised is False and (before is None or before.synchronised != 0):
            log.warning("this machine's clock is not synchronised (NTP)")
        self.own = MonitorSample(
            at_s=round(self._now_s(), 3),
            host=self._host,
            round_lag_s=progress.take_round_lag_s(),
            loop_lag_s=schedule.take_loop_lag_s(),
            missed_rounds=progress.missed_rounds,
            journal_age_s=None if written_s is None else self._clock.steady_s() - written_s,
            spool_lines=None if shipped is None else shipped.lag_lines,
            shipper_lag_s=behind_s,
            quarantined=None if shipped is None else shipped.quarantined,
            shipper_error=None if shipped is None else shipped.last_error,
            open_fds=figures.open_fds,
            rss_bytes=figures.rss_bytes,
            odd_packets=counters.late + counters.duplicate + counters.spoofed + counters.malformed,
            not_measured=counters.not_measured,
            stalled_rounds=counters.stalled_rounds,
            stalls=schedule.stalls,
            clock_steps=schedule.clock_steps,
            failed_runs=schedule.failed_runs,
            max_fds=figures.max_fds,
            synchronised=None if synchronised is None else int(synchronised),
            outbox_age_s=self._outbox_age_s(),
        )
        self._pipeline.store([self.own])

    def _look_for_unmeasured(self, total: Mapping[str, int]) -> None:
        """What could not be measured since the last look; a reason is logged when it is new."""
        lately = {
            reason: count - self._unmeasured_before.get(reason, 0)
            for reason, count in total.items()
            if count > self._unmeasured_before.get(reason, 0)
        }
        if lately.keys() - self.unmeasured.keys():
            log.warning("not measured in the last %g s: %s", ALIVE_S, in_words(lately))
        elif self.unmeasured and not lately:
            log.info("everything is measured again")
        self._unmeasured_before = total
        self.unmeasured = lately


def in_words(unmeasured: Mapping[str, int]) -> str:
    """`62 x ENETUNREACH, 3 x stalled`."""
    return ", ".join(f"{count} x {reason}" for reason, count in sorted(unmeasured.items()))
