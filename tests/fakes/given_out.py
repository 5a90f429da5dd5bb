"""`GivenOutStore` in memory."""

from __future__ import annotations

from monitor.core.alerting.given_out import GivenOut


class MemoryGivenOut:
    """saved: what was kept last."""

    def __init__(self) -> None:
        self.saved = GivenOut()

    def load(self) -> GivenOut:
        return self.saved

    def save(self, numbers: GivenOut) -> None:
        self.saved = numbers
