"""Documents about incidents and alerts, from any reader of the ledger.

The local API reads through the daemon's ledger, `pantau` through the file. All raise LedgerError,
and NotFound for an unknown number. Times are Unix seconds.
"""

from __future__ import annotations

from monitor.core.alerting.alerting_state import (
    MAX_WINDOW_AHEAD_S,
    WINDOW_RETENTION_S,
    AlertingState,
)
from monitor.core.alerting.documents import outbox_document, window_document, with_handling
from monitor.core.alerting.handling import group_by_incident
from monitor.core.alerting.model import OutboxStatus
from monitor.core.alerting.ports import AlertReader
from monitor.core.documents import Document, rfc3339
from monitor.core.errors import NotFound
from monitor.core.model import Incident
from monitor.core.reports.handover import MAINTENANCE_AHEAD_S, handover_document
from monitor.core.reports.incident_document import full_incident_document

LISTED_AHEAD_S = 2_678_400.0
"""Maintenance is listed 31 days ahead."""


def incident(ledger: AlertReader, number: int) -> Incident:
    """The incident of that number."""
    found = ledger.incident(number)
    if found is None:
        raise NotFound(f"there is no incident {number}: `pantau incidents --all` lists them")
    return found


def incident_details(ledger: AlertReader, number: int, at_s: float) -> Document:
    """One incident with its actions, alert decisions and messages."""
    found = incident(ledger, number)
    notices = ledger.policy_decisions([number])
    threads = {notice.thread for notice in notices if notice.thread is not None} | {number}
    rows = [row for thread in sorted(threads) for row in ledger.outbox(incident=thread)]
    about = [row for row in rows if number in (row.about or (row.incident,))]
    traces = ledger.incident_traces(number)
    identity = ledger.identity().value
    return full_incident_document(
        found, ledger.actions([number]), notices, about, traces, at_s, identity
    )


def incidents(
    ledger: AlertReader,
    at_s: float,
    *,
    since_s: float | None = None,
    include_closed: bool = False,
    limit: int | None = None,
) -> Document:
    """Incidents by ascending id, each with its handling. limit: the newest so many."""
    found = ledger.incidents(since_s=since_s, include_closed=include_closed, limit=limit)
    actions = group_by_incident(ledger.actions([each.id for each in found]))
    identity = ledger.identity().value
    return {
        "incidents": [
            with_handling(each, actions.get(each.id, ()), at_s, identity) for each in found
        ]
    }


def outbox(
    ledger: AlertReader, status: OutboxStatus | None = None, limit: int | None = None
) -> Document:
    """Messages by ascending id; status None: all."""
    return {"outbox": [outbox_document(row) for row in ledger.outbox(status, limit=limit)]}


def message(ledger: AlertReader, number: int) -> Document:
    """One message."""
    found = ledger.outbox_row(number)
    if found is None:
        raise NotFound(f"there is no message {number}: `pantau outbox` lists them")
    return outbox_document(found)


def maintenance(
    alerting_state: AlertingState, at_s: float, ahead_s: float = LISTED_AHEAD_S
) -> Document:
    """Maintenance windows now and ahead, recurring ones included, by start."""
    windows = alerting_state.maintenance.windows_between(at_s, at_s + ahead_s)
    return {"at": rfc3339(at_s), "maintenance": [window_document(each, at_s) for each in windows]}


def oncall(alerting_state: AlertingState, at_s: float) -> Document:
    """Who is on call now, and who is next."""
    return {"at": rfc3339(at_s), "oncall": alerting_state.oncall(at_s)}


def handover(
    ledger: AlertReader, alerting_state: AlertingState, since_s: float, at_s: float
) -> Document:
    """The summary of the shift that began at `since_s`."""
    found = ledger.incidents(since_s=since_s)
    return handover_document(
        found,
        ledger.actions([each.id for each in found]),
        alerting_state.maintenance.windows_between(at_s, at_s + MAINTENANCE_AHEAD_S),
        alerting_state.oncall(at_s),
        since_s,
        at_s,
        ledger.identity().value,
    )


def remember_windows(ledger: AlertReader, alerting_state: AlertingState, at_s: float) -> None:
    """Load the maintenance windows of the ledger into an alerting state."""
    alerting_state.restore((), ledger.windows(at_s - WINDOW_RETENTION_S, at_s + MAX_WINDOW_AHEAD_S))
