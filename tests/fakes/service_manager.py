"""A service manager that keeps the notifications."""

from __future__ import annotations


class FakeServiceManager:
    """`ServiceNotifier` for tests. signs: count of `alive`; status_lines: those of `status`."""

    def __init__(self, watchdog_s: float | None = 90.0) -> None:
        self.watchdog_s = watchdog_s
        self.signs = 0
        self.status_lines: list[str] = []

    def alive(self) -> None:
        self.signs += 1

    def status(self, text: str) -> None:
        self.status_lines.append(text)
