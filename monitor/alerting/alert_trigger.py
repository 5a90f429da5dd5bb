"""Who must know at once: what people do goes to the pipeline, what is new to the dispatcher."""

from __future__ import annotations

from monitor.alerting.dispatcher import Dispatcher
from monitor.core.alerting.model import IncidentAction, MaintenanceWindow
from monitor.core.alerting.notifier import Notifier
from monitor.core.job import Job
from monitor.pipeline.pipeline import Pipeline

LOOK_S = 0.5


class AlertTrigger:
    """Forward incident actions to the pipeline and look for due notifications twice a second.

    Called on the event loop only.
    """

    def __init__(self, pipeline: Pipeline, notifier: Notifier, dispatcher: Dispatcher) -> None:
        self._pipeline = pipeline
        self._notifier = notifier
        self._dispatcher = dispatcher

    def on_action(self, action: IncidentAction) -> None:
        """Somebody did something about an incident."""
        self._pipeline.apply_action(action)

    def on_maintenance(self, window: MaintenanceWindow) -> None:
        """A maintenance window is new, or was ended early."""
        self._notifier.maintenance_changed()
        self._pipeline.evaluate_alerts()

    def on_queued(self) -> None:
        """There is something new to send."""
        self._dispatcher.wake()

    def jobs(self) -> list[Job]:
        """Reminders, next steps, ends of holds and of maintenance."""
        return [Job("notices", LOOK_S, self._look, deadline_s=2 * LOOK_S)]

    async def _look(self) -> None:
        self._pipeline.evaluate_alerts()
