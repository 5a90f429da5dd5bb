"""The book, made again from the ledger after a restart: what was told is not told again. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from monitor.core.alerting.model import ActionKind, IncidentAction, PolicyDecision, Recipient
from monitor.core.alerting.policy.cases import (
    Flapper,
    IncidentAlerts,
    PolicyState,
    Thread,
    changes_its_target,
)
from monitor.core.alerting.ports import AlertReader
from monitor.core.alerting.reasons import Reason
from monitor.core.model import ChangeKind, Incident, IncidentChange

FLAPS_BACK_S = 172_800.0
"""Zino's value fades within 19 minutes; but flapping that was told may have lasted for long."""
Steady = Callable[[float], float]
"""A UTC time as a moment on the steady timeline."""

MUTING = (ActionKind.ACKNOWLEDGE, ActionKind.SNOOZE, ActionKind.RELEASE)
ASIDE = (Reason.FLAPPING_BEGAN, Reason.FLAPPING_OVER)


@dataclass(frozen=True, slots=True)
class PolicyHistory:
    """What the ledger remembers. Times UTC.

    incidents: the open ones and those whose closing is owed. recent: those of the last two days.
    flap_notices: every notice about flapping of that time. sequences: the last number of each
    thread.
    """

    incidents: tuple[Incident, ...] = ()
    notices: tuple[PolicyDecision, ...] = ()
    actions: tuple[IncidentAction, ...] = ()
    recent: tuple[Incident, ...] = ()
    flap_notices: tuple[PolicyDecision, ...] = ()
    sequences: Mapping[int, int] | None = None


def read_policy_history(ledger: AlertReader, utc_s: float) -> PolicyHistory:
    """Asks the ledger for everything that a book is made of. Raises LedgerError."""
    incidents = sorted(
        (*ledger.remember().open_incidents, *ledger.undecided_closings()),
        key=lambda incident: incident.id,
    )
    numbers = [incident.id for incident in incidents]
    notices = ledger.policy_decisions(numbers)
    lately = ledger.policy_decisions(since_s=utc_s - FLAPS_BACK_S)
    flap_notices = tuple(notice for notice in lately if notice.reason in ASIDE)
    told = {n.thread for n in (*notices, *flap_notices) if n.thread is not None}
    sequences = {
        lead: max(row.sequence for row in rows)
        for lead in told | set(numbers)
        if (rows := ledger.outbox(incident=lead))
    }
    return PolicyHistory(
        incidents=tuple(incidents),
        notices=tuple(notices),
        actions=tuple(ledger.actions(numbers)),
        recent=tuple(ledger.incidents(since_s=utc_s - FLAPS_BACK_S)),
        flap_notices=flap_notices,
        sequences=sequences,
    )


def restore_policy_state(kept: PolicyHistory, now_s: float, utc_s: float) -> PolicyState:
    """now_s: on the steady timeline, utc_s: by people's clocks; both are the same moment."""

    def steady(at_s: float) -> float:
        # Nothing happened later than now: the clock was set back meanwhile.
        return min(at_s + now_s - utc_s, now_s)

    notices: defaultdict[int, list[PolicyDecision]] = defaultdict(list)
    for notice in kept.notices:
        notices[notice.incident].append(notice)
    actions: defaultdict[int, list[IncidentAction]] = defaultdict(list)
    for action in kept.actions:
        actions[action.incident].append(action)
    book = PolicyState(sequences=dict(kept.sequences or {}))
    for incident in kept.incidents:
        case = _case(incident, notices[incident.id], actions[incident.id], now_s, steady)
        book.cases[incident.id] = case
        if case.thread is not None:
            _into_thread(book, case, notices[incident.id], steady)
    for thread in book.threads.values():
        for number in thread.members:
            case = book.cases[number]
            case.basis_s = max(case.basis_s, thread.told_s)
    _recollect_flappers(book, kept, steady)
    return book


def _case(
    incident: Incident,
    notices: Sequence[PolicyDecision],
    actions: Sequence[IncidentAction],
    now_s: float,
    steady: Steady,
) -> IncidentAlerts:
    case = IncidentAlerts(incident, steady(incident.detected_s), now_s, actions=list(actions))
    told = [notice for notice in notices if notice.notified and notice.reason not in ASIDE]
    opening = next((notice for notice in told if notice.thread is not None), None)
    if opening is not None:
        case.thread = opening.thread
        case.told_s = steady(opening.at_s)
        case.steps_done = 1 + max((n.step for n in told if n.step is not None), default=0)
        case.receivers = _receivers(told)
    case.basis_s = _last_mute_s(actions, now_s, steady)
    last = notices[-1] if notices else None
    if last is not None and not last.notified:
        case.why_not = (last.event, last.reason)
    if incident.ended_s is not None:
        case.closed_s = now_s
    return case


def _last_mute_s(actions: Sequence[IncidentAction], now_s: float, steady: Steady) -> float:
    """When the last one ended; one that is in force ends later, and counts then."""
    last = next((action for action in reversed(actions) if action.kind in MUTING), None)
    if last is None:
        return float("-inf")
    if last.kind is ActionKind.RELEASE:
        return steady(last.at_s)
    end_s = now_s if last.until_s is None else steady(last.until_s)
    return end_s if end_s < now_s else float("-inf")


def _receivers(told: Sequence[PolicyDecision]) -> dict[str, Recipient]:
    return {
        notice.recipient: Recipient(notice.recipient, notice.channel)
        for notice in told
        if notice.recipient is not None and notice.channel is not None
    }


def _into_thread(
    book: PolicyState, case: IncidentAlerts, notices: Sequence[PolicyDecision], steady: Steady
) -> None:
    if case.thread is None or case.told_s is None:
        return
    thread = book.threads.get(case.thread)
    if thread is None:
        thread = Thread(case.thread, case.told_s, case.told_s, case.told_s)
        book.threads[case.thread] = thread
    thread.members.add(case.incident.id)
    thread.told_s = min(thread.told_s, case.told_s)
    thread.listed_s = max(thread.listed_s, case.told_s)
    thread.is_group |= any(notice.reason is Reason.DIGEST for notice in notices)
    reminders = {
        notice.sequence: steady(notice.at_s)
        for notice in notices
        if notice.notified and notice.reason is Reason.REMINDER_DUE
    }
    thread.reminders = max(thread.reminders, len(reminders))
    thread.last_s = max(thread.last_s, *reminders.values(), thread.told_s)


def _recollect_flappers(book: PolicyState, kept: PolicyHistory, steady: Steady) -> None:
    changes = [
        change
        for incident in kept.recent
        for change in _changes(incident)
        if changes_its_target(change)
    ]
    for change in sorted(changes, key=lambda change: change.at_s):
        incident = change.incident
        flapper = book.flappers.setdefault(incident.target, Flapper(incident))
        flapper.bump(incident, steady(change.at_s))
    targets = {incident.id: incident.target for incident in (*kept.recent, *kept.incidents)}
    for notice in kept.flap_notices:
        named = book.flappers.get(targets.get(notice.incident, ""))
        if named is None:
            continue
        if notice.reason is Reason.FLAPPING_OVER:
            named.thread = None
            named.receivers = {}
        elif notice.thread is not None:
            named.thread = notice.thread
            named.receivers |= _receivers([notice])


def _changes(incident: Incident) -> list[IncidentChange]:
    opened = IncidentChange(ChangeKind.OPENED, incident, incident.detected_s)
    if incident.ended_s is None:
        return [opened]
    return [opened, IncidentChange(ChangeKind.CLOSED, incident, incident.ended_s)]
