"""The input and the output of one step of the alert policy."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from monitor.core.alerting.model import (
    EventKind,
    IncidentAction,
    MaintenanceWindow,
    PolicyDecision,
    Recipient,
)
from monitor.core.alerting.policy_state import IncidentAlerts, PolicyState
from monitor.core.alerting.reasons import Reason
from monitor.core.alerting.routing import AlertRouting
from monitor.core.alerting.settings import AlertRules, EscalationStep, Route
from monitor.core.model import Incident


@dataclass(frozen=True, slots=True)
class PolicyContext:
    """The moment by the wall clock, and the configuration in force.

    maintenance: the targets under maintenance now. routes: those found already, by incident id;
    valid until the next reload.
    """

    utc_s: float
    rules: AlertRules
    routing: AlertRouting
    office_open: Callable[[float], bool]
    maintenance: Mapping[str, MaintenanceWindow]
    routes: dict[int, Route | None] = field(default_factory=dict)
    _recipients: dict[tuple[str, ...], tuple[Recipient, ...]] = field(default_factory=dict)

    def route(self, incident: Incident) -> Route | None:
        """The first route that matches; None: nobody is notified."""
        if incident.id not in self.routes:
            self.routes[incident.id] = self.routing.route(incident)
        return self.routes[incident.id]

    def steps(self, incident: Incident) -> tuple[EscalationStep, ...]:
        """The escalation steps of its route; empty without a route."""
        route = self.route(incident)
        return () if route is None else route.steps

    def hold_s(self, incident: Incident, channel: str) -> float:
        """For how long the opening of an incident is held back on a channel, from its detection."""
        return self.routing.hold_s(channel, self.route(incident))

    def recipients(self, to: tuple[str, ...]) -> tuple[Recipient, ...]:
        """Who `rota:x`, `person:x`, `channel:x` are at this moment."""
        if to not in self._recipients:
            self._recipients[to] = self.routing.recipients(to, self.utc_s)
        return self._recipients[to]

    def first_step(self, incident: Incident) -> tuple[int, tuple[Recipient, ...]] | None:
        """Number and recipients of the first step that reaches somebody now; None: no step does."""
        for number, step in enumerate(self.steps(incident)):
            recipients = self.recipients(step.to)
            if recipients:
                return number, recipients
        return None

    def on_present_channels(self, recipients: Iterable[Recipient]) -> list[Recipient]:
        """Earlier recipients; one whose channel is gone gets its first present one, if any."""
        return [self._on_present_channel(recipient) for recipient in recipients]

    def _on_present_channel(self, recipient: Recipient) -> Recipient:
        channels = self.routing.channels(recipient.name)
        if not channels or recipient.channel in channels:
            return recipient
        return Recipient(recipient.name, channels[0])


@dataclass(frozen=True, slots=True)
class PlannedMessage:
    """One message to one recipient. incidents: UTC; notified: names of all who get the same."""

    thread: int
    sequence: int
    event: EventKind
    reason: Reason
    recipient: Recipient
    incidents: tuple[Incident, ...]
    actions: tuple[IncidentAction, ...] = ()
    notified: tuple[str, ...] = ()
    escalated: bool = False


@dataclass(slots=True)
class PolicyOutcome:
    """What one step of the policy decided: the messages, and every yes and no with its reason."""

    messages: list[PlannedMessage] = field(default_factory=list)
    decisions: list[PolicyDecision] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Entry:
    """One incident for one recipient."""

    alerts: IncidentAlerts
    recipient: Recipient
    step: int | None
    escalated: bool


@dataclass(slots=True)
class OutcomeBuilder:
    """Collects decisions; `build` merges what one recipient gets of one thread into one message."""

    state: PolicyState
    utc_s: float
    _refusals: list[PolicyDecision] = field(default_factory=list)
    _entries: dict[tuple[int, EventKind, Reason], list[_Entry]] = field(default_factory=dict)
    _seen: set[tuple[int, Recipient, bool]] = field(default_factory=set)

    def refuse(self, alerts: IncidentAlerts, event: EventKind, reason: Reason) -> None:
        """No message, and why; recorded once for as long as event and reason stay the same."""
        if alerts.last_refusal != (event, reason):
            alerts.last_refusal = (event, reason)
            number = alerts.incident.id
            self._refusals.append(
                PolicyDecision(number, self.utc_s, event, notified=False, reason=reason)
            )

    def hold(self, alerts: IncidentAlerts, recipient: Recipient, step: int) -> None:
        """The opening is sent to others, but still held back for this one."""
        self._refusals.append(
            PolicyDecision(
                alerts.incident.id,
                self.utc_s,
                EventKind.OPENED,
                notified=False,
                reason=Reason.WITHIN_HOLD,
                recipient=recipient.name,
                channel=recipient.channel,
                step=step,
            )
        )

    def notify(
        self,
        alerts: IncidentAlerts,
        thread: int,
        recipients: Iterable[Recipient],
        event: EventKind,
        reason: Reason,
        *,
        step: int | None = None,
        escalated: bool = False,
    ) -> None:
        """A message. A recipient gets one a step about an incident, and one about its flapping.

        On each of the channels, where it is told on several.
        """
        is_flapping = event is EventKind.UPDATED
        entries = self._entries.setdefault((thread, event, reason), [])
        for recipient in recipients:
            key = (alerts.incident.id, recipient, is_flapping)
            if key not in self._seen:
                self._seen.add(key)
                entries.append(_Entry(alerts, recipient, step, escalated))
        if not is_flapping:
            alerts.last_refusal = None

    def build(self) -> PolicyOutcome:
        """All refusals, then the messages of each thread under its next sequence number."""
        outcome = PolicyOutcome(decisions=self._refusals)
        for (thread, event, reason), entries in self._entries.items():
            if entries:
                sequence = self.state.next_sequence(thread)
                self._add_messages(outcome, thread, sequence, event, reason, entries)
        return outcome

    def _add_messages(
        self,
        outcome: PolicyOutcome,
        thread: int,
        sequence: int,
        event: EventKind,
        reason: Reason,
        entries: list[_Entry],
    ) -> None:
        by_recipient: dict[Recipient, list[_Entry]] = {}
        for entry in entries:
            by_recipient.setdefault(entry.recipient, []).append(entry)
        names = tuple(dict.fromkeys(recipient.name for recipient in by_recipient))
        for recipient, group in by_recipient.items():
            is_digest = len(group) > 1 and event is EventKind.OPENED
            sent_as = EventKind.DIGEST if is_digest else event
            outcome.messages.append(
                PlannedMessage(
                    thread=thread,
                    sequence=sequence,
                    event=sent_as,
                    reason=reason,
                    recipient=recipient,
                    incidents=tuple(entry.alerts.incident for entry in group),
                    actions=tuple(action for entry in group for action in entry.alerts.actions),
                    notified=names,
                    escalated=any(entry.escalated for entry in group),
                )
            )
            outcome.decisions += [
                PolicyDecision(
                    incident=entry.alerts.incident.id,
                    at_s=self.utc_s,
                    event=sent_as,
                    notified=True,
                    reason=reason,
                    recipient=recipient.name,
                    channel=recipient.channel,
                    thread=thread,
                    sequence=sequence,
                    step=entry.step,
                )
                for entry in group
            ]
