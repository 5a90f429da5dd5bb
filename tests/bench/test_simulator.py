"""Echo requests per second that the simulator answers, and the accuracy of its delays."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from monitor.core.model import Link, Network, ProbeRules, Site
from monitor.simulator.responder import SimulatedHost
from monitor.simulator.simulation import Simulation

SEED = 7
SECONDS = 5.0


def county(targets: int) -> Network:
    """So many links of three kinds, on one site."""
    kinds = ("fibre", "radio", "lte")
    links = tuple(
        Link(
            f"l{n}",
            f"s/l{n}",
            "s",
            f"10.77.{100 + n // 250}.{1 + n % 250}",
            kinds[n % 3],
            ProbeRules(),
        )
        for n in range(targets)
    )
    return Network(sites=(Site("s", "S", "32.12.01", links),))


def delay_errors_ms(
    simulation: Simulation, network: Network, rtts_ms: list[float | None]
) -> list[float]:
    """RTT less scripted delay of every reply, sorted: the wire's dice are thrown again here."""
    links = network.links()
    errors: list[float] = []
    for n, link in enumerate(links):
        line = SimulatedHost(link.name, simulation.normal_behaviour(link.name), SEED)
        for rtt_ms in rtts_ms[n :: len(links)]:
            if line.loses():
                assert rtt_ms is None
            elif rtt_ms is not None:
                errors.append(rtt_ms - line.draw_delay_s() * 1000.0)
    return sorted(errors)


@pytest.mark.bench
@pytest.mark.parametrize(("targets", "rate"), [(62, 62), (10_000, 10_000), (10_000, 20_000)])
def test_it_keeps_up_with_every_request(
    tmp_path: Path, targets: int, rate: int, capsys: pytest.CaptureFixture[str]
) -> None:
    network = county(targets)
    addresses, result = tmp_path / "addresses", tmp_path / "rtts"
    addresses.write_text("\n".join(link.address for link in network.links()))
    with Simulation.start(network, "quiet", work_dir=tmp_path, seed=SEED) as simulation:
        process = psutil.Process(simulation.pid)
        before = process.cpu_times()
        words = [str(addresses), str(rate), str(SECONDS), str(result)]
        subprocess.run(
            simulation.inside([sys.executable, "-m", "tests.bench.echo_load", *words]),
            check=True,
            cwd=Path(__file__).parents[2],
            timeout=120,
        )
        after = process.cpu_times()
        counters = simulation.control.counters()
        rtts_ms = json.loads(result.read_text())
        errors = delay_errors_ms(simulation, network, rtts_ms)
    spent_s = after.user - before.user + after.system - before.system
    share = spent_s / SECONDS
    seen = sum(line.requests for line in counters.targets.values())
    answered = sum(line.answered for line in counters.targets.values())
    at = {share: errors[int(share * (len(errors) - 1))] for share in (0.01, 0.5, 0.99, 0.999)}
    with capsys.disabled():
        print(
            f"\n{targets} targets at {rate}/s: {seen} seen, {answered} answered;"
            f"\n  {spent_s / seen * 1e6:.1f} ms CPU per 1,000, {100 * share:.0f} % of a core;"
            f"\n  delay error ms: p1 {at[0.01]:.3f}, p50 {at[0.5]:.3f}, p99 {at[0.99]:.3f},"
            f" p99.9 {at[0.999]:.3f}"
        )
    assert seen / len(rtts_ms) == 1.0
    assert len(errors) / answered == 1.0
    assert share < 0.8
