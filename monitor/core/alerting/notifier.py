"""Turn incident changes and actions into outbox rows: policy decision, then text, then row.

No I/O and no clock: the caller gives both times, and writes the result in the transaction of the
detector's decisions that it follows from.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from zlib import crc32

from monitor.core.alerting.alerting_state import AlertingState
from monitor.core.alerting.documents import with_handling
from monitor.core.alerting.fallback import pass_on
from monitor.core.alerting.model import (
    EventKind,
    MaintenanceWindow,
    NotificationContext,
    OutboxRow,
    PolicyDecision,
)
from monitor.core.alerting.office_status import StateOf
from monitor.core.alerting.outbox import CODE_CHARACTERS, encode_body, incident_ids
from monitor.core.alerting.policy import PolicyEvent, decide
from monitor.core.alerting.policy_context import PlannedMessage, PolicyContext
from monitor.core.alerting.policy_state import PolicyState
from monitor.core.alerting.reasons import Reason
from monitor.core.alerting.settings import Route
from monitor.core.model import Decision, IncidentChange

HAND_OVER_NUMBERS = -20_000_000

MAINTENANCE_LOOK_S = 1.0
"""Maintenance windows are evaluated once in so long."""


@dataclass(frozen=True, slots=True)
class PolicyResult:
    """Rows to send, decisions to record, and errors of texts.

    text_errors: one line for each message that got a plain text, for the log of the caller.
    """

    rows: tuple[OutboxRow, ...] = ()
    policy_decisions: tuple[PolicyDecision, ...] = ()
    text_errors: tuple[str, ...] = ()


class Notifier:
    """Owns the policy state. office_open: whether a moment (UTC seconds) is in office hours."""

    __slots__ = (
        "_alerting_state",
        "_looked_s",
        "_maintenance",
        "_office_open",
        "_routes",
        "_state",
    )

    def __init__(
        self,
        state: PolicyState,
        alerting_state: AlertingState,
        office_open: Callable[[float], bool],
    ) -> None:
        self._state = state
        self._alerting_state = alerting_state
        self._office_open = office_open
        self._maintenance: Mapping[str, MaintenanceWindow] = {}
        self._looked_s: float | None = None
        self._routes: dict[int, Route | None] = {}

    def reconfigure(self, office_open: Callable[[float], bool]) -> None:
        """Follow a reload; the alerting state has the new configuration already."""
        self._office_open = office_open
        self._routes.clear()
        self._looked_s = None

    def maintenance_changed(self) -> None:
        """Evaluate the maintenance windows at the next decision."""
        self._looked_s = None

    def is_flapping(self, target: str) -> bool:
        return self._state.is_flapping(target)

    def decide(
        self, events: Sequence[PolicyEvent], now_s: float, utc_s: float, state_of: StateOf
    ) -> PolicyResult:
        """Rows and decisions that follow from these events (UTC), and from time having passed.

        now_s (steady timeline) and utc_s (wall clock) are the same moment. state_of: the states
        of the targets at that moment.
        """
        context = PolicyContext(
            utc_s=utc_s,
            rules=self._alerting_state.alerts.rules,
            routing=self._alerting_state.routing,
            office_open=self._office_open,
            maintenance=self._maintenance_at(utc_s),
            routes=self._routes,
        )
        self._state, outcome = decide(self._state, events, now_s, context)
        if len(self._routes) > len(self._state.alerts):
            self._routes = {n: r for n, r in self._routes.items() if n in self._state.alerts}
        written = [self._row(message, utc_s, state_of) for message in outcome.messages]
        return PolicyResult(
            rows=tuple(row for row, _ in written),
            policy_decisions=tuple(outcome.decisions),
            text_errors=tuple(
                f"text of a message about incident {row.incident} for {row.channel}: {error}"
                for row, error in written
                if error is not None
            ),
        )

    def pass_on(self, row: OutboxRow, closings: Sequence[OutboxRow], utc_s: float) -> PolicyResult:
        """An opening that waits too long, by the next channel; empty when it is over already.

        closings: those of its thread that are queued for the same channel.
        """
        numbers = incident_ids(row)
        alerts = [self._state.alerts[n] for n in numbers if n in self._state.alerts]
        if all(each.is_closed for each in alerts):
            return PolicyResult()
        routing, reason = self._alerting_state.routing, Reason.NEXT_CHANNEL_AFTER_WAIT
        found = [pass_on(each, routing, reason, utc_s) for each in (row, *closings)]
        decisions = tuple(each for passed in found for each in passed.policy_decisions)
        self._state.note_passed_on(decisions)
        return PolicyResult(tuple(each for passed in found for each in passed.rows), decisions)

    def hand_over(
        self, rota: str, person: str, sequence: int, utc_s: float, state_of: StateOf
    ) -> PolicyResult:
        """One message to somebody who goes on duty, with all that is open; none if nothing is.

        sequence: the same for the same change of a rota. state_of: the states of the targets now.
        """
        recipients = self._alerting_state.routing.recipients((f"person:{person}",), utc_s)
        open_alerts = self._state.handed_over()
        if not recipients or not open_alerts:
            return PolicyResult()
        (recipient,) = recipients
        message = PlannedMessage(
            thread=hand_over_number(rota),
            sequence=sequence,
            event=EventKind.DIGEST,
            reason=Reason.HAND_OVER,
            recipient=recipient,
            incidents=tuple(alerts.incident for alerts in open_alerts),
            actions=tuple(action for alerts in open_alerts for action in alerts.actions),
        )
        decisions = []
        for alerts in open_alerts:
            alerts.recipients.setdefault(recipient.name, recipient)
            alerts.held.pop(recipient.name, None)
            decisions.append(
                PolicyDecision(
                    incident=alerts.incident.id,
                    at_s=utc_s,
                    event=EventKind.DIGEST,
                    notified=True,
                    reason=Reason.HAND_OVER,
                    recipient=recipient.name,
                    channel=recipient.channel,
                    thread=alerts.thread,
                )
            )
        row, error = self._row(message, utc_s, state_of)
        errors = () if error is None else (f"text of a hand-over for {row.channel}: {error}",)
        return PolicyResult((row,), tuple(decisions), errors)

    def note_passed_on(self, decisions: Sequence[PolicyDecision]) -> None:
        """A channel refused messages: their closings go by the further channel, too."""
        self._state.note_passed_on(decisions)

    def _maintenance_at(self, utc_s: float) -> Mapping[str, MaintenanceWindow]:
        if self._looked_s is None or not 0.0 <= utc_s - self._looked_s < MAINTENANCE_LOOK_S:
            self._maintenance = self._alerting_state.maintenance.covered_targets(utc_s)
            self._looked_s = utc_s
        return self._maintenance

    def _row(
        self, message: PlannedMessage, utc_s: float, state_of: StateOf
    ) -> tuple[OutboxRow, str | None]:
        """The outbox row, and why its text is only a plain one (None: it is proper)."""
        recipient, routing = message.recipient, self._alerting_state.routing
        # While the monitor is cut off it knows the state of no link.
        offices = (
            {}
            if self._state.is_isolated
            else self._alerting_state.offices.status(
                message.incidents, state_of, self._maintenance.keys()
            )
        )
        writer = self._alerting_state.message_writer
        wording = writer.write(
            NotificationContext(
                event=message.event,
                reason=message.reason,
                incidents=message.incidents,
                recipient=recipient,
                language=routing.language(recipient),
                at_s=utc_s,
                notified=message.notified,
                actions=message.actions,
                most_characters=routing.most_characters(recipient.channel) - CODE_CHARACTERS,
                escalated=message.escalated,
                offices=offices,
                buttons=routing.has_buttons(recipient.channel),
            )
        )
        ledger = self._alerting_state.ledger.value
        documents = [
            with_handling(
                incident, [a for a in message.actions if a.incident == incident.id], utc_s, ledger
            )
            | writer.facts(incident, offices, utc_s)
            for incident in message.incidents
        ]
        about = tuple(incident.id for incident in message.incidents)
        row = OutboxRow(
            incident=message.thread,
            sequence=message.sequence,
            channel=recipient.channel,
            recipient=recipient.name,
            event=message.event,
            body=encode_body(wording, documents, writer.list_address),
            next_try_s=utc_s,
            queued_s=utc_s,
            about=() if about == (message.thread,) else about,
            ledger=ledger,
        )
        return row, wording.error


def hand_over_number(rota: str) -> int:
    """`incident` of the outbox rows of its hand-overs, in place of the id of an incident."""
    return HAND_OVER_NUMBERS - crc32(rota.encode()) % 999_983


def policy_events(decisions: Iterable[Decision]) -> list[PolicyEvent]:
    """The changes of incidents among the detector's decisions."""
    return [each for each in decisions if isinstance(each, IncidentChange)]
