"""`pantau dashboard`: start, errors and end."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path

import psutil
import pytest

from tests.dashboard.dashboard_server import PANTAU, TOP, DashboardServer, free_port
from tests.dashboard.synthetic_history import quiet, shipped_network
from tests.waiting import eventually


def pantau(*words: str, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*PANTAU, "dashboard", *words],
        capture_output=True,
        text=True,
        timeout=30,
        cwd=TOP,
        env=os.environ | {"PYTHONPATH": str(TOP)} | environ,
        check=False,
    )


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DashboardServer]:
    running = DashboardServer(
        tmp_path_factory.mktemp("command") / "work", quiet(shipped_network(), time.time())
    )
    yield running
    running.close()


def test_help_shows_an_example() -> None:
    told = pantau("--help")
    assert told.returncode == 0
    assert "Example: pantau dashboard" in told.stdout


def test_a_used_port_is_one_error(served: DashboardServer) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        told = pantau("--config", str(served.config), "--port", str(taken.getsockname()[1]))
    assert told.returncode == 1
    assert "give another one with --host or --port" in told.stderr
    assert len(told.stderr.splitlines()) == 1


def test_an_invalid_configuration_is_reported_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "monitor.toml").write_text("[monitor]\norganisation = 3\n", "utf-8")
    told = pantau("--config", str(tmp_path))
    assert told.returncode == 1
    assert "monitor.toml:2" in told.stderr
    assert "Traceback" not in told.stderr


def test_an_unknown_option_is_a_usage_error() -> None:
    assert pantau("--port", "99999999").returncode == 2


def test_the_dashboard_serves_before_the_first_daemon_start_and_ends_on_sigterm(
    served: DashboardServer,
) -> None:
    served.start_web()
    assert served.web is not None
    connection = HTTPConnection("127.0.0.1", served.port, timeout=10)
    connection.request("GET", "/api/v1/snapshot")
    answer = connection.getresponse()
    assert answer.status == 200
    assert b'"round":null' in answer.read()
    assert psutil.Process(served.web.pid).children(recursive=True) == []
    served.web.send_signal(signal.SIGTERM)
    assert served.web.wait(15) == 0
    served.web = None
    assert served.log.read_text() == "", "a quiet start and a quiet end"


def test_the_page_is_served_on_an_ipv6_address(served: DashboardServer) -> None:
    port = free_port()
    command = [*PANTAU, "dashboard", "--config", str(served.config), "--host", "::1"]
    running = subprocess.Popen(
        [*command, "--port", str(port)], cwd=TOP, env=os.environ | {"PYTHONPATH": str(TOP)}
    )
    try:
        eventually(lambda: _answers("::1", port), within_s=30)
    finally:
        running.send_signal(signal.SIGINT)
        assert running.wait(15) == 0


def _answers(host: str, port: int) -> bool:
    connection = HTTPConnection(host, port, timeout=5)
    try:
        connection.request("GET", "/masuk")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()
