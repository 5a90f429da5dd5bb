"""The requests to send samples to InfluxDB again, of all shippers, as a JSON file."""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from monitor.adapters.system.atomic_file import replace_file
from monitor.core.errors import StoreError
from monitor.core.ports import ResendRequest

FILE_MODE = 0o640


class ResendFile:
    """`ResendStore` in one file; thread-safe. A file that cannot be read counts as empty.

    problem: why it could not be read, None when it could.
    """

    def __init__(self, path: Path) -> None:
        self.problem: str | None = None
        self._path = path
        self._lock = threading.Lock()
        self._saved: dict[str, tuple[ResendRequest, ...]] = {}
        try:
            self._saved = _parsed(path.read_text())
        except FileNotFoundError:
            pass
        except (OSError, ValueError, TypeError, AttributeError) as error:
            self.problem = (
                f"{path} cannot be read ({error}): what was to be sent to InfluxDB again is"
                " forgotten, ask for it again with `pantau influx resend`"
            )

    def load(self, name: str) -> tuple[ResendRequest, ...]:
        return self._saved.get(name, ())

    def save(self, name: str, requests: Sequence[ResendRequest]) -> None:
        with self._lock:
            if tuple(requests) == self._saved.get(name, ()):
                return
            saved = {**self._saved, name: tuple(requests)}
            document = {key: [asdict(each) for each in values] for key, values in saved.items()}
            try:
                replace_file(self._path, json.dumps(document).encode(), FILE_MODE)
            except OSError as error:
                raise StoreError(f"{self._path} cannot be written: {error.strerror}") from error
            self._saved = saved


def _parsed(text: str) -> dict[str, tuple[ResendRequest, ...]]:
    """Raises ValueError, TypeError or AttributeError for another document."""
    return {
        str(name): tuple(ResendRequest(**each) for each in values)
        for name, values in json.loads(text).items()
    }
