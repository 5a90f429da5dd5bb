"""What the last backup left in `backup-status.json` of the data directory, and what is wrong.

`pantau backup` writes the file, and any other backup script may, after each attempt:

    {"at": "2026-11-24T18:00:00Z", "ok": true, "error": null,
     "last_success": "2026-11-24T18:00:00Z"}

at: the attempt. ok: whether it succeeded. error: one line, why not. last_success: of the last one
that did (null: none yet). Times are RFC 3339. Without the file nothing is said about backups.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

BACKUP_STATUS_FILE = "backup-status.json"
OLDEST_S = 172_800.0
"""A last success that is older (two days) is a failure."""


@dataclass(frozen=True, slots=True)
class BackupStatus:
    """Times UTC seconds. last_success_s None: none yet. error: why the last attempt failed."""

    at_s: float
    ok: bool
    error: str | None = None
    last_success_s: float | None = None


def parse_backup_status(text: str) -> BackupStatus:
    """Raises ValueError for anything else than such a document."""
    found = json.loads(text)
    if not isinstance(found, dict) or not isinstance(found.get("ok"), bool):
        raise ValueError('"ok" is neither true nor false')
    error, success = found.get("error"), found.get("last_success")
    return BackupStatus(
        _seconds(found.get("at"), "at"),
        found["ok"],
        None if error is None else str(error),
        None if success is None else _seconds(success, "last_success"),
    )


def backup_failure(status: BackupStatus, now_s: float) -> str | None:
    """What is wrong, in one line; None: nothing."""
    if not status.ok:
        return status.error or "the last attempt failed"
    if status.last_success_s is None or now_s - status.last_success_s > OLDEST_S:
        return "the last one that succeeded is older than two days"
    return None


def _seconds(value: Any, name: str) -> float:
    if not isinstance(value, str):
        raise ValueError(f'"{name}" is no time')
    moment = datetime.fromisoformat(value)
    if moment.tzinfo is None:
        raise ValueError(f'"{name}" has no time zone')
    return moment.timestamp()
