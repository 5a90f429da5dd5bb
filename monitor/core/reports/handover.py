"""The summary of a shift (`pantau handover`)."""

from __future__ import annotations

from collections.abc import Sequence

from monitor.core.alerting.documents import window_document, with_handling
from monitor.core.alerting.handling import group_by_incident
from monitor.core.alerting.model import IncidentAction, MaintenanceWindow
from monitor.core.documents import Document, rfc3339
from monitor.core.model import Incident

MAINTENANCE_AHEAD_S = 86_400.0
"""Maintenance windows that begin within so long are listed."""


def handover_document(
    incidents: Sequence[Incident],
    actions: Sequence[IncidentAction],
    windows: Sequence[MaintenanceWindow],
    oncall: Sequence[Document],
    since_s: float,
    at_s: float,
    ledger: str,
) -> Document:
    """Open incidents, those that ended since `since_s`, maintenance, and who is on call.

    Times UTC. actions: all of these incidents. windows: in force now or ahead. ledger: see
    `incident_document`.
    """
    by_incident = group_by_incident(actions)
    found = [(i, with_handling(i, by_incident.get(i.id, ()), at_s, ledger)) for i in incidents]
    return {
        "at": rfc3339(at_s),
        "since": rfc3339(since_s),
        "open": [document for i, document in found if i.ended_s is None],
        "over": [document for i, document in found if i.ended_s is not None],
        "maintenance": [window_document(window, at_s) for window in windows],
        "oncall": list(oncall),
    }
