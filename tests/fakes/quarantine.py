"""A quarantine in memory."""

from __future__ import annotations

from monitor.core.errors import StoreError
from monitor.core.ports import RefusedPoint


class MemoryQuarantine:
    """`Quarantine` for tests. Set `trouble` and every call raises it."""

    def __init__(self) -> None:
        self.kept: list[RefusedPoint] = []
        self.trouble: StoreError | None = None

    def add(self, refused: RefusedPoint) -> None:
        if self.trouble is not None:
            raise self.trouble
        if not self.kept or self.kept[-1].cursor != refused.cursor:
            self.kept.append(refused)

    def count(self) -> int:
        if self.trouble is not None:
            raise self.trouble
        return len(self.kept)
