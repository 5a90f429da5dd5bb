"""Where each reader of the log stands, kept in one small file that is replaced as a whole."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path

from monitor.adapters.journal.cursor import Cursor
from monitor.core.errors import JournalError

NAME = "cursors.json"
OF_ROLLUPS = ("influxdb_1m", "influxdb_1h", "influxdb_1m_live", "influxdb_1h_live")
"""Readers of the rollups' logs."""


def load(directory: Path) -> dict[str, str]:
    """Name to cursor; empty when nothing was saved yet. Raises JournalError."""
    path = directory / NAME
    try:
        saved = json.loads(path.read_text())
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise JournalError(
            f"{path} cannot be read ({error}): everything kept is sent once more"
        ) from error
    if not isinstance(saved, dict) or not all(isinstance(text, str) for text in saved.values()):
        raise JournalError(f"{path} holds no cursors: everything kept is sent once more")
    return saved


def save(directory: Path, cursors: Mapping[str, str]) -> None:
    """Durable when it returns: written beside, synced, renamed, the directory synced."""
    path = directory / NAME
    beside = path.with_suffix(".new")
    try:
        with beside.open("w") as file:
            json.dump(cursors, file)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
        handle = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
    except OSError as error:
        raise JournalError(f"{path} cannot be written: {error.strerror}") from error


class Cursors:
    """All of them. problems: takes a sentence when they cannot be read."""

    def __init__(self, directory: Path, problems: list[str], lengths: Mapping[str, int]) -> None:
        self._directory = directory
        self._saved: dict[str, str] = {}
        try:
            # Held to the lengths of the days of rows: rollups have logs of their own.
            for name, text in load(directory).items():
                parsed = Cursor.parse(text)
                raw = name not in OF_ROLLUPS
                self._saved[name] = str(parsed.within(lengths) if raw else parsed)
        except JournalError as error:
            self._saved = {}
            problems.append(str(error))

    def get(self, name: str) -> str | None:
        return self._saved.get(name)

    def save(self, name: str, cursor: str) -> None:
        """Durable when it returns."""
        saved = {**self._saved, name: cursor}
        save(self._directory, saved)
        self._saved = saved
