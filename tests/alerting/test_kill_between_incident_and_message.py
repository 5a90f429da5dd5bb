"""kill -9 at each point between incident and "sent": no message is lost, at most one is doubled."""

from __future__ import annotations

import json
import multiprocessing
import shutil
import signal
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from monitor.adapters.ledger.writer import SqlLedger
from tests.alerting_process import POINTS, ProcessRun, run_process

START_S = 1_764_000_000.0
LATER_S = 1_000.0


def run(process_run: ProcessRun) -> int | None:
    """The exit code of the process; -9: killed."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.alerting_process"])
    process = context.Process(target=run_process, args=(process_run,))
    process.start()
    process.join(60)
    if process.is_alive():
        process.kill()
        process.join()
        raise AssertionError(f"this process did not end: {process_run}")
    return process.exitcode


def delivered(path: Path) -> Counter[tuple[str, str]]:
    """How often each message arrived: (event, key)."""
    lines = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    return Counter((line["event"], line["key"]) for line in lines)


@pytest.fixture(scope="module")
def empty_ledger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ledger with empty tables."""
    path = tmp_path_factory.mktemp("empty") / "ledger.db"
    SqlLedger.open(path).close()
    return path


def new_run(folder: Path, empty_ledger: Path) -> ProcessRun:
    """A run on an empty ledger in a folder of its own."""
    folder.mkdir()
    shutil.copy(empty_ledger, folder / "ledger.db")
    (folder / "delivered").touch()
    return ProcessRun(folder / "ledger.db", folder / "delivered", START_S, silent=True, point=None)


def kill_and_restart(process_run: ProcessRun, point: str) -> ProcessRun:
    """Run until killed at the point, then again until the awaited message is delivered."""
    killed = replace(process_run, point=point, start_s=process_run.start_s + LATER_S)
    assert run(killed) == -signal.SIGKILL, f"{point} is not reached: {killed}"
    after = replace(killed, point=None, start_s=killed.start_s + LATER_S)
    assert run(after) == 0
    return after


def assert_delivered(process_run: ProcessRun, event: str) -> None:
    found = delivered(process_run.delivered)
    keys = {key for name, key in found if name == event}
    assert len(keys) == 1, "a second copy has the same key"
    assert found[event, keys.pop()] <= 2


QUICK = (
    "decisions in its transaction",
    "message committed",
    "accepted, not returned",
    "mark in its transaction",
)


@pytest.mark.timeout(7_200)
@pytest.mark.parametrize(
    ("point", "kills"),
    [
        *((point, 2) for point in QUICK),
        *(pytest.param(point, 50, marks=pytest.mark.full) for point in POINTS),
    ],
)
def test_openings_and_closings_are_delivered_once_or_at_most_twice(
    tmp_path: Path, empty_ledger: Path, point: str, kills: int
) -> None:
    for number in range(0, kills, 2):
        process_run = kill_and_restart(new_run(tmp_path / str(number), empty_ledger), point)
        assert_delivered(process_run, "opened")
        if number + 1 < kills:
            process_run = kill_and_restart(replace(process_run, silent=False), point)
            assert_delivered(process_run, "opened")
            assert_delivered(process_run, "resolved")
