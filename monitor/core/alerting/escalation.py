"""While nobody acknowledges an incident: the next steps of its route, and reminders."""

from __future__ import annotations

from monitor.core.alerting.inhibition import reminder_blocked_by
from monitor.core.alerting.model import EventKind
from monitor.core.alerting.policy_context import OutcomeBuilder, PolicyContext
from monitor.core.alerting.policy_state import IncidentAlerts, MessageThread, PolicyState
from monitor.core.alerting.reasons import Reason


def restart_muted_delays(
    state: PolicyState, now_s: float, context: PolicyContext, outcome: OutcomeBuilder
) -> None:
    """Let step delays begin anew after an acknowledgement, a snooze or maintenance ended."""
    for alerts in state.alerts.values():
        in_maintenance = alerts.incident.target in context.maintenance
        if alerts.is_notified and not alerts.is_closed and in_maintenance:
            alerts.escalation_from_s = now_s
            outcome.refuse(alerts, EventKind.REMINDER, Reason.MAINTENANCE)
        is_muted = alerts.mute_reason(context.utc_s, context.rules) is not None
        if alerts.was_muted and not is_muted:
            alerts.escalation_from_s = now_s
        alerts.was_muted = is_muted


def send_next_steps(
    state: PolicyState, now_s: float, context: PolicyContext, outcome: OutcomeBuilder
) -> None:
    """Notify the second and later steps of each incident, each after its delay."""
    for alerts in state.alerts.values():
        if alerts.is_closed or alerts.thread is None:
            continue
        steps = context.steps(alerts.incident)
        while alerts.steps_sent < len(steps):
            step = steps[alerts.steps_sent]
            if now_s < alerts.escalation_from_s + step.after_s - steps[0].after_s:
                break
            reason = reminder_blocked_by(state, alerts, now_s, context)
            if reason is not None:
                outcome.refuse(alerts, EventKind.REMINDER, reason)
                break
            _send_step(alerts, alerts.thread, step.to, context, outcome)


def _send_step(
    alerts: IncidentAlerts,
    thread: int,
    to: tuple[str, ...],
    context: PolicyContext,
    outcome: OutcomeBuilder,
) -> None:
    number, alerts.steps_sent = alerts.steps_sent, alerts.steps_sent + 1
    recipients = context.recipients(to)
    if not recipients:
        outcome.refuse(alerts, EventKind.REMINDER, Reason.NOBODY_TO_TELL)
    for recipient in recipients:
        is_new = recipient.name not in alerts.recipients
        event = EventKind.OPENED if is_new else EventKind.REMINDER
        reason = Reason.ESCALATION_STEP
        outcome.notify(alerts, thread, [recipient], event, reason, step=number, escalated=True)
        alerts.recipients[recipient.name] = recipient
        alerts.held.pop(recipient.name, None)


def send_reminders(
    state: PolicyState, now_s: float, context: PolicyContext, outcome: OutcomeBuilder
) -> None:
    """Remind of each thread: `reminders` times every `reminder_s`, then `later_reminder_s`."""
    rules = context.rules
    for thread in state.threads.values():
        still_open = [
            alerts for number in thread.members if not (alerts := state.alerts[number]).is_closed
        ]
        if still_open and all(a.incident.target in context.maintenance for a in still_open):
            # No reminder at the end of maintenance when the state is what it was before.
            thread.last_sent_s = now_s
        is_early = thread.reminders < rules.reminders
        interval_s = rules.reminder_s if is_early else rules.later_reminder_s
        if now_s < thread.last_sent_s + interval_s:
            continue
        due: list[IncidentAlerts] = []
        for alerts in sorted(still_open, key=lambda alerts: alerts.incident.id):
            reason = reminder_blocked_by(state, alerts, now_s, context)
            if reason is None:
                due.append(alerts)
            else:
                outcome.refuse(alerts, EventKind.REMINDER, reason)
        if due:
            thread.last_sent_s = now_s
            thread.reminders += 1
            for alerts in due:
                _remind(alerts, thread, context, outcome)


def _remind(
    alerts: IncidentAlerts, thread: MessageThread, context: PolicyContext, outcome: OutcomeBuilder
) -> None:
    # Whoever is on call now: the turn may have changed since the opening.
    steps = context.steps(alerts.incident)[: alerts.steps_sent]
    recipients = context.recipients(tuple(name for step in steps for name in step.to))
    recipients = tuple(each for each in recipients if each.name not in alerts.held)
    recipients = recipients or tuple(alerts.recipients.values())
    outcome.notify(
        alerts, thread.first_incident, recipients, EventKind.REMINDER, Reason.REMINDER_DUE
    )
    alerts.recipients |= {recipient.name: recipient for recipient in recipients}
