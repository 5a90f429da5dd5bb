"""How long a call takes."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable


def median_ms(call: Callable[[], object], times: int = 25) -> float:
    took = []
    for _ in range(times):
        start_s = time.perf_counter()
        call()
        took.append((time.perf_counter() - start_s) * 1000)
    return statistics.median(took)


def ms_of(call: Callable[[], object], times: int = 7) -> str:
    return f"{median_ms(call, times):.1f} ms"
