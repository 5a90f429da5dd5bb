"""Dead letters in memory."""

from __future__ import annotations

from collections.abc import Sequence

from monitor.core.errors import StoreError
from monitor.core.ports import RefusedPoint, ResendRequest


class MemoryDeadLetters:
    """`DeadLetterStore` for tests. Set `error` and every call raises it."""

    def __init__(self) -> None:
        self.letters: list[RefusedPoint] = []
        self.error: StoreError | None = None

    def add(self, refused: RefusedPoint) -> None:
        if self.error is not None:
            raise self.error
        if not self.letters or self.letters[-1].cursor != refused.cursor:
            self.letters.append(refused)

    def count(self, now_s: float) -> int:
        if self.error is not None:
            raise self.error
        return len(self.letters)


class MemoryResendStore:
    """`ResendStore` for tests. Set `error` and every save raises it."""

    def __init__(self) -> None:
        self.saved: dict[str, tuple[ResendRequest, ...]] = {}
        self.error: StoreError | None = None

    def load(self, name: str) -> tuple[ResendRequest, ...]:
        return self.saved.get(name, ())

    def save(self, name: str, requests: Sequence[ResendRequest]) -> None:
        if self.error is not None:
            raise self.error
        self.saved[name] = tuple(requests)
