"""What people did and planned, in memory, and the alert settings in force.

The ledger stores all of it; the daemon needs at every moment which incidents are acknowledged and
which targets are under maintenance.
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
from monitor.core.alerting.office_status import Offices
from monitor.core.alerting.routing import AlertRouting
from monitor.core.alerting.settings import AlertSettings
from monitor.core.documents import Document
from monitor.core.ledger_identity import LedgerIdentity
from monitor.core.model import Incident, Network

ACKNOWLEDGED = "acknowledged"
MAINTENANCE = "maintenance"

WINDOW_RETENTION_S = 691_200.0
"""Windows that ended longer ago (8 days) are dropped; no recurring one lasts longer."""

MAX_WINDOW_AHEAD_S = 31_622_400.0
"""No window begins later than that from now (366 days)."""


class AlertingState:
    """Incident actions, maintenance windows, and settings, routing and message writer in force.

    Times are UTC seconds. link_key: signs links in messages; None: they are not signed.
    ledger: the identity of the ledger that the incidents are numbered in.
    """

    __slots__ = (
        "_actions",
        "_link_key",
        "_maintenance",
        "alerts",
        "ledger",
        "message_writer",
        "offices",
        "routing",
        "zone",
    )

    def __init__(
        self,
        alerts: AlertSettings,
        network: Network,
        zone: tzinfo = UTC,
        link_key: bytes | None = None,
        ledger: LedgerIdentity = LedgerIdentity(),  # noqa: B008  frozen
    ) -> None:
        self.ledger = ledger
        self._actions: dict[int, list[IncidentAction]] = {}
        self._link_key = link_key
        self._maintenance = MaintenanceCalendar({})
        self.reconfigure(alerts, network, zone)

    def reconfigure(self, alerts: AlertSettings, network: Network, zone: tzinfo) -> None:
        """Take another configuration; actions and windows stay."""
        self.alerts = alerts
        self.offices = Offices(network)
        self.zone = zone
        self.routing = AlertRouting(alerts, network, zone)
        self.message_writer = MessageWriter(
            network, alerts, zone, self._link_key, self.ledger.value
        )
        self._maintenance = replace(
            self._maintenance,
            targets_by_name=targets_by_name(network),
            zone=zone,
            recurring=alerts.maintenance,
        )

    @property
    def maintenance(self) -> MaintenanceCalendar:
        """All known windows, recurring ones included."""
        return self._maintenance

    def restore(
        self, actions: Iterable[IncidentAction], windows: Iterable[MaintenanceWindow]
    ) -> None:
        """Replace actions and windows by those in the ledger."""
        self._actions = group_by_incident(actions)
        self._maintenance = replace(self._maintenance, windows=tuple(windows))

    def add_action(self, action: IncidentAction) -> None:
        self._actions.setdefault(action.incident, []).append(action)

    def add_window(self, window: MaintenanceWindow, at_s: float) -> None:
        """Add a window, or replace the one with its id (it was ended early)."""
        others = [
            each
            for each in self._maintenance.windows
            if each.id != window.id and each.effective_end_s > at_s - WINDOW_RETENTION_S
        ]
        self._maintenance = replace(self._maintenance, windows=(*others, window))

    def handling(self, incident: int) -> Handling:
        """Acknowledgement, snooze, ticket, cause and notes of an incident."""
        return handling_of(self._actions.get(incident, ()))

    def overlays(self, incidents: Sequence[Incident], at_s: float) -> dict[str, tuple[str, ...]]:
        """`acknowledged` and `maintenance` by target, to show beside its state.

        incidents: the open ones; an acknowledged one counts for its target and all affected ones.
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
