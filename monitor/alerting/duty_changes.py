"""Tells whoever goes on duty what is open: when a turn begins, and when an override or reload says.

The person on duty when the daemon was last alive is known by the rota, so that a change while it
did not run is told at its start. A change is told once: its message has a fixed key.
"""

from __future__ import annotations

from monitor.core.alerting.alerting_state import AlertingState
from monitor.core.alerting.rota import Turn
from monitor.core.job import Job
from monitor.core.ports import Clock
from monitor.pipeline.pipeline import Pipeline

INTERVAL_S = 2.0

RECENT_S = 600.0
"""A turn that began earlier is told of because of a reload or a long stop: under a new key."""


class DutyChanges:
    """A job. last_alive_s: when a daemon last ran (UTC; None: never)."""

    def __init__(
        self,
        pipeline: Pipeline,
        clock: Clock,
        alerting_state: AlertingState,
        last_alive_s: float | None,
    ) -> None:
        self._pipeline = pipeline
        self._clock = clock
        self._alerting_state = alerting_state
        at_s = self._now_s() if last_alive_s is None else min(last_alive_s, self._now_s())
        self._on_duty = self._people(at_s)

    def jobs(self) -> list[Job]:
        return [Job("duty_changes", INTERVAL_S, self.look, deadline_s=5 * INTERVAL_S)]

    async def look(self) -> None:
        """Compare with the last look; a rota that is new changes nobody."""
        now_s = self._now_s()
        for turn, _ in self._alerting_state.routing.turns(now_s):
            before = self._on_duty.get(turn.rota, turn.person)
            if turn.person is not None and turn.person != before:
                self._pipeline.hand_over(turn.rota, turn.person, _sequence(turn, now_s))
        self._on_duty = self._people(now_s)

    def _people(self, at_s: float) -> dict[str, str | None]:
        turns = self._alerting_state.routing.turns(at_s)
        return {turn.rota: turn.person for turn, _ in turns}

    def _now_s(self) -> float:
        return self._clock.utc_s(self._clock.steady_s())


def _sequence(turn: Turn, now_s: float) -> int:
    """The same again for the same change."""
    start_s = turn.start_s
    return int(now_s if start_s is None or start_s < now_s - RECENT_S else start_s)
