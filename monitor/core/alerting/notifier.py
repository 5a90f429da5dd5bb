"""Turn policy decisions into outbox rows: the policy decides, the alerting state gives the words.

Owns the book. No I/O and no clock: whoever calls hands in both times, and writes what comes out in
the transaction of the decisions that it follows from.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from monitor.core.alerting.alerting_state import AlertingState
from monitor.core.alerting.documents import with_handling
from monitor.core.alerting.messages.context import NotificationContext
from monitor.core.alerting.model import MaintenanceWindow, OutboxRow, PolicyDecision
from monitor.core.alerting.outbox import CODE_CHARACTERS, encode_body
from monitor.core.alerting.policy import Event, advance
from monitor.core.alerting.policy.cases import Around, Planned, PolicyState
from monitor.core.alerting.settings import Route
from monitor.core.model import Decision, IncidentChange

LOOK_S = 1.0
"""How often windows are looked at: a moment later is early enough."""


@dataclass(frozen=True, slots=True)
class PolicyResult:
    """What follows from decisions: rows to send, and the reasons to keep."""

    rows: tuple[OutboxRow, ...] = ()
    policy_decisions: tuple[PolicyDecision, ...] = ()


class Notifier:
    """office_open: whether a moment (UTC seconds) is within office hours."""

    __slots__ = ("_alerting_state", "_book", "_covered", "_looked_s", "_office_open", "_routes")

    def __init__(
        self, book: PolicyState, alerting_state: AlertingState, office_open: Callable[[float], bool]
    ) -> None:
        self._book = book
        self._alerting_state = alerting_state
        self._office_open = office_open
        self._covered: Mapping[str, MaintenanceWindow] = {}
        self._looked_s: float | None = None
        self._routes: dict[int, Route | None] = {}

    def reconfigure(self, office_open: Callable[[float], bool]) -> None:
        """Another configuration is in force; the alerting state has it already."""
        self._office_open = office_open
        self._routes.clear()
        self._looked_s = None

    def maintenance_changed(self) -> None:
        """A maintenance window is new or was ended: look at once."""
        self._looked_s = None

    def is_flapping(self, target: str) -> bool:
        """Is a target known to go up and down?"""
        return self._book.is_flapping(target)

    def decide(self, events: Sequence[Event], now_s: float, utc_s: float) -> PolicyResult:
        """What is to be told of these (in UTC), and of all that is due at this moment.

        now_s: on the steady timeline, utc_s: the same moment by people's clocks.
        """
        rules = self._alerting_state.alerts.rules
        around = Around(
            utc_s=utc_s,
            rules=rules,
            duty=self._alerting_state.routing,
            office_open=self._office_open,
            covered=self._look_at_windows(utc_s),
            routes=self._routes,
        )
        self._book, said = advance(self._book, events, now_s, around)
        if len(self._routes) > len(self._book.cases):
            self._routes = {n: r for n, r in self._routes.items() if n in self._book.cases}
        return PolicyResult(
            tuple(self._row(planned, utc_s) for planned in said.planned), tuple(said.notices)
        )

    def _look_at_windows(self, utc_s: float) -> Mapping[str, MaintenanceWindow]:
        if self._looked_s is None or not 0.0 <= utc_s - self._looked_s < LOOK_S:
            self._covered = self._alerting_state.maintenance.covered_targets(utc_s)
            self._looked_s = utc_s
        return self._covered

    def _row(self, planned: Planned, utc_s: float) -> OutboxRow:
        recipient = planned.recipient
        occasion = NotificationContext(
            event=planned.event,
            reason=planned.reason,
            incidents=planned.incidents,
            recipient=recipient,
            language=self._alerting_state.routing.language(recipient),
            at_s=utc_s,
            notified=planned.told,
            actions=planned.actions,
            most_characters=self._room(recipient.channel),
            escalated=planned.escalated,
        )
        documents = [
            with_handling(
                incident, [a for a in planned.actions if a.incident == incident.id], utc_s
            )
            for incident in planned.incidents
        ]
        about = tuple(incident.id for incident in planned.incidents)
        return OutboxRow(
            incident=planned.thread,
            sequence=planned.sequence,
            channel=recipient.channel,
            recipient=recipient.name,
            event=planned.event,
            body=encode_body(self._alerting_state.message_writer(occasion), documents),
            next_try_s=utc_s,
            about=() if about == (planned.thread,) else about,
        )

    def _room(self, channel: str) -> int:
        limits = [
            each.most_characters
            for each in self._alerting_state.alerts.channels
            if each.id == channel
        ]
        return (limits[0] if limits else 4000) - CODE_CHARACTERS


def policy_events(decisions: Iterable[Decision]) -> list[Event]:
    """Those of a judgement that alerting hears of: the changes of incidents."""
    return [each for each in decisions if isinstance(each, IncidentChange)]
