"""The run: episodes of random faults, what each led to, and the sums.

It mounts a tmpfs at the daemon's data directory, so it needs a mount namespace of its own
(`unshare --mount`) and the rights of root.
"""

from __future__ import annotations

import argparse
import json
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from monitor.core.errors import PantauError
from monitor.core.model import Incident, State
from monitor.simulator.control import Control
from tests.e2e.chaos import machine_faults, network_faults
from tests.e2e.chaos.journal_watch import RECORD_S, JournalWatch
from tests.e2e.chaos.machine_faults import Machine, MachineFault
from tests.e2e.chaos.network_faults import MONITOR, NetworkFault
from tests.e2e.daemon_observer import numbers_in, pause
from tests.e2e.simulated_daemon import SimulatedDaemon
from tests.e2e.test_influx import bridged
from tests.influx_server import InfluxServer
from tests.waiting import eventually

DISK = "384m"
KNOWN_WITHIN_S = 90.0
"""After the machine is well again, an outage must be an incident within this."""

OVER_WITHIN_S = 240.0
"""After the network is well again, every incident must have ended within this."""

LATEST_OUTCOME_S = 4.0
"""A row needs an outcome: when replies stop, the next ones are losses, a time-out later."""

GAP_SLACK_S = 3 * RECORD_S + 4.0
"""The periods before a kill that were not written, and the first of a new process."""


class Sums(NamedTuple):
    """What a run found; all but the first are faults of the daemon."""

    episodes: int
    outages: int
    missing: int
    false: int
    gaps: int
    remarks: int


@dataclass(slots=True)
class Episode:
    """What one episode found."""

    missing: list[str] = field(default_factory=list)
    false: list[str] = field(default_factory=list)
    gaps: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    outages: int = 0
    incidents: int = 0
    rows: int = 0
    off_s: list[float] = field(default_factory=list)


