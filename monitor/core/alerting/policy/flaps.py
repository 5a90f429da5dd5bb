"""A target that goes up and down: one notice when that begins, one when it is over."""

from __future__ import annotations

from monitor.core.alerting.model import EventKind
from monitor.core.alerting.policy.cases import Around, Flapper, IncidentAlerts, PolicyState
from monitor.core.alerting.policy.gates import first_step
from monitor.core.alerting.policy.telling import DecisionBuilder
from monitor.core.alerting.reasons import Reason

FORGOTTEN_S = 3600.0
"""A target that is steady for so long has no flapping value worth keeping."""


def tell_flapping(book: PolicyState, now_s: float, around: Around, out: DecisionBuilder) -> None:
    """Follow every flapper's value, and say what changed."""
    for target, flapper in list(book.flappers.items()):
        case = book.cases.get(flapper.incident.id)
        if flapper.look(now_s):
            if flapper.thread is None and case is not None:
                _flapping_began(book, flapper, case, around, out)
            continue
        if flapper.thread is not None:
            spoken = case or IncidentAlerts(flapper.incident, now_s, now_s)
            receivers = [around.way_to(recipient) for recipient in flapper.receivers.values()]
            out.yes(spoken, flapper.thread, receivers, EventKind.UPDATED, Reason.FLAPPING_OVER)
            flapper.thread = None
        if now_s - flapper.at_s > FORGOTTEN_S:
            del book.flappers[target]


def _flapping_began(
    book: PolicyState, flapper: Flapper, case: IncidentAlerts, around: Around, out: DecisionBuilder
) -> None:
    if book.cut_off or case.incident.target in around.covered or case.incident.parent is not None:
        return
    first = first_step(around.route(case.incident), around)
    if first is not None:
        number, recipients = first
        flapper.thread = case.incident.id if case.thread is None else case.thread
        flapper.receivers = {recipient.name: recipient for recipient in recipients}
        reason = Reason.FLAPPING_BEGAN
        out.yes(case, flapper.thread, recipients, EventKind.UPDATED, reason, step=number)
