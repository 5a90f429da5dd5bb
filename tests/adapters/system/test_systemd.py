"""Notifications go to the socket that systemd names; without one, nothing is sent."""

from __future__ import annotations

import logging
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from monitor.adapters.system.systemd import SystemdNotifier


@pytest.fixture
def systemd(tmp_path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.bind(str(tmp_path / "notify"))
        sock.settimeout(5)
        yield sock


def notifier(address: str, **environ: str) -> SystemdNotifier:
    return SystemdNotifier({"NOTIFY_SOCKET": address} | environ, pid=4711)


def test_ready_watchdog_status_and_stopping_are_sent(systemd: socket.socket) -> None:
    notify = notifier(systemd.getsockname())
    notify.ready()
    notify.alive()
    notify.status("the ledger\ndoes not answer")
    notify.stopping()
    assert [systemd.recv(1000) for _ in range(4)] == [
        b"READY=1",
        b"WATCHDOG=1",
        b"STATUS=the ledger does not answer",
        b"STOPPING=1",
    ]


def test_an_abstract_socket_is_supported(tmp_path: Path) -> None:
    name = f"pantau-test-{tmp_path.name}-{tmp_path.parent.name}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.bind("\0" + name)
        sock.settimeout(5)
        notifier("@" + name).ready()
        assert sock.recv(100) == b"READY=1"


def test_without_systemd_nothing_is_sent_and_no_watchdog_is_set() -> None:
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
def test_the_watchdog_interval_counts_if_it_is_for_this_process(
    environ: dict[str, str], expected: float | None
) -> None:
    assert notifier("/nowhere", **environ).watchdog_s == expected


def test_an_unreachable_socket_is_logged_and_raises_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    notifier(str(tmp_path / "gone")).alive()
    assert "cannot be notified of WATCHDOG=1" in caplog.text
