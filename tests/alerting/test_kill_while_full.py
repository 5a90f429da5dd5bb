"""A kill while messages go from memory: no later message has the key of an earlier one."""

from __future__ import annotations

import json
from pathlib import Path

from tests.adapters.child_process import run_child

LINK = "anjatan/utama"
CUT_LATER = ["bongas/utama", "cikedung/utama", "gabus/utama"]


def test_after_a_kill_on_a_full_disk_no_message_has_the_key_of_another(tmp_path: Path) -> None:
    """Killed while full, started and killed again while full, and started with room."""
    phases = json.loads(
        run_child("tests.alerting.kill_while_full_process", str(tmp_path), own_mounts=True)
    )
    told = [(key, event, tuple(targets)) for phase in phases for key, event, targets, _ in phase]
    assert not all(is_recorded for *_, is_recorded in phases[0]), "some went from memory"
    assert all(is_recorded for *_, is_recorded in phases[2])
    for target in CUT_LATER:
        assert any(event == "opened" and target in targets for _, event, targets in told)
    about = {key: (event, targets) for key, event, targets in told}
    assert [each for each in told if about[each[0]] != each[1:]] == []
