"""What path tracing costs, and its limits when 300 targets fall at once: figures are printed.

    pytest -m bench -s tests/bench/test_path_traces.py

The same daemon on the same simulated network twice in one run, without and with tracing.
"""

from __future__ import annotations

import re
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import pytest

from monitor.adapters.ledger import SqlLedgerReader
from monitor.core.model import State
from monitor.core.paths.model import SKIPPED
from monitor.core.paths.trace_schedule import MAX_WAITING
from tests.e2e.load_run import (
    DaemonLoad,
    LoadSize,
    ResourceRates,
    ResourceUsage,
    machine_load,
    quantile,
    wait,
)
from tests.waiting import eventually

LINKS, FALLEN = 330, 300
STEADY_S, TRACED_S = 60.0, 75.0


@dataclass(frozen=True)
class Run:
    """One daemon. start_s: until its API answered. packets: of traces, by second."""

    start_s: float
    steady: ResourceRates
    outage: ResourceRates
    late_ms: list[float]
    detected_s: list[float]
    packets_per_s: float
    most_traces_per_s: int
    results: Counter[str]
    false_loss: int


def measured(work: Path, *, enabled: bool) -> Run:
    load = DaemonLoad(work, LoadSize(LINKS, 0, dead=0.0))
    monitor = load.config / "monitor.toml"
    monitor.write_text(f"{monitor.read_text()}[trace]\nenabled = {str(enabled).lower()}\n")
    began_s = time.monotonic()
    with load:
        start_s = time.monotonic() - began_s
        eventually(load.settled, 120, every_s=1.0)
        wait(30)  # the first usual paths begin 20 s after the start
        rounds = len(load.lateness_ms())
        before = ResourceUsage.of(load.pid)
        wait(STEADY_S)
        steady = before.until(load.pid)
        control = load.simulation.control
        counters = control.counters().targets.values()
        packets = sum(each.expired + each.traced for each in counters)
        before = ResourceUsage.of(load.pid)
        fallen = load.county.links[:FALLEN]
        cut_s = float(str(control.request("cut", where=fallen)["utc_s"]))
        wait(TRACED_S)
        outage = before.until(load.pid)
        counters = control.counters().targets.values()
        packets = sum(each.expired + each.traced for each in counters) - packets
        late_ms = sorted(load.lateness_ms()[rounds:])
        load.end()
        sums = load.sums(0.0)
        spared = [sums[name] for name in load.county.links[FALLEN:]]
        reader = SqlLedgerReader.open(load.data / "ledger.db")
        incidents = [i for i in reader.incidents() if i.state is State.DOWN]
        results = Counter(trace.result for i in incidents for trace in reader.incident_traces(i.id))
        ended = re.findall(r"^(\S+)\.\d+Z .*: path to \S+:", load.log(), re.M)
        at = Counter(ended)
    return Run(
        start_s,
        steady,
        outage,
        late_ms,
        sorted(i.detected_s - cut_s for i in incidents),
        packets / TRACED_S,
        max(at.values(), default=0),
        results,
        sum(sent - received - rest for sent, received, rest in spared),
    )


@pytest.mark.bench
@pytest.mark.timeout(900)
def test_300_targets_down_at_once_without_and_with_tracing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    runs: dict[str, Run] = {}
    for name, enabled in (("without tracing", False), ("with tracing", True)):
        work = tmp_path / name[:7].strip()
        work.mkdir()
        runs[name] = measured(work, enabled=enabled)
    with capsys.disabled():
        print(f"\n{LINKS} links, {FALLEN} cut at once ({machine_load()}):")
        for name, run in runs.items():
            print(
                f"  {name}: start {run.start_s:.2f} s; CPU {run.steady.share:.1%} of a core,"
                f" in the outage {run.outage.share:.1%}; RSS {run.outage.rss_mb:.0f} MB"
                f"\n    rounds late p99 {quantile(run.late_ms, 0.99):.2f} ms;"
                f" cut to DOWN {median(run.detected_s):.2f} s, worst {run.detected_s[-1]:.2f} s,"
                f" of {len(run.detected_s)}; false loss {run.false_loss}"
                f"\n    {run.packets_per_s:.1f} trace packets a second, at most"
                f" {run.most_traces_per_s} traces ended in one second; {dict(run.results)}"
            )
    traced = runs["with tracing"]
    assert all(len(run.detected_s) == FALLEN for run in runs.values())
    assert all(run.false_loss == 0 for run in runs.values())
    assert traced.results.total() - traced.results[SKIPPED] == MAX_WAITING
    assert traced.results[SKIPPED] == FALLEN - MAX_WAITING
    assert traced.packets_per_s < 45
    assert runs["without tracing"].packets_per_s == 0
