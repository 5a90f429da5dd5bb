"""Trace paths: of targets that are down at once, of those that are up once a day.

A job looks once a second which targets are down and begins at most one trace. What a trace finds
goes into the evidence of the incident, through the pipeline, and into the ledger; no message, round
or outcome waits for it. Nothing is traced while the monitor itself is cut off or its anchors are
silent, and a trace that spans such a time or a reload of its target is dropped.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from functools import partial

from monitor.core.detection.isolation import Hold
from monitor.core.errors import LedgerError
from monitor.core.executor import Executor
from monitor.core.job import Job
from monitor.core.model import Network, Scope, State, Target
from monitor.core.paths.finding import next_baseline, path_finding
from monitor.core.paths.model import (
    SKIPPED,
    Hop,
    IncidentTrace,
    PathBaseline,
    PathTrace,
    RouteHop,
)
from monitor.core.paths.ports import PathStore, Tracer
from monitor.core.paths.settings import TraceSettings
from monitor.core.paths.trace_schedule import DownTarget, TraceRequest, TraceSchedule
from monitor.core.ports import Clock, Commit
from monitor.pipeline.pipeline import Pipeline
from monitor.probing.hop_names import names_by_address, plain_address

log = logging.getLogger("monitor.probing.path_tracing")

EVERY_S = 1.0

MOST_UNSAVED = 500
"""Results kept while the ledger cannot be written; above this the oldest are dropped."""

RETRY_S = 10.0

AFTER_OUTAGE_S = 60.0
"""The usual path is traced again so long after an outage: it may have changed."""


class PathTracing:
    """Owns the schedule and the usual paths. store: called through `executor` only."""

    def __init__(
        self,
        tracer: Tracer,
        pipeline: Pipeline,
        clock: Clock,
        store: PathStore,
        executor: Executor,
        baselines: Sequence[PathBaseline] = (),
    ) -> None:
        self._tracer = tracer
        self._pipeline = pipeline
        self._clock = clock
        self._store = store
        self._executor = executor
        self._schedule = TraceSchedule()
        self._settings = TraceSettings()
        self._baselines = {each.target: each for each in baselines}
        self._targets: dict[str, Target] = {}
        self._names: dict[str, str] = {}
        self._by_address: dict[str, str] = {}
        self._epoch = 0
        self._down: dict[int, str] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._unsaved_baselines: dict[str, PathBaseline] = {}
        self._unsaved_traces: list[IncidentTrace] = []
        self._saving = False
        self._save_after_s = 0.0

    def prepare(self, network: Network, settings: TraceSettings) -> Commit:
        """Ready for another network or other settings; cannot fail."""
        return partial(self._commit, network, settings)

    def jobs(self) -> list[Job]:
        """One job, none where tracing is off."""
        if not self._settings.enabled:
            return []
        return [Job("trace paths", EVERY_S, self._tick, deadline_s=EVERY_S + 1)]

    async def close(self) -> None:
        """End what is under way, and store what was found."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._save()

    def _commit(self, network: Network, settings: TraceSettings) -> None:
        former = self._targets
        self._settings = settings
        self._targets = {target.name: target for target in network.targets()}
        self._names = names_by_address(network)
        self._by_address = {plain_address(t.address): t.name for t in network.targets()}
        moved = {name for name, t in former.items() if self._address(name) != t.address}
        self._baselines = {
            name: each
            for name, each in self._baselines.items()
            if name in self._targets and name not in moved
        }
        traced = {
            name: self._baselines[name].at_s if name in self._baselines else None
            for name in self._targets
        }
        self._schedule.reconfigure(traced, settings.baseline_every_h * 3600.0, self._utc_s())

    async def _tick(self) -> None:
        self._start_saving()
        if not self._may_trace():
            self._epoch += 1
            return
        self._offer_down()
        request = self._schedule.next_trace(self._utc_s(), self._is_up)
        if request is not None:
            task = asyncio.ensure_future(
                self._run(request, self._address(request.target), self._epoch)
            )
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    def _may_trace(self) -> bool:
        """Whether silence is a target's own: the monitor is not, and may not be, cut off."""
        detector = self._pipeline.detector
        return (
            detector.monitor_incident is None
            and detector.isolation.hold(self._clock.steady_s()) is Hold.NOBODY
        )

    def _is_up(self, name: str) -> bool:
        health = self._pipeline.detector.healths.get(name)
        return (
            health is not None
            and health.state in (State.UP, State.DEGRADED)
            and not health.suspected
        )

    def _answers(self, address: str) -> bool:
        """Whether an address is a target that is up."""
        name = self._by_address.get(address)
        return name is not None and self._is_up(name)

    def _offer_down(self) -> None:
        """Queue the targets that are down now; record which traces are skipped."""
        open_now = {
            incident.id: incident
            for incident in self._pipeline.detector.open_incidents()
            if incident.state is State.DOWN and incident.target in self._targets
        }
        down = [
            DownTarget(
                incident.id,
                incident.target,
                incident.scope is Scope.NODE,
                self._targets[incident.target].parents,
            )
            for incident in open_now.values()
            if incident.parent is None and incident.evidence.path is None
        ]
        for number, target in self._down.items():
            if number not in open_now:
                self._schedule.set_due(target, self._utc_s() + AFTER_OUTAGE_S)
        self._down = {number: incident.target for number, incident in open_now.items()}
        skipped = self._schedule.offer(down, self._utc_s())
        if skipped:
            log.warning(
                "%d targets are down at once: the paths of %d are traced, of %d not",
                len(down),
                self._schedule.waiting,
                len(skipped),
            )
            at_s = self._utc_s()
            for each in skipped:
                self._keep(IncidentTrace(each.incident, each.target, at_s, SKIPPED))

    async def _run(self, request: TraceRequest, address: str | None, epoch: int) -> None:
        """One trace, from its first request to its result; address, epoch: as it begins."""
        trace: PathTrace | None = None
        try:
            trace = await self._tracer.trace(request.target, self._settings.max_hops)
        except Exception:
            log.exception("the path to %s could not be traced", request.target)
        if epoch != self._epoch or not self._may_trace():
            trace = None  # the monitor itself was cut off meanwhile
        if trace is not None and not self._address(request.target) == address == trace.address:
            trace = None  # the target left or moved
        usable = trace is not None and (request.incident is not None or trace.reached)
        self._schedule.finished(request, self._utc_s(), usable=usable)
        if trace is None or not usable:
            return
        if request.incident is None:
            self._keep_baseline(trace)
        else:
            self._add_finding(trace, request.incident)
        self._start_saving()

    def _keep_baseline(self, trace: PathTrace) -> None:
        before = self._baselines.get(trace.target)
        baseline = next_baseline(before, trace)
        self._baselines[trace.target] = self._unsaved_baselines[trace.target] = baseline
        if before is not None and baseline.changed_s not in (None, before.changed_s):
            log.info("the path to %s has changed: %s", trace.target, _path_text(trace.hops))

    def _add_finding(self, trace: PathTrace, incident: int) -> None:
        baseline = self._baselines.get(trace.target)
        finding = path_finding(trace, baseline, self._names.get, self._answers)
        usual = () if baseline is None else baseline.hops
        self._keep(
            IncidentTrace(
                incident,
                trace.target,
                trace.at_s,
                finding.kind.value,
                self._route(trace.hops),
                self._route(usual),
            )
        )
        log.info("path to %s: %s, %s", trace.target, finding.kind.value, _path_text(trace.hops))
        self._pipeline.add_path_finding(trace.target, incident, finding)

    def _route(self, hops: Sequence[Hop]) -> tuple[RouteHop, ...]:
        return tuple(
            RouteHop(
                hop.ttl,
                hop.address,
                None if hop.address is None else self._names.get(hop.address),
                None if hop.rtt_ms is None else round(hop.rtt_ms, 3),
                hop.error,
            )
            for hop in hops
        )

    def _keep(self, trace: IncidentTrace) -> None:
        self._unsaved_traces.append(trace)
        del self._unsaved_traces[:-MOST_UNSAVED]

    def _start_saving(self) -> None:
        """Store what was found, beside everything else; after an error again later."""
        due = self._clock.steady_s() >= self._save_after_s
        if due and not self._saving and (self._unsaved_baselines or self._unsaved_traces):
            task = asyncio.ensure_future(self._save())
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _save(self) -> None:
        baselines, traces = dict(self._unsaved_baselines), list(self._unsaved_traces)
        if self._saving or not (baselines or traces):
            return
        self._saving = True
        try:
            await self._executor(partial(self._store.record_paths, baselines.values(), traces))
        except LedgerError as error:
            self._save_after_s = self._clock.steady_s() + RETRY_S
            log.warning("paths are not stored yet: %s", error)
            return
        finally:
            self._saving = False
        for name, baseline in baselines.items():
            if self._unsaved_baselines.get(name) is baseline:
                del self._unsaved_baselines[name]
        stored = {id(trace) for trace in traces}
        self._unsaved_traces = [each for each in self._unsaved_traces if id(each) not in stored]

    def _address(self, name: str) -> str | None:
        target = self._targets.get(name)
        return None if target is None else target.address

    def _utc_s(self) -> float:
        return self._clock.utc_s(self._clock.steady_s())


def _path_text(hops: Sequence[Hop]) -> str:
    return " ".join(hop.address or "*" for hop in hops) or "no answer"
