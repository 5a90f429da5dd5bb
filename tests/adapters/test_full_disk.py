"""Ledger, journal and pipeline on a disk that is full: a real ENOSPC on a small disk in memory."""

from __future__ import annotations

import json
from pathlib import Path

from tests.adapters.child_process import run_child
from tests.adapters.journal_process import TARGETS


def test_the_ledger_refuses_in_one_sentence_and_continues_when_there_is_room(
    tmp_path: Path,
) -> None:
    found = json.loads(
        run_child("tests.adapters.ledger_process", "fill", str(tmp_path), own_mounts=True)
    )
    refusals = found.pop("refusals")
    assert (
        refusals
        == [
            f"the disk that holds the ledger {tmp_path}/ledger.db is full: free some space, and a"
            " running daemon goes on by itself"
        ]
        * 3
    )
    stored = found["stored"]
    assert stored > 0
    assert found == {
        "stored": stored,
        "written_when_full": stored,
        "read_when_full": stored,
        "read_after": stored + 1,
        "opened_again": stored + 1,
    }


def test_the_journal_refuses_loses_nothing_stored_and_continues(tmp_path: Path) -> None:
    found = json.loads(
        run_child("tests.adapters.journal_process", "fill", str(tmp_path), own_mounts=True)
    )
    assert found["written"] > 0
    assert found["stored"] == found["written"] * (TARGETS + 1)
    assert found["stored_after"] == found["stored"] + TARGETS + 1
    assert found["newcomers_stored"]
    full = "is full: samples are not kept until there is space"
    assert all(full in refusal for refusal in found["refusals"])
    assert "cannot be written: No space left on device" in found["cursor"]


def test_the_pipeline_goes_on_detecting_says_that_the_disk_is_full_and_recovers(
    tmp_path: Path,
) -> None:
    found = json.loads(run_child("tests.adapters.full_disk", str(tmp_path), own_mounts=True))
    assert "is full" in found["error"]
    assert found["reported_after_s"] <= 120
    # The reserve is released on the same full disk: the ledger has room for the self-alert.
    assert found["free_for_the_ledger"] > 5_000_000
    [(event, title, after_s)] = found["messages_while_full"]
    assert event == "opened"
    assert title.startswith("DISK PEMANTAU PENUH: sampel tidak disimpan, sejak")
    assert after_s <= 120
    # Detection goes on and is recorded, while no sample is.
    assert found["incidents_while_full"] == ["down"]
    assert found["rows_while_full"] == found["rows_before"]
    # Once there is room again no waiting sample is lost.
    assert found["messages_after"] == ["opened", "resolved"]
    assert found["error_after"] is None
    assert found["reserve_exists"] is True
    assert found["rows_after"] == found["rows_made"]
    assert found["integrity"] == ["ok"]


def test_a_ledger_opens_on_a_disk_that_is_full_after_a_clean_end_and_after_a_kill(
    tmp_path: Path,
) -> None:
    """A daemon that cannot start sends no message at all."""
    found = json.loads(
        run_child("tests.adapters.ledger_start_while_full", str(tmp_path), own_mounts=True)
    )
    assert found == [29.0, 77.0] * 2
