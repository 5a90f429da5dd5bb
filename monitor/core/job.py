"""APScheduler starts the rounds, the polls and the housekeeping; a guard keeps it going.

APScheduler counts by the wall clock: after a step back it would start nothing until the old time
is reached again. The guard compares wall and steady time twice a second and re-plans every job
on a step. After a step forward, or a night of suspend, its own triggers would first list every
run that was missed, hundreds of thousands of them: ours goes on with the next one.
Timing inside a round is steady and not APScheduler's affair.

This is the job boundary: whatever a job, or a callback of the event loop, raises is logged,
counted, and the next run comes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Job:
    """Something that is started again and again.

    Runs start on whole multiples of `every_s` (10 s: at :00, :10, …).
    deadline_s: a run that takes longer is cancelled and said.
    """

    name: str
    every_s: float
    run: Callable[[], Awaitable[None]]
    deadline_s: float
