"""Dead letters of the shipper: points that InfluxDB refused, as JSON lines, a file a UTC day.

Each line: the time, the cursor in the journal, the HTTP status, the server's message (`words`),
the point in line protocol.
"""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path

from monitor.core.errors import StoreError
from monitor.core.ports import RefusedPoint

FILE_MODE = 0o660
TAIL_BYTES = 1 << 20
"""The last line of a file lies within its last megabyte: a point is far shorter."""

DIRECTORY_MODE = 0o2770


class DeadLetterFiles:
    """`DeadLetterStore` in a directory, which is created with the first line."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def add(self, refused: RefusedPoint) -> None:
        files = self._files()
        # After a crash the shipper may bring the point that was stored last once more.
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
    """Of the last complete line: a power cut may have truncated the very last one."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - TAIL_BYTES))
            lines = file.read().decode(errors="replace").splitlines()
    except OSError as error:
        raise StoreError(f"the quarantine {path} cannot be read: {error.strerror}") from error
    for line in reversed(lines):
        try:
            return str(json.loads(line)["cursor"])
        except (ValueError, KeyError, TypeError):
            continue
    return None
