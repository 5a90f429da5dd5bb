"""Where each reader of the log stands, kept in one small file that is replaced as a whole."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path

from monitor.core.errors import JournalError

NAME = "cursors.json"


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
