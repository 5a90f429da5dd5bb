"""The configuration of path tracing."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TraceSettings:
    """baseline_every_h: hours between two traces of the usual path of a target that is up."""

    enabled: bool = True
    max_hops: int = 20
    baseline_every_h: float = 24.0
