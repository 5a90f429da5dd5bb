"""Whoever was told of the beginning is told of the end."""

from __future__ import annotations

from monitor.core.alerting.model import EventKind
from monitor.core.alerting.policy.cases import Around, IncidentAlerts, PolicyState
from monitor.core.alerting.policy.gates import first_gate, first_step
from monitor.core.alerting.policy.telling import DecisionBuilder
from monitor.core.alerting.reasons import Reason


def tell_closings(book: PolicyState, now_s: float, around: Around, out: DecisionBuilder) -> None:
    """Decide every closing that came in; those of a group wait for one another."""
    closed = [case for case in book.cases.values() if case.is_closed]
    for case in closed:
        if not case.is_told:
            _close_untold(book, case, now_s, around, out)
            _forget(book, case)
    for thread in [book.threads[number] for number in sorted(book.threads)]:
        ended = [case for case in closed if case.incident.id in thread.members]
        if not ended:
            continue
        if thread.is_group and len(ended) < len(thread.members):
            # Of a group that comes back together people hear once.
            if thread.closing_s is None:
                thread.closing_s = now_s
            if now_s < thread.closing_s + around.rules.hold_s:
                continue
        thread.closing_s = None
        for case in ended:
            receivers = [around.way_to(recipient) for recipient in case.receivers.values()]
            out.yes(case, thread.lead, receivers, EventKind.RESOLVED, Reason.RESOLVED)
            _forget(book, case)


def _close_untold(
    book: PolicyState, case: IncidentAlerts, now_s: float, around: Around, out: DecisionBuilder
) -> None:
    closed_s = now_s if case.closed_s is None else case.closed_s
    route = around.route(case.incident)
    first = first_step(route, around)
    if first is None or first_gate(book, case, route, now_s, around) is not None:
        out.no(case, EventKind.RESOLVED, Reason.NOT_OPENED_NO_CLOSING)
    elif closed_s - case.opened_s < around.rules.hold_s:
        out.no(case, EventKind.RESOLVED, Reason.WITHIN_HOLD)
    else:
        number, recipients = first
        thread = case.incident.id
        out.yes(case, thread, recipients, EventKind.RESOLVED, Reason.WAS_DOWN, step=number)


def _forget(book: PolicyState, case: IncidentAlerts) -> None:
    del book.cases[case.incident.id]
    thread = None if case.thread is None else book.threads[case.thread]
    if thread is not None:
        thread.members.discard(case.incident.id)
        if not thread.members:
            del book.threads[thread.lead]