class ChaosRun:
    """Makes episodes and compares what the daemon said with the faults that were made."""

    def __init__(self, machine: Machine, rng: random.Random, without: frozenset[str]) -> None:
        self._machine = machine
        self._simulated = machine.simulated
        self._rng = rng
        self._without = without
        self._watch = JournalWatch(self._simulated.data / "journal")
        self._known: set[int] = set()
        self._tracebacks = 0
        self._told_missed_s = 0.0

    @property
    def _control(self) -> Control:
        return self._simulated.simulation.control

    def settle(self) -> None:
        """Wait until everything is up and has been for a while."""
        eventually(self._settled, 300, 0.5)
        self._watch.read()
        self._known = {incident.id for incident in self._incidents()}

    def episode(self) -> tuple[str, Episode]:
        """Draw the faults, make them, end them; returns their names and what was found."""
        rng, machine = self._rng, self._machine
        machine.out_s = machine.step_s = 0.0
        fault = machine_faults.NONE
        if rng.random() < 0.85:
            fault = machine_faults.random_fault(rng, machine, self._without)
        disturbed = network_faults.NONE
        if rng.random() < 0.75:
            disturbed = network_faults.random_fault(rng, self._simulated.simulation.network)
        order = rng.choice(["network first", "machine first"])
        apart_s = rng.choice([0.0, 1.0, 3.0, 8.0])
        hold_s = rng.choice([20.0, 30.0, 45.0])
        hidden = fault.hold_s >= 9.0 and rng.random() < 0.2
        found = Episode()
        begun_s = self._make(fault, disturbed, order, apart_s, hold_s, hidden)
        if not hidden:
            self._await_incidents(disturbed, found)
        self._control.restore()
        self._judge(disturbed, hidden, begun_s, found)
        name = f"{fault.name} | {disturbed.name} | {order}, {apart_s:g} s apart"
        return name + (", hidden" if hidden else ""), found

    def _make(
        self,
        fault: MachineFault,
        disturbed: NetworkFault,
        order: str,
        apart_s: float,
        hold_s: float,
        hidden: bool,
    ) -> float:
        """Both faults; the machine's has ended when this returns. Returns when the network's began.

        hidden: the network's begins and ends within the machine's.
        """
        began_s = time.time()
        if order == "network first" and not hidden:
            disturbed.begin(self._control)
            pause(apart_s)
        with fault.on(self._machine):
            entered_s = time.monotonic()
            if order == "machine first" or hidden:
                pause(min(apart_s, fault.hold_s))
                began_s = time.time()
                disturbed.begin(self._control)
            if hidden:
                pause(fault.hold_s - 1.0 - (time.monotonic() - entered_s))
                self._control.restore()
            pause(fault.hold_s - (time.monotonic() - entered_s))
        if not hidden:
            pause(max(hold_s, disturbed.least_s) - (time.time() - began_s))
        return began_s

    def _await_incidents(self, disturbed: NetworkFault, found: Episode) -> None:
        found.outages = len(disturbed.must)

        def missing() -> set[str]:
            told = {i.target for i in self._new() if disturbed.explains(i)}
            return set(disturbed.must - told)

        try:
            eventually(lambda: not missing(), KNOWN_WITHIN_S, 0.5)
        except AssertionError:
            found.missing = sorted(missing())

    def _judge(self, disturbed: NetworkFault, hidden: bool, begun_s: float, found: Episode) -> None:
        """After both faults: false incidents, incidents without an end, gaps, other remarks."""
        machine = self._machine
        try:
            eventually(self._settled, OVER_WITHIN_S, 0.5)
        except AssertionError:
            found.remarks.append("not normal again: " + self._abnormal())
        try:
            eventually(lambda: all(i.ended_s is not None for i in self._new()), OVER_WITHIN_S, 0.5)
        except AssertionError:
            found.remarks += [f"without an end: {_line(i)}" for i in self._new() if not i.ended_s]
        new = self._new()
        found.incidents = len(new)
        found.false = [
            _line(i) for i in new if not disturbed.explains(i) and not self._is_usual_loss(i)
        ]
        if not hidden and not machine.step_s and not machine.out_s:
            first = {i.target: i for i in reversed(new) if i.state is State.DOWN}
            found.off_s = [
                i.started_s - begun_s for name, i in first.items() if name in disturbed.must
            ]
        self._known |= {incident.id for incident in new}
        if machine.out_s:
            # The first rows of a new process or file belong to this episode, and so does the gap.
            pause(3 * RECORD_S)
        rows = self._watch.read()
        found.rows = rows.rows
        longest_s = RECORD_S + (LATEST_OUTCOME_S if disturbed.must else 0.0)
        missed_s = self._missed_s()
        longest_s += missed_s - self._told_missed_s
        self._told_missed_s = missed_s
        longest_s += machine.out_s + GAP_SLACK_S if machine.out_s else 0.0
        longest_s += abs(machine.step_s) + (60.0 if machine.step_s else 0.0)
        for gap in rows.gaps:
            if gap.length_s > longest_s + 0.5 or (gap.length_s <= 0 and not machine.step_s):
                found.gaps.append(f"{gap.target} {gap.before_s:.0f} → {gap.after_s:.0f}")
        if machine.step_s:
            self._watch.forget_after(time.time())
        found.remarks += machine.remarks
        machine.remarks.clear()
        tracebacks = self._simulated.log().count("Traceback")
        if tracebacks > self._tracebacks:
            found.remarks.append("a traceback in the daemon's log")
            self._tracebacks = tracebacks

    def _is_usual_loss(self, incident: Incident) -> bool:
        """Radio, LTE and satellite links lose some requests without any fault."""
        if incident.target == MONITOR or incident.reason != "loss":
            return False
        return self._simulated.simulation.normal_behaviour(incident.target).loss_ratio > 0

    def _missed_s(self) -> float:
        """The rounds that the daemon says it missed, at a round a second: a busy machine's."""
        return sum(numbers_in(r"(\d+) rounds every 1 s were missed", self._simulated.log()))

    def _settled(self) -> bool:
        try:
            return self._simulated.settled() and self._simulated.all_up()
        except PantauError:
            return False

    def _abnormal(self) -> str:
        try:
            states = self._simulated.states()
        except PantauError as error:
            return str(error)
        return ", ".join(f"{name} {state}" for name, state in states.items() if state != "up")

    def _incidents(self) -> list[Incident]:
        def read() -> list[Incident] | None:
            try:
                return self._simulated.incidents()
            except (PantauError, sqlite3.Error, OSError):
                return None

        return eventually(lambda: (read(),), 20)[0] or []

    def _new(self) -> list[Incident]:
        return [incident for incident in self._incidents() if incident.id not in self._known]


