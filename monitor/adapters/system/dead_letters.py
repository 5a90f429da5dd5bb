"""Dead letters of the shipper: points that InfluxDB refused, as JSON lines, a file a UTC day.

Each line: the time, the cursor in the journal, the HTTP status, the server's message (`words`),
the point in line protocol. A file of PART_BYTES goes on in another part of the day; the oldest
files are removed when they are older than KEEP_DAYS or all together exceed MAX_BYTES.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from monitor.core.errors import StoreError
from monitor.core.ports import RefusedPoint

FILE_MODE = 0o640
DIRECTORY_MODE = 0o750

PART_BYTES = 4_000_000
MAX_BYTES = 32_000_000
KEEP_DAYS = 35

TAIL_BYTES = 1 << 20
"""The last line of a file lies within its last megabyte: a point is far shorter."""


class DeadLetterFiles:
    """`DeadLetterStore` in a directory, which is created with the first line.

    The files are read once, at the first call; after that each line costs one write.
    """

    def __init__(
        self, directory: Path, part_bytes: int = PART_BYTES, max_bytes: int = MAX_BYTES
    ) -> None:
        self._directory = directory
        self._part_bytes = part_bytes
        self._max_bytes = max_bytes
        self._counts: dict[Path, int] | None = None
        self._sizes: dict[Path, int] = {}
        self._last_cursor: str | None = None

    def add(self, refused: RefusedPoint) -> None:
        counts = self._loaded()
        # After a crash the shipper may bring the point that was stored last once more.
        if self._last_cursor == refused.cursor:
            return
        at = datetime.fromtimestamp(refused.at_s, UTC)
        entry = {
            "at": at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "cursor": refused.cursor,
            "status": refused.status,
            "words": refused.words,
            "line": refused.line,
        }
        text = json.dumps(entry, ensure_ascii=False).encode() + b"\n"
        path = self._path_for(at)
        try:
            if not self._directory.is_dir():
                self._directory.mkdir(parents=True, exist_ok=True)
                self._directory.chmod(DIRECTORY_MODE)
            flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW
            handle = os.open(path, flags, FILE_MODE)
            try:
                os.fchmod(handle, FILE_MODE)  # os.open alone applies the umask
                os.write(handle, text)
                os.fsync(handle)
            finally:
                os.close(handle)
        except OSError as error:
            raise StoreError(
                f"the quarantine {path} cannot be written: {error.strerror}"
            ) from error
        is_new = path not in counts
        counts[path] = counts.get(path, 0) + 1
        self._sizes[path] = self._sizes.get(path, 0) + len(text)
        self._last_cursor = refused.cursor
        if is_new:
            self._prune(refused.at_s)

    def count(self, now_s: float) -> int:
        self._loaded()
        self._prune(now_s)
        return sum(self._loaded().values())

    def _loaded(self) -> dict[Path, int]:
        if self._counts is None:
            counts: dict[Path, int] = {}
            files = dead_letter_files(self._directory)
            try:
                for path in files:
                    content = path.read_bytes()
                    counts[path], self._sizes[path] = content.count(b"\n"), len(content)
            except OSError as error:
                raise StoreError(
                    f"the quarantine {self._directory} cannot be read: {error.strerror}"
                ) from error
            self._last_cursor = _last_cursor(files[-1]) if files else None
            self._counts = counts
        return self._counts

    def _path_for(self, at: datetime) -> Path:
        """The newest part of the day, or the next one when that is full."""
        stem = f"refused-{at:%Y%m%d}"
        parts = sorted((each for each in self._sizes if each.stem.startswith(stem)), key=_stem)
        if not parts:
            return self._directory / f"{stem}.jsonl"
        if self._sizes[parts[-1]] < self._part_bytes:
            return parts[-1]
        number = int(parts[-1].stem.removeprefix(stem).lstrip("-") or 1)
        return self._directory / f"{stem}-{number + 1:04}.jsonl"

    def _prune(self, now_s: float) -> None:
        """Remove files that are too old, and the oldest ones above the size; never the newest."""
        counts = self._loaded()
        oldest = datetime.fromtimestamp(now_s, UTC) - timedelta(days=KEEP_DAYS)
        oldest_kept = f"refused-{oldest:%Y%m%d}"
        excess = sum(self._sizes.values()) - self._max_bytes
        for path in sorted(counts, key=_stem)[:-1]:
            if path.stem >= oldest_kept and excess <= 0:
                return
            path.unlink(missing_ok=True)
            excess -= self._sizes.pop(path)
            del counts[path]


def dead_letter_files(directory: Path) -> list[Path]:
    """The files of a quarantine, the oldest first."""
    return sorted(directory.glob("refused-*.jsonl"), key=_stem)


def read_dead_letters(directory: Path, since_s: float = 0.0) -> Iterator[RefusedPoint]:
    """The refused points of a quarantine, the oldest first; incomplete lines are left out.

    Raises StoreError.
    """
    for path in dead_letter_files(directory):
        try:
            lines = path.read_text(errors="replace").splitlines()
        except OSError as error:
            raise StoreError(f"the quarantine {path} cannot be read: {error.strerror}") from error
        for line in lines:
            try:
                entry = json.loads(line)
                at_s = datetime.fromisoformat(entry["at"]).timestamp()
                refused = RefusedPoint(
                    at_s, entry["cursor"], entry["status"], entry["words"], entry["line"]
                )
            except (ValueError, KeyError, TypeError):
                continue
            if at_s >= since_s:
                yield refused


def _stem(path: Path) -> str:
    """Orders the parts of a day: `refused-20261124` before `refused-20261124-0002`."""
    return path.stem


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
