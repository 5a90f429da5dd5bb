"""What people ask about incidents and alerts: from any reader of the ledger, one answer for all.

The local API asks the daemon's ledger, `pantau` the file. Raises LedgerError, and NoSuchThing
where there is nothing of that number. Times are UTC seconds.
"""

from __future__ import annotations

from monitor.core.alerting.documents import outbox_document, window_document, with_handling
from monitor.core.alerting.duty import FAR_S, KEPT_S, DutyState
from monitor.core.alerting.handling import by_incident
from monitor.core.alerting.model import OutboxStatus
from monitor.core.alerting.ports import AlertReader
from monitor.core.documents import Document, rfc3339
from monitor.core.errors import NotFound
from monitor.core.model import Incident
from monitor.core.reports.handover import AHEAD_S, handover_document
from monitor.core.reports.incident_document import case_document

LISTED_AHEAD_S = 2_678_400.0
"""Maintenance is listed 31 days ahead."""


def incident(ledger: AlertReader, number: int) -> Incident:
    """The incident of that number."""
    found = ledger.incident(number)
    if found is None:
        raise NotFound(f"there is no incident {number}: `pantau incidents --all` lists them")
    return found


def case(ledger: AlertReader, number: int, at_s: float) -> Document:
    """One incident whole: what was done, said and sent about it, and why."""
    found = incident(ledger, number)
    notices = ledger.notices([number])
    threads = {notice.thread for notice in notices if notice.thread is not None} | {number}
    rows = [row for thread in sorted(threads) for row in ledger.outbox(incident=thread)]
    about = [row for row in rows if number in (row.about or (row.incident,))]
    return case_document(found, ledger.actions([number]), notices, about, at_s)


def incidents(
    ledger: AlertReader,
    at_s: float,
    *,
    since_s: float | None = None,
    include_closed: bool = False,
    limit: int | None = None,
) -> Document:
    """By ascending id, each with who has it in hand. limit: the newest so many."""
    found = ledger.incidents(since_s=since_s, include_closed=include_closed, limit=limit)
    actions = by_incident(ledger.actions([each.id for each in found]))
    return {"incidents": [with_handling(each, actions.get(each.id, ()), at_s) for each in found]}


def outbox(
    ledger: AlertReader, status: OutboxStatus | None = None, limit: int | None = None
) -> Document:
    """Messages on their way, sent or dead, by ascending id."""
    return {"outbox": [outbox_document(row) for row in ledger.outbox(status, limit=limit)]}


def message(ledger: AlertReader, number: int) -> Document:
    """One message."""
    found = ledger.message(number)
    if found is None:
        raise NotFound(f"there is no message {number}: `pantau outbox` lists them")
    return outbox_document(found)


def maintenance(desk: DutyState, at_s: float, ahead_s: float = LISTED_AHEAD_S) -> Document:
    """The windows in force now and ahead, recurring ones included, by start."""
    windows = desk.maintenance.ahead(at_s, at_s + ahead_s)
    return {"at": rfc3339(at_s), "maintenance": [window_document(each, at_s) for each in windows]}


def oncall(desk: DutyState, at_s: float) -> Document:
    """Who is on call now, and who is next."""
    return {"at": rfc3339(at_s), "oncall": desk.oncall(at_s)}


def handover(ledger: AlertReader, desk: DutyState, since_s: float, at_s: float) -> Document:
    """The summary of the shift that began at `since_s`."""
    found = ledger.incidents(since_s=since_s)
    return handover_document(
        found,
        ledger.actions([each.id for each in found]),
        desk.maintenance.ahead(at_s, at_s + AHEAD_S),
        desk.oncall(at_s),
        since_s,
        at_s,
    )


def remember_windows(ledger: AlertReader, desk: DutyState, at_s: float) -> None:
    """Bring what the ledger knows of maintenance to a desk of one's own."""
    desk.remember((), ledger.windows(at_s - KEPT_S, at_s + FAR_S))
