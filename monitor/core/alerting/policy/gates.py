"""What keeps a message back, beside its time: each function gives the first reason, or None."""

from __future__ import annotations

from monitor.core.alerting.model import Recipient
from monitor.core.alerting.policy.cases import Around, IncidentAlerts, PolicyState, steps_of
from monitor.core.alerting.reasons import Reason
from monitor.core.alerting.settings import Route
from monitor.core.model import Incident, Scope, State


def first_gate(
    book: PolicyState, case: IncidentAlerts, route: Route | None, now_s: float, around: Around
) -> Reason | None:
    """Why an opening is not told (its hold aside)."""
    gate = later_gate(book, case, now_s, around)
    if gate is not None:
        return gate
    incident = case.incident
    if book.is_flapping(incident.target) and not _is_long_down(case, now_s, around):
        return Reason.FLAPPING
    if route is None or first_step(route, around) is None:
        return Reason.NOBODY_TO_TELL
    if waits_for_office(route, incident) and not around.office_open(around.utc_s):
        return Reason.WAITS_FOR_OFFICE_HOURS
    return None


def first_step(route: Route | None, around: Around) -> tuple[int, tuple[Recipient, ...]] | None:
    """The first step that reaches somebody now, and whom; None: no step does."""
    for number, step in enumerate(steps_of(route)):
        recipients = around.recipients(step.to)
        if recipients:
            return number, recipients
    return None


def later_gate(
    book: PolicyState, case: IncidentAlerts, now_s: float, around: Around
) -> Reason | None:
    """Why a reminder or the next step is not told."""
    incident = case.incident
    if incident.scope is not Scope.MONITOR and book.cut_off:
        return Reason.MONITOR_CUT_OFF
    if incident.parent is not None:
        return Reason.COVERED_BY_PARENT
    if incident.target in around.covered:
        return Reason.MAINTENANCE
    if case.is_told and now_s < case.held_from_s + around.rules.hold_s:
        # Just started, or just back on the network: it may be over by now.
        return Reason.WITHIN_HOLD
    return case.mute(around.utc_s, around.rules)


def waits_for_office(route: Route, incident: Incident) -> bool:
    """A DOWN never waits unless a site says so: a route that names its sites or targets."""
    if not route.office_hours or incident.scope is Scope.MONITOR:
        return False
    return incident.state is not State.DOWN or bool({"site", "target"} & route.match.keys())


def _is_long_down(case: IncidentAlerts, now_s: float, around: Around) -> bool:
    return case.incident.state is State.DOWN and now_s - case.opened_s >= around.rules.long_down_s
