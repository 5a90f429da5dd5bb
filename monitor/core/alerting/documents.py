"""One incident whole, and what hangs on it, in JSON: handling, actions, notices, messages.

The same documents for the local API, the commands and the dashboard. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from monitor.core.alerting.handling import Handling, handling_of
from monitor.core.alerting.model import IncidentAction, MaintenanceWindow, OutboxRow, PolicyDecision
from monitor.core.alerting.outbox import idempotency_key
from monitor.core.alerting.rota import Turn
from monitor.core.alerting.settings import AlertSettings, Person
from monitor.core.documents import Document, incident_document, rfc3339
from monitor.core.model import Incident


def action_document(action: IncidentAction) -> Document:
    """What somebody did."""
    return {
        "id": action.id,
        "incident": action.incident,
        "kind": action.kind.value,
        "who": action.who,
        "at": rfc3339(action.at_s),
        "text": action.text,
        "until": rfc3339(action.until_s),
    }


def notification_document(notice: PolicyDecision) -> Document:
    """One yes or no, and its reason."""
    return {
        "incident": notice.incident,
        "at": rfc3339(notice.at_s),
        "event": notice.event.value,
        "told": notice.notified,
        "reason": notice.reason.value,
        "recipient": notice.recipient,
        "channel": notice.channel,
        "thread": notice.thread,
        "sequence": notice.sequence,
        "step": notice.step,
    }


def outbox_document(row: OutboxRow) -> Document:
    """One message on its way; its text stays in the ledger. code: as the message shows it."""
    return {
        "id": row.id,
        "incident": row.incident,
        "sequence": row.sequence,
        "event": row.event.value,
        "channel": row.channel,
        "recipient": row.recipient,
        "status": row.status.value,
        "code": idempotency_key(row.incident, row.sequence, row.channel, row.recipient)[:8],
        "about": list(row.about or (row.incident,)),
        "attempts": row.attempts,
        "first_try": rfc3339(row.first_try_s),
        "next_try": rfc3339(row.next_try_s),
        "sent": rfc3339(row.sent_s),
        "merged_into": row.merged_into,
        "last_error": row.last_error,
    }


def window_document(window: MaintenanceWindow, at_s: float) -> Document:
    """A maintenance window; id None: an occurrence of a line of maintenance.toml.

    state: `ahead`, `now` or `over` at that moment (UTC).
    """
    begun = "now" if window.start_s <= at_s else "ahead"
    return {
        "id": window.id or None,
        "targets": list(window.targets),
        "from": rfc3339(window.start_s),
        "to": rfc3339(window.end_s),
        "who": window.who,
        "why": window.why,
        "recurring": window.recurring,
        "ended": rfc3339(window.ended_s),
        "ended_by": window.ended_by,
        "state": "over" if window.effective_end_s <= at_s else begun,
    }


def handling_document(handling: Handling, at_s: float) -> Document:
    """Who has it in hand, until when, and what was noted. at_s: now (UTC)."""
    taken, muted = handling.active_acknowledgement(at_s), handling.active_snooze(at_s)
    return {
        "acknowledged_by": None if taken is None else taken.who,
        "acknowledged_until": None if taken is None else rfc3339(taken.until_s),
        "acknowledged_why": None if taken is None else taken.text,
        "snoozed_by": None if muted is None else muted.who,
        "snoozed_until": None if muted is None else rfc3339(muted.until_s),
        "ticket": handling.ticket,
        "cause": handling.cause,
        "notes": [action_document(note) for note in handling.notes],
    }


def with_handling(incident: Incident, actions: Sequence[IncidentAction], at_s: float) -> Document:
    """One incident of a list, with who has it in hand."""
    return incident_document(incident) | {"handling": handling_document(handling_of(actions), at_s)}


def oncall_documents(
    alerts: AlertSettings, turns: Sequence[tuple[Turn, Turn | None]]
) -> list[Document]:
    """Each rota: who is on call now, and who is next."""
    people = {person.id: person for person in alerts.people}
    return [
        {
            "rota": now.rota,
            "now": turn_document(now, people),
            "next": None if after is None else turn_document(after, people),
        }
        for now, after in turns
    ]


def turn_document(turn: Turn, people: Mapping[str, Person]) -> Document:
    """One stretch of being on call; person None: nobody."""
    person = None if turn.person is None else people.get(turn.person)
    return {
        "person": turn.person,
        "name": None if person is None else person.name,
        "phone": None if person is None else person.phone,
        "channels": [] if person is None else list(person.channels),
        "from": rfc3339(turn.start_s),
        "to": rfc3339(turn.end_s),
        "override": turn.override,
    }
