"""Every mutation of the detection code makes a test fail."""

from __future__ import annotations

import os
import queue
import shutil
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.core.detection.mutations import MUTATIONS

ROOT = Path(__file__).parents[3]
PACKAGE = Path("monitor/core/detection")
TESTS = Path("tests/core/detection")
FIRST = {
    "detector": ("test_scenarios.py", "test_reconfigure.py"),
    "target_health": ("test_target_health.py", "test_blips.py", "test_outage_bounds.py"),
    "isolation": ("test_scenarios.py", "test_isolation.py", "test_send_failures.py"),
    "send_failures": ("test_send_failures.py",),
    "topology": ("test_scenarios.py", "test_parents.py"),
    "loss_windows": ("test_loss_windows.py", "test_blips.py"),
    "flapping": ("test_flapping.py",),
    "site_state": ("test_site_state.py",),
    "replay": ("test_replay.py",),
}
"""The tests that notice most mutations of a module soonest; the others follow."""
LEFT_OUT = ("test_mutations.py", "test_decision_log.py", "test_causes.py")
WORKERS = 2
ENVIRONMENT = {
    "PATH": os.environ["PATH"],
    "PYTHONPATH": ".",
    "PYTHONDONTWRITEBYTECODE": "1",
    "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",  # loading them takes longer than most of the tests
}

Case = tuple[str, str, str]
EVERY: list[Case] = [(module, *texts) for module in MUTATIONS for texts in MUTATIONS[module]]
FEW = [case for case in EVERY if case[1] in ("MIN_RUN = 20", "WAIT_S = 15.0", "LONG_RUN = 5")]


def copy_of_the_code(to: Path) -> Path:
    """What the tests of detection import, without compiled files: a mutation is never stale."""
    ignore = shutil.ignore_patterns("__pycache__", "test_mutations.py")
    shutil.copytree(ROOT / "monitor/core", to / "monitor/core", ignore=ignore)
    shutil.copytree(ROOT / TESTS, to / TESTS, ignore=ignore)
    for package in ("monitor", "tests", "tests/core"):
        shutil.copy(ROOT / package / "__init__.py", to / package / "__init__.py")
    return to


def is_noticed(copy: Path, case: Case) -> bool:
    """Does a test fail on this copy of the code, mutated?"""
    module, old, new = case
    file = copy / PACKAGE / f"{module}.py"
    original = file.read_text()
    first = FIRST[module]
    every = sorted(path.name for path in (copy / TESTS).glob("test_*.py"))
    rest = [name for name in every if name not in (*first, *LEFT_OUT)]
    file.write_text(original.replace(old, new))
    try:
        done = subprocess.run(
            [
                *(sys.executable, "-m", "pytest", "-x", "-q", "--noconftest", "-c", os.devnull),
                *("-p", "no:cacheprovider", "-m", "not full"),
                *("--import-mode=importlib", "--rootdir", str(copy)),
                *(str(TESTS / name) for name in [*first, *rest]),
            ],
            check=False,
            cwd=copy,
            env=ENVIRONMENT,
            capture_output=True,
            text=True,
            timeout=300,
        )
    except subprocess.TimeoutExpired:
        return True  # it never ends: noticed
    finally:
        file.write_text(original)
    assert done.returncode in (0, 1), done.stdout + done.stderr
    return done.returncode == 1


def survivors(cases: Sequence[Case], tmp_path: Path) -> list[Case]:
    """The mutations that no test notices; `WORKERS` run at a time, each on its own copy."""
    copies: queue.Queue[Path] = queue.Queue()
    for number in range(WORKERS):
        copies.put(copy_of_the_code(tmp_path / str(number)))

    def survives(case: Case) -> bool:
        copy = copies.get()
        try:
            return not is_noticed(copy, case)
        finally:
            copies.put(copy)

    with ThreadPoolExecutor(WORKERS) as pool:
        alive = list(pool.map(survives, cases))
    return [case for case, lives in zip(cases, alive, strict=True) if lives]


def test_each_mutated_text_occurs_exactly_once() -> None:
    sources = {module: (ROOT / PACKAGE / f"{module}.py").read_text() for module in MUTATIONS}
    counts = [(module, old, sources[module].count(old)) for module, old, _ in EVERY]
    assert [found for found in counts if found[2] != 1] == []
    assert len(EVERY) >= 112


@pytest.mark.timeout(300)
def test_some_mutations_are_noticed(tmp_path: Path) -> None:
    assert survivors(FEW, tmp_path) == []


@pytest.mark.full
@pytest.mark.timeout(7200)
def test_every_mutation_is_noticed(tmp_path: Path) -> None:
    assert survivors(EVERY, tmp_path) == []
