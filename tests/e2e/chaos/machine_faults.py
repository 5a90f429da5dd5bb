"""Faults of the daemon's own machine, and how long each may keep the daemon from recording."""

from __future__ import annotations

import os
import random
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from monitor.adapters.system.local_api_client import SOCKET_NAME
from tests.adapters.child_process import fill_disk
from tests.e2e.daemon_observer import faketime_library, pause
from tests.e2e.simulated_daemon import SimulatedDaemon
from tests.influx_server import InfluxServer
from tests.waiting import eventually

AGENT_FAULTS = (
    *("huge-answer", "endless-walk", "other-source", "snmp-silent", "narrow", "too-big"),
    *("wrap", "counter-reset", "renumber"),
)
INSTANT = ("wrap", "counter-reset", "renumber")
CLOCK_STEPS_S = (-3600, -90, -3, 3, 90, 3600, 86_400)


@dataclass(slots=True)
class Machine:
    """The daemon, its disk (a tmpfs at its data directory), its clock and its InfluxDB.

    out_s: seconds of this episode in which the daemon could not record.
    step_s: by how much this episode sets the clock.
    remarks: what a fault found wrong.
    """

    simulated: SimulatedDaemon
    influx: InfluxServer | None
    out_s: float = 0.0
    step_s: float = 0.0
    remarks: list[str] = field(default_factory=list)

    @property
    def offset(self) -> Path:
        return self.simulated.work / "offset"

    def start(self) -> None:
        """Start the daemon on a clock that `offset` sets."""
        if not self.offset.exists():
            self.offset.write_text("+0")
        self.simulated.start(
            environ={
                "LD_PRELOAD": faketime_library(),
                "FAKETIME_DONT_FAKE_MONOTONIC": "1",
                "FAKETIME_FORCE_MONOTONIC_FIX": "0",
                "FAKETIME_NO_CACHE": "1",
                "FAKETIME_TIMESTAMP_FILE": str(self.offset),
            },
            within_s=180.0,
        )

    def end(self, how: signal.Signals) -> None:
        """End the daemon; a clean end is one with exit code 0."""
        assert self.simulated.daemon is not None
        pid = self.simulated.daemon.pid
        code = self.simulated.kill(how)
        for left in Path("/dev/shm").glob(f"*faketime*_{pid}"):  # noqa: S108 - libfaketime's place
            left.unlink(missing_ok=True)
        if how is signal.SIGTERM and code != 0:
            self.remarks.append(f"SIGTERM ended the daemon with exit code {code}")

    @property
    def pid(self) -> int:
        assert self.simulated.daemon is not None
        return self.simulated.daemon.pid


Disturbance = Iterator[None]


@dataclass(frozen=True, slots=True)
class MachineFault:
    """One fault: entered, held for `hold_s`, left."""

    name: str
    hold_s: float
    disturb: Callable[[Machine], Disturbance]

    @contextmanager
    def on(self, machine: Machine) -> Iterator[None]:
        yield from self.disturb(machine)


def _nothing(_machine: Machine) -> Disturbance:
    yield


NONE = MachineFault("none", 0.0, _nothing)


def random_fault(rng: random.Random, machine: Machine, without: frozenset[str]) -> MachineFault:
    """Draw a fault; `without`: names of kinds that are left out."""
    kinds = [kind for name, kind in KINDS.items() if name not in without]
    return rng.choice(kinds)(rng, machine)


def _killed(how: signal.Signals) -> Callable[[random.Random, Machine], MachineFault]:
    def make(rng: random.Random, _machine: Machine) -> MachineFault:
        down_s = rng.choice([0.0, 2.0, 8.0, 25.0])

        def disturb(machine: Machine) -> Disturbance:
            began_s = time.monotonic()
            machine.end(how)
            yield
            pause(down_s - (time.monotonic() - began_s))
            machine.start()
            machine.out_s += time.monotonic() - began_s

        return MachineFault(f"{how.name}, started again after {down_s:g} s", down_s, disturb)

    return make


