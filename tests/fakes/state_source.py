"""The state now, as a test tells it."""

from __future__ import annotations

from typing import Any

from monitor.core.documents import Document
from monitor.core.errors import PantauError


class FakeStateSource:
    """`StateSource` for tests. Set `trouble` and nobody knows the state."""

    def __init__(self, document: Document) -> None:
        self.told = document
        self.trouble: PantauError | None = None
        self.asked = 0

    def document(self) -> dict[str, Any]:
        self.asked += 1
        if self.trouble is not None:
            raise self.trouble
        return dict(self.told)
