"""Interfaces of path tracing: who sends, and where traces are kept."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Protocol

from monitor.core.paths.model import IncidentTrace, PathBaseline, PathTrace


class Tracer(Protocol):
    """Traces the path to a target that is probed; the probes themselves are not affected."""

    async def trace(self, target: str, max_hops: int) -> PathTrace | None:
        """Requests with TTL 1 to max_hops. None: it could not be measured, and proves nothing.

        Not measured: the target is not probed, left or moved meanwhile; nothing could be sent;
        replies may have been missed.
        """
        ...


class PathReader(Protocol):
    """Queries. Raises LedgerError."""

    def path_baselines(self) -> list[PathBaseline]:
        """The usual path of each target that has one, by target."""
        ...

    def incident_traces(self, incident: int) -> list[IncidentTrace]:
        """The traces of one incident, oldest first."""
        ...


class PathStore(PathReader, Protocol):
    """Queries and writes. Raises LedgerError, and then nothing of the call is stored."""

    def record_paths(
        self, baselines: Collection[PathBaseline], traces: Sequence[IncidentTrace]
    ) -> None:
        """Store usual paths (one a target) and traces; removes the oldest above the limits."""
        ...
