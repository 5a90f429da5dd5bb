"""`/metrics`: the daemon's own metrics for Prometheus, text format 0.0.4.

Names end in their unit (https://prometheus.io/docs/practices/naming/). Unknown values are absent.
Nothing is counted here: every value is read on request from the part of the daemon that has it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from monitor.adapters.scheduler import Scheduler
from monitor.core.alerting.alerting_state import AlertingState
from monitor.core.alerting.model import OutboxRow, OutboxStatus
from monitor.core.alerting.ports import AlertReader
from monitor.core.disk_space import DiskState
from monitor.core.errors import LedgerError
from monitor.core.executor import Executor
from monitor.core.model import State
from monitor.core.ports import Clock, Prober
from monitor.core.samples.samples import STATE_CODES
from monitor.pipeline.pipeline import Pipeline
from monitor.storage.self_metrics import SelfMetrics
from monitor.storage.shipper_group import ShipperGroup

UNDELIVERED = (OutboxStatus.PENDING, OutboxStatus.LEASED, OutboxStatus.DEAD)


class Metrics:
    """Reads the metrics of a running daemon."""

    def __init__(
        self,
        pipeline: Pipeline,
        schedule: Scheduler,
        self_metrics: SelfMetrics,
        prober: Prober,
        shippers: ShipperGroup | None,
        ledger: AlertReader,
        alerting_state: AlertingState,
        clock: Clock,
        executor: Executor,
        disk: Callable[[], DiskState | None],
        backup_failed: Callable[[], bool | None],
    ) -> None:
        self._pipeline = pipeline
        self._schedule = schedule
        self._self_metrics = self_metrics
        self._prober = prober
        self._shippers = shippers
        self._ledger = ledger
        self._alerting_state = alerting_state
        self._clock = clock
        self._executor = executor
        self._disk = disk
        self._backup_failed = backup_failed

    async def text(self) -> bytes:
        """The body of `/metrics`."""
        rows = await self._executor(self._undelivered)
        registry = CollectorRegistry(auto_describe=False)
        registry.register(_FixedFamilies([*self._probing(), *self._states(), *self._alerts(rows)]))
        return generate_latest(registry)

    def _undelivered(self) -> list[OutboxRow] | None:
        """Outbox rows that are not delivered; None: the ledger cannot be read."""
        try:
            return [row for status in UNDELIVERED for row in self._ledger.outbox(status)]
        except LedgerError:
            return None

    def _probing(self) -> Iterator[Metric]:
        """Rounds, outcomes, lags, and the way of samples to the stores."""
        now_s = self._clock.steady_s()
        progress, counters = self._pipeline.progress, self._prober.counters()
        schedule, own = self._schedule.counters, self._self_metrics.latest
        outcomes = CounterMetricFamily(
            "pantau_requests", "Echo requests by what became of them", labels=["outcome"]
        )
        for name in ("received", "lost", "not_measured"):
            outcomes.add_metric([name], getattr(counters, name))
        yield outcomes
        odd = CounterMetricFamily(
            "pantau_odd_packets", "Packets that were no proper answer", labels=["what"]
        )
        for name in ("late", "duplicate", "foreign", "spoofed", "malformed"):
            odd.add_metric([name], getattr(counters, name))
        yield odd
        yield _count("pantau_missed_rounds", "Rounds that were not sent", progress.missed_rounds)
        yield _count("pantau_stalled_rounds", "Rounds sent in part", counters.stalled_rounds)
        yield _count("pantau_trace_requests", "Sent to trace paths", counters.trace_requests)
        yield _count("pantau_failed_runs", "Runs of jobs that failed", schedule.failed_runs)
        yield _count("pantau_clock_steps", "Times that the clock was set", schedule.clock_steps)
        yield _count("pantau_stalls", "Times that the process stood still", schedule.stalls)
        yield from _gauge(
            "pantau_last_round_age_seconds",
            "Since the last round ended",
            None if progress.last_round_s is None else now_s - progress.last_round_s,
        )
        if own is not None:
            yield from _gauge("pantau_round_lag_seconds", "Worst of 10 s", own.round_lag_s)
            yield from _gauge("pantau_loop_lag_seconds", "Worst of 10 s", own.loop_lag_s)
            yield from _gauge("pantau_resident_memory_bytes", "Memory in use", own.rss_bytes)
            yield from _gauge("pantau_open_fds", "Open descriptors", own.open_fds)
            yield from _gauge("pantau_clock_synchronised", "1: by NTP", own.synchronised)
        yield from _gauge(
            "pantau_journal_age_seconds",
            "Since the last samples were durable",
            None if progress.journal.written_s is None else now_s - progress.journal.written_s,
        )
        yield _count(
            "pantau_dropped_samples", "The journal could not keep them", progress.journal.dropped
        )
        trouble = GaugeMetricFamily("pantau_store_trouble", "1: not writable", labels=["store"])
        trouble.add_metric(["ledger"], int(progress.ledger.error is not None))
        trouble.add_metric(["journal"], int(progress.journal.error is not None))
        state = None if self._shippers is None else self._shippers.state
        if state is not None:
            trouble.add_metric(["influxdb"], int(state.last_error is not None))
            yield from _gauge("pantau_shipper_lag_samples", "Not in InfluxDB yet", state.lag_lines)
            yield from _gauge(
                "pantau_shipper_quarantined_samples", "Refused by InfluxDB", state.quarantined
            )
        yield trouble
        yield from self._data_disk()

    def _data_disk(self) -> Iterator[Metric]:
        """The room on the disk of data_dir, and the backups."""
        disk = self._disk()
        if disk is not None:
            yield from _gauge("pantau_disk_free_bytes", "Of data_dir's disk", disk.free_bytes)
            yield from _gauge("pantau_disk_free_inodes", "Of data_dir's disk", disk.free_inodes)
            yield from _gauge("pantau_disk_full_in_seconds", "At the measured rate", disk.full_in_s)
            yield from _gauge("pantau_disk_low", "1: somebody should make room", int(disk.is_low))
        failed = self._backup_failed()
        if failed is not None:
            yield from _gauge("pantau_backup_failed", "1: the last one, or too old", int(failed))

    def _states(self) -> Iterator[Metric]:
        """The state of every target, and open incidents by state."""
        pipeline = self._pipeline
        state = GaugeMetricFamily(
            "pantau_target_state",
            ", ".join(f"{code} {name.value}" for name, code in STATE_CODES.items()),
            labels=["target"],
        )
        counted: Counter[State] = Counter()
        for target, health in pipeline.detector.healths.items():
            counted[health.state] += 1
            state.add_metric([target], STATE_CODES[health.state])
        yield state
        targets = GaugeMetricFamily("pantau_targets", "Targets by state", labels=["state"])
        for each in State:
            targets.add_metric([each.value], counted[each])
        yield targets
        now_s = self._clock.utc_s(self._clock.steady_s())
        incidents = GaugeMetricFamily(
            "pantau_open_incidents", "Open incidents", labels=["state", "acknowledged"]
        )
        found = Counter(
            (
                each.state.value,
                _yes_no(
                    self._alerting_state.handling(each.id).active_acknowledgement(now_s) is not None
                ),
            )
            for each in pipeline.open_incidents()
        )
        for name in (State.DOWN, State.DEGRADED, State.UNKNOWN):
            for taken in ("no", "yes"):
                incidents.add_metric([name.value, taken], found[name.value, taken])
        yield incidents
        yield from _gauge(
            "pantau_isolated",
            "1: cut off itself",
            int(pipeline.detector.monitor_incident is not None),
        )
        yield from _gauge(
            "pantau_maintenance_targets",
            "Targets under maintenance",
            len(self._alerting_state.maintenance.covered_targets(now_s)),
        )

    def _alerts(self, rows: Sequence[OutboxRow] | None) -> Iterator[Metric]:
        """Messages that are not delivered; absent when the ledger cannot be read."""
        if rows is None:
            return
        now_s = self._clock.utc_s(self._clock.steady_s())
        waiting = GaugeMetricFamily(
            "pantau_outbox_messages", "Not delivered", labels=["channel", "status"]
        )
        oldest = GaugeMetricFamily(
            "pantau_outbox_oldest_due_seconds", "Since when a message is due", labels=["channel"]
        )
        channels = {each.id for each in self._alerting_state.alerts.channels} | {
            r.channel for r in rows
        }
        for channel in sorted(channels):
            mine = [row for row in rows if row.channel == channel]
            for status in UNDELIVERED:
                count = sum(row.status is status for row in mine)
                waiting.add_metric([channel, status.value], count)
            due = [
                now_s - row.next_try_s
                for row in mine
                if row.status is not OutboxStatus.DEAD and row.next_try_s <= now_s
            ]
            oldest.add_metric([channel], max(due, default=0.0))
        yield waiting
        yield oldest


class _FixedFamilies(Collector):
    """Families that were computed before."""

    def __init__(self, families: Sequence[Metric]) -> None:
        self._families = families

    def collect(self) -> Sequence[Metric]:
        return self._families


def _gauge(name: str, help_text: str, value: float | None) -> Iterator[Metric]:
    if value is not None:
        yield GaugeMetricFamily(name, help_text, value=value)


def _count(name: str, help_text: str, value: float) -> Metric:
    return CounterMetricFamily(name, help_text, value=value)


def _yes_no(yes: bool) -> str:
    return "yes" if yes else "no"
