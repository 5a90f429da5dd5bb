"""Open a prober in a process of its own and probe some addresses; prints one JSON document.

    probe_program.py BUFFER_BYTES TIMES ADDRESS…

{"error": …} when ICMP cannot be sent; else {"kinds": {name of outcome: count}, "reasons": […],
"worst_rtt_ms": …, "log": […]}.
"""

from __future__ import annotations

import asyncio
import json
import logging
import sys
from collections import Counter
from collections.abc import Sequence

from monitor.adapters.icmp import IcmpProber
from monitor.adapters.system.clock import SystemClock
from monitor.core.errors import ProbeError
from monitor.core.model import Outcome, ProbeRules, Reply, Target, TargetRole

TIMEOUT_S = 0.3


class LogLines(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())


async def probe(buffer_bytes: int, times: int, addresses: Sequence[str]) -> dict[str, object]:
    log_lines = LogLines()
    logging.getLogger().addHandler(log_lines)
    logging.getLogger().setLevel(logging.INFO)
    outcomes: list[Outcome] = []
    complete = asyncio.Event()
    names = list(addresses) * times

    def take(batch: Sequence[Outcome]) -> None:
        outcomes.extend(batch)
        if len(outcomes) >= len(names):
            complete.set()

    prober = IcmpProber(SystemClock(), buffer_bytes=buffer_bytes)
    await prober.open(take)
    rules = ProbeRules(timeout_s=TIMEOUT_S)
    prober.watch(Target(one, one, TargetRole.LINK, rules) for one in addresses)
    await prober.round(names, 0.2)
    async with asyncio.timeout(20):
        await complete.wait()
    await prober.close()
    return {
        "kinds": dict(Counter(type(one).__name__ for one in outcomes)),
        "reasons": sorted({str(getattr(one, "reason", None)) for one in outcomes}),
        "worst_rtt_ms": max((one.rtt_ms for one in outcomes if isinstance(one, Reply)), default=0),
        "log": log_lines.lines,
    }


def main() -> None:
    buffer_bytes, times, *addresses = sys.argv[1:]
    try:
        result = asyncio.run(probe(int(buffer_bytes), int(times), addresses))
    except ProbeError as error:
        result = {"error": str(error)}
    print(json.dumps(result))


if __name__ == "__main__":
    main()
