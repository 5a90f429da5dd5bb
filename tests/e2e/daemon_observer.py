"""Disturb a daemon and read its state, incidents, rates and log, for tests of robustness."""

from __future__ import annotations

import ctypes
import json
import os
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from monitor.adapters.ledger import SqlLedgerReader
from monitor.adapters.system.local_api_client import LocalApiClient
from monitor.core.errors import ApiError
from monitor.core.model import State, Transition
from tests.e2e.simulated_daemon import SimulatedDaemon, dicts
from tests.waiting import eventually

PIDFD_GETFD = 438
"""System call number of pidfd_getfd(2); Python has no wrapper."""

FOREVER_S = 4e9


def tool(name: str, package: str) -> str:
    path = shutil.which(name)
    assert path is not None, f"{name} is missing: apt install {package}"
    return path


def pause(for_s: float) -> None:
    """Wait: the daemon is another process, so a manual clock cannot move it."""
    threading.Event().wait(for_s)


class Rate(NamedTuple):
    """The stored rates of one interface at one poll."""

    device: str
    ifname: str
    at_s: float
    in_bps: float
    out_bps: float


class DaemonObserver:
    """Reads the state of one daemon."""

    def __init__(self, simulated: SimulatedDaemon) -> None:
        self.simulated = simulated

    @property
    def pid(self) -> int:
        """The daemon's process: nsenter and the like exec it."""
        assert self.simulated.daemon is not None
        return self.simulated.daemon.pid

    @contextmanager
    def stopped(self, for_s: float) -> Iterator[None]:
        """Stop the daemon (SIGSTOP) for at least `for_s`."""
        began_s = time.monotonic()
        os.kill(self.pid, signal.SIGSTOP)
        try:
            yield
            pause(for_s - (time.monotonic() - began_s))
        finally:
            os.kill(self.pid, signal.SIGCONT)

    def own(self) -> dict[str, float]:
        """The row of the measurement `monitor` that was written last; empty before the first."""
        directory = self.simulated.data / "journal"
        written = max(directory.glob("samples-*.db*"), key=lambda file: file.stat().st_mtime)
        file = directory / f"{written.name.partition('.db')[0]}.db"
        with sqlite3.connect(f"file:{file}?mode=ro", uri=True) as connection:
            connection.row_factory = sqlite3.Row
            rows = connection.execute("SELECT * FROM monitor ORDER BY seq DESC LIMIT 1").fetchall()
        return dict(rows[0]) if rows else {}

    def document(self) -> dict[str, object]:
        """The state document; waits for a daemon that was stopped a moment ago."""
        found = eventually(self._document, 10)
        assert found is not None
        return found

    def _document(self) -> dict[str, object] | None:
        try:
            return LocalApiClient(self.simulated.data).get("/state")
        except ApiError:
            return None

    def states(self) -> dict[str, str]:
        """Current state of every link, node and anchor, by name."""
        document = self.document()
        links = [link for site in dicts(document["sites"]) for link in dicts(site["links"])]
        every = [*links, *dicts(document["nodes"]), *dicts(document["anchors"])]
        return {str(target["target"]): str(target["state"]) for target in every}

    def all_are(self, *states: str) -> bool:
        return set(self.states().values()) <= set(states)

    def warnings(self) -> str:
        """The warnings, one per line."""
        monitor = self.document()["monitor"]
        assert isinstance(monitor, dict)
        return "\n".join(str(warning) for warning in monitor["warnings"])

    def transitions(self) -> list[Transition]:
        """Every transition except the first one, to `up`."""
        ledger = SqlLedgerReader.open(self.simulated.data / "ledger.db")
        every = ledger.transitions(0.0, FOREVER_S)
        return [one for one in every if one.reason != "first_reply"]

    def downs(self) -> set[str]:
        """Every target that was ever down."""
        said = {t.target for t in self.transitions() if t.after is State.DOWN}
        opened = {i.target for i in self.simulated.incidents() if i.state is State.DOWN}
        return said | opened

    def incidents(self) -> set[tuple[str, str, str]]:
        """Target, state and reason of every incident so far."""
        return {(i.target, i.state.value, i.reason) for i in self.simulated.incidents()}

    def rates(self) -> list[Rate]:
        """Every stored rate."""
        found: list[Rate] = []
        for file in (self.simulated.data / "journal").glob("samples-*.db"):
            begins = datetime.strptime(file.stem[-8:], "%Y%m%d").replace(tzinfo=UTC).timestamp()
            with sqlite3.connect(f"file:{file}?mode=ro", uri=True) as connection:
                for identity, at_ms, in_bps, out_bps in connection.execute(
                    "SELECT identity, t, in_bps, out_bps FROM interface "
                    "JOIN series ON series = id WHERE in_bps IS NOT NULL AND out_bps IS NOT NULL"
                ):
                    whose = json.loads(identity)
                    at_s = begins + at_ms / 1000
                    found.append(Rate(whose["device"], whose["ifname"], at_s, in_bps, out_bps))
        return found

    def wrong_rates(self, polled_every_s: float) -> list[Rate]:
        """Rates that no simulated traffic of the last polls can explain."""
        return [rate for rate in self.rates() if not self._is_true(rate, 3 * polled_every_s)]

    def _is_true(self, rate: Rate, over_s: float) -> bool:
        traffic = self.simulated.simulation.traffic(rate.device, rate.ifname)
        moments = [rate.at_s - over_s * step / 60 for step in range(61)]
        for told, flow in ((rate.in_bps, traffic.inbound), (rate.out_bps, traffic.outbound)):
            flowed = [flow.rate_bps(at_s) for at_s in moments]
            if not 0.97 * min(flowed) <= told <= 1.03 * max(flowed):
                return False
        return True

    def log(self) -> str:
        """The daemon's log; fails on a traceback in it."""
        said = self.simulated.log()
        assert "Traceback" not in said, said[-3000:]
        return said

    def run_inside(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run a program in the simulated network to its end."""
        return subprocess.run(
            self.simulated.simulation.inside(words),
            capture_output=True,
            text=True,
            check=False,
            timeout=30,
            env=self.simulated.environ,
        )


def raw_socket_of(pid: int) -> socket.socket:
    """The raw ICMP socket of the process itself: options set here change it there."""
    found = Path(f"/proc/{pid}/net/raw").read_text().splitlines()[1:]
    inodes = {f"socket:[{line.split()[9]}]" for line in found}
    numbers: list[int] = []
    for fd in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(FileNotFoundError):  # one that was closed since the folder was read
            if str(fd.readlink()) in inodes:
                numbers.append(int(fd.name))
    (number,) = numbers
    libc = ctypes.CDLL(None, use_errno=True)
    handle = os.pidfd_open(pid)
    try:
        fd = libc.syscall(PIDFD_GETFD, handle, number, 0)
        if fd < 0:
            raise OSError(ctypes.get_errno(), "pidfd_getfd")
    finally:
        os.close(handle)
    return socket.socket(fileno=fd)


def faketime_library() -> str:
    found = [str(path) for path in Path("/usr/lib").glob("*/faketime/libfaketime.so.1")]
    assert found, "libfaketime is missing: apt install faketime"
    return found[0]


def numbers_in(pattern: str, text: str) -> list[float]:
    """Every number matched by the pattern's group."""
    return [float(number) for number in re.findall(pattern, text)]
