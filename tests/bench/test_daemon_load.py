"""Resource use and lateness of the daemon: 10,000 targets, and the 31 sites.

    pytest -m "bench and not full" -s tests/bench/test_daemon_load.py

Real ICMP and SNMP (version 2c and 3) on the simulated network; 30 % of everything is dead. The
daemon goes before other programs (as root), and the load average stands beside each figure: on a
machine that is busy with other things the lateness of rounds is that machine's.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

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

READINGS = 10
A_PERIOD_MS = 11_000.0

pytestmark = pytest.mark.bench


@dataclass(frozen=True)
class Found:
    """One run. costs: READINGS of them, one after another; the rest is of the whole run."""

    costs: list[ResourceRates]
    network: ResourceRates
    late_ms: list[float]
    sums: dict[str, tuple[int, int, int]]
    answered: dict[str, int]
    own: list[dict[str, float]]
    machine_load: str

    def share(self) -> float:
        return statistics.fmean(cost.share for cost in self.costs)


@contextmanager
def loaded(size: LoadSize) -> Iterator[DaemonLoad]:
    with tempfile.TemporaryDirectory(prefix="load") as work, DaemonLoad(Path(work), size) as load:
        yield load


def measured(load: DaemonLoad, for_s: float) -> Found:
    """From when every verdict stands; the daemon is ended, so that all rows are written."""
    eventually(load.settled, 240, every_s=2.0)
    rounds = len(load.lateness_ms())
    began_ms = time.time() * 1000
    network = ResourceUsage.of(load.simulation.pid)
    costs = []
    for _ in range(READINGS):
        before = ResourceUsage.of(load.pid)
        wait(for_s / READINGS)
        costs.append(before.until(load.pid))
    of_network = network.until(load.simulation.pid)
    load_average = machine_load()
    load.end()
    lines = load.simulation.control.counters().targets
    return Found(
        costs,
        of_network,
        sorted(load.lateness_ms()[rounds:]),
        load.sums(began_ms + A_PERIOD_MS),
        {name: line.answered for name, line in lines.items()},
        load.own(),
        load_average,
    )


def show(title: str, found: Found, load: DaemonLoad) -> None:
    memory = [cost.rss_mb for cost in found.costs]
    descriptors = [cost.descriptors for cost in found.costs]
    shares = sorted(cost.share for cost in found.costs)
    last = found.own[-1]
    print(
        f"\n{title} ({found.machine_load}):"
        f"\n  CPU share {found.share():.1%} of a core (of ten readings the median"
        f" {statistics.median(shares):.1%}, the highest {shares[-1]:.1%});"
        f" the network's user-space end {found.network.share:.1%}"
        f"\n  RSS {memory[0]:.0f} to {memory[-1]:.0f} MB, descriptors"
        f" {min(descriptors)} to {max(descriptors)}"
        f"\n  rounds late by: p50 {quantile(found.late_ms, 0.5):.2f} ms, p99"
        f" {quantile(found.late_ms, 0.99):.2f} ms, worst {found.late_ms[-1]:.2f} ms,"
        f" of {len(found.late_ms)}; missed {last['missed_rounds']:.0f},"
        f" failed runs {last['failed_runs']:.0f}"
        f"\n  requests {sum(sent for sent, _, _ in found.sums.values()):,},"
        f" false loss {false_loss(found, load):,},"
        f" not measured {sum(rest for _, _, rest in found.sums.values()):,}"
    )


def false_loss(found: Found, load: DaemonLoad) -> int:
    """Requests to links that always answer, and no answer: there is no scripted loss."""
    alive = found.sums.keys() - load.county.dead
    return sum(found.sums[name][0] - found.sums[name][1] for name in alive)


def hold(found: Found, load: DaemonLoad) -> None:
    """What must be true on any machine, however busy."""
    assert false_loss(found, load) == 0
    dead = [found.sums[name] for name in load.county.dead if name in found.sums]
    assert sum(received for _, received, _ in dead) == 0
    # What the network answered in the whole run was received, but for what was on its way.
    received = load.sums(0.0)
    lost = {
        name: answered - received[name][1]
        for name, answered in found.answered.items()
        if name in received and answered - received[name][1] > 2
    }
    assert lost == {}
    descriptors = [cost.descriptors for cost in found.costs]
    assert max(descriptors) / min(descriptors) < 1.5
    assert found.own[-1]["failed_runs"] == 0


@pytest.mark.parametrize("for_s", [60.0, pytest.param(600.0, marks=pytest.mark.full)])
@pytest.mark.timeout(1200)
def test_ten_thousand_targets_and_310_routers(for_s: float) -> None:
    size = LoadSize(targets=10_000, routers=310)
    with loaded(size) as load:
        alive = set(load.county.routers) - load.county.dead_routers
        found = measured(load, for_s)
        title = f"{size.targets:,} targets at 1 Hz, {size.routers} routers each minute, {for_s:g} s"
        show(title, found, load)
        hold(found, load)
        rated = load.rated()
        assert not rated & load.county.dead_routers
        if for_s > 2 * size.poll_s:
            print(f"  routers with a rate: {len(rated)} of {len(alive)} that answer")
            assert rated == alive
        assert found.share() < 0.5


@pytest.mark.parametrize("for_s", [60.0, pytest.param(1800.0, marks=pytest.mark.full)])
@pytest.mark.timeout(2400)
def test_the_31_kecamatan_with_two_links_each(for_s: float) -> None:
    with loaded(LoadSize(targets=62, routers=31, dead=0.0, v3=0.0)) as load:
        found = measured(load, for_s)
        show(f"31 sites with 2 links each at 1 Hz, 31 routers, {for_s:g} s", found, load)
        hold(found, load)
        assert found.share() < 0.08
