"""How long from a cut on the wire to the verdict, and back: measured, printed, nothing asserted
but that every cut was found."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path
from statistics import median

import pytest

from tests.e2e.house import PANTAU, MadeUp
from tests.waiting import eventually

CUTS = 15


@pytest.mark.bench
@pytest.mark.timeout(1200)
def test_from_a_cut_to_the_verdict_and_back(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    down_s: list[float] = []
    up_s: list[float] = []
    off_s: list[float] = []
    with MadeUp(tmp_path) as house:
        house.start()
        eventually(house.settled, 30)
        fibre = [link.name for link in house.simulation.network.links() if link.kind == "fibre"]
        for number in range(CUTS):
            link = fibre[number % len(fibre)]
            cut = house.simulation.control.cut(link)
            eventually(lambda link=link: house.states()[link] == "down", 20, 0.02)  # type: ignore[misc]
            down_s.append(time.time() - cut.utc_s)
            (incident,) = [i for i in house.incidents() if i.target == link and i.ended_s is None]
            off_s.append(incident.started_s - cut.utc_s)
            back = house.simulation.control.restore(link)
            eventually(lambda link=link: house.states()[link] == "up", 20, 0.02)  # type: ignore[misc]
            up_s.append(time.time() - back.utc_s)
        asked_s: list[float] = []
        for _ in range(CUTS):
            before_s = time.perf_counter()
            subprocess.run(
                [*PANTAU, "status", "--config", str(house.config), "--json"],
                check=True,
                capture_output=True,
                env=house.environ,
            )
            asked_s.append(time.perf_counter() - before_s)
    with capsys.disabled():
        print(f"\n{CUTS} cuts of fibre links, seconds: median / worst")
        for what, figures in (
            ("cut to `down` in the state", down_s),
            ("`started` after the cut", off_s),
            ("answer to `up` in the state", up_s),
            ("one `pantau status --json`", asked_s),
        ):
            print(f"  {what:30} {median(figures):5.2f} / {max(figures):5.2f}")
    assert len(down_s) == CUTS
