"""IcmpProber in a process of its own, for the probing bench.

    probing_engine.py ROUNDS PERIOD_S OVER_S TIMEOUT_S < addresses

A round every PERIOD_S, its sends spread over OVER_S. Prints one JSON document: wall_s and
cpu_s from the first send to the last outcome, descriptors, counters, and for each address its
outcomes in the order of sending: RTT in ms, null for lost, a string for not measured.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from monitor.adapters.icmp import IcmpProber
from monitor.adapters.system.clock import SystemClock
from monitor.core.model import Lost, NotMeasured, Outcome, ProbeRules, Reply, Target, TargetRole


def summarised(outcome: Outcome) -> float | str | None:
    if isinstance(outcome, Reply):
        return round(outcome.rtt_ms, 4)
    return outcome.reason if isinstance(outcome, NotMeasured | Lost) else None


async def measure(
    names: Sequence[str], rounds: int, period_s: float, over_s: float, timeout_s: float
) -> dict[str, object]:
    outcomes: list[Outcome] = []
    complete = asyncio.Event()
    expected = rounds * len(names)

    def take(batch: Sequence[Outcome]) -> None:
        outcomes.extend(batch)
        if len(outcomes) >= expected:
            complete.set()

    clock = SystemClock()
    prober = IcmpProber(clock)
    await prober.open(take)
    rules = ProbeRules(timeout_s=timeout_s)
    prober.watch(Target(name, name, TargetRole.LINK, rules) for name in names)
    cpu_s, began_s = time.process_time(), clock.steady_s()
    for number in range(rounds):
        wait_s = began_s + number * period_s - clock.steady_s()
        await asyncio.sleep(max(0.0, wait_s))
        await prober.round(names, over_s)
    await complete.wait()
    wall_s = clock.steady_s() - began_s
    cpu_s = time.process_time() - cpu_s
    descriptors = sum(1 for _ in Path("/proc/self/fd").iterdir())  # noqa: ASYNC240
    counters = asdict(prober.counters())
    await prober.close()
    by_name: dict[str, list[float | str | None]] = {name: [] for name in names}
    for outcome in sorted(outcomes, key=lambda one: one.sent_s):
        by_name[outcome.target].append(summarised(outcome))
    return {
        "wall_s": wall_s,
        "cpu_s": cpu_s,
        "descriptors": descriptors,
        "counters": counters,
        "outcomes": [by_name[name] for name in names],
    }


def main() -> None:
    period_s, over_s, timeout_s = map(float, sys.argv[2:])
    names = sys.stdin.read().split()
    print(json.dumps(asyncio.run(measure(names, int(sys.argv[1]), period_s, over_s, timeout_s))))


if __name__ == "__main__":
    main()
