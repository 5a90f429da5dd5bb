"""`pantau replay` of recorded evidence gives the same incidents as the daemon did live."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from datetime import datetime
from pathlib import Path

import pytest

from tests.e2e.simulated_daemon import PANTAU, SimulatedDaemon
from tests.waiting import eventually

LINK = "anjatan/utama"
POP = "pop-karangampel"


def run_command(simulated: SimulatedDaemon, *words: str) -> str:
    """Output of a `pantau` command outside the simulated network."""
    done = subprocess.run(
        [*PANTAU, words[0], "--config", str(simulated.config), *words[1:]],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | simulated.environ,
    )
    return done.stdout


def test_replay_of_exported_evidence_gives_the_incidents_of_the_ledger(tmp_path: Path) -> None:
    with SimulatedDaemon(tmp_path) as simulated:
        simulated.start()
        eventually(simulated.settled, 40)
        control = simulated.simulation.control
        for cut, target in ((control.cut, LINK), (control.pop_down, POP)):
            cut(target)
            eventually(lambda target=target: simulated.states()[target] == "down", 30)  # type: ignore[misc]
            control.restore()
            eventually(simulated.all_up, 40)
        simulated.kill(signal.SIGTERM)
        file = tmp_path / "bukti.jsonl"
        run_command(simulated, "export", "--evidence", "--since", "1h", "-o", str(file))
        replayed = json.loads(run_command(simulated, "replay", str(file), "--json"))["incidents"]
        live = [each for each in simulated.incidents() if each.scope != "monitor"]
    found = [each for each in replayed if each["scope"] != "monitor"]
    assert [(each["scope"], each["target"], each["state"]) for each in found] == [
        (each.scope, each.target, each.state) for each in live
    ]
    assert {LINK, POP} <= {each["target"] for each in found}
    for one, other in zip(found, live, strict=True):
        assert timestamp(one["started"]) == pytest.approx(other.started_s, abs=0.01)
        assert other.ended_s is not None
        assert timestamp(one["ended"]) == pytest.approx(other.ended_s, abs=0.5)
        assert one["affected"] == list(other.affected)


def timestamp(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()
