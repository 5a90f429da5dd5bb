"""A client of the daemon's API that records actions instead of sending them."""

from __future__ import annotations

from collections.abc import Mapping

from monitor.core.errors import PantauError


class FakeActionClient:
    """`dashboard.reads.actions.Doer` for tests. Set `trouble` and every action raises it."""

    def __init__(self) -> None:
        self.posted: list[tuple[str, Mapping[str, object]]] = []
        self.trouble: PantauError | None = None

    def post(self, path: str, body: Mapping[str, object], /) -> Mapping[str, object]:
        if self.trouble is not None:
            raise self.trouble
        self.posted.append((path, body))
        return {}
