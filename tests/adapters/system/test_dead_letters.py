"""Dead-letter files: readable, durable, each refused point once."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from monitor.adapters.system.dead_letters import DeadLetterFiles, read_dead_letters
from monitor.core.errors import StoreError
from monitor.core.ports import RefusedPoint
from tests.sample_builders import MIDNIGHT_S

REFUSED = RefusedPoint(
    MIDNIGHT_S + 0.25, "20251125:17", 400, "unable to parse", 'ping,link=a\\ b x="é" 1'
)


def test_a_refused_point_is_stored_with_the_servers_message(tmp_path: Path) -> None:
    DeadLetterFiles(tmp_path / "quarantine").add(REFUSED)
    [path] = (tmp_path / "quarantine").iterdir()
    assert path.name == "refused-20251125.jsonl"
    assert json.loads(path.read_text()) == {
        "at": "2025-11-25T00:00:00.250Z",
        "cursor": "20251125:17",
        "status": 400,
        "words": "unable to parse",
        "line": 'ping,link=a\\ b x="é" 1',
    }


def test_the_points_of_all_days_are_counted(tmp_path: Path) -> None:
    letters = DeadLetterFiles(tmp_path)
    assert letters.count(MIDNIGHT_S) == 0
    for day in range(3):
        letters.add(replace(REFUSED, at_s=MIDNIGHT_S + 86_400 * day, cursor=f"20251125:{day}"))
    assert DeadLetterFiles(tmp_path).count(MIDNIGHT_S) == 3


def test_the_same_cursor_again_after_a_crash_is_stored_once(tmp_path: Path) -> None:
    DeadLetterFiles(tmp_path).add(REFUSED)
    DeadLetterFiles(tmp_path).add(REFUSED)
    DeadLetterFiles(tmp_path).add(replace(REFUSED, cursor="20251125:18"))
    assert DeadLetterFiles(tmp_path).count(MIDNIGHT_S) == 2


def test_a_line_truncated_by_a_power_cut_is_skipped(tmp_path: Path) -> None:
    letters = DeadLetterFiles(tmp_path)
    letters.add(REFUSED)
    [path] = tmp_path.iterdir()
    path.write_text(path.read_text() + '{"at": "2025-11')
    letters = DeadLetterFiles(tmp_path)
    letters.add(REFUSED)
    letters.add(replace(REFUSED, cursor="20251125:18"))
    assert '"20251125:18"' in path.read_text().splitlines()[-1]


def test_a_directory_that_cannot_be_written_is_a_store_error(tmp_path: Path) -> None:
    (tmp_path / "quarantine").write_text("")
    with pytest.raises(StoreError, match="cannot be written: File exists"):
        DeadLetterFiles(tmp_path / "quarantine").add(REFUSED)


def test_the_oldest_files_make_room_and_the_count_follows(tmp_path: Path) -> None:
    letters = DeadLetterFiles(tmp_path, part_bytes=1000, max_bytes=5000)
    for number in range(300):
        at_s = MIDNIGHT_S + (86_400 if number > 100 else 0)
        letters.add(replace(REFUSED, at_s=at_s, cursor=f"20251125:{number}"))
    counted = letters.count(MIDNIGHT_S)
    kept = list(read_dead_letters(tmp_path))
    assert len(kept) == counted == DeadLetterFiles(tmp_path).count(MIDNIGHT_S)
    assert [point.cursor for point in kept] == [
        f"20251125:{number}" for number in range(300 - len(kept), 300)
    ]
    assert 4000 < sum(path.stat().st_size for path in tmp_path.iterdir()) < 7000


def test_files_older_than_five_weeks_are_removed(tmp_path: Path) -> None:
    letters = DeadLetterFiles(tmp_path)
    for day in (0, 10, 40):
        letters.add(replace(REFUSED, at_s=MIDNIGHT_S + 86_400 * day, cursor=f"20251125:{day}"))
    assert [point.cursor for point in read_dead_letters(tmp_path)] == ["20251125:10", "20251125:40"]


def test_old_files_go_without_a_new_refusal_but_the_newest_stays(tmp_path: Path) -> None:
    letters = DeadLetterFiles(tmp_path)
    for day in range(3):
        letters.add(replace(REFUSED, at_s=MIDNIGHT_S + 86_400 * day, cursor=f"20251125:{day}"))
    assert DeadLetterFiles(tmp_path).count(MIDNIGHT_S + 86_400 * 400) == 1


def test_a_refusal_reads_no_file_again(tmp_path: Path) -> None:
    letters = DeadLetterFiles(tmp_path)
    letters.add(REFUSED)
    [path] = tmp_path.iterdir()
    path.write_text("")
    letters.add(replace(REFUSED, cursor="20251125:18"))
    assert letters.count(MIDNIGHT_S) == 2, "counted in memory"


def test_points_are_read_back_as_they_were_added(tmp_path: Path) -> None:
    DeadLetterFiles(tmp_path).add(REFUSED)
    assert list(read_dead_letters(tmp_path)) == [REFUSED]
    assert list(read_dead_letters(tmp_path, MIDNIGHT_S + 1)) == []
