"""Who must know at once: what people do goes to the pipeline, what is new to the dispatcher."""

from __future__ import annotations

from monitor.core.alerting import Action, Window
from monitor.core.announcer import Announcer
from monitor.dispatch import Dispatcher
from monitor.pipeline import Pipeline
from monitor.schedule import Job

LOOK_S = 0.5


class Heralds:
    """`monitor.actions.Told`, and the look at what is due, twice a second. On the event loop."""

    def __init__(self, pipeline: Pipeline, announcer: Announcer, dispatcher: Dispatcher) -> None:
        self._pipeline = pipeline
        self._announcer = announcer
        self._dispatcher = dispatcher

    def acted(self, action: Action) -> None:
        """Somebody did something about an incident."""
        self._pipeline.hear(action)

    def planned(self, window: Window) -> None:
        """A maintenance window is new, or was ended early."""
        self._announcer.planned()
        self._pipeline.hear()

    def queued(self) -> None:
        """There is something new to send."""
        self._dispatcher.wake()

    def jobs(self) -> list[Job]:
        """Reminders, next steps, ends of holds and of maintenance."""
        return [Job("notices", LOOK_S, self._look, deadline_s=2 * LOOK_S)]

    async def _look(self) -> None:
        self._pipeline.hear()
