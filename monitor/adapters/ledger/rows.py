"""Convert transitions, incidents, actions, decisions and messages to rows, and back.

Reading a row raises ValueError for a value of an enum that this version does not know.
"""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Iterator, Mapping
from dataclasses import asdict, fields
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import RowMapping

from monitor.core.alerting.model import (
    ActionKind,
    EventKind,
    IncidentAction,
    MaintenanceWindow,
    OutboxRow,
    OutboxStatus,
    PolicyDecision,
)
from monitor.core.alerting.reasons import Reason
from monitor.core.model import (
    Incident,
    IncidentChange,
    IncidentEvidence,
    Scope,
    State,
    StoredState,
    Transition,
)
from monitor.core.paths.model import FindingKind, NamedHop, PathFinding

CHUNK = 500


def to_us(seconds: float) -> int:
    """Seconds since the epoch as whole microseconds, to the nearest."""
    return round(seconds * 1_000_000)


def from_us(us: int) -> float:
    """The float nearest to that many microseconds: the one that `to_us` was given."""
    return us / 1_000_000


def to_us_or_none(at_s: float | None) -> int | None:
    """None where there is no time."""
    return None if at_s is None else to_us(at_s)


def from_us_or_none(us: int | None) -> float | None:
    """None where there is no time."""
    return None if us is None else from_us(us)


def chunks(values: Collection[Any]) -> Iterator[list[Any]]:
    """The values in lists that every database accepts in one IN."""
    all_values = list(values)
    for start in range(0, len(all_values), CHUNK):
        yield all_values[start : start + CHUNK]


def transition_row(transition: Transition) -> dict[str, Any]:
    """The row of `transitions`, without its id."""
    return {
        "target": transition.target,
        "at_us": to_us(transition.at_s),
        "detected_us": to_us(transition.detected_s),
        "before": transition.before.value,
        "after": transition.after.value,
        "reason": transition.reason,
        "proof": _evidence_to_json(transition.evidence),
    }


def transition_of(row: RowMapping) -> Transition:
    return Transition(
        target=row["target"],
        at_s=from_us(row["at_us"]),
        detected_s=from_us(row["detected_us"]),
        before=State(row["before"]),
        after=State(row["after"]),
        reason=row["reason"],
        evidence=_evidence_of(row["proof"]),
    )


def state_of(row: RowMapping) -> StoredState:
    return StoredState(row["target"], State(row["state"]), from_us(row["since_us"]), row["reason"])


def incident_row(incident: Incident) -> dict[str, Any]:
    """The row of `incidents`; what it affects has rows of its own."""
    return {
        "id": incident.id,
        "scope": incident.scope.value,
        "target": incident.target,
        "state": incident.state.value,
        "started_us": to_us(incident.started_s),
        "detected_us": to_us(incident.detected_s),
        "reason": incident.reason,
        "proof": _evidence_to_json(incident.evidence),
        "ended_us": to_us_or_none(incident.ended_s),
        "end_reason": incident.end_reason,
        "started_earliest_us": to_us_or_none(incident.started_earliest_s),
        "ended_earliest_us": to_us_or_none(incident.ended_earliest_s),
        "parent": incident.parent,
        "suspected_cause": incident.suspected_cause,
    }


def incident_of(row: RowMapping, affected: tuple[str, ...]) -> Incident:
    return Incident(
        id=row["id"],
        scope=Scope(row["scope"]),
        target=row["target"],
        state=State(row["state"]),
        started_s=from_us(row["started_us"]),
        detected_s=from_us(row["detected_us"]),
        reason=row["reason"],
        evidence=_evidence_of(row["proof"]),
        ended_s=from_us_or_none(row["ended_us"]),
        end_reason=row["end_reason"],
        started_earliest_s=from_us_or_none(row["started_earliest_us"]),
        ended_earliest_s=from_us_or_none(row["ended_earliest_us"]),
        parent=row["parent"],
        affected=affected,
        suspected_cause=row["suspected_cause"],
    )


def event_body(change: IncidentChange) -> dict[str, Any]:
    """The incident as it was after this change, whole, under the names of `incidents --json`.

    Times are RFC 3339 to the microsecond, so that a person reads them and nothing is lost.
    """
    incident = change.incident
    return {
        "id": incident.id,
        "scope": incident.scope.value,
        "target": incident.target,
        "state": incident.state.value,
        "started": _rfc3339(incident.started_s),
        "started_earliest": _rfc3339(incident.started_earliest_s),
        "detected": _rfc3339(incident.detected_s),
        "ended": _rfc3339(incident.ended_s),
        "ended_earliest": _rfc3339(incident.ended_earliest_s),
        "reason": incident.reason,
        "end_reason": incident.end_reason,
        "parent": incident.parent,
        "affected": list(incident.affected),
        "suspected_cause": incident.suspected_cause,
        "evidence": _evidence_to_json(incident.evidence),
    }


def canonical(body: Mapping[str, Any]) -> str:
    """The same text for equal bodies."""
    return json.dumps(body, sort_keys=True, ensure_ascii=False)


def _evidence_to_json(proof: IncidentEvidence) -> dict[str, Any]:
    """Only what is known. A number that JSON does not have (NaN, infinity) is not known."""
    return {
        name: value
        for name, value in asdict(proof).items()
        if value is not None and not (isinstance(value, float) and not math.isfinite(value))
    }


