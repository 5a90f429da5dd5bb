"""Close the recording periods of the targets, store their rows, and write `last_alive`."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import partial

from monitor.core.job import Job
from monitor.core.model import Network
from monitor.core.ports import Clock
from monitor.core.samples.ping_aggregator import FinishedPeriod
from monitor.pipeline.pipeline import Pipeline

ALIVE_S = 10.0
ROWS_PER_PART = 500
STORED_WITHIN = 0.5
"""The rows of thousands of targets are computed and written in parts, spread over this share of
the next period: all at once they would delay the probes."""

EARLY_S = 2.0
"""A row's boundary may be this far ahead by our UTC: a smaller clock step is followed slowly."""


class PeriodRecorder:
    """Jobs that turn outcomes into `ping` rows, and write `last_alive` to the ledger."""

    def __init__(self, pipeline: Pipeline, clock: Clock) -> None:
        self._pipeline = pipeline
        self._clock = clock
        self._recorded: dict[float, float] = {}

    def jobs(self, network: Network) -> list[Job]:
        """One job for each `record_s` that the network uses, and one for `last_alive`."""
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
        jobs.append(Job("alive", ALIVE_S, self.record_alive, deadline_s=ALIVE_S))
        return jobs

    def finish(self) -> None:
        """Store what was measured in the present period; called when the daemon ends."""
        self._store(self._pipeline.finish_period(round(self._now_s(), 3)))

    async def record_alive(self) -> None:
        """Write `last_alive`, so that a restart knows since when there was no evidence.

        Only measured outcomes count: a daemon whose prober has stalled writes nothing.
        """
        last_s = self._pipeline.progress.last_outcome_s
        if last_s is None or self._clock.steady_s() - last_s >= ALIVE_S:
            return
        self._pipeline.record_alive(round(self._now_s(), 3))

    async def _record(self, names: Sequence[str], record_s: float) -> None:
        # The job starts on a multiple of record_s: that boundary is the row's time. UTC may be a
        # little behind the clock that started the job.
        slack_s = min(EARLY_S, record_s / 4)
        boundary_s = (self._now_s() + slack_s) // record_s * record_s
        # Started late, or again after a step of the clock: a second row with the same time would
        # overwrite the first in InfluxDB.
        if self._recorded.get(record_s) == boundary_s:
            return
        self._recorded[record_s] = boundary_s
        rest = self._pipeline.finish_period(boundary_s, names)
        pause_s = STORED_WITHIN * record_s * ROWS_PER_PART / max(1, len(rest))
        try:
            while len(rest) > ROWS_PER_PART:
                self._store(rest[:ROWS_PER_PART])
                del rest[:ROWS_PER_PART]
                await asyncio.sleep(pause_s)
        finally:
            self._store(rest)

    def _store(self, finished: Sequence[FinishedPeriod]) -> None:
        self._pipeline.store([period.row() for period in finished])

    def _now_s(self) -> float:
        return self._clock.utc_s(self._clock.steady_s())