def _frozen(rng: random.Random, _machine: Machine) -> MachineFault:
    for_s = rng.choice([1.5, 4.0, 9.0, 14.0, 30.0])

    def disturb(machine: Machine) -> Disturbance:
        began_s = time.monotonic()
        os.kill(machine.pid, signal.SIGSTOP)
        yield
        pause(for_s - (time.monotonic() - began_s))
        os.kill(machine.pid, signal.SIGCONT)
        machine.out_s += time.monotonic() - began_s

    return MachineFault(f"SIGSTOP for {for_s:g} s", for_s, disturb)


def _full_disk(rng: random.Random, _machine: Machine) -> MachineFault:
    for_s = rng.choice([10.0, 30.0, 50.0])

    def disturb(machine: Machine) -> Disturbance:
        filler = machine.simulated.data / "filler"
        fill_disk(filler)
        yield
        filler.unlink()

    return MachineFault(f"disk full for {for_s:g} s", for_s, disturb)


def _read_only_disk(rng: random.Random, _machine: Machine) -> MachineFault:
    """What is opened from now on cannot be written; open files can, as their mount is beneath."""
    for_s = rng.choice([10.0, 30.0])
    restarted = rng.random() < 0.3

    def disturb(machine: Machine) -> Disturbance:
        where = str(machine.simulated.data)
        subprocess.run(["mount", "--bind", where, where], check=True)
        subprocess.run(["mount", "-o", "remount,bind,ro", where], check=True)
        began_s = time.monotonic()
        if restarted:
            machine.end(signal.SIGKILL)
            code = _refused_start(machine)
            if code != 1:
                machine.remarks.append(f"`pantau run` on a read-only disk ended with {code}")
        yield
        subprocess.run(["umount", "--lazy", where], check=True)
        if restarted:
            machine.start()
            machine.out_s += time.monotonic() - began_s

    name = f"disk read-only for {for_s:g} s"
    return MachineFault(f"{name}, killed and started on it" if restarted else name, for_s, disturb)


def _refused_start(machine: Machine) -> int | None:
    """Exit code of `pantau run`, None: it runs."""
    simulated = machine.simulated
    with (simulated.work / "refused.log").open("ab") as log:
        daemon = subprocess.Popen(
            simulated.command("run"), stdout=log, stderr=log, env=simulated.environ
        )
        try:
            return daemon.wait(60)
        except subprocess.TimeoutExpired:
            daemon.kill()
            daemon.wait()
            return None


def _clock_step(rng: random.Random, _machine: Machine) -> MachineFault:
    step_s = rng.choice(CLOCK_STEPS_S)

    def disturb(machine: Machine) -> Disturbance:
        machine.step_s = step_s
        machine.offset.write_text(f"{step_s:+d}")
        yield
        machine.offset.write_text("+0")

    return MachineFault(f"clock set by {step_s:+d} s and back", 20.0, disturb)


def _rollups_removed(rng: random.Random, _machine: Machine) -> MachineFault:
    kind = rng.choice(["minutes", "hours", "evidence"])

    def disturb(machine: Machine) -> Disturbance:
        for file in (machine.simulated.data / "journal").glob(f"{kind}-*.db*"):
            file.unlink(missing_ok=True)
        yield

    return MachineFault(f"{kind}-*.db removed", 5.0, disturb)


def _journal_removed(_rng: random.Random, _machine: Machine) -> MachineFault:
    """The day's file goes while the daemon runs: it must make a new one by itself."""

    def disturb(machine: Machine) -> Disturbance:
        began_s = time.monotonic()
        journal = machine.simulated.data / "journal"
        for file in journal.glob("samples-*.db*"):
            file.unlink(missing_ok=True)
        yield
        try:
            eventually(lambda: list(journal.glob("samples-*.db")), 40)
        except AssertionError:
            machine.remarks.append("the journal's day file was not made anew within 40 s")
            machine.end(signal.SIGKILL)
            machine.start()
        machine.out_s += time.monotonic() - began_s

    return MachineFault("samples-*.db removed", 1.0, disturb)


