"""Why a message is held back, apart from its delay: each function returns the first reason."""

from __future__ import annotations

from monitor.core.alerting.policy_context import PolicyContext
from monitor.core.alerting.policy_state import IncidentAlerts, PolicyState
from monitor.core.alerting.reasons import Reason
from monitor.core.alerting.settings import Route
from monitor.core.model import Incident, Scope, State


def opening_blocked_by(
    state: PolicyState, alerts: IncidentAlerts, now_s: float, context: PolicyContext
) -> Reason | None:
    """Why an opening is not notified now (its hold apart); None: nothing is against it."""
    reason = reminder_blocked_by(state, alerts, now_s, context)
    if reason is not None:
        return reason
    incident = alerts.incident
    if state.is_flapping(incident.target) and not _is_long_down(alerts, now_s, context):
        return Reason.FLAPPING
    route = context.route(incident)
    if route is None or context.first_step(incident) is None:
        return Reason.NOBODY_TO_TELL
    if _waits_for_office_hours(route, incident) and not context.office_open(context.utc_s):
        return Reason.WAITS_FOR_OFFICE_HOURS
    return None


def reminder_blocked_by(
    state: PolicyState, alerts: IncidentAlerts, now_s: float, context: PolicyContext
) -> Reason | None:
    """Why a reminder or the next escalation step is not sent now; None: nothing is against it."""
    incident = alerts.incident
    if incident.scope is not Scope.MONITOR and state.is_isolated:
        return Reason.MONITOR_CUT_OFF
    if incident.parent is not None:
        return Reason.COVERED_BY_PARENT
    if incident.target in context.maintenance:
        return Reason.MAINTENANCE
    if alerts.is_notified and now_s < alerts.recheck_until_s:
        # After a start or an isolation the incident may be over already.
        return Reason.WITHIN_HOLD
    return alerts.mute_reason(context.utc_s, context.rules)


def _waits_for_office_hours(route: Route, incident: Incident) -> bool:
    """A DOWN waits only on a route that names its sites or targets."""
    if not route.office_hours or incident.scope is Scope.MONITOR:
        return False
    return incident.state is not State.DOWN or bool({"site", "target"} & route.match.keys())


def _is_long_down(alerts: IncidentAlerts, now_s: float, context: PolicyContext) -> bool:
    is_down = alerts.incident.state is State.DOWN
    return is_down and now_s - alerts.opened_s >= context.rules.long_down_s
