"""Collect the measurement `monitor`: what the daemon costs, and how well it does its work."""

from __future__ import annotations

import logging
import socket
from collections.abc import Callable, Mapping

from monitor.adapters.scheduler import Scheduler
from monitor.adapters.system.process_figures import ProcessFigures
from monitor.core.job import Job
from monitor.core.ports import Clock, Prober
from monitor.core.samples.samples import MonitorSample
from monitor.pipeline.pipeline import Pipeline
from monitor.storage.shipper_group import ShipperGroup

log = logging.getLogger(__name__)

INTERVAL_S = 10.0


class SelfMetrics:
    """Takes one MonitorSample every 10 s and stores it.

    latest: the newest sample. unmeasured: requests of the last 10 s that could not be measured,
    by reason. process_figures, synchronised (None: not known), outbox_age_s: where to read them.
    """

    def __init__(
        self,
        pipeline: Pipeline,
        scheduler: Scheduler,
        clock: Clock,
        prober: Prober,
        shippers: ShipperGroup | None,
        process_figures: Callable[[], ProcessFigures],
        synchronised: Callable[[], bool | None],
        outbox_age_s: Callable[[], float | None] = lambda: None,
    ) -> None:
        self.latest: MonitorSample | None = None
        self.unmeasured: dict[str, int] = {}
        self._pipeline = pipeline
        self._scheduler = scheduler
        self._clock = clock
        self._prober = prober
        self._shippers = shippers
        self._process_figures = process_figures
        self._synchronised = synchronised
        self._outbox_age_s = outbox_age_s
        self._host = socket.gethostname()
        self._unmeasured_total: Mapping[str, int] = {}

    def jobs(self) -> list[Job]:
        return [Job("own figures", INTERVAL_S, self.collect, deadline_s=INTERVAL_S)]

    async def collect(self) -> None:
        """Take a sample, store it, and log what began or ended since the last one."""
        now_s = self._clock.steady_s()
        progress, schedule = self._pipeline.progress, self._scheduler.counters
        counters = self._prober.counters()
        self._update_unmeasured(counters.unmeasured)
        process = self._process_figures()
        written_s = progress.journal.written_s
        synchronised = self._synchronised()
        shipper = None if self._shippers is None else self._shippers.state
        before = self.latest
        if synchronised is False and (before is None or before.synchronised != 0):
            log.warning("this machine's clock is not synchronised (NTP)")
        self.latest = MonitorSample(
            at_s=round(self._clock.utc_s(now_s), 3),
            host=self._host,
            round_lag_s=progress.take_round_lag_s(),
            loop_lag_s=schedule.take_loop_lag_s(),
            missed_rounds=progress.missed_rounds,
            journal_age_s=None if written_s is None else now_s - written_s,
            spool_lines=None if shipper is None else shipper.lag_lines,
            shipper_lag_s=None if self._shippers is None else self._shippers.behind_s(),
            quarantined=None if shipper is None else shipper.quarantined,
            shipper_error=None if shipper is None else shipper.last_error,
            open_fds=process.open_fds,
            rss_bytes=process.rss_bytes,
            odd_packets=counters.late + counters.duplicate + counters.spoofed + counters.malformed,
            not_measured=counters.not_measured,
            stalled_rounds=counters.stalled_rounds,
            stalls=schedule.stalls,
            clock_steps=schedule.clock_steps,
            failed_runs=schedule.failed_runs,
            max_fds=process.max_fds,
            synchronised=None if synchronised is None else int(synchronised),
            outbox_age_s=self._outbox_age_s(),
        )
        self._pipeline.store([self.latest])

    def _update_unmeasured(self, total: Mapping[str, int]) -> None:
        """Compute what was not measured since the last sample; log a reason when it is new."""
        before = self._unmeasured_total
        since = {
            reason: count - before.get(reason, 0)
            for reason, count in total.items()
            if count > before.get(reason, 0)
        }
        if since.keys() - self.unmeasured.keys():
            log.warning("not measured in the last %g s: %s", INTERVAL_S, format_unmeasured(since))
        elif self.unmeasured and not since:
            log.info("everything is measured again")
        self._unmeasured_total = total
        self.unmeasured = since


def format_unmeasured(unmeasured: Mapping[str, int]) -> str:
    """`62 x ENETUNREACH, 3 x stalled`."""
    return ", ".join(f"{count} x {reason}" for reason, count in sorted(unmeasured.items()))
