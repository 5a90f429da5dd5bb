"""Pantau beside SmokePing, Prometheus and Icinga: same network, same faults, same run. Printed.

    pytest -m bench -s tests/bench/test_peers.py        (24 min; root; Debian)

Installs what is missing of Debian's packages (`PACKAGES` in tests/bench/peers, without what they
recommend), and starts none of their services: everything runs inside the simulated network's
namespace, with configuration and state in a temporary directory. Each peer has the configuration
that an experienced admin would write; the docstrings in tests/bench/peers say which and why.

- lone cuts: ten links, one after the other, each for two minutes: cut → seen (one check failed),
  → known (the tool's own state says down by its own rules), → message (webhook or command);
- random loss for ten minutes, eight links at 30 %, eight at 50 %: how often one was known down;
- a PoP with 32 links falls for 130 s; the monitor's own uplink is cut for 130 s: messages.

Pantau runs twice: with its default hold of 15 s, and with a hold of 0 s.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

import pytest

from monitor.simulator.simulation import Simulation
from tests.bench.peers import icinga, prometheus, smokeping
from tests.bench.peers.bench_network import GATEWAY, links_of, write_pantau_config
from tests.bench.peers.observer import (
    PANTAU,
    SCRIPT,
    SCRIPT_WORDS,
    WEBHOOK_PORT,
    Event,
    read_events,
)
from tests.e2e.simulated_daemon import PANTAU as PANTAU_COMMAND

PACKAGES = (*smokeping.PACKAGES, *prometheus.PACKAGES, *icinga.PACKAGES)
VERSIONS = {
    "smokeping": ("smokeping",),
    "prometheus": ("prometheus", "prometheus-blackbox-exporter", "prometheus-alertmanager"),
    "icinga": ("icinga2", "monitoring-plugins-basic"),
}
TOOLS = ("pantau", "pantau0", "smokeping", "prometheus", "icinga")
# PANTAU_PEERS_SHORT: a quick run that shows whether everything works; its figures mean nothing.
SHARE = 0.2 if os.environ.get("PANTAU_PEERS_SHORT") else 1.0
SETTLE_S = 120.0
CUTS, APART_S, CUT_S = 10, 15.7, 120.0
LOSS_S = 600.0
FALLEN_S = 130.0
CALM_S = 60.0
ALERTS = """
[[channels]]
id = "hook"
type = "webhook"
address = "http://127.0.0.1:{port}/{tool}"
[[routes]]
steps = [{{ after_min = 0, to = ["channel:hook"] }}]
[rules]
hold_s = {hold_s}
"""
HOLD_S = {"pantau": 15, "pantau0": 0}


def install() -> None:
    """Install the packages that are missing; no service is started."""
    known = subprocess.run(["dpkg-query", "-W", *PACKAGES], capture_output=True, check=False)
    if known.returncode == 0:
        return
    if shutil.which("apt-get") is None or os.geteuid() != 0:
        pytest.skip(f"needs root and Debian's packages: {' '.join(PACKAGES)}")
    print(f"installing {' '.join(PACKAGES)}", flush=True)
    policy = Path("/usr/sbin/policy-rc.d")
    is_ours = not policy.exists()
    if is_ours:
        policy.write_text("#!/bin/sh\nexit 101\n", "ascii")
        policy.chmod(0o755)
    try:
        command = ["apt-get", "install", "-y", "--no-install-recommends", *PACKAGES]
        subprocess.run(command, check=True, env=os.environ | {"DEBIAN_FRONTEND": "noninteractive"})
    finally:
        if is_ours:
            policy.unlink()


def versions(packages: tuple[str, ...]) -> str:
    form = "${Package} ${Version}\\n"
    asked = subprocess.run(
        ["dpkg-query", "-W", f"-f={form}", *packages], capture_output=True, text=True, check=True
    )
    return ", ".join(asked.stdout.splitlines())


@dataclass
class Bench:
    """The running monitors, and what they said."""

    folder: Path
    simulation: Simulation
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def start(self, name: str, command: list[str]) -> None:
        with (self.folder / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(
                self.simulation.inside(command), stdout=log, stderr=log, stdin=subprocess.DEVNULL
            )

    def ended(self) -> list[str]:
        """Those that ended, with the end of their log."""
        return [
            f"{name}: {(self.folder / f'{name}.log').read_text(errors='replace')[-1500:]}"
            for name, process in self.processes.items()
            if process.poll() is not None
        ]

    def rest(self, for_s: float) -> None:
        time.sleep(for_s * SHARE)
        assert self.ended() == []

    def close(self) -> None:
        for process in reversed(self.processes.values()):
            process.terminate()
        for process in self.processes.values():
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def events(self, what: str, since_s: float = 0.0, until_s: float = float("inf")) -> list[Event]:
        return [
            event
            for event in read_events(self.folder)
            if event.what == what and since_s <= event.at_s < until_s
        ]


@contextmanager
def running_bench(folder: Path) -> Iterator[Bench]:
    """Every monitor on one simulated network; all of it ends with the block."""
    with ExitStack() as stack:
        for tool, hold_s in HOLD_S.items():
            (folder / tool).mkdir()
            alerts = ALERTS.format(port=WEBHOOK_PORT, tool=tool, hold_s=hold_s)
            write_pantau_config(folder / tool, alerts)
        simulation = stack.enter_context(
            Simulation.start(folder / "pantau" / "config", "quiet", work_dir=folder)
        )
        bench = Bench(folder, simulation)
        stack.callback(bench.close)
        for tool, words in SCRIPT_WORDS.items():
            (folder / tool).mkdir()
            script = folder / f"{tool}.sh"
            script.write_text(SCRIPT.format(folder=folder, tool=tool, words=words), "ascii")
            script.chmod(0o755)
        (folder / "prometheus").mkdir()
        smokeping.write_config(folder / "smokeping", folder / "smokeping.sh")
        icinga.write_config(folder / "icinga", folder / "icinga.sh")
        hook = f"http://127.0.0.1:{WEBHOOK_PORT}/alertmanager"
        prometheus.write_config(folder / "prometheus", hook)
        bench.start("observer", [sys.executable, "-m", "tests.bench.peers.observer", str(folder)])
        for tool in PANTAU:
            config = str(folder / tool / "config")
            bench.start(tool, [*PANTAU_COMMAND, "run", "--config", config])
        for name, command in prometheus.commands(folder / "prometheus").items():
            bench.start(name, command)
        bench.start("smokeping", smokeping.commands(folder / "smokeping")["smokeping"])
        bench.start("icinga2", icinga.commands(folder / "icinga")["icinga2"])
        yield bench


def lone_cuts(bench: Bench) -> dict[str, float]:
    """Cut one link after the other; returns when each was cut."""
    links = links_of("pop-b")[:CUTS]
    cut_s: dict[str, float] = {}
    restored: set[str] = set()
    began_s = time.time()
    while len(restored) < CUTS:
        now_s = time.time()
        for number, link in enumerate(links):
            if link not in cut_s and now_s >= began_s + number * APART_S * SHARE:
                cut_s[link] = bench.simulation.control.cut(link).utc_s
            if link in cut_s and link not in restored and now_s >= cut_s[link] + CUT_S * SHARE:
                bench.simulation.control.restore(link)
                restored.add(link)
        time.sleep(0.05)
    return cut_s


def first_after(events: list[Event], link: str, since_s: float) -> float | None:
    """Seconds from the cut to the first event about the link, before the next phase."""
    times = [
        event.at_s - since_s for event in events if link in event.hosts and event.at_s > since_s
    ]
    return min((after_s for after_s in times if after_s <= CUT_S + 5), default=None)


def figures(values: list[float | None]) -> str:
    found = sorted(value for value in values if value is not None)
    if not found:
        return "–"
    missing = f" ({len(values) - len(found)} none)" if len(found) < len(values) else ""
    return f"{median(found):.1f} / {found[-1]:.1f}{missing}"


def cut_row(events: Callable[[str], list[Event]], tool: str, cut_s: dict[str, float]) -> list[str]:
    return [
        figures(
            [
                first_after([e for e in events(what) if e.tool == tool], link, at_s)
                for link, at_s in cut_s.items()
            ]
        )
        for what in ("seen", "known", "message")
    ]


def count(bench: Bench, tool: str, what: str, span: tuple[float, float], links: set[str]) -> int:
    """Events of a tool about these links (none: about anything) in a span of time."""
    return sum(
        event.tool == tool and (not links or bool(links & set(event.hosts)))
        for event in bench.events(what, *span)
    )


def others(bench: Bench, tool: str, span: tuple[float, float]) -> int:
    """Openings that call nothing down: pantau's own incident, degraded links."""
    return count(bench, tool, "other message", span, set())


