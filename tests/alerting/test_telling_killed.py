"""kill -9 at each point between the verdict and "sent": nothing is lost, and hardly doubled."""

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


def run(life: ProcessRun) -> int | None:
    """The exit code of one life; -9: killed."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.alerting_process"])
    process = context.Process(target=run_process, args=(life,))
    process.start()
    process.join(60)
    if process.is_alive():
        process.kill()
        process.join()
        raise AssertionError(f"this life did not end: {life}")
    return process.exitcode


def delivered(path: Path) -> Counter[tuple[str, str]]:
    """How often each message arrived: (event, key)."""
    lines = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    return Counter((line["event"], line["key"]) for line in lines)


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ledger whose tables are made already."""
    path = tmp_path_factory.mktemp("empty") / "ledger.db"
    SqlLedger.open(path).close()
    return path


def fresh(folder: Path, empty: Path) -> ProcessRun:
    """The beginning of a story, in a folder of its own."""
    folder.mkdir()
    shutil.copy(empty, folder / "ledger.db")
    (folder / "delivered").touch()
    return ProcessRun(folder / "ledger.db", folder / "delivered", START_S, silent=True, point=None)


def killed_and_born_again(life: ProcessRun, point: str) -> ProcessRun:
    """Killed at the point, and then a life to the end of the story."""
    killed = replace(life, point=point, start_s=life.start_s + LATER_S)
    assert run(killed) == -signal.SIGKILL, f"{point} is not reached: {killed}"
    after = replace(killed, point=None, start_s=killed.start_s + LATER_S)
    assert run(after) == 0
    return after


def see_that_it_came(life: ProcessRun, event: str) -> None:
    found = delivered(life.delivered)
    keys = {key for name, key in found if name == event}
    assert len(keys) == 1, "a second copy has the same key"
    assert found[event, keys.pop()] <= 2


@pytest.mark.timeout(7_200)
@pytest.mark.parametrize("point", POINTS)
@pytest.mark.parametrize("kills", [3, pytest.param(50, marks=pytest.mark.full)])
def test_no_beginning_and_no_end_is_lost_and_at_most_one_comes_twice(
    tmp_path: Path, empty: Path, point: str, kills: int
) -> None:
    for number in range(0, kills, 2):
        life = killed_and_born_again(fresh(tmp_path / str(number), empty), point)
        see_that_it_came(life, "opened")
        if number + 1 < kills:
            life = killed_and_born_again(replace(life, silent=False), point)
            see_that_it_came(life, "opened")
            see_that_it_came(life, "resolved")
