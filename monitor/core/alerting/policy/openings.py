"""Who is told that something went wrong: alone, in a group, or not yet."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from monitor.core.alerting.model import EventKind
from monitor.core.alerting.policy.cases import Around, IncidentAlerts, PolicyState, Thread, steps_of
from monitor.core.alerting.policy.gates import first_gate, first_step
from monitor.core.alerting.policy.telling import DecisionBuilder
from monitor.core.alerting.reasons import Reason
from monitor.core.model import Scope


def tell_openings(book: PolicyState, now_s: float, around: Around, out: DecisionBuilder) -> None:
    """Whoever is open, untold, past its hold and behind no gate."""
    ready: list[tuple[float, IncidentAlerts]] = []
    holding: list[tuple[float, IncidentAlerts]] = []
    for case in book.cases.values():
        if case.is_told or case.is_closed:
            continue
        route = around.route(case.incident)
        gate = first_gate(book, case, route, now_s, around)
        if gate is not None:
            case.freed_s = now_s
            out.no(case, EventKind.OPENED, gate)
            continue
        hold_s = max(around.rules.hold_s, steps_of(route)[0].after_s)
        due_s = max(case.held_from_s + hold_s, case.freed_s)
        if due_s > now_s:
            if case.why_not is None:
                out.no(case, EventKind.OPENED, Reason.WITHIN_HOLD)
            holding.append((due_s, case))
        elif case.incident.scope is Scope.MONITOR:
            _open(book, [case], now_s, around, out)
        else:
            ready.append((due_s, case))
    if ready:
        _open_ready(book, ready, holding, now_s, around, out)


def _open_ready(
    book: PolicyState,
    ready: list[tuple[float, IncidentAlerts]],
    holding: list[tuple[float, IncidentAlerts]],
    now_s: float,
    around: Around,
    out: DecisionBuilder,
) -> None:
    """Alone, or together with the others that open at about the same time."""
    rules = around.rules
    cases = [case for _, case in ready]
    group = _joinable(book, now_s, around)
    if group is not None:
        if now_s >= group.listed_s + rules.group_s:
            _open(book, cases, now_s, around, out, group)
        else:
            _wait_for_group(cases, out)
        return
    until_s = min(due_s for due_s, _ in ready) + rules.group_s
    burst = [due_s for due_s, _ in (*ready, *holding) if due_s < until_s]
    if len(burst) < rules.group_count:
        for case in cases:
            _open(book, [case], now_s, around, out)
    elif max(burst) <= now_s:
        _open(book, cases, now_s, around, out)
    else:
        _wait_for_group(cases, out)


def _joinable(book: PolicyState, now_s: float, around: Around) -> Thread | None:
    groups = [
        thread
        for thread in book.threads.values()
        if thread.is_group and now_s < thread.told_s + around.rules.group_join_s
    ]
    return max(groups, key=lambda thread: thread.told_s, default=None)


def _wait_for_group(cases: Iterable[IncidentAlerts], out: DecisionBuilder) -> None:
    for case in cases:
        out.no(case, EventKind.OPENED, Reason.GROUPED)


def _open(
    book: PolicyState,
    cases: Sequence[IncidentAlerts],
    now_s: float,
    around: Around,
    out: DecisionBuilder,
    thread: Thread | None = None,
) -> None:
    together = thread is not None or len(cases) > 1
    if thread is None:
        lead = min(case.incident.id for case in cases)
        thread = book.threads[lead] = Thread(lead, now_s, now_s, now_s, is_group=together)
    thread.listed_s = now_s
    for case in cases:
        first = first_step(around.route(case.incident), around)
        if first is None:
            continue
        number, recipients = first
        reason = Reason.DIGEST if together else _first_reason(book, case)
        case.thread, case.told_s, case.basis_s = thread.lead, now_s, thread.told_s
        case.steps_done = number + 1
        case.receivers |= {recipient.name: recipient for recipient in recipients}
        thread.members.add(case.incident.id)
        out.yes(case, thread.lead, recipients, EventKind.OPENED, reason, step=number)


def _first_reason(book: PolicyState, case: IncidentAlerts) -> Reason:
    if case.why_not == (EventKind.OPENED, Reason.MAINTENANCE):
        return Reason.MAINTENANCE_OVER
    if book.is_flapping(case.incident.target):
        return Reason.STILL_DOWN_AFTER_15_MIN
    return Reason.FIRST_NOTICE