def _hostile_routers(rng: random.Random, machine: Machine) -> MachineFault:
    sites = [site.id for site in machine.simulated.simulation.network.sites if site.device]
    what = rng.choice(AGENT_FAULTS)
    where = rng.sample(sites, rng.choice([1, 5, len(sites)]))
    for_s = rng.choice([30.0, 60.0])

    def disturb(machine: Machine) -> Disturbance:
        control = machine.simulated.simulation.control
        details: dict[str, object] = {"varbinds": 2} if what == "too-big" else {}
        if what not in INSTANT:
            details["for"] = for_s
        control.request(what, where=where, **details)
        yield

    return MachineFault(f"{len(where)} routers: {what} for {for_s:g} s", for_s, disturb)


def _bad_reload(rng: random.Random, _machine: Machine) -> MachineFault:
    damage = rng.choice(["salah = 1\n", "[[links]]\n", "= = =\n", "\x00\n", 'id = "bongas"\n' * 2])

    def disturb(machine: Machine) -> Disturbance:
        site = machine.simulated.config / "sites" / "bongas.toml"
        text = site.read_text()
        refused = machine.simulated.log().count("reload refused")
        site.write_text(text + damage)
        os.kill(machine.pid, signal.SIGHUP)
        try:
            eventually(lambda: machine.simulated.log().count("reload refused") > refused, 15)
        except AssertionError:
            machine.remarks.append(f"a reload with {damage!r} was not refused within 15 s")
        yield
        site.write_text(text)
        os.kill(machine.pid, signal.SIGHUP)

    return MachineFault(f"reload with {damage!r} in a site's file", 5.0, disturb)


def _good_reload(rng: random.Random, _machine: Machine) -> MachineFault:
    limit = rng.choice([45, 55, 60])

    def disturb(machine: Machine) -> Disturbance:
        monitor = machine.simulated.config / "monitor.toml"
        text = monitor.read_text()
        monitor.write_text(text.replace("rtt_ms = 50 ", f"rtt_ms = {limit} "))
        os.kill(machine.pid, signal.SIGHUP)
        yield
        monitor.write_text(text)
        os.kill(machine.pid, signal.SIGHUP)

    return MachineFault(f"reload with rtt_ms = {limit}, and back", 5.0, disturb)


def _rubbish_to_the_api(rng: random.Random, _machine: Machine) -> MachineFault:
    count = rng.choice([10, 60, 200])
    seed = rng.random()

    def disturb(machine: Machine) -> Disturbance:
        rubbish = random.Random(seed)
        with ExitStack() as held:
            for _ in range(count):
                one = held.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
                one.settimeout(2)
                try:
                    one.connect(str(machine.simulated.data / SOCKET_NAME))
                    one.sendall(rubbish.randbytes(rubbish.randrange(2000)))
                except OSError:
                    continue
            yield

    return MachineFault(f"{count} connections with rubbish to the local API", 8.0, disturb)


def _influx_frozen(rng: random.Random, _machine: Machine) -> MachineFault:
    for_s = rng.choice([10.0, 30.0])

    def disturb(machine: Machine) -> Disturbance:
        assert machine.influx is not None
        machine.influx.freeze()
        yield
        machine.influx.thaw()

    return MachineFault(f"influxd: SIGSTOP for {for_s:g} s", for_s, disturb)


def _influx_killed(rng: random.Random, _machine: Machine) -> MachineFault:
    for_s = rng.choice([5.0, 30.0])

    def disturb(machine: Machine) -> Disturbance:
        assert machine.influx is not None
        machine.influx.kill()
        yield
        machine.influx.start()

    return MachineFault(f"influxd killed, started again after {for_s:g} s", for_s, disturb)


KINDS: dict[str, Callable[[random.Random, Machine], MachineFault]] = {
    "kill": _killed(signal.SIGKILL),
    "term": _killed(signal.SIGTERM),
    "frozen": _frozen,
    "full-disk": _full_disk,
    "read-only-disk": _read_only_disk,
    "clock": _clock_step,
    "rollups-removed": _rollups_removed,
    "journal-removed": _journal_removed,
    "hostile-routers": _hostile_routers,
    "bad-reload": _bad_reload,
    "good-reload": _good_reload,
    "api-rubbish": _rubbish_to_the_api,
    "influx-frozen": _influx_frozen,
    "influx-killed": _influx_killed,
}
