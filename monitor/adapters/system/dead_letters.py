"""Samples that InfluxDB refused, for a person to look at: JSON lines, a file a UTC day.

Each line: when, the place in the journal, the HTTP status, the server's words, the line.
"""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path

from monitor.core.errors import StoreError
from monitor.core.ports import RefusedPoint

FILE_MODE = 0o660
DIRECTORY_MODE = 0o2770


class DeadLetterFiles:
    """`Quarantine` in a directory, <data_dir>/quarantine; made when the first line comes."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def add(self, refused: RefusedPoint) -> None:
        """Durable when it returns. After a crash in between the same place may come again."""
        files = self._files()
        if files and _last_cursor(files[-1]) == refused.cursor:
            return
        at = datetime.fromtimestamp(refused.at_s, UTC)
        entry = {
            "at": at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "cursor": refused.cursor,
            "status": refused.status,
            "words": refused.words,
            "line": refused.line,
        }
        path = self._directory / f"refused-{at:%Y%m%d}.jsonl"
        try:
            if not self._directory.is_dir():
                self._directory.mkdir(parents=True, exist_ok=True)
                self._directory.chmod(DIRECTORY_MODE)
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, FILE_MODE)
            try:
                os.write(handle, json.dumps(entry, ensure_ascii=False).encode() + b"\n")
                os.fsync(handle)
            finally:
                os.close(handle)
        except OSError as error:
            raise StoreError(
                f"the quarantine {path} cannot be written: {error.strerror}"
            ) from error

    def count(self) -> int:
        try:
            return sum(path.read_bytes().count(b"\n") for path in self._files())
        except OSError as error:
            raise StoreError(
                f"the quarantine {self._directory} cannot be read: {error.strerror}"
            ) from error

    def _files(self) -> list[Path]:
        return sorted(self._directory.glob("refused-*.jsonl"))


def _last_cursor(path: Path) -> str | None:
    """Of the last line that is whole: a power cut may have torn the very last one."""
    try:
        lines = path.read_text(errors="replace").splitlines()
    except OSError as error:
        raise StoreError(f"the quarantine {path} cannot be read: {error.strerror}") from error
    for line in reversed(lines):
        try:
            return str(json.loads(line)["cursor"])
        except (ValueError, KeyError, TypeError):
            continue
    return None
