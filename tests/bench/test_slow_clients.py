"""Measure the page while other clients send and read slowly, and the server's memory and start.

    pytest -m bench -s tests/bench/test_slow_clients.py

Asserted: every whole request is answered. Times and memory are printed.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack

import psutil
import pytest

from tests.dashboard.access.slow_clients import HALF_BODY, HALF_HEAD, connections, p95_ms
from tests.dashboard.dashboard_server import DashboardServer
from tests.dashboard.synthetic_history import quiet, shipped_network

pytestmark = [pytest.mark.bench, pytest.mark.timeout(600)]

READER = (
    b"GET /_dash-component-suites/plotly/package_data/plotly.min.js HTTP/1.1\r\nHost: x\r\n\r\n"
)


@pytest.fixture
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DashboardServer]:
    running = DashboardServer(
        tmp_path_factory.mktemp("slow") / "work", quiet(shipped_network(), time.time())
    )
    running.write_states()
    running.start_daemon()
    yield running
    running.close()


def memory_mb(served: DashboardServer) -> tuple[float, int]:
    """Proportional memory of all processes of the page, and their number."""
    assert served.web is not None
    first = psutil.Process(served.web.pid)
    processes = [first, *first.children(recursive=True)]
    return sum(each.memory_full_info().pss for each in processes) / 1e6, len(processes)


def test_page_under_slow_clients(served: DashboardServer) -> None:
    began_s = time.perf_counter()
    served.start_web()
    p95_ms(served.port, 2)
    print(f"\nstart to second answer: {time.perf_counter() - began_s:.2f} s")
    print(f"alone, p95: {p95_ms(served.port, 100):.1f} ms")
    print("memory: {:.1f} MB in {} processes".format(*memory_mb(served)))
    with ExitStack() as stack:
        stack.enter_context(connections(served.port, "127.0.0.2", 200, HALF_HEAD))
        for last in (3, 4, 5, 6):
            stack.enter_context(connections(served.port, f"127.0.0.{last}", 100, HALF_HEAD))
            stack.enter_context(connections(served.port, f"127.0.0.{last}", 50, HALF_BODY))
            stack.enter_context(connections(served.port, f"127.0.0.{last}", 20, READER))
        print(f"beside 880 slow clients, p95: {p95_ms(served.port, 100):.1f} ms")
        print("memory: {:.1f} MB in {} processes".format(*memory_mb(served)))
