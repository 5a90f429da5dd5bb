"""While nobody has it in hand: the next step of the route, and reminders."""

from __future__ import annotations

from monitor.core.alerting.model import EventKind
from monitor.core.alerting.policy.cases import Around, IncidentAlerts, PolicyState, steps_of
from monitor.core.alerting.policy.gates import later_gate
from monitor.core.alerting.policy.telling import DecisionBuilder
from monitor.core.alerting.reasons import Reason


def tell_next_steps(book: PolicyState, now_s: float, around: Around, out: DecisionBuilder) -> None:
    """Step 2, step 3 …, so long after the opening without acknowledgement."""
    for case in book.cases.values():
        if case.is_closed or case.thread is None:
            continue
        steps = steps_of(around.route(case.incident))
        while case.steps_done < len(steps):
            step = steps[case.steps_done]
            if now_s < case.basis_s + step.after_s - steps[0].after_s:
                break
            gate = later_gate(book, case, now_s, around)
            if gate is not None:
                out.no(case, EventKind.REMINDER, gate)
                break
            number, case.steps_done = case.steps_done, case.steps_done + 1
            recipients = around.recipients(step.to)
            if not recipients:
                out.no(case, EventKind.REMINDER, Reason.NOBODY_TO_TELL)
            for recipient in recipients:
                is_new = recipient.name not in case.receivers
                out.yes(
                    case,
                    case.thread,
                    [recipient],
                    EventKind.OPENED if is_new else EventKind.REMINDER,
                    Reason.ESCALATION_STEP,
                    step=number,
                    escalated=True,
                )
                case.receivers[recipient.name] = recipient


def tell_reminders(book: PolicyState, now_s: float, around: Around, out: DecisionBuilder) -> None:
    """A few soon, then seldom, to whoever is on call by then."""
    rules = around.rules
    for thread in book.threads.values():
        waiting = [case for number in thread.members if not (case := book.cases[number]).is_closed]
        if waiting and all(case.incident.target in around.covered for case in waiting):
            # The end of maintenance is no reason for a message when the state is what it was.
            thread.last_s = now_s
        often = thread.reminders < rules.reminders
        if now_s < thread.last_s + (rules.reminder_s if often else rules.later_reminder_s):
            continue
        due: list[IncidentAlerts] = []
        for case in sorted(waiting, key=lambda case: case.incident.id):
            gate = later_gate(book, case, now_s, around)
            if gate is None:
                due.append(case)
            else:
                out.no(case, EventKind.REMINDER, gate)
        if not due:
            continue
        thread.last_s = now_s
        thread.reminders += 1
        for case in due:
            # Whoever is on call now: the turn may have changed since the opening.
            steps = steps_of(around.route(case.incident))[: case.steps_done]
            recipients = around.recipients(tuple(name for step in steps for name in step.to))
            recipients = recipients or tuple(case.receivers.values())
            out.yes(case, thread.lead, recipients, EventKind.REMINDER, Reason.REMINDER_DUE)
            case.receivers |= {recipient.name: recipient for recipient in recipients}
