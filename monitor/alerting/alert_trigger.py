"""Forwards incident actions to the pipeline and wakes the dispatcher when messages are queued."""

from __future__ import annotations

from monitor.alerting.dispatcher import Dispatcher
from monitor.core.alerting.model import IncidentAction, MaintenanceWindow
from monitor.core.alerting.notifier import Notifier
from monitor.core.job import Job
from monitor.pipeline.pipeline import Pipeline

INTERVAL_S = 0.5


class AlertTrigger:
    """`ActionListener`; also evaluates twice a second what is due by time. Event loop only."""

    def __init__(self, pipeline: Pipeline, notifier: Notifier, dispatcher: Dispatcher) -> None:
        self._pipeline = pipeline
        self._notifier = notifier
        self._dispatcher = dispatcher

    def on_action(self, action: IncidentAction) -> None:
        """A person acted on an incident."""
        self._pipeline.apply_action(action)

    def on_maintenance(self, window: MaintenanceWindow) -> None:
        """A maintenance window was added or ended early."""
        self._notifier.maintenance_changed()
        self._pipeline.evaluate_alerts()

    def on_queued(self) -> None:
        """The outbox has new rows."""
        self._dispatcher.wake()

    def jobs(self) -> list[Job]:
        """Reminders, escalation steps, ends of holds and of maintenance."""
        return [Job("notices", INTERVAL_S, self._evaluate, deadline_s=2 * INTERVAL_S)]

    async def _evaluate(self) -> None:
        self._pipeline.evaluate_alerts()
