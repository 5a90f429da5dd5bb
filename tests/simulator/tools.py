"""Run external programs; a missing one fails the test with the package to install."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass

from monitor.simulator.simulation import Simulation

PACKAGES = {
    "ip": "iproute2",
    "ping": "iputils-ping",
    "snmpget": "snmp",
    "snmpbulkwalk": "snmp",
    "setpriv": "util-linux",
    "unshare": "util-linux",
}


def tool(name: str) -> str:
    """The path of a program."""
    path = shutil.which(name)
    assert path is not None, f"{name} is missing: apt install {PACKAGES[name]}"
    return path


def run_inside(simulation: Simulation, *command: str) -> subprocess.CompletedProcess[str]:
    """Run a program in the simulated network to its end."""
    return subprocess.run(
        simulation.inside([tool(command[0]), *command[1:]]),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@dataclass(frozen=True, slots=True)
class Pinged:
    """What `ping` printed. rtts_ms: of the replies, in order; errors: the ICMP errors' lines."""

    sent: int
    rtts_ms: tuple[float, ...]
    duplicates: int
    errors: tuple[str, ...]

    @property
    def received(self) -> int:
        """Requests that were answered."""
        return len(self.rtts_ms)


def ping(
    simulation: Simulation,
    address: str,
    count: int,
    *,
    every_s: float = 0.01,
    wait_s: float = 0.5,
) -> Pinged:
    """Ping from inside the simulated network, and wait `wait_s` for the last replies."""
    options = ["-n", "-c", str(count), "-i", str(every_s), "-W", str(wait_s)]
    done = run_inside(simulation, "ping", *options, address)
    lines = done.stdout.splitlines()
    replies = [line for line in lines if "bytes from" in line]
    first = [line for line in replies if "DUP!" not in line]
    return Pinged(
        sent=count,
        rtts_ms=tuple(float(line.split("time=")[1].split()[0]) for line in first),
        duplicates=len(replies) - len(first),
        errors=tuple(line for line in lines if line.startswith("From ")),
    )


def snmpget(simulation: Simulation, address: str, community: str, oids: Sequence[str]) -> list[str]:
    """The values of some objects as snmpget prints them without types; none when it times out."""
    options = ["-v2c", "-c", community, "-r0", "-t0.5", "-OvqUt"]
    done = run_inside(simulation, "snmpget", *options, address, *oids)
    return done.stdout.splitlines()
