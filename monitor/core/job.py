"""A periodic job, as the scheduler runs it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Job:
    """Runs start at whole multiples of `every_s` (10 s: at :00, :10, …).

    deadline_s: a run that takes longer is cancelled and logged.
    """

    name: str
    every_s: float
    run: Callable[[], Awaitable[None]]
    deadline_s: float