def known_hosts(bench: Bench, tool: str, span: tuple[float, float]) -> int:
    """How many hosts were known down in a span of time, each once."""
    found = [event.hosts for event in bench.events("known", *span) if event.tool == tool]
    return len({host for each in found for host in each})


@pytest.mark.bench
@pytest.mark.timeout(3_600)
def test_beside_smokeping_prometheus_and_icinga(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    install()
    with running_bench(tmp_path) as bench:
        control = bench.simulation.control
        bench.rest(SETTLE_S)
        cut_s = lone_cuts(bench)
        bench.rest(CALM_S)
        lossy = links_of("pop-a")
        thirty, fifty = set(lossy[:8]), set(lossy[8:16])
        loss_start_s = time.time()
        for percent, links in ((30, thirty), (50, fifty)):
            for link in sorted(links):
                control.loss(link, percent)
        bench.rest(LOSS_S)
        loss_span = (loss_start_s, time.time())
        control.restore()
        bench.rest(CALM_S)
        pop_start_s = time.time()
        control.pop_down("pop-a")
        bench.rest(FALLEN_S)
        control.restore()
        bench.rest(CALM_S)
        pop_span = (pop_start_s, time.time())
        bench.rest(CALM_S)
        uplink_start_s = time.time()
        control.uplink_cut()
        bench.rest(FALLEN_S)
        control.restore()
        bench.rest(CALM_S)
        uplink_span = (uplink_start_s, time.time())
        rows = [
            [
                tool,
                *cut_row(bench.events, tool, cut_s),
                *(
                    f"{count(bench, tool, 'known', loss_span, links)}"
                    f" ({count(bench, tool, 'seen', loss_span, links)})"
                    for links in (thirty, fifty)
                ),
                *(
                    str(count(bench, tool, "message", loss_span, links))
                    for links in (thirty, fifty)
                ),
                *(
                    f"{count(bench, tool, 'message', span, set()) + others(bench, tool, span)}"
                    f" ({known_hosts(bench, tool, span)})"
                    for span in (pop_span, uplink_span)
                ),
            ]
            for tool in TOOLS
        ]
        shutil.copy(tmp_path / "events", os.environ.get("PANTAU_PEERS_EVENTS", os.devnull))
    head = [
        "tool",
        "cut → seen s",
        "→ known s",
        "→ message s",
        "false DOWN at 30 % (seen)",
        "at 50 % (seen)",
        "false messages at 30 %",
        "at 50 %",
        "PoP falls: messages (known down)",
        "own cut: messages (known down)",
    ]
    with capsys.disabled():
        load = " / ".join(f"{each:.1f}" for each in os.getloadavg())
        print(f"\n{CUTS} lone cuts (median / worst); 8 links each at 30 % and 50 % for {LOSS_S} s")
        print(f"load of {os.cpu_count()} cores at the end: {load}")
        for row in (head, ["---"] * len(head), *rows):
            print("| " + " | ".join(row) + " |")
        for tool, packages in VERSIONS.items():
            print(f"{tool}: {versions(packages)}")
    assert len(cut_s) == CUTS
    assert GATEWAY not in cut_s
