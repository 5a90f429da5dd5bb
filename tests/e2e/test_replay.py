"""What the daemon judged live is what `pantau replay` judges of the evidence that it kept."""

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


def told(house: SimulatedDaemon, *words: str) -> str:
    """What a command of the monitor prints, outside the made-up network."""
    done = subprocess.run(
        [*PANTAU, words[0], "--config", str(house.config), *words[1:]],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | house.environ,
    )
    return done.stdout


def test_replay_of_exported_evidence_gives_the_incidents_of_the_ledger(tmp_path: Path) -> None:
    with SimulatedDaemon(tmp_path) as house:
        house.start()
        eventually(house.settled, 40)
        control = house.simulation.control
        for cut, target in ((control.cut, LINK), (control.pop_down, POP)):
            cut(target)
            eventually(lambda target=target: house.states()[target] == "down", 30)  # type: ignore[misc]
            control.restore()
            eventually(house.all_up, 40)
        house.kill(signal.SIGTERM)
        file = tmp_path / "bukti.jsonl"
        told(house, "export", "--evidence", "--since", "1h", "-o", str(file))
        replayed = json.loads(told(house, "replay", str(file), "--json"))["incidents"]
        live = [each for each in house.incidents() if each.scope != "monitor"]
    found = [each for each in replayed if each["scope"] != "monitor"]
    assert [(each["scope"], each["target"], each["state"]) for each in found] == [
        (each.scope, each.target, each.state) for each in live
    ]
    assert {LINK, POP} <= {each["target"] for each in found}
    for one, other in zip(found, live, strict=True):
        assert moment(one["started"]) == pytest.approx(other.started_s, abs=0.01)
        assert other.ended_s is not None
        assert moment(one["ended"]) == pytest.approx(other.ended_s, abs=0.5)
        assert one["affected"] == list(other.affected)


def moment(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()
