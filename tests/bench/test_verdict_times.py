"""Seconds from a cut on the wire to `down` in the state and on the wall, and back: printed."""

from __future__ import annotations

import http.client
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

import pytest

from tests.dashboard.browser import Browser, chromium
from tests.dashboard.dashboard_server import free_port
from tests.e2e.simulated_daemon import PANTAU, SimulatedDaemon
from tests.waiting import eventually

CUTS = 15
SEEN = """
const seen = [];
window.seen = seen;
new MutationObserver((changes) => {
  for (const { target } of changes) {
    if (target.classList.contains("down")) seen.push([target.dataset.id, Date.now() / 1000]);
  }
}).observe(document.getElementById("chips"), { subtree: true, attributeFilter: ["class"] });
"""
"""Records when a chip of the wall turns red."""


@contextmanager
def wall(simulated: SimulatedDaemon, profile: Path) -> Iterator[Browser]:
    """The daemon settled, and `/tv` of a real page in a real browser, drawn and connected."""
    simulated.start()
    eventually(simulated.settled, 30)
    port = free_port()
    page = subprocess.Popen(
        [*PANTAU, "dashboard", "--config", str(simulated.config), "--port", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=simulated.environ,
    )

    def answers() -> bool:
        try:
            http.client.HTTPConnection("127.0.0.1", port, timeout=2).request("GET", "/")
        except OSError:
            return False
        return True

    try:
        eventually(answers, 30)
        with chromium(profile) as browser:
            browser.driver.get(f"http://127.0.0.1:{port}/tv")
            eventually(lambda: browser.run("return document.querySelectorAll('.chip.up').length"))
            browser.run(SEEN)
            yield browser
    finally:
        page.terminate()
        page.wait(15)


def red_s(browser: Browser, site: str, after_s: float) -> float:
    """When the chip of a site turned red (Unix time); waits for it."""
    (found, *_) = eventually(
        lambda: [
            at_s
            for name, at_s in browser.run("return window.seen")
            if name == site and at_s > after_s
        ],
        20,
    )
    return float(found)


@pytest.mark.bench
@pytest.mark.timeout(1200)
def test_from_a_cut_to_down_and_back(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    down_s: list[float] = []
    up_s: list[float] = []
    off_s: list[float] = []
    wall_s: list[float] = []
    with SimulatedDaemon(tmp_path) as simulated, wall(simulated, tmp_path / "profile") as browser:
        fibre = [
            site.links[0]
            for site in simulated.simulation.network.sites
            if len(site.links) == 1 and site.links[0].kind == "fibre"
        ]
        for number in range(CUTS):
            link = fibre[number % len(fibre)]
            cut = simulated.simulation.control.cut(link.name)
            eventually(lambda name=link.name: simulated.states()[name] == "down", 20, 0.02)  # type: ignore[misc]
            down_s.append(time.time() - cut.utc_s)
            (incident,) = [
                i for i in simulated.incidents() if i.target == link.name and i.ended_s is None
            ]
            off_s.append(incident.started_s - cut.utc_s)
            wall_s.append(red_s(browser, link.site, cut.utc_s) - cut.utc_s)
            back = simulated.simulation.control.restore(link.name)
            eventually(lambda name=link.name: simulated.states()[name] == "up", 20, 0.02)  # type: ignore[misc]
            up_s.append(time.time() - back.utc_s)
        status_s: list[float] = []
        for _ in range(CUTS):
            before_s = time.perf_counter()
            subprocess.run(
                [*PANTAU, "status", "--config", str(simulated.config), "--json"],
                check=True,
                capture_output=True,
                env=simulated.environ,
            )
            status_s.append(time.perf_counter() - before_s)
    with capsys.disabled():
        print(f"\n{CUTS} cuts of fibre links, seconds: median / worst")
        for what, figures in (
            ("cut to `down` in the state", down_s),
            ("cut to red on the wall", wall_s),
            ("`started` after the cut", off_s),
            ("answer to `up` in the state", up_s),
            ("one `pantau status --json`", status_s),
        ):
            print(f"  {what:30} {median(figures):5.2f} / {max(figures):5.2f}")
    assert len(wall_s) == CUTS
