"""A journal in memory: the same behaviour as SqliteJournal, without a file."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from monitor.core.errors import JournalError
from monitor.core.ports import JournalBatch
from monitor.core.samples.samples import Sample
from tests.fakes.samples import MemorySource


class MemoryJournal(MemorySource):
    """`Journal` for tests. While `trouble` is set every call that touches the disk raises it."""

    def __init__(self) -> None:
        super().__init__()
        self.trouble: JournalError | None = None
        self.saved: dict[str, str] = {}
        self.closed = False
        self._lock = threading.Lock()

    def check(self) -> None:
        self._check()

    def append(self, samples: Sequence[Sample]) -> None:
        self._check()
        with self._lock:
            self.add(samples)

    def read_after(self, cursor: str | None, limit: int) -> JournalBatch:
        self._check()
        with self._lock:
            begin = int(cursor or 0)
            found = tuple(self._samples[begin : begin + limit])
            return JournalBatch(str(begin + len(found)), found)

    def lag(self, cursor: str | None) -> int:
        with self._lock:
            return len(self._samples) - int(cursor or 0)

    def head(self, back: int = 0) -> str:
        with self._lock:
            return str(max(0, len(self._samples) - back))

    def span(self, since_s: float, until_s: float) -> tuple[str, str]:
        with self._lock:
            within = [
                place
                for place, sample in enumerate(self._samples)
                if since_s <= sample.at_s < until_s
            ]
            end = len(self._samples)
            return str(min(within, default=end)), str(max(within, default=end - 1) + 1)

    def save_cursor(self, name: str, cursor: str | None) -> None:
        self._check()
        if cursor is None:
            self.saved.pop(name, None)
        else:
            self.saved[name] = cursor

    def load_cursor(self, name: str) -> str | None:
        return self.saved.get(name)

    def close(self) -> None:
        self.closed = True

    def _check(self) -> None:
        if self.trouble is not None:
            raise self.trouble
