"""What people did and planned, in memory, and the alert settings in force.

The ledger keeps it all; this is what the daemon needs at hand at every moment: which incidents
somebody has in hand, and which targets are under maintenance.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, tzinfo

from monitor.core.alerting.documents import oncall_documents
from monitor.core.alerting.handling import Handling, group_by_incident, handling_of
from monitor.core.alerting.maintenance import MaintenanceCalendar, targets_by_name
from monitor.core.alerting.messages.message_writer import MessageWriter
from monitor.core.alerting.model import IncidentAction, MaintenanceWindow
from monitor.core.alerting.routing import AlertRouting
from monitor.core.alerting.settings import AlertSettings
from monitor.core.documents import Document
from monitor.core.model import Incident, Network

ACKNOWLEDGED = "acknowledged"
MAINTENANCE = "maintenance"

WINDOW_RETENTION_S = 691_200.0
"""Windows that were over for so long (8 days) are let go; no recurring one lasts longer."""

MAX_WINDOW_AHEAD_S = 31_622_400.0
"""A window may begin so far ahead (366 days)."""


class AlertingState:
    """Times are UTC seconds. Of the configuration in force: alerts, zone; duty: who is told, by
    the routes and the rota; words: what a message says. link_key: signs the links in messages;
    None: they are not signed.
    """

    __slots__ = (
        "_actions",
        "_link_key",
        "_maintenance",
        "alerts",
        "message_writer",
        "routing",
        "zone",
    )

    def __init__(
        self,
        alerts: AlertSettings,
        network: Network,
        zone: tzinfo = UTC,
        link_key: bytes | None = None,
    ) -> None:
        self._actions: dict[int, list[IncidentAction]] = {}
        self._link_key = link_key
        self._maintenance = MaintenanceCalendar({})
        self.reconfigure(alerts, network, zone)

    def reconfigure(self, alerts: AlertSettings, network: Network, zone: tzinfo) -> None:
        """Another configuration is in force; what people did stays."""
        self.alerts = alerts
        self.zone = zone
        self.routing = AlertRouting(alerts, network, zone)
        self.message_writer = MessageWriter(network, alerts, zone, self._link_key)
        self._maintenance = replace(
            self._maintenance,
            targets_by_name=targets_by_name(network),
            zone=zone,
            recurring=alerts.maintenance,
        )

    @property
    def maintenance(self) -> MaintenanceCalendar:
        """All windows that are known, recurring ones included."""
        return self._maintenance

    def restore(
        self, actions: Iterable[IncidentAction], windows: Iterable[MaintenanceWindow]
    ) -> None:
        """What the ledger kept from before the start."""
        self._actions = group_by_incident(actions)
        self._maintenance = replace(self._maintenance, windows=tuple(windows))

    def add_action(self, action: IncidentAction) -> None:
        """Somebody did something about an incident."""
        self._actions.setdefault(action.incident, []).append(action)

    def add_window(self, window: MaintenanceWindow, at_s: float) -> None:
        """A window is new, or was ended early."""
        others = [
            each
            for each in self._maintenance.windows
            if each.id != window.id and each.effective_end_s > at_s - WINDOW_RETENTION_S
        ]
        self._maintenance = replace(self._maintenance, windows=(*others, window))

    def handling(self, incident: int) -> Handling:
        """How an open incident is being handled."""
        return handling_of(self._actions.get(incident, ()))

    def overlays(self, incidents: Sequence[Incident], at_s: float) -> dict[str, tuple[str, ...]]:
        """What is shown beside the state of a target now. incidents: the open ones.

        An acknowledged incident shows on its target and on all that it affects.
        """
        found: dict[str, list[str]] = {}
        for incident in incidents:
            if self.handling(incident.id).active_acknowledgement(at_s) is not None:
                for target in dict.fromkeys((incident.target, *incident.affected)):
                    found.setdefault(target, []).append(ACKNOWLEDGED)
        for target in self._maintenance.covered_targets(at_s):
            found.setdefault(target, []).append(MAINTENANCE)
        return {target: tuple(dict.fromkeys(names)) for target, names in found.items()}

    def oncall(self, at_s: float) -> list[Document]:
        """Each rota: who is on call now, and who is next."""
        return oncall_documents(self.alerts, self.routing.turns(at_s))
