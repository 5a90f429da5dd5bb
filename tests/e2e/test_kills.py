"""Kills at random moments during cuts and returns: nothing is lost, every first word comes soon."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.e2e.kill_run import KillResult, run_kills

AT_ONCE = 3
SOON_S = 15.0


@pytest.mark.full
@pytest.mark.timeout(14_400)
def test_kills_during_cuts_and_returns_lose_no_outage(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    result = KillResult()
    with ThreadPoolExecutor(AT_ONCE) as pool:
        places = [tmp_path / str(seed) for seed in range(AT_ONCE)]
        for place in places:
            place.mkdir()
        for each in pool.map(run_kills, places, [400 // AT_ONCE + 1] * AT_ONCE, range(AT_ONCE)):
            result.add(each)
    with capsys.disabled():
        print("", *result.lines(), sep="\n")
    assert result.lost == []
    assert all(times <= result.kills for times in result.duplicates.values())
    assert max(result.late_s_of_one_kill) <= SOON_S
