"""To notify or not, and why: one reducer over all incidents (ALERTS, the table of rules).

    book, said = advance(book, events, now_s, around)

`book` is consumed: go on with the one returned. Pure: time comes in (`now_s` on the steady
timeline for every delay, `around.utc_s` for what people's clocks decide), deadlines are looked at
whenever it is called, so call it every second even when nothing happened. Each yes and each no
has a named reason. A book that is lost is made again by `recollection`, and repeats nothing.

    cases.py    what is known          gates.py      what keeps a message back
    openings.py  closings.py  repeats.py  flaps.py   the rules, one kind of message each
    telling.py  yes and no, collected  recollection.py  the book, made again from the ledger
"""

from __future__ import annotations

from collections.abc import Iterable

from monitor.core.alerting.model import EventKind, IncidentAction
from monitor.core.alerting.policy.cases import (
    Around,
    Decided,
    Flapper,
    IncidentAlerts,
    PolicyState,
    changes_its_target,
)
from monitor.core.alerting.policy.closings import tell_closings
from monitor.core.alerting.policy.flaps import tell_flapping
from monitor.core.alerting.policy.openings import tell_openings
from monitor.core.alerting.policy.repeats import tell_next_steps, tell_reminders
from monitor.core.alerting.policy.telling import DecisionBuilder
from monitor.core.alerting.reasons import Reason
from monitor.core.model import ChangeKind, IncidentChange, Scope

__all__ = ["Event", "advance"]

Event = IncidentChange | IncidentAction
"""Something that happened: incidents and actions in UTC."""


def advance(
    book: PolicyState, events: Iterable[Event], now_s: float, around: Around
) -> tuple[PolicyState, Decided]:
    """Take in what happened, then decide everything that is due at `now_s`."""
    out = DecisionBuilder(book, around.utc_s)
    for event in events:
        if isinstance(event, IncidentAction):
            case = book.cases.get(event.incident)
            if case is not None:
                case.actions.append(event)
        else:
            _take(book, event, now_s)
    book.look_at_monitor()
    _look_at_clocks(book, now_s, around, out)
    tell_closings(book, now_s, around, out)
    tell_openings(book, now_s, around, out)
    tell_next_steps(book, now_s, around, out)
    tell_reminders(book, now_s, around, out)
    tell_flapping(book, now_s, around, out)
    said = out.said()
    book.tidy()
    return book, said


def _take(book: PolicyState, event: IncidentChange, now_s: float) -> None:
    incident = event.incident
    case = book.cases.get(incident.id)
    if case is None:
        if event.change is ChangeKind.UPDATED and incident.ended_s is not None:
            return  # a cause that was found later: its closing is decided
        case = book.cases[incident.id] = IncidentAlerts(incident, now_s, now_s)
    case.incident = incident
    if event.change is ChangeKind.UPDATED:
        return
    if event.change is ChangeKind.CLOSED:
        case.closed_s = now_s
        if incident.scope is Scope.MONITOR:
            # What was open before is judged anew: give it the time for that.
            for other in book.cases.values():
                other.held_from_s = max(other.held_from_s, now_s)
    if changes_its_target(event):
        flapper = book.flappers.setdefault(incident.target, Flapper(incident))
        flapper.bump(incident, now_s)


def _look_at_clocks(book: PolicyState, now_s: float, around: Around, out: DecisionBuilder) -> None:
    """The time without acknowledgement begins anew after one, and after maintenance."""
    for case in book.cases.values():
        if case.is_told and not case.is_closed and case.incident.target in around.covered:
            case.basis_s = now_s
            out.no(case, EventKind.REMINDER, Reason.MAINTENANCE)
        muted = case.mute(around.utc_s, around.rules) is not None
        if case.muted and not muted:
            case.basis_s = now_s
        case.muted = muted