def _line(incident: Incident) -> str:
    return (
        f"#{incident.id} {incident.target} {incident.state} ({incident.reason}) "
        f"{incident.started_s:.1f} → {incident.ended_s}"
    )


def run(seed: int, seconds: float, without: frozenset[str], work: Path) -> Sums:
    """Episodes until the time is over; prints each."""
    rng = random.Random(seed)
    with ExitStack() as held:
        influx: InfluxServer | None = None
        extra = ""
        if not {"influx-frozen", "influx-killed"} <= without:
            influx = held.enter_context(InfluxServer(work / "influx"))
            settings = influx.bucket("pantau")
            extra = f'\n[storage.influxdb]\nurl = "{settings.url}"\nbucket = "pantau"\n'
        simulated = held.enter_context(SimulatedDaemon(work, extra=extra))
        if influx is not None:
            port = urlsplit(influx.url).port
            assert port is not None
            held.enter_context(bridged(simulated, port))
        size = ["-o", f"size={DISK},mode=700"]
        subprocess.run(["mount", "-t", "tmpfs", *size, "tmpfs", str(simulated.data)], check=True)
        machine = Machine(simulated, influx)
        machine.start()
        chaos = ChaosRun(machine, rng, without)
        chaos.settle()
        sums = Sums(0, 0, 0, 0, 0, 0)
        ends_s = time.monotonic() + seconds
        while time.monotonic() < ends_s:
            began_s = time.monotonic()
            name, found = chaos.episode()
            sums = _added(sums, found)
            _print_episode(sums.episodes, name, found, time.monotonic() - began_s)
        (work / "changes.json").write_text(
            json.dumps(simulated.simulation.control.request("changes")["changes"])
        )
        machine.end(signal.SIGTERM)
    return sums


def _added(sums: Sums, found: Episode) -> Sums:
    return Sums(
        sums.episodes + 1,
        sums.outages + found.outages,
        sums.missing + len(found.missing),
        sums.false + len(found.false),
        sums.gaps + len(found.gaps),
        sums.remarks + len(found.remarks),
    )


def _print_episode(number: int, name: str, found: Episode, took_s: float) -> None:
    off = ", ".join(f"{off_s:+.1f}" for off_s in found.off_s)
    print(
        f"{number:4d} {name}: {found.outages} outages, {found.incidents} incidents, "
        f"{found.rows} rows, started {off or '-'} s off, {took_s:.0f} s",
        flush=True,
    )
    for what in ("missing", "false", "gaps", "remarks"):
        for line in getattr(found, what)[:5]:
            print(f"     {what}: {line}", flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=12)
    parser.add_argument("--seconds", type=float, default=7200.0)
    parser.add_argument("--without", default="", help=", ".join(machine_faults.KINDS))
    parser.add_argument("--keep", type=Path, help="a directory for the logs, kept")
    options = parser.parse_args()
    without = frozenset(word for word in options.without.split(",") if word)
    print(f"seed {options.seed}, {options.seconds:g} s", flush=True)
    with ExitStack() as held:
        work = options.keep
        if work is None:
            work = Path(held.enter_context(tempfile.TemporaryDirectory(prefix="chaos")))
        work.mkdir(exist_ok=True)
        sums = run(options.seed, options.seconds, without, work)
    print(json.dumps(sums._asdict()), flush=True)
    return 0 if not any((sums.missing, sums.false, sums.gaps, sums.remarks)) else 1


if __name__ == "__main__":
    sys.exit(main())
