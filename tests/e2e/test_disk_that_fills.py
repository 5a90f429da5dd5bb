"""The real daemon on a disk that fills: at once, at 1 MB/s, by inodes; killed while it is full.

The quick one of its kind is tests/alerting/test_full_disk.py.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.adapters.child_process import ROOT
from tests.e2e.disk_that_fills import AFTER, BEFORE, DURING, WORDS

SITES = {"Anjatan": BEFORE, "Bongas": DURING, "Cikedung": AFTER}


@pytest.mark.full
@pytest.mark.timeout(900)
@pytest.mark.parametrize("kill", [False, True], ids=["", "killed while full"])
@pytest.mark.parametrize("kind", ["once", "rate", "inodes"])
def test_everybody_hears_of_every_cut_and_of_the_disk_once_and_all_is_recorded(
    tmp_path: Path, kind: str, kill: bool
) -> None:
    rights = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
    done = subprocess.run(
        [
            *("unshare", "--mount", "--propagation", "private", *rights),
            *(sys.executable, "-m", "tests.e2e.disk_that_fills", str(tmp_path / "w"), kind),
            *(["kill"] if kill else []),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-6000:]
    found = json.loads(done.stdout)
    print_table(kind, kill, found)
    for channel in ("webhook", "surel"):
        words = [each["what"] for each in found["heard"] if each["channel"] == channel]
        for site in SITES:
            cuts, ends = (
                sum(site in each and any(word in each for word in WORDS[event]) for each in words)
                for event in ("opened", "resolved")
            )
            # A kill may repeat what was only in memory.
            assert 1 <= cuts <= 1 + kill, (site, words)
            assert 1 <= ends <= 1 + kill, (site, words)
        assert any("DISK PEMANTAU" in each for each in words)
    assert found["keys_of_two"] == [], "a receiver that removes repeated keys would lose one"
    if not kill:
        assert found["repeated"] == 0
        assert found["not_recorded"] == found["not_heard"] == []
    assert {target for target, *_ in found["incidents"]} == set(SITES.values())
    assert all(ended for *_, ended in found["incidents"])
    assert {row[-1] for row in found["rows"]} == {"sent"}
    assert not any("Traceback" in line for line in found["log"])


def print_table(kind: str, kill: bool, found: dict[str, Any]) -> None:
    """Who was told what, when: seconds since the filling began."""
    lines = [(at_s, "", what) for at_s, what in found["events"]]
    for each in found["heard"]:
        memory = " (from memory)" if each["from_memory"] else ""
        lines.append((each["at_s"], each["channel"], f"{each['what']}{memory}"))
    print(f"\n{kind}{', killed while full' if kill else ''}")
    for at_s, channel, what in sorted(lines):
        print(f"{at_s:8.1f} s  {channel:8} {what}")
