"""Decide who is notified of which incident, and give a reason for every yes and no.

    state, outcome = decide(state, events, now_s, context)

A pure reducer over all open incidents. Call it with every event, and every second without one:
holds, steps, reminders and ends of maintenance are found by looking. `state` is consumed: go on
with the one returned. now_s: on the steady timeline, for every delay; context.utc_s: the same
moment by the wall clock, for rotas, acknowledgements and office hours.
"""

from __future__ import annotations

from collections.abc import Iterable

from monitor.core.alerting.escalation import (
    restart_muted_delays,
    send_next_steps,
    send_reminders,
)
from monitor.core.alerting.grouping import (
    DueOpening,
    OpeningGroup,
    closings_wait,
    group_openings,
)
from monitor.core.alerting.inhibition import opening_blocked_by
from monitor.core.alerting.model import EventKind, IncidentAction
from monitor.core.alerting.policy_context import OutcomeBuilder, PolicyContext, PolicyOutcome
from monitor.core.alerting.policy_state import (
    FlappingTarget,
    IncidentAlerts,
    MessageThread,
    PolicyState,
    counts_as_flap,
)
from monitor.core.alerting.reasons import Reason
from monitor.core.model import ChangeKind, IncidentChange, Scope

PolicyEvent = IncidentChange | IncidentAction
"""A change of an incident or something that somebody did about it, in UTC."""

FLAPPING_FORGOTTEN_S = 3600.0
"""The flapping value of a target that is steady for so long is dropped."""


def decide(
    state: PolicyState, events: Iterable[PolicyEvent], now_s: float, context: PolicyContext
) -> tuple[PolicyState, PolicyOutcome]:
    """Apply the events, then decide everything that is due at `now_s`."""
    outcome = OutcomeBuilder(state, context.utc_s)
    for event in events:
        if isinstance(event, IncidentChange):
            _apply_change(state, event, now_s, context)
        elif event.incident in state.alerts:
            state.alerts[event.incident].actions.append(event)
    state.update_isolation()
    restart_muted_delays(state, now_s, context, outcome)
    _send_closings(state, now_s, context, outcome)
    _send_openings(state, now_s, context, outcome)
    send_next_steps(state, now_s, context, outcome)
    send_reminders(state, now_s, context, outcome)
    _send_flapping(state, now_s, context, outcome)
    built = outcome.build()
    state.drop_old_sequences()
    return state, built


def _apply_change(
    state: PolicyState, change: IncidentChange, now_s: float, context: PolicyContext
) -> None:
    incident = change.incident
    alerts = state.alerts.get(incident.id)
    if alerts is None:
        if change.change is ChangeKind.UPDATED and incident.ended_s is not None:
            return  # A cause found after the end: the closing is decided already.
        alerts = state.alerts[incident.id] = IncidentAlerts(incident, now_s)
    alerts.incident = incident
    if change.change is ChangeKind.CLOSED:
        alerts.closed_s = now_s
        if incident.scope is Scope.MONITOR:
            # After an isolation the detector looks at every open incident again: wait for that.
            for other in state.alerts.values():
                until_s = now_s + context.rules.hold_s
                other.recheck_until_s = max(other.recheck_until_s, until_s)
    if counts_as_flap(change):
        state.count_flap(incident, now_s)


def _send_closings(
    state: PolicyState, now_s: float, context: PolicyContext, outcome: OutcomeBuilder
) -> None:
    """Notify the end of an incident to everybody who was notified of it, blocked or not."""
    closed = [alerts for alerts in state.alerts.values() if alerts.is_closed]
    for alerts in closed:
        if not alerts.is_notified:
            _close_unnotified(state, alerts, now_s, context, outcome)
            state.drop_incident(alerts)
    for thread in [state.threads[number] for number in sorted(state.threads)]:
        members = [alerts for alerts in closed if alerts.incident.id in thread.members]
        if not members or closings_wait(thread, members, now_s, context.rules):
            continue
        for alerts in members:
            everywhere = [*alerts.recipients.values(), *sorted(alerts.further, key=str)]
            recipients = context.on_present_channels(everywhere)
            event, reason = EventKind.RESOLVED, Reason.RESOLVED
            outcome.notify(alerts, thread.first_incident, recipients, event, reason)
            state.drop_incident(alerts)


def _close_unnotified(
    state: PolicyState,
    alerts: IncidentAlerts,
    now_s: float,
    context: PolicyContext,
    outcome: OutcomeBuilder,
) -> None:
    """One message for opening and end if the opening was only late; otherwise none."""
    closed_s = now_s if alerts.closed_s is None else alerts.closed_s
    first = context.first_step(alerts.incident)
    if first is None or opening_blocked_by(state, alerts, now_s, context) is not None:
        outcome.refuse(alerts, EventKind.RESOLVED, Reason.NOT_OPENED_NO_CLOSING)
    elif closed_s - alerts.opened_s < context.rules.hold_s:
        outcome.refuse(alerts, EventKind.RESOLVED, Reason.WITHIN_HOLD)
    else:
        step, recipients = first
        thread = alerts.incident.id
        outcome.notify(alerts, thread, recipients, EventKind.RESOLVED, Reason.WAS_DOWN, step=step)


