"""The disk of the data directory and the status of the backups, as warnings and as failures."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from monitor.core.alerting.self_checks import SelfCheck
from monitor.core.backup_status import BACKUP_STATUS_FILE
from monitor.core.disk_space import DiskLimits, DiskReading
from monitor.storage.disk_watch import BackupWatch, DiskWatch
from tests.fakes.clock import ManualClock

DAY_S = 86_400.0


async def test_a_disk_with_room_is_no_warning(tmp_path: Path) -> None:
    """The real file system of the tests."""
    watch = DiskWatch(tmp_path, ManualClock(), DiskLimits(free_mb=0.001, inodes_share=0.0))
    await watch.look()
    assert watch.state is not None
    assert watch.state.free_bytes > 0
    assert (watch.warnings(), watch.failures()) == ([], [])


async def test_a_low_disk_is_a_warning_and_a_failure_with_what_is_left(tmp_path: Path) -> None:
    free = iter(range(3_000_000_000, 0, -5_000_000))
    clock = ManualClock()
    watch = DiskWatch(
        tmp_path,
        clock,
        DiskLimits(),
        lambda _, at_s: DiskReading(at_s, next(free), 100_000_000_000),
    )
    for _ in range(14):
        await watch.look()
        clock.advance(5.0)
    [warning] = watch.warnings()
    assert warning.kind == "disk_low_soon"
    assert "2935 MB are free, and at the present rate it is full in 49 min" in warning.text
    [failure] = watch.failures()
    assert failure.check is SelfCheck.DISK
    assert failure.full_in_s == pytest.approx(2935.0)


async def test_few_inodes_are_a_warning_of_their_own(tmp_path: Path) -> None:
    reading = DiskReading(0.0, 90_000_000_000, 100_000_000_000, 40, 1000)
    watch = DiskWatch(tmp_path, ManualClock(), DiskLimits(), lambda *_: reading)
    await watch.look()
    [warning] = watch.warnings()
    assert (warning.kind, warning.values["inodes"]) == ("disk_inodes", 40)


async def test_a_disk_that_cannot_be_asked_keeps_its_last_state(tmp_path: Path) -> None:
    watch = DiskWatch(tmp_path / "gone", ManualClock(), DiskLimits())
    await watch.look()
    assert watch.state is None


@pytest.mark.parametrize(
    ("ok", "success_age_s", "error", "expected"),
    [
        (True, 3600.0, None, None),
        (True, 2 * DAY_S - 60, None, None),
        (True, 2 * DAY_S + 60, None, "the last one that succeeded is older than two days"),
        (False, 3600.0, "the NAS does not answer", "the NAS does not answer"),
        (False, None, None, "the last attempt failed"),
        (True, None, None, "the last one that succeeded is older than two days"),
    ],
)
async def test_a_failed_or_old_backup_is_a_warning(
    tmp_path: Path, ok: bool, success_age_s: float | None, error: str | None, expected: str | None
) -> None:
    clock = ManualClock()
    now_s = clock.utc_s(clock.steady_s())
    document = {
        "at": rfc3339(now_s),
        "ok": ok,
        "error": error,
        "last_success": None if success_age_s is None else rfc3339(now_s - success_age_s),
    }
    (tmp_path / BACKUP_STATUS_FILE).write_text(json.dumps(document))
    watch = BackupWatch(tmp_path, clock)
    await watch.look()
    assert watch.failure == expected
    assert [each.why for each in watch.failures()] == ([] if expected is None else [expected])
    assert watch.has_failed() is (expected is not None)


@pytest.mark.parametrize(
    "text", ["", "{}", "[]", '{"ok": true}', '{"ok": true, "at": "2026-11-24T03:00:00"}', "\0"]
)
async def test_a_status_that_cannot_be_read_is_a_warning(tmp_path: Path, text: str) -> None:
    (tmp_path / BACKUP_STATUS_FILE).write_text(text)
    watch = BackupWatch(tmp_path, ManualClock())
    await watch.look()
    [warning] = watch.warnings()
    assert f"{BACKUP_STATUS_FILE} cannot be read" in warning.text


async def test_without_the_file_nothing_is_said_about_backups(tmp_path: Path) -> None:
    watch = BackupWatch(tmp_path, ManualClock())
    await watch.look()
    assert (watch.warnings(), watch.failures()) == ([], [])
    assert watch.has_failed() is None


def rfc3339(at_s: float) -> str:
    return datetime.fromtimestamp(at_s, UTC).isoformat().replace("+00:00", "Z")
