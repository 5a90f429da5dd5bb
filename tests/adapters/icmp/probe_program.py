"""Open a prober in a process of its own and probe some addresses; prints one JSON document.

    probe_program.py BUFFER_BYTES TIMES ADDRESS…

{"error": …} when ICMP cannot be sent; else {"kinds": {name of outcome: count},
"worst_rtt_ms": …, "log": […]}.
"""

from __future__ import annotations

import asyncio
import json
import logging
import sys
from collections import Counter

from monitor.adapters.icmp import IcmpProber
from monitor.adapters.system.clock import SystemClock
from monitor.core.errors import ProbeError
from monitor.core.model import Reply
from tests.adapters.icmp.rig import ProbeRig


class LogLines(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())


async def probe(buffer_bytes: int, times: int, addresses: list[str]) -> dict[str, object]:
    log_lines = LogLines()
    logging.getLogger().addHandler(log_lines)
    logging.getLogger().setLevel(logging.INFO)
    clock = SystemClock()
    rig = ProbeRig(IcmpProber(clock, buffer_bytes=buffer_bytes), clock, timeout_s=0.3)
    await rig.prober.open(rig.take)
    rig.watch(*addresses)
    await rig.prober.round(addresses * times, 0.2)
    await rig.until(len(addresses) * times)
    await rig.prober.close()
    rtts_ms = [one.rtt_ms for one in rig.outcomes if isinstance(one, Reply)]
    return {
        "kinds": Counter(type(one).__name__ for one in rig.outcomes),
        "worst_rtt_ms": max(rtts_ms, default=0),
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
