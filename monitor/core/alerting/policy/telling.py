"""Yes and no, collected in one step: pairs of incident and receiver become messages. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from monitor.core.alerting.model import EventKind, PolicyDecision, Recipient
from monitor.core.alerting.policy.cases import Decided, IncidentAlerts, Planned, PolicyState
from monitor.core.alerting.reasons import Reason


@dataclass(frozen=True, slots=True)
class IncidentRecipient:
    """One incident for one receiver."""

    case: IncidentAlerts
    recipient: Recipient
    step: int | None
    escalated: bool


@dataclass(slots=True)
class DecisionBuilder:
    """Collects what one step says; `said` makes messages of it."""

    book: PolicyState
    utc_s: float
    notices: list[PolicyDecision] = field(default_factory=list)
    _pairs: dict[tuple[int, EventKind, Reason], list[IncidentRecipient]] = field(
        default_factory=dict
    )
    _spoken: set[tuple[int, str, bool]] = field(default_factory=set)

    def no(self, case: IncidentAlerts, event: EventKind, reason: Reason) -> None:
        """Not told, and why; said once for as long as the reason stays."""
        if case.why_not != (event, reason):
            case.why_not = (event, reason)
            self.notices.append(
                PolicyDecision(case.incident.id, self.utc_s, event, notified=False, reason=reason)
            )

    def yes(
        self,
        case: IncidentAlerts,
        thread: int,
        recipients: Iterable[Recipient],
        event: EventKind,
        reason: Reason,
        *,
        step: int | None = None,
        escalated: bool = False,
    ) -> None:
        """Told. One receiver hears of one incident once in a step (of its flapping apart)."""
        aside = event is EventKind.UPDATED
        pairs = self._pairs.setdefault((thread, event, reason), [])
        for recipient in recipients:
            key = (case.incident.id, recipient.name, aside)
            if key not in self._spoken:
                self._spoken.add(key)
                pairs.append(IncidentRecipient(case, recipient, step, escalated))
        if not aside:
            case.why_not = None

    def said(self) -> Decided:
        """Everything as messages: what a thread has for one receiver at one moment is one."""
        planned: list[Planned] = []
        for (thread, event, reason), pairs in self._pairs.items():
            if pairs:
                planned += self._bundle(thread, event, reason, pairs)
        return Decided(planned, self.notices)

    def _bundle(
        self, thread: int, event: EventKind, reason: Reason, pairs: list[IncidentRecipient]
    ) -> list[Planned]:
        sequence = self.book.sequences.get(thread, 0) + 1
        self.book.sequences[thread] = sequence
        parcels: dict[Recipient, list[IncidentRecipient]] = {}
        for pair in pairs:
            parcels.setdefault(pair.recipient, []).append(pair)
        told = tuple(dict.fromkeys(recipient.name for recipient in parcels))
        planned = []
        for recipient, mine in parcels.items():
            several = len(mine) > 1
            spoken = EventKind.DIGEST if several and event is EventKind.OPENED else event
            planned.append(
                Planned(
                    thread=thread,
                    sequence=sequence,
                    event=spoken,
                    reason=reason,
                    recipient=recipient,
                    incidents=tuple(pair.case.incident for pair in mine),
                    actions=tuple(action for pair in mine for action in pair.case.actions),
                    told=told,
                    escalated=any(pair.escalated for pair in mine),
                )
            )
            self.notices += [
                PolicyDecision(
                    incident=pair.case.incident.id,
                    at_s=self.utc_s,
                    event=spoken,
                    notified=True,
                    reason=reason,
                    recipient=recipient.name,
                    channel=recipient.channel,
                    thread=thread,
                    sequence=sequence,
                    step=pair.step,
                )
                for pair in mine
            ]
        return planned
