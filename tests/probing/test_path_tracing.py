"""Path tracing in the daemon: what it begins when, and where its findings go."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from itertools import pairwise
from typing import TypeVar

from monitor.core.errors import LedgerError
from monitor.core.model import ChangeKind, Incident, IncidentChange, Network, State
from monitor.core.paths.model import SKIPPED, FindingKind, NamedHop, PathFinding
from monitor.core.paths.settings import TraceSettings
from monitor.core.paths.trace_schedule import FIRST_BASELINE_S, MAX_RUNNING, MAX_WAITING
from monitor.probing.path_tracing import PathTracing
from tests.core.detection.scenario import network
from tests.fakes.prober import Answers, Silent
from tests.fakes.tracer import FakeTracer
from tests.job_driver import run_jobs
from tests.probing_rig import LINK, NET, ProbingRig

T = TypeVar("T")


def inline(call: Callable[[], T], /) -> Awaitable[T]:
    """Run it here and now."""

    async def run() -> T:
        return call()

    return run()


class TracingRig(ProbingRig):
    """Every target answers over `pop`; `cut` silences one and shortens its path."""

    def __init__(self, net: Network = NET, settings: TraceSettings | None = None) -> None:
        super().__init__(net)
        self.net = net
        self.addresses = {t.name: t.address for t in net.targets()}
        self.pop = self.addresses.get("pop", "10.0.0.99")
        paths = {name: f"{self.pop} * {address}" for name, address in self.addresses.items()}
        self.tracer = FakeTracer(self.clock, paths, self.addresses)
        self.settings = settings or TraceSettings()
        self.tracing = PathTracing(self.tracer, self.pipeline, self.clock, self.ledger, inline, ())
        self.tracing.prepare(net, self.settings)()

    async def run(self, for_s: float) -> None:
        """Probing, tracing and both writers for so long."""
        await self.prober.open(self.pipeline.take)
        await run_jobs([*self.jobs, *self.tracing.jobs()], self.clock, for_s)

    def cut(self, name: str, path: str) -> None:
        self.prober.behave(name, Silent())
        self.tracer.paths[name] = path

    def restore(self, name: str) -> None:
        self.prober.behave(name, Answers())
        self.tracer.paths[name] = f"{self.pop} * {self.addresses[name]}"

    def incident(self, target: str = LINK) -> Incident:
        (found,) = [i for i in self.pipeline.open_incidents() if i.target == target]
        return found

    def traced(self) -> list[str]:
        return [name for _, name in self.tracer.traced]


async def with_baselines(rig: TracingRig) -> TracingRig:
    await rig.run(FIRST_BASELINE_S + 5 * len(rig.addresses) + 10)
    assert set(rig.traced()) == set(rig.addresses)
    rig.tracer.traced.clear()
    return rig


async def test_an_outage_is_traced_and_its_evidence_says_where_it_breaks_off() -> None:
    rig = await with_baselines(TracingRig())
    rig.cut(LINK, rig.pop)
    await rig.run(15)
    assert rig.traced() == [LINK]
    path = rig.incident().evidence.path
    assert path is not None
    assert (path.kind, path.usual_hops) == (FindingKind.UNPROVEN, 3)
    assert path.last == NamedHop(1, rig.pop, "pop")
    rig.pipeline.close()
    updates = [
        change.incident
        for change in rig.ledger.recorded_changes()
        if change.change is ChangeKind.UPDATED and change.incident.evidence.path is not None
    ]
    assert [each.target for each in updates] == [LINK]
    (stored,) = rig.ledger.incident_traces(rig.incident().id)
    assert (stored.result, [hop.address for hop in stored.hops]) == ("unproven", [rig.pop])
    assert next(hop.name for hop in stored.usual) == "pop"
    assert len(rig.ledger.path_baselines()) == len(rig.addresses)


async def test_tracing_changes_no_state_no_count_and_no_time() -> None:
    async def states(settings: TraceSettings) -> tuple[object, ...]:
        rig = TracingRig(settings=settings)
        await rig.run(60)
        rig.cut(LINK, "")
        await rig.run(20)
        rig.restore(LINK)
        await rig.run(20)
        rig.pipeline.close()
        changes = [
            (c.change, c.at_s, c.incident.started_s, c.incident.ended_s)
            for c in rig.ledger.recorded_changes()
            if isinstance(c, IncidentChange) and c.incident.evidence.path is None
        ]
        return (
            rig.ledger.recorded_transitions(),
            rig.prober.counters(),
            rig.prober.rounds,
            changes[:1],
        )

    traced = await states(TraceSettings())
    assert traced == await states(TraceSettings(enabled=False))


async def test_nothing_is_traced_where_it_is_off() -> None:
    rig = TracingRig(settings=TraceSettings(enabled=False))
    assert rig.tracing.jobs() == []


async def test_nothing_is_traced_while_the_monitor_is_cut_off() -> None:
    links: dict[str, tuple[str, ...]] = {f"s{n}/utama": () for n in range(6)}
    rig = await with_baselines(TracingRig(network(links, anchors=2)))
    for name in rig.addresses:
        rig.cut(name, "")
    await rig.run(120)
    assert rig.traced() == []
    assert [each.target for each in rig.pipeline.open_incidents()] == ["monitor"]


async def test_a_trace_that_spans_a_cut_of_the_monitor_is_dropped_and_made_again() -> None:
    rig = await with_baselines(TracingRig())
    anchor = NET.anchors[0].name
    rig.cut(LINK, "")
    while not rig.tracer.traced:
        await rig.run(0.5)
    rig.prober.behave(anchor, Silent())
    await rig.run(4)
    assert rig.incident().evidence.path is None
    rig.prober.behave(anchor, Answers())
    await rig.run(20)
    assert rig.incident().evidence.path is not None
    assert rig.traced() == [LINK, LINK]


async def test_a_trace_of_a_target_that_moved_in_a_reload_is_dropped() -> None:
    rig = await with_baselines(TracingRig())
    rig.cut(LINK, "")
    while not rig.tracer.traced:
        await rig.run(0.5)
    sites = tuple(
        replace(site, links=tuple(replace(link, address="10.9.9.9") for link in site.links))
        if site.id == "anjatan"
        else site
        for site in NET.sites
    )
    moved = replace(NET, sites=sites)
    rig.configure(moved)
    rig.tracing.prepare(moved, rig.settings)()
    await rig.run(4)
    assert rig.ledger.incident_traces(1) == []


async def test_an_outage_that_ends_meanwhile_keeps_its_trace_in_the_ledger_alone() -> None:
    rig = await with_baselines(TracingRig())
    rig.tracer.duration_s = 12.0
    rig.cut(LINK, "")
    while not rig.tracer.traced:
        await rig.run(0.5)
    rig.prober.behave(LINK, Answers())
    await rig.run(15)
    rig.pipeline.close()
    assert rig.pipeline.open_incidents() == []
    (stored,) = rig.ledger.incident_traces(1)
    assert stored.result == "unproven"  # the router answers its own probes
    assert all(c.incident.evidence.path is None for c in rig.ledger.recorded_changes())


async def test_300_targets_down_at_once_stay_within_the_limits() -> None:
    links = {f"s{n}/utama": (f"pop{n % 5}",) for n in range(300)}
    pops: dict[str, tuple[str, ...]] = {f"pop{n}": () for n in range(5)}
    rig = TracingRig(network(links, pops, anchors=1))
    await rig.run(15)
    for name in links:
        rig.cut(name, "")
    await rig.run(100)
    assert sum(i.state is State.DOWN for i in rig.pipeline.open_incidents()) == 300
    times = [at_s for at_s, _ in rig.tracer.traced]
    assert min(b - a for a, b in pairwise(times)) > 0.9
    assert rig.tracer.most_at_once <= MAX_RUNNING
    down = [name for name in rig.traced() if name in links]
    assert len(down) == len(set(down)) == MAX_WAITING
    await rig.tracing.close()
    results = [
        trace.result for number in range(1, 301) for trace in rig.ledger.incident_traces(number)
    ]
    assert (len(results), results.count(SKIPPED)) == (300, 300 - MAX_WAITING)


async def test_what_the_ledger_refuses_is_stored_later() -> None:
    rig = TracingRig()
    rig.ledger.trouble = LedgerError("the disk is full")
    await rig.run(60)
    rig.ledger.trouble = None
    await rig.run(15)
    assert len(rig.ledger.path_baselines()) == len(rig.addresses)


async def test_the_usual_path_is_traced_again_after_an_outage_and_a_change_is_dated() -> None:
    rig = await with_baselines(TracingRig())
    rig.cut(LINK, rig.pop)
    await rig.run(20)
    rig.restore(LINK)
    rig.tracer.paths[LINK] = f"10.0.0.77 * {rig.addresses[LINK]}"
    await rig.run(90)
    assert rig.traced() == [LINK, LINK]
    baseline = next(each for each in rig.ledger.path_baselines() if each.target == LINK)
    assert baseline.changed_s is not None
    rig.cut(LINK, "10.0.0.77")
    await rig.run(15)
    path = rig.incident().evidence.path
    assert isinstance(path, PathFinding)
    assert path.changed_s == baseline.changed_s
    assert path.kind is FindingKind.UNPROVEN


async def test_an_error_of_the_tracer_costs_nothing_but_its_trace() -> None:
    rig = TracingRig()

    async def broken(target: str, max_hops: int) -> None:
        raise ValueError(target)

    rig.tracer.trace = broken  # type: ignore[method-assign]
    await rig.run(60)
    assert rig.progress.last_outcome_s is not None
