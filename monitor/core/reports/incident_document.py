"""The document of `pantau incidents ID --json`."""

from __future__ import annotations

from collections.abc import Sequence

from monitor.core.alerting.documents import (
    action_document,
    handling_document,
    outbox_document,
    policy_decision_document,
)
from monitor.core.alerting.handling import handling_of
from monitor.core.alerting.model import IncidentAction, OutboxRow, PolicyDecision
from monitor.core.documents import Document, incident_document, trace_document
from monitor.core.model import Incident
from monitor.core.paths.model import IncidentTrace


def full_incident_document(
    incident: Incident,
    actions: Sequence[IncidentAction],
    decisions: Sequence[PolicyDecision],
    rows: Sequence[OutboxRow],
    traces: Sequence[IncidentTrace],
    at_s: float,
    ledger: str,
) -> Document:
    """An incident with its handling, actions, policy decisions, messages and path traces.

    at_s: now (UTC). ledger: see `incident_document`.
    """
    return {
        "incident": incident_document(incident, ledger),
        "handling": handling_document(handling_of(actions), at_s),
        "actions": [action_document(action) for action in actions],
        "notices": [policy_decision_document(decision) for decision in decisions],
        "outbox": [outbox_document(row) for row in rows],
        "paths": [trace_document(trace) for trace in traces],
    }
