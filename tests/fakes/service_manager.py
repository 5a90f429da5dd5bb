"""A service manager that keeps the notifications."""

from __future__ import annotations


class FakeServiceManager:
    """`ServiceNotifier` for tests. signs: how often `alive` came; told: the status lines."""

    def __init__(self, watchdog_s: float | None = 90.0) -> None:
        self.watchdog_s = watchdog_s
        self.signs = 0
        self.told: list[str] = []

    def alive(self) -> None:
        self.signs += 1

    def status(self, text: str) -> None:
        self.told.append(text)