def _send_openings(
    state: PolicyState, now_s: float, context: PolicyContext, outcome: OutcomeBuilder
) -> None:
    """Notify each open incident that is past its hold and not blocked, alone or in a digest."""
    due: list[DueOpening] = []
    holding: list[DueOpening] = []
    for alerts in state.alerts.values():
        if alerts.is_notified or alerts.is_closed:
            continue
        reason = opening_blocked_by(state, alerts, now_s, context)
        if reason is not None:
            alerts.unblocked_s = now_s
            outcome.refuse(alerts, EventKind.OPENED, reason)
            continue
        hold_s = max(context.rules.hold_s, context.steps(alerts.incident)[0].after_s)
        due_s = max(alerts.opened_s + hold_s, alerts.recheck_until_s, alerts.unblocked_s)
        opening = DueOpening(due_s, alerts)
        if opening.due_s > now_s:
            if alerts.last_refusal is None:
                outcome.refuse(alerts, EventKind.OPENED, Reason.WITHIN_HOLD)
            holding.append(opening)
        elif alerts.incident.scope is Scope.MONITOR:
            _open(state, OpeningGroup((alerts,)), now_s, context, outcome)
        else:
            due.append(opening)
    if not due:
        return
    for group in group_openings(state, due, holding, now_s, context.rules):
        _open(state, group, now_s, context, outcome)
    for opening in due:
        if not opening.alerts.is_notified:
            outcome.refuse(opening.alerts, EventKind.OPENED, Reason.GROUPED)


def _open(
    state: PolicyState,
    group: OpeningGroup,
    now_s: float,
    context: PolicyContext,
    outcome: OutcomeBuilder,
) -> None:
    thread = group.thread
    if thread is None:
        number = min(alerts.incident.id for alerts in group.members)
        thread = MessageThread(number, now_s, now_s, now_s, is_group=group.is_digest)
        state.threads[number] = thread
    thread.last_digest_s = now_s
    for alerts in group.members:
        first = context.first_step(alerts.incident)
        if first is None:
            continue
        step, recipients = first
        reason = Reason.DIGEST if group.is_digest else _opening_reason(state, alerts)
        alerts.thread, alerts.notified_s = thread.first_incident, now_s
        alerts.escalation_from_s = thread.started_s
        alerts.steps_sent = step + 1
        alerts.recipients |= {recipient.name: recipient for recipient in recipients}
        thread.members.add(alerts.incident.id)
        outcome.notify(alerts, alerts.thread, recipients, EventKind.OPENED, reason, step=step)


def _opening_reason(state: PolicyState, alerts: IncidentAlerts) -> Reason:
    if alerts.last_refusal == (EventKind.OPENED, Reason.MAINTENANCE):
        return Reason.MAINTENANCE_OVER
    if state.is_flapping(alerts.incident.target):
        return Reason.STILL_DOWN_AFTER_15_MIN
    return Reason.FIRST_NOTICE


def _send_flapping(
    state: PolicyState, now_s: float, context: PolicyContext, outcome: OutcomeBuilder
) -> None:
    """Notify once when a target begins to flap, and once when it is steady again."""
    for name, target in list(state.flapping.items()):
        alerts = state.alerts.get(target.incident.id)
        if target.update(now_s):
            if target.thread is None and alerts is not None:
                _flapping_began(state, target, alerts, context, outcome)
            continue
        if target.thread is not None:
            about = alerts or IncidentAlerts(target.incident, now_s)
            recipients = context.on_present_channels(target.recipients.values())
            event, reason = EventKind.UPDATED, Reason.FLAPPING_OVER
            outcome.notify(about, target.thread, recipients, event, reason)
            target.thread = None
        if now_s - target.at_s > FLAPPING_FORGOTTEN_S:
            del state.flapping[name]


def _flapping_began(
    state: PolicyState,
    target: FlappingTarget,
    alerts: IncidentAlerts,
    context: PolicyContext,
    outcome: OutcomeBuilder,
) -> None:
    incident = alerts.incident
    inhibited = incident.target in context.maintenance or incident.parent is not None
    first = context.first_step(incident)
    if state.is_isolated or inhibited or first is None:
        return
    step, recipients = first
    target.thread = incident.id if alerts.thread is None else alerts.thread
    target.recipients = {recipient.name: recipient for recipient in recipients}
    event, reason = EventKind.UPDATED, Reason.FLAPPING_BEGAN
    outcome.notify(alerts, target.thread, recipients, event, reason, step=step)
