"""The daemon as the page tells it things: keeps what it was told, and refuses when it should."""

from __future__ import annotations

from collections.abc import Mapping

from monitor.core.errors import PantauError


class FakeActionClient:
    """`dashboard.reads.actions.Doer` for tests. Set `trouble` and everything is refused with it."""

    def __init__(self) -> None:
        self.told: list[tuple[str, Mapping[str, object]]] = []
        self.trouble: PantauError | None = None

    def post(self, path: str, body: Mapping[str, object], /) -> Mapping[str, object]:
        if self.trouble is not None:
            raise self.trouble
        self.told.append((path, body))
        return {}
