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
from monitor.core.alerting.model import EventKind, IncidentAction, Recipient
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
            late = _late_recipients(state, alerts, now_s, context)
            outcome.notify(alerts, thread.first_incident, late, event, Reason.WAS_DOWN)
            state.drop_incident(alerts)


def _close_unnotified(
    state: PolicyState,
    alerts: IncidentAlerts,
    now_s: float,
    context: PolicyContext,
    outcome: OutcomeBuilder,
) -> None:
    """One message for opening and end if the opening was only late; otherwise none."""
    first = context.first_step(alerts.incident)
    if first is None or opening_blocked_by(state, alerts, now_s, context) is not None:
        outcome.refuse(alerts, EventKind.RESOLVED, Reason.NOT_OPENED_NO_CLOSING)
        return
    step, everybody = first
    recipients = [each for each in everybody if _outlasted_hold(alerts, each, now_s, context)]
    if recipients:
        thread = alerts.incident.id
        outcome.notify(alerts, thread, recipients, EventKind.RESOLVED, Reason.WAS_DOWN, step=step)
    else:
        outcome.refuse(alerts, EventKind.RESOLVED, Reason.WITHIN_HOLD)


def _late_recipients(
    state: PolicyState, alerts: IncidentAlerts, now_s: float, context: PolicyContext
) -> list[Recipient]:
    """Those who were held back although their hold was over when the incident ended."""
    if opening_blocked_by(state, alerts, now_s, context) is not None:
        return []
    return [r for r in alerts.held.values() if _outlasted_hold(alerts, r, now_s, context)]


def _outlasted_hold(
    alerts: IncidentAlerts, recipient: Recipient, now_s: float, context: PolicyContext
) -> bool:
    """Whether an incident that is over lasted longer than the hold of this recipient's channel."""
    closed_s = now_s if alerts.closed_s is None else alerts.closed_s
    return closed_s - alerts.opened_s >= context.hold_s(alerts.incident, recipient.channel)


def _send_openings(
    state: PolicyState, now_s: float, context: PolicyContext, outcome: OutcomeBuilder
) -> None:
    """Notify each open incident that is past its hold and not blocked, alone or in a digest.

    Each recipient after the hold of the channel.
    """
    due: list[DueOpening] = []
    holding: list[DueOpening] = []
    for alerts in state.alerts.values():
        if alerts.is_closed or (alerts.is_notified and not alerts.held):
            continue
        reason = opening_blocked_by(state, alerts, now_s, context)
        if reason is not None:
            alerts.unblocked_s = now_s
            if not alerts.is_notified:
                outcome.refuse(alerts, EventKind.OPENED, reason)
            continue
        openings = _openings_of(alerts, context)
        holding += [opening for opening in openings if opening.due_s > now_s]
        ready = [opening for opening in openings if opening.due_s <= now_s]
        if not ready and alerts.last_refusal is None and not alerts.is_notified:
            outcome.refuse(alerts, EventKind.OPENED, Reason.WITHIN_HOLD)
        elif alerts.incident.scope is Scope.MONITOR:
            for opening in ready:
                _open(state, OpeningGroup((opening,)), now_s, context, outcome)
        else:
            due += ready
    if not due:
        return
    for group in group_openings(state, due, holding, now_s, context.rules):
        _open(state, group, now_s, context, outcome)
    for opening in due:
        if not opening.alerts.is_notified:
            outcome.refuse(opening.alerts, EventKind.OPENED, Reason.GROUPED)


def _openings_of(alerts: IncidentAlerts, context: PolicyContext) -> list[DueOpening]:
    """The openings of an incident that are still to be sent: one for each length of hold."""
    incident = alerts.incident
    if alerts.is_notified:
        step, recipients = alerts.steps_sent - 1, tuple(alerts.held.values())
    else:
        step, recipients = context.first_step(incident) or (0, ())
    by_hold: dict[float, list[Recipient]] = {}
    for recipient in recipients:
        by_hold.setdefault(context.hold_s(incident, recipient.channel), []).append(recipient)
    steps = context.steps(incident)
    after_s = steps[0].after_s if steps else 0.0
    return [
        DueOpening(
            due_s=max(
                alerts.opened_s + max(hold_s, after_s),
                alerts.recheck_until_s,
                alerts.unblocked_s,
            ),
            alerts=alerts,
            hold_s=hold_s,
            step=step,
            recipients=tuple(by_hold[hold_s]),
        )
        for hold_s in sorted(by_hold)
    ]


def _open(
    state: PolicyState,
    group: OpeningGroup,
    now_s: float,
    context: PolicyContext,
    outcome: OutcomeBuilder,
) -> None:
    thread = group.thread or _thread_of(state, group, now_s)
    thread.last_digest_s = now_s
    for opening in group.members:
        alerts = opening.alerts
        reason = Reason.DIGEST if group.is_digest else _opening_reason(state, alerts, group)
        is_first = not alerts.is_notified
        state.move(alerts, thread)
        if is_first:
            alerts.notified_s = now_s
            alerts.escalation_from_s = thread.started_s if thread.is_group else now_s
            alerts.steps_sent = opening.step + 1
            alerts.held = _held_back(opening, context, outcome)
        elif group.is_digest:
            alerts.escalation_from_s = now_s  # the group escalates together
        event = EventKind.OPENED
        number = thread.first_incident
        outcome.notify(alerts, number, opening.recipients, event, reason, step=opening.step)
        for recipient in opening.recipients:
            alerts.recipients[recipient.name] = recipient
            alerts.held.pop(recipient.name, None)


def _thread_of(state: PolicyState, group: OpeningGroup, now_s: float) -> MessageThread:
    """The thread of openings that join none: a new one, or that of an earlier, shorter hold."""
    openings = group.members
    alone = openings[0].alerts.thread if len(openings) == 1 else None
    number = alone or min(opening.alerts.incident.id for opening in openings)
    thread = state.threads.get(number)
    if thread is None:
        thread = MessageThread(number, now_s, now_s, now_s)
        state.threads[number] = thread
    thread.is_group |= group.is_digest
    return thread


def _held_back(
    opening: DueOpening, context: PolicyContext, outcome: OutcomeBuilder
) -> dict[str, Recipient]:
    """Those of the same step whose hold is longer; recorded, so that a restart forgets none."""
    _, everybody = context.first_step(opening.alerts.incident) or (0, ())
    held = {each.name: each for each in everybody if each not in opening.recipients}
    for recipient in held.values():
        outcome.hold(opening.alerts, recipient, opening.step)
    return held


def _opening_reason(state: PolicyState, alerts: IncidentAlerts, group: OpeningGroup) -> Reason:
    if group.is_same_office:
        return Reason.SAME_OFFICE
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