def _evidence_of(stored: Mapping[str, Any]) -> IncidentEvidence:
    known = {each.name: stored.get(each.name) for each in fields(IncidentEvidence)}
    near, path = known["near_sites"], known["path"]
    return IncidentEvidence(
        **known
        | {
            "near_sites": None if near is None else tuple(near),
            "path": None if path is None else _path_finding_of(path),
        }
    )


def _path_finding_of(stored: Mapping[str, Any]) -> PathFinding:
    known: dict[str, Any] = {each.name: stored.get(each.name) for each in fields(PathFinding)}
    known["kind"] = FindingKind(known["kind"])
    for name in ("last", "usual_last", "next"):
        if known[name] is not None:
            known[name] = NamedHop(**known[name])
    return PathFinding(**known)


def _rfc3339(at_s: float | None) -> str | None:
    if at_s is None:
        return None
    # A timedelta of whole microseconds is exact; fromtimestamp would round a float again.
    at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=to_us(at_s))
    return at.isoformat(timespec="microseconds").replace("+00:00", "Z")


def outbox_row(row: OutboxRow) -> dict[str, Any]:
    """The row of `outbox`, without its id."""
    return {
        "incident": row.incident,
        "sequence": row.sequence,
        "channel": row.channel,
        "recipient": row.recipient,
        "event": row.event.value,
        "body": row.body,
        "about": list(row.about),
        "status": row.status.value,
        "next_try_us": to_us(row.next_try_s),
        "lease_until_us": to_us_or_none(row.lease_until_s),
        "attempts": row.attempts,
        "first_try_us": to_us_or_none(row.first_try_s),
        "last_error": row.last_error,
        "sent_us": to_us_or_none(row.sent_s),
        "merged_into": row.merged_into,
        "queued_us": to_us_or_none(row.queued_s),
        "fallback_of": row.fallback_of,
        "ledger": row.ledger or None,
    }


def outbox_of(row: RowMapping) -> OutboxRow:
    return OutboxRow(
        incident=row["incident"],
        sequence=row["sequence"],
        channel=row["channel"],
        recipient=row["recipient"],
        event=EventKind(row["event"]),
        body=row["body"],
        next_try_s=from_us(row["next_try_us"]),
        status=OutboxStatus(row["status"]),
        lease_until_s=from_us_or_none(row["lease_until_us"]),
        attempts=row["attempts"],
        first_try_s=from_us_or_none(row["first_try_us"]),
        last_error=row["last_error"],
        sent_s=from_us_or_none(row["sent_us"]),
        id=row["id"],
        about=tuple(row["about"]),
        merged_into=row["merged_into"],
        queued_s=from_us_or_none(row["queued_us"]),
        fallback_of=row["fallback_of"],
        ledger=row["ledger"] or "",
    )


def policy_decision_row(decision: PolicyDecision) -> dict[str, Any]:
    """The row of `notices`, without its id."""
    return {
        "incident": decision.incident,
        "at_us": to_us(decision.at_s),
        "event": decision.event.value,
        "told": decision.notified,
        "reason": decision.reason.value,
        "recipient": decision.recipient or "",
        "channel": decision.channel or "",
        "thread": decision.thread,
        "sequence": decision.sequence,
        "step": decision.step,
    }


def policy_decision_of(row: RowMapping) -> PolicyDecision:
    return PolicyDecision(
        incident=row["incident"],
        at_s=from_us(row["at_us"]),
        event=EventKind(row["event"]),
        notified=row["told"],
        reason=Reason(row["reason"]),
        recipient=row["recipient"] or None,
        channel=row["channel"] or None,
        thread=row["thread"],
        sequence=row["sequence"],
        step=row["step"],
    )


def action_row(action: IncidentAction) -> dict[str, Any]:
    """The row of `actions`, without its id."""
    return {
        "incident": action.incident,
        "kind": action.kind.value,
        "who": action.who,
        "at_us": to_us(action.at_s),
        "text": action.text,
        "until_us": to_us_or_none(action.until_s),
    }


def action_of(row: RowMapping) -> IncidentAction:
    return IncidentAction(
        incident=row["incident"],
        kind=ActionKind(row["kind"]),
        who=row["who"],
        at_s=from_us(row["at_us"]),
        text=row["text"],
        until_s=from_us_or_none(row["until_us"]),
        id=row["id"],
    )


def window_row(window: MaintenanceWindow) -> dict[str, Any]:
    """The row of `windows`, without its id."""
    return {
        "targets": list(window.targets),
        "start_us": to_us(window.start_s),
        "end_us": to_us(window.end_s),
        "who": window.who,
        "why": window.why,
        "recurring": window.recurring,
        "ended_us": to_us_or_none(window.ended_s),
        "ended_by": window.ended_by,
    }


def window_of(row: RowMapping) -> MaintenanceWindow:
    return MaintenanceWindow(
        targets=tuple(row["targets"]),
        start_s=from_us(row["start_us"]),
        end_s=from_us(row["end_us"]),
        who=row["who"],
        why=row["why"],
        id=row["id"],
        ended_s=from_us_or_none(row["ended_us"]),
        recurring=row["recurring"],
        ended_by=row["ended_by"],
    )
