"""A source of the present state with a settable document."""

from __future__ import annotations

from typing import Any

from monitor.core.documents import Document
from monitor.core.errors import PantauError


class FakeStateSource:
    """`StateSource` for tests. Set `trouble` and every read raises it."""

    def __init__(self, document: Document) -> None:
        self.current = document
        self.trouble: PantauError | None = None
        self.reads = 0

    def document(self) -> dict[str, Any]:
        self.reads += 1
        if self.trouble is not None:
            raise self.trouble
        return dict(self.current)
