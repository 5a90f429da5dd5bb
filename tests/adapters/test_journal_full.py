"""A disk of 16 MB that somebody fills: verdicts go on, it is told, and it mends by itself."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    done = subprocess.run(
        [
            *("unshare", "--mount", "--propagation", "private", sys.executable, "-m"),
            *("tests.adapters.full_disk", str(tmp_path_factory.mktemp("disk"))),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert isinstance(document, dict)
    return document


def test_the_pipeline_says_so_within_two_minutes(told: dict[str, object]) -> None:
    assert "is full" in str(told["trouble"])
    assert float(str(told["told_after_s"])) <= 120


def test_a_message_is_on_its_way_within_two_minutes_and_one_when_it_is_over(
    told: dict[str, object],
) -> None:
    """On the same full disk: the reserve makes room for it."""
    messages = told["messages_while_full"]
    assert isinstance(messages, list)
    [(event, title, after_s)] = messages
    assert event == "opened"
    assert title.startswith("DISK PEMANTAU PENUH: sampel tidak disimpan, sejak")
    assert after_s <= 120
    assert told["messages_after"] == ["opened", "resolved"]


def test_verdicts_go_on_and_are_written_while_no_sample_is(told: dict[str, object]) -> None:
    """The reserve is given up: the ledger has room to write on."""
    assert told["verdicts_while_full"] == ["down"]
    assert int(str(told["free_for_the_ledger"])) > 5_000_000
    assert told["kept_while_full"] == told["kept_before"]


def test_it_mends_by_itself_and_nothing_that_waited_is_lost(told: dict[str, object]) -> None:
    assert told["trouble_after"] is None
    assert told["reserve_is_back"] is True
    assert told["kept_after"] == told["made"]
    assert told["integrity"] == ["ok"]
