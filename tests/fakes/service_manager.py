"""A service manager that remembers what it was told."""

from __future__ import annotations


class FakeServiceManager:
    """`watching.Manager` for tests; watchdog_s: how long it would wait for a sign of life."""

    def __init__(self, watchdog_s: float | None = 90.0) -> None:
        self.watchdog_s = watchdog_s
        self.signs = 0
        self.told: list[str] = []

    def alive(self) -> None:
        self.signs += 1

    def status(self, words: str) -> None:
        self.told.append(words)
