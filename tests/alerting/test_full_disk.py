"""A disk that is full while links are cut and restored: a real ledger on a real ENOSPC."""

from __future__ import annotations

import json
from pathlib import Path

from tests.adapters.child_process import run_child

LINK, OTHER = "anjatan/utama", "bongas/utama"


def test_a_full_disk_delays_no_message_repeats_none_and_all_are_recorded_later(
    tmp_path: Path,
) -> None:
    found = json.loads(
        run_child("tests.alerting.full_disk_process", str(tmp_path), own_mounts=True)
    )
    assert found["before"] == [["opened", LINK, False]]
    assert "is full" in found["error"]
    assert found["while_full"] == [["opened", OTHER, True], ["resolved", LINK, True]]
    assert found["afterwards"] == [["resolved", OTHER, False]]
    # One row each for a person and a channel.
    assert found["rows"] == [["opened", "sent"]] * 4 + [["resolved", "sent"]] * 4
    assert found["incidents"] == [[LINK, True], [OTHER, True]]
