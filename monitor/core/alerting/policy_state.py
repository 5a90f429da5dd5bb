"""What the alert policy remembers of each incident, and how that is restored from the ledger.

Times are on the steady timeline, except those inside incidents and actions, which are UTC.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from monitor.core.alerting.given_out import NOTHING_GIVEN_OUT, GivenOut
from monitor.core.alerting.handling import group_by_incident, handling_of
from monitor.core.alerting.model import (
    ActionKind,
    EventKind,
    IncidentAction,
    PolicyDecision,
    Recipient,
)
from monitor.core.alerting.ports import AlertReader
from monitor.core.alerting.reasons import Reason
from monitor.core.alerting.settings import AlertRules
from monitor.core.detection.flapping import bumped, decayed, is_flapping
from monitor.core.model import ChangeKind, Incident, IncidentChange, Scope, State

FLAPPING_HISTORY_S = 172_800.0
"""The flapping value fades within 19 minutes, but notified flapping may have lasted for long."""

RECHECK_S = 4.0
"""After a start the detector needs so long to see which targets answer again."""

_NEVER_S = float("-inf")
_NOT_RECOVERED = ("down", "parent_down", "removed")
"""End reasons of incidents whose target is not well again."""
_MUTING_KINDS = (ActionKind.ACKNOWLEDGE, ActionKind.SNOOZE, ActionKind.RELEASE)
_NEXT_CHANNEL_REASONS = (Reason.NEXT_CHANNEL_AFTER_WAIT, Reason.NEXT_CHANNEL_AFTER_REFUSAL)
_FLAPPING_REASONS = (Reason.FLAPPING_BEGAN, Reason.FLAPPING_OVER)


@dataclass(slots=True)
class IncidentAlerts:
    """The alerting of one incident: notified, or perhaps to be notified.

    opened_s: detected; the hold counts from here. recheck_until_s: after a start or an isolation
    nothing is said until the detector has looked at the target again.
    unblocked_s: when the last reason against an opening went away.
    thread, notified_s: the message thread of its opening, and when it was sent; None: not yet.
    escalation_from_s: the delays of the steps count from here. steps_sent: how many were.
    recipients: everybody who got a message, by name. further: by a further channel, because the
    first refused it or took too long. held: those of the opening's step whose channel has a longer
    hold. last_refusal: the last recorded no.
    was_muted: acknowledged or snoozed at the last look. closed_s: its end was detected; it is
    dropped once its closing is decided.
    """

    incident: Incident
    opened_s: float
    recheck_until_s: float = _NEVER_S
    unblocked_s: float = _NEVER_S
    thread: int | None = None
    notified_s: float | None = None
    escalation_from_s: float = _NEVER_S
    steps_sent: int = 0
    recipients: dict[str, Recipient] = field(default_factory=dict)
    further: set[Recipient] = field(default_factory=set)
    held: dict[str, Recipient] = field(default_factory=dict)
    last_refusal: tuple[EventKind, Reason] | None = None
    was_muted: bool = False
    actions: list[IncidentAction] = field(default_factory=list)
    closed_s: float | None = None

    @property
    def is_notified(self) -> bool:
        return self.thread is not None

    @property
    def is_down(self) -> bool:
        """An outage, not a degradation."""
        return self.incident.state is State.DOWN

    @property
    def is_closed(self) -> bool:
        return self.closed_s is not None

    def mute_reason(self, utc_s: float, rules: AlertRules) -> Reason | None:
        """ACKNOWLEDGED or SNOOZED while that is in force, at most `longest_ack_s`; else None."""
        if not self.actions:
            return None
        handling = handling_of(self.actions)
        for action, reason in (
            (handling.active_acknowledgement(utc_s), Reason.ACKNOWLEDGED),
            (handling.active_snooze(utc_s), Reason.SNOOZED),
        ):
            if action is not None and utc_s < action.at_s + rules.longest_ack_s:
                return reason
        return None


@dataclass(slots=True)
class MessageThread:
    """The messages about one incident, the links of one site, or a group that opened together.

    is_group: of several places (a digest).
    first_incident: its id. started_s: first message. last_sent_s: last opening or reminder.
    last_digest_s: the group was last listed. members: ids of its incidents that are not settled.
    reminders: sent so far. closings_from_s: closings of a group wait since then for the others.
    """

    first_incident: int
    started_s: float
    last_sent_s: float
    last_digest_s: float
    is_group: bool = False
    members: set[int] = field(default_factory=set)
    reminders: int = 0
    closings_from_s: float | None = None


@dataclass(slots=True)
class FlappingTarget:
    """The flapping value of a target (see detection.flapping) at `at_s`.

    incident: its newest one. thread, recipients: where and to whom the flapping was notified;
    None: it was not.
    """

    incident: Incident
    value: float = 0.0
    at_s: float = 0.0
    is_flapping: bool = False
    thread: int | None = None
    recipients: dict[str, Recipient] = field(default_factory=dict)

    def count_change(self, incident: Incident, at_s: float) -> None:
        self.value = bumped(self.value, at_s - self.at_s)
        self.at_s = at_s
        self.incident = incident
        self.update(at_s)

    def update(self, now_s: float) -> bool:
        """Let the value decay to `now_s`; True: the target is flapping."""
        self.is_flapping = is_flapping(decayed(self.value, now_s - self.at_s), self.is_flapping)
        return self.is_flapping


def counts_as_flap(change: IncidentChange) -> bool:
    """Whether a target went down, degraded or recovered (not: the monitor's own isolation)."""
    incident = change.incident
    if incident.scope is Scope.MONITOR or incident.state not in (State.DOWN, State.DEGRADED):
        return False
    if change.change is ChangeKind.CLOSED:
        return incident.end_reason not in _NOT_RECOVERED
    return change.change is ChangeKind.OPENED


@dataclass(slots=True)
class PolicyState:
    """All state of the policy. alerts: by incident id. sequences: the last one of each thread.

    is_isolated: the monitor's own incident is open. given_out: numbers that the ledger does not
    know, of before the start.
    """

    alerts: dict[int, IncidentAlerts] = field(default_factory=dict)
    threads: dict[int, MessageThread] = field(default_factory=dict)
    sequences: dict[int, int] = field(default_factory=dict)
    flapping: dict[str, FlappingTarget] = field(default_factory=dict)
    is_isolated: bool = False
    given_out: GivenOut = NOTHING_GIVEN_OUT

    def next_sequence(self, thread: int) -> int:
        """The number of the next message of a thread; counts it."""
        last = self.given_out.last_sequence(thread, self.sequences.get(thread, 0))
        self.sequences[thread] = last + 1
        return last + 1

    def update_isolation(self) -> None:
        self.is_isolated = any(
            alerts.incident.scope is Scope.MONITOR and not alerts.is_closed
            for alerts in self.alerts.values()
        )

    def count_flap(self, incident: Incident, at_s: float) -> None:
        target = self.flapping.setdefault(incident.target, FlappingTarget(incident))
        target.count_change(incident, at_s)

    def note_passed_on(self, decisions: Iterable[PolicyDecision]) -> None:
        """Remember further channels, for the closings."""
        for decision in decisions:
            alerts = self.alerts.get(decision.incident)
            if alerts is not None and decision.recipient and decision.channel:
                alerts.further.add(Recipient(decision.recipient, decision.channel))

    def handed_over(self) -> list[IncidentAlerts]:
        """What somebody who goes on duty has to know: open, notified, explained by no other."""
        return [
            alerts
            for _, alerts in sorted(self.alerts.items())
            if alerts.is_notified and not alerts.is_closed and alerts.incident.parent is None
        ]

    def move(self, alerts: IncidentAlerts, thread: MessageThread) -> None:
        """Let an incident continue in this thread, and drop its old one if that is empty."""
        number = alerts.incident.id
        old = None if alerts.thread is None else self.threads.get(alerts.thread)
        if old is not None and old is not thread:
            old.members.discard(number)
            if not old.members:
                del self.threads[old.first_incident]
        thread.members.add(number)
        alerts.thread = thread.first_incident

    def drop_incident(self, alerts: IncidentAlerts) -> None:
        """Forget an incident whose closing is decided, and its thread if it was the last one."""
        del self.alerts[alerts.incident.id]
        if alerts.thread is not None:
            thread = self.threads[alerts.thread]
            thread.members.discard(alerts.incident.id)
            if not thread.members:
                del self.threads[thread.first_incident]

    def drop_old_sequences(self) -> None:
        flapping = {target.thread for target in self.flapping.values()}
        kept = self.threads.keys() | self.alerts.keys() | flapping
        self.sequences = {n: last for n, last in self.sequences.items() if n in kept}

    def is_flapping(self, target: str) -> bool:
        found = self.flapping.get(target)
        return found is not None and found.is_flapping


@dataclass(frozen=True, slots=True)
class PolicyHistory:
    """What the ledger knows of earlier alerting. Times UTC.

    incidents: the open ones and those whose closing is undecided. recent: of the last two days,
    as flapping_decisions are. sequences: the last one of each thread.
    """

    incidents: tuple[Incident, ...] = ()
    decisions: tuple[PolicyDecision, ...] = ()
    actions: tuple[IncidentAction, ...] = ()
    recent: tuple[Incident, ...] = ()
    flapping_decisions: tuple[PolicyDecision, ...] = ()
    sequences: Mapping[int, int] = field(default_factory=dict)


def read_policy_history(ledger: AlertReader, utc_s: float) -> PolicyHistory:
    """Read everything that `restore_policy_state` needs. Raises LedgerError."""
    open_or_undecided = (*ledger.load_snapshot().open_incidents, *ledger.undecided_closings())
    incidents = sorted(open_or_undecided, key=lambda incident: incident.id)
    numbers = [incident.id for incident in incidents]
    decisions = ledger.policy_decisions(numbers)
    since_s = utc_s - FLAPPING_HISTORY_S
    flapping_decisions = tuple(
        decision
        for decision in ledger.policy_decisions(since_s=since_s)
        if decision.reason in _FLAPPING_REASONS
    )
    threads = {d.thread for d in (*decisions, *flapping_decisions) if d.thread is not None}
    return PolicyHistory(
        incidents=tuple(incidents),
        decisions=tuple(decisions),
        actions=tuple(ledger.actions(numbers)),
        recent=tuple(ledger.incidents(since_s=since_s)),
        flapping_decisions=flapping_decisions,
        sequences={
            number: max(row.sequence for row in rows)
            for number in threads | set(numbers)
            if (rows := ledger.outbox(incident=number))
        },
    )


def restore_policy_state(
    history: PolicyHistory, now_s: float, utc_s: float, given_out: GivenOut = NOTHING_GIVEN_OUT
) -> PolicyState:
    """The state after a restart: nothing that was notified is notified again.

    now_s (steady timeline) and utc_s are the same moment. given_out: numbers in messages that
    were sent without the ledger.
    """

    def steady(at_s: float) -> float:
        # Not later than now: the wall clock may have been set back meanwhile.
        return min(at_s + now_s - utc_s, now_s)

    decisions: defaultdict[int, list[PolicyDecision]] = defaultdict(list)
    for decision in history.decisions:
        decisions[decision.incident].append(decision)
    actions = group_by_incident(history.actions)
    state = PolicyState(sequences=dict(history.sequences), given_out=given_out)
    for incident in history.incidents:
        number = incident.id
        alerts = _restore_alerts(
            incident, decisions[number], actions.get(number, ()), now_s, steady
        )
        state.alerts[number] = alerts
        if alerts.thread is not None and alerts.notified_s is not None:
            at_s = alerts.notified_s
            thread = state.threads.setdefault(
                alerts.thread, MessageThread(alerts.thread, at_s, at_s, at_s)
            )
            _restore_thread(thread, number, at_s, decisions[number], steady)
    for thread in state.threads.values():
        for number in thread.members:
            alerts = state.alerts[number]
            told_s = thread.started_s if alerts.notified_s is None else alerts.notified_s
            from_s = thread.started_s if thread.is_group else told_s
            alerts.escalation_from_s = max(alerts.escalation_from_s, from_s)
    _restore_flapping(state, history, steady)
    return state


def _restore_alerts(
    incident: Incident,
    decisions: Sequence[PolicyDecision],
    actions: Sequence[IncidentAction],
    now_s: float,
    steady: Callable[[float], float],
) -> IncidentAlerts:
    alerts = IncidentAlerts(
        incident,
        opened_s=steady(incident.detected_s),
        recheck_until_s=now_s + RECHECK_S,
        actions=list(actions),
    )
    other = (*_FLAPPING_REASONS, *_NEXT_CHANNEL_REASONS)
    sent = [d for d in decisions if d.notified and d.reason not in other]
    threaded = [decision for decision in sent if decision.thread is not None]
    if threaded:
        # It may have joined a group since its opening.
        alerts.thread = threaded[-1].thread
        alerts.notified_s = steady(threaded[0].at_s)
        alerts.steps_sent = 1 + max((d.step for d in sent if d.step is not None), default=0)
        alerts.recipients = _recipients(sent)
        passed_on = [d for d in decisions if d.reason in _NEXT_CHANNEL_REASONS]
        alerts.further = {
            Recipient(d.recipient, d.channel)
            for d in passed_on
            if d.recipient is not None and d.channel is not None
        }
    held = [d for d in decisions if not d.notified and d.recipient is not None]
    alerts.held = {
        name: each for name, each in _recipients(held).items() if name not in alerts.recipients
    }
    alerts.escalation_from_s = _last_mute_end_s(actions, now_s, steady)
    of_all = [d for d in decisions if d.notified or d.recipient is None]
    last = of_all[-1] if of_all else None
    if last is not None and not last.notified:
        alerts.last_refusal = (last.event, last.reason)
    if incident.ended_s is not None:
        alerts.closed_s = now_s
    return alerts


def _last_mute_end_s(
    actions: Sequence[IncidentAction], now_s: float, steady: Callable[[float], float]
) -> float:
    """When the last acknowledgement or snooze ended; one still in force counts when it ends."""
    last = next((action for action in reversed(actions) if action.kind in _MUTING_KINDS), None)
    if last is None:
        return _NEVER_S
    if last.kind is ActionKind.RELEASE:
        return steady(last.at_s)
    end_s = now_s if last.until_s is None else steady(last.until_s)
    return end_s if end_s < now_s else _NEVER_S


def _recipients(decisions: Sequence[PolicyDecision]) -> dict[str, Recipient]:
    return {
        decision.recipient: Recipient(decision.recipient, decision.channel)
        for decision in decisions
        if decision.recipient is not None and decision.channel is not None
    }


def _restore_thread(
    thread: MessageThread,
    incident: int,
    notified_s: float,
    decisions: Sequence[PolicyDecision],
    steady: Callable[[float], float],
) -> None:
    thread.members.add(incident)
    thread.started_s = min(thread.started_s, notified_s)
    thread.last_digest_s = max(thread.last_digest_s, notified_s)
    thread.is_group |= any(decision.reason is Reason.DIGEST for decision in decisions)
    reminders = {
        decision.sequence: steady(decision.at_s)
        for decision in decisions
        if decision.notified and decision.reason is Reason.REMINDER_DUE
    }
    thread.reminders = max(thread.reminders, len(reminders))
    thread.last_sent_s = max(thread.last_sent_s, *reminders.values(), thread.started_s)


def _restore_flapping(
    state: PolicyState, history: PolicyHistory, steady: Callable[[float], float]
) -> None:
    changes = [
        change
        for incident in history.recent
        for change in _changes_of(incident)
        if counts_as_flap(change)
    ]
    for change in sorted(changes, key=lambda change: change.at_s):
        state.count_flap(change.incident, steady(change.at_s))
    targets = {incident.id: incident.target for incident in (*history.recent, *history.incidents)}
    for decision in history.flapping_decisions:
        target = state.flapping.get(targets.get(decision.incident, ""))
        if target is None:
            continue
        if decision.reason is Reason.FLAPPING_OVER:
            target.thread = None
            target.recipients = {}
        elif decision.thread is not None:
            target.thread = decision.thread
            target.recipients |= _recipients([decision])


def _changes_of(incident: Incident) -> list[IncidentChange]:
    opened = IncidentChange(ChangeKind.OPENED, incident, incident.detected_s)
    if incident.ended_s is None:
        return [opened]
    return [opened, IncidentChange(ChangeKind.CLOSED, incident, incident.ended_s)]
