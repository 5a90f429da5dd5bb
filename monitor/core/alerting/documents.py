"""JSON documents of alerting, the same for local API, commands and dashboard."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from monitor.core.alerting.handling import Handling, handling_of
from monitor.core.alerting.model import IncidentAction, MaintenanceWindow, OutboxRow, PolicyDecision
from monitor.core.alerting.outbox import event_id, row_key
from monitor.core.alerting.rota import Turn
from monitor.core.alerting.settings import AlertSettings, Person
from monitor.core.documents import Document, incident_document, rfc3339
from monitor.core.model import Incident


def action_document(action: IncidentAction) -> Document:
    """An incident action as a JSON document."""
    return {
        "id": action.id,
        "incident": action.incident,
        "kind": action.kind.value,
        "who": action.who,
        "at": rfc3339(action.at_s),
        "text": action.text,
        "until": rfc3339(action.until_s),
    }


def policy_decision_document(decision: PolicyDecision) -> Document:
    """A policy decision as a JSON document."""
    return {
        "incident": decision.incident,
        "at": rfc3339(decision.at_s),
        "event": decision.event.value,
        "told": decision.notified,
        "reason": decision.reason.value,
        "recipient": decision.recipient,
        "channel": decision.channel,
        "thread": decision.thread,
        "sequence": decision.sequence,
        "step": decision.step,
    }


def outbox_document(row: OutboxRow) -> Document:
    """Without the text. code: as the message shows it."""
    return {
        "id": row.id,
        "incident": row.incident,
        "sequence": row.sequence,
        "event": row.event.value,
        "channel": row.channel,
        "recipient": row.recipient,
        "status": row.status.value,
        "code": row_key(row)[:8],
        "about": list(row.about or (row.incident,)),
        "attempts": row.attempts,
        "first_try": rfc3339(row.first_try_s),
        "next_try": rfc3339(row.next_try_s),
        "sent": rfc3339(row.sent_s),
        "merged_into": row.merged_into,
        "event_id": event_id(row.ledger, row.incident, row.sequence, row.recipient),
        "queued": rfc3339(row.queued_s),
        "fallback_of": row.fallback_of,
        "last_error": row.last_error,
    }


def window_document(window: MaintenanceWindow, at_s: float) -> Document:
    """id None: an occurrence of a recurring window.

    state: `ahead`, `now` or `over` at that moment (UTC).
    """
    started = "now" if window.start_s <= at_s else "ahead"
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
        "state": "over" if window.effective_end_s <= at_s else started,
    }


def handling_document(handling: Handling, at_s: float) -> Document:
    """Who acknowledged or snoozed it until when, ticket, cause and notes. at_s: now (UTC)."""
    acknowledged, snoozed = handling.active_acknowledgement(at_s), handling.active_snooze(at_s)
    return {
        "acknowledged_by": None if acknowledged is None else acknowledged.who,
        "acknowledged_until": None if acknowledged is None else rfc3339(acknowledged.until_s),
        "acknowledged_why": None if acknowledged is None else acknowledged.text,
        "snoozed_by": None if snoozed is None else snoozed.who,
        "snoozed_until": None if snoozed is None else rfc3339(snoozed.until_s),
        "ticket": handling.ticket,
        "cause": handling.cause,
        "notes": [action_document(note) for note in handling.notes],
    }


def with_handling(
    incident: Incident, actions: Sequence[IncidentAction], at_s: float, ledger: str
) -> Document:
    """An incident of a list, with its handling. ledger: see `incident_document`."""
    handling = handling_document(handling_of(actions), at_s)
    return incident_document(incident, ledger) | {"handling": handling}


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
    """person None: nobody is on call."""
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
