"""One incident whole, and what hangs on it, in JSON: handling, actions, notices, messages.

The same documents for the local API, the commands and the dashboard. Pure.
"""

from __future__ import annotations

from collections.abc import Sequence

from monitor.core.alerting.documents import (
    action_document,
    handling_document,
    notification_document,
    outbox_document,
)
from monitor.core.alerting.handling import handling_of
from monitor.core.alerting.model import IncidentAction, OutboxRow, PolicyDecision
from monitor.core.documents import Document, incident_document
from monitor.core.model import Incident


def full_incident_document(
    incident: Incident,
    actions: Sequence[IncidentAction],
    notices: Sequence[PolicyDecision],
    rows: Sequence[OutboxRow],
    at_s: float,
) -> Document:
    """One incident whole, as in `pantau incidents ID --json`. at_s: now (UTC)."""
    return {
        "incident": incident_document(incident),
        "handling": handling_document(handling_of(actions), at_s),
        "actions": [action_document(action) for action in actions],
        "notices": [notification_document(notice) for notice in notices],
        "outbox": [outbox_document(row) for row in rows],
    }
