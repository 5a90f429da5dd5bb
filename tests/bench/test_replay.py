"""`pantau replay` from the file to the decisions: lines a second, beside only parsing the file."""

from __future__ import annotations

import random
import resource
import subprocess
import time
from pathlib import Path

import orjson
import pytest

from monitor.settings import load, require_valid
from tests.e2e.simulated_daemon import PANTAU

pytestmark = pytest.mark.bench

LINES = 1_000_000
NOON_S = 1_764_000_000.0
CONFIG = Path(__file__).parents[2] / "config"


def record(file: Path, names: list[str]) -> None:
    """All targets once a second, 0.5 % loss, each link cut for 20 s at another time."""
    chance = random.Random(5)
    with file.open("wb") as out:
        for number in range(LINES):
            second, place = divmod(number, len(names))
            is_cut = place * 60 <= second < place * 60 + 20
            lost = is_cut or chance.random() < 0.005
            rtt_ms = None if lost else round(8 + 4 * chance.random(), 3)
            t = round(NOON_S + second + place / len(names), 3)
            out.write(orjson.dumps({"t": t, "target": names[place], "rtt_ms": rtt_ms}) + b"\n")


def spent_by_commands_s() -> float:
    """CPU time, which other work on the machine changes least."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


@pytest.mark.timeout(600)
def test_replay_from_file_to_decisions(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    network = require_valid(load(CONFIG, {}), strict=False).network
    names = [target.name for target in network.targets()]
    file = tmp_path / "bukti.jsonl"
    record(file, names)
    began_s = time.process_time()
    with file.open("rb") as source:
        parsed = sum(1 for raw in source if orjson.loads(raw))
    parsed_s = time.process_time() - began_s
    began_s, before_s = time.perf_counter(), spent_by_commands_s()
    done = subprocess.run(
        [*PANTAU, "replay", str(file), "--config", str(CONFIG), "--json"],
        check=True,
        capture_output=True,
    )
    whole_s, cpu_s = time.perf_counter() - began_s, spent_by_commands_s() - before_s
    incidents = orjson.loads(done.stdout)["incidents"]
    with capsys.disabled():
        print(
            f"\n{LINES:,} lines, {len(names)} targets, {len(incidents)} incidents: the command "
            f"{whole_s:.2f} s, {cpu_s:.2f} s of CPU, {LINES / cpu_s:,.0f} lines a CPU-second; "
            f"only orjson {parsed_s:.2f} s: {cpu_s / parsed_s:.1f} times as long"
        )
    assert parsed == LINES
    assert incidents
