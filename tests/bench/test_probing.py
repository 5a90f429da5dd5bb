"""IcmpProber compared with fping on the same user-space network in one run.

Both send three rounds at one request a second and target: paced evenly over the second, or as
fast as they can. Wall: from the first send to the last outcome (fping: the life of its process).
CPU: user and system, of the prober alone (ours without the start of the interpreter). False
loss: requests that the network answered and the tool reported as lost. RTT error: against a
capture on the network's device with the kernel's timestamps; fping prints three digits.
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.bench import probing_network
from tests.bench.probing_network import addresses, is_silent

ROUNDS = 3
PERIOD_S = 1.0
TIMEOUT_S = 1.0
HERE = Path(__file__).parent


Truth = Sequence[Sequence[float | None]]
"""For each target, the RTT in ms of each request; None for one without a reply."""


@dataclass(frozen=True, slots=True)
class Measured:
    """One run of one tool. rtts: for each target its results: ms, None for lost."""

    tool: str
    wall_s: float
    cpu_s: float
    descriptors: int
    rtts: list[list[float | None]]

    def requests(self) -> int:
        return sum(len(one) for one in self.rtts)

    def cpu_ms_per_1000(self) -> float:
        return self.cpu_s * 1e6 / self.requests()

    def errors_ms(self, truth: Truth) -> list[float]:
        """|RTT - truth| of every reply, ascending."""
        return sorted(
            abs(rtt_ms - true_ms)
            for measured, true in zip(self.rtts, truth, strict=True)
            for rtt_ms, true_ms in zip(measured, true, strict=True)
            if rtt_ms is not None and true_ms is not None
        )

    def false_loss(self, truth: Truth) -> int:
        return sum(
            rtt_ms is None and true_ms is not None and true_ms <= TIMEOUT_S * 1000.0
            for measured, true in zip(self.rtts, truth, strict=True)
            for rtt_ms, true_ms in zip(measured, true, strict=True)
        )


class Network:
    """The network, in a namespace of its own."""

    def __init__(self, targets: int, silent_share: float) -> None:
        assert os.geteuid() == 0, "this bench needs network namespaces: run it as root"
        self.names = addresses(targets)
        self._process = subprocess.Popen(
            [
                *("unshare", "--net", sys.executable, str(probing_network.__file__)),
                *(str(targets), str(silent_share)),
            ],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._line() == "ready"

    def inside(self, *command: str) -> list[str]:
        return ["nsenter", f"--target={self._process.pid}", "--net", "--", *command]

    def truth(self) -> Truth:
        """The true RTTs since the last call."""
        assert self._process.stdin is not None
        self._process.stdin.write("?\n")
        self._process.stdin.flush()
        found: list[list[float | None]] = json.loads(self._line())
        return found

    def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(20)

    def _line(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()


@contextmanager
def network(targets: int, silent_share: float) -> Iterator[Network]:
    made = Network(targets, silent_share)
    try:
        yield made
    finally:
        made.close()


def run_fping(net: Network, over_s: float) -> Measured:
    program = shutil.which("fping")
    assert program, "fping is missing: apt install fping"
    apart_ms = max(0.01, over_s * 1000 / len(net.names))
    command = net.inside(
        *(program, "-q", "-C", str(ROUNDS), "-p", f"{PERIOD_S * 1000:g}"),
        *("-i", f"{apart_ms:g}", "-t", f"{TIMEOUT_S * 1000:g}", "-f", "-"),
    )
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began_s = time.monotonic()
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdin is not None
    process.stdin.write("\n".join(net.names))
    process.stdin.close()
    time.sleep(PERIOD_S)
    descriptors = sum(1 for _ in Path(f"/proc/{process.pid}/fd").iterdir())
    assert process.stderr is not None
    output = process.stderr.read()
    process.wait(60)
    wall_s = time.monotonic() - began_s
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    by_name: dict[str, list[float | None]] = {}
    for line in output.splitlines():
        name, _, values = line.partition(" : ")
        found = values.split()
        if len(found) == ROUNDS:
            by_name[name.strip()] = [None if one == "-" else float(one) for one in found]
    rtts = [by_name[name] for name in net.names]
    return Measured("fping", wall_s, cpu_s, descriptors, rtts)


def run_ours(net: Network, over_s: float, rounds: int = ROUNDS) -> Measured:
    command = net.inside(
        *(sys.executable, str(HERE / "probing_engine.py")),
        *(str(rounds), str(PERIOD_S), str(over_s), str(TIMEOUT_S)),
    )
    done = subprocess.run(
        command,
        input="\n".join(net.names),
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    counters = result["counters"]
    odd = {name: n for name, n in counters.items() if n and name not in {"sent", "received"}}
    print(f"   our counters: {odd}")
    assert counters["not_measured"] == 0, counters
    return Measured(
        "ours", result["wall_s"], result["cpu_s"], result["descriptors"], result["outcomes"]
    )


def p99(ascending: Sequence[float]) -> float:
    return ascending[int(len(ascending) * 0.99)]


def print_row(measured: Measured, targets: int, how: str, truth: Truth) -> None:
    errors_ms = measured.errors_ms(truth)
    print(
        f"| {measured.tool:5} | {targets:6,} | {how:19} | {measured.wall_s:5.2f} "
        f"| {measured.cpu_ms_per_1000():6.1f} | {measured.false_loss(truth):3} "
        f"| {statistics.median(errors_ms):5.3f} / {p99(errors_ms):6.3f} "
        f"| {measured.descriptors:3} |"
    )


@pytest.mark.bench
@pytest.mark.timeout(300)
@pytest.mark.parametrize(("over_s", "silent_share"), [(PERIOD_S, 0.0), (PERIOD_S, 0.3), (0.0, 0.0)])
@pytest.mark.parametrize("targets", [310, 1_000, 10_000])
def test_the_prober_keeps_up_with_fping(targets: int, over_s: float, silent_share: float) -> None:
    with network(targets, silent_share) as net:
        theirs = run_fping(net, over_s)
        true_for_theirs = net.truth()
        ours = run_ours(net, over_s)
        true_for_ours = net.truth()
    how = f"{'paced' if over_s else 'at once'}, {silent_share:.0%} silent"
    print(
        "\n| tool  | targets | how | wall s | CPU ms / 1,000 requests | false loss "
        "| RTT error median / p99 ms | descriptors |"
    )
    print_row(theirs, targets, how, true_for_theirs)
    print_row(ours, targets, how, true_for_ours)

    assert ours.requests() == ROUNDS * targets, "one outcome a request"
    assert ours.false_loss(true_for_ours) == 0
    assert ours.wall_s <= 1.1 * theirs.wall_s
    assert ours.cpu_ms_per_1000() <= 3.0 * theirs.cpu_ms_per_1000()
    assert p99(ours.errors_ms(true_for_ours)) <= 0.5
    assert ours.descriptors <= 12, "and not one a target"
    silent = sum(is_silent(place, silent_share) for place in range(targets))
    assert sum(all(rtt is None for rtt in rtts) for rtts in ours.rtts) == silent


@pytest.mark.bench
def test_62_targets_a_second_take_under_3_percent_of_a_core() -> None:
    """31 sites with two links each, once a second: the prober's share of a core."""
    with network(62, 0.0) as net:
        ours = run_ours(net, PERIOD_S, rounds=10)
    share = ours.cpu_s / ours.wall_s
    print(f"62 targets at 1 Hz: {share:.2%} of a core")
    assert ours.requests() == 620
    assert share <= 0.03
