"""What systemd is told: datagrams to the socket that it names, and nothing without one."""

from __future__ import annotations

import logging
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from monitor.adapters.system.systemd import SystemdNotifier


@pytest.fixture
def systemd(tmp_path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as there:
        there.bind(str(tmp_path / "notify"))
        there.settimeout(5)
        yield there


def manager(address: str, **environ: str) -> SystemdNotifier:
    return SystemdNotifier({"NOTIFY_SOCKET": address} | environ, pid=4711)


def test_it_is_told_ready_alive_its_status_and_the_end(systemd: socket.socket) -> None:
    told = manager(systemd.getsockname())
    told.ready()
    told.alive()
    told.status("the ledger\ndoes not answer")
    told.stopping()
    heard = [systemd.recv(1000) for _ in range(4)]
    assert heard == [
        b"READY=1",
        b"WATCHDOG=1",
        b"STATUS=the ledger does not answer",
        b"STOPPING=1",
    ]


def test_an_abstract_socket_is_found(tmp_path: Path) -> None:
    name = f"pantau-test-{tmp_path.name}-{tmp_path.parent.name}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as there:
        there.bind("\0" + name)
        there.settimeout(5)
        manager("@" + name).ready()
        assert there.recv(100) == b"READY=1"


def test_without_systemd_nothing_is_said_and_nothing_asked_for() -> None:
    alone = SystemdNotifier({"WATCHDOG_USEC": "60000000"}, pid=4711)
    alone.ready()
    alone.alive()
    assert alone.watchdog_s is None


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({"WATCHDOG_USEC": "90000000"}, 90.0),
        ({"WATCHDOG_USEC": "90000000", "WATCHDOG_PID": "4711"}, 90.0),
        ({"WATCHDOG_USEC": "90000000", "WATCHDOG_PID": "1"}, None),
        ({"WATCHDOG_USEC": "0"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
        ({}, None),
    ],
)
def test_how_long_it_waits_is_read_where_it_is_meant_for_this_process(
    environ: dict[str, str], expected: float | None
) -> None:
    assert manager("/nowhere", **environ).watchdog_s == expected


def test_a_systemd_that_does_not_listen_is_said_and_ends_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    manager(str(tmp_path / "gone")).alive()
    assert "cannot be told WATCHDOG=1" in caplog.text
