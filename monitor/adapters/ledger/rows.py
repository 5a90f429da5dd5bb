"""The nouns of the core as rows of the ledger, and back. Pure."""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Iterator, Mapping
from dataclasses import asdict, fields
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import RowMapping

from monitor.core.model import Incident, IncidentChange, IncidentEvidence, Scope, State, Transition
from monitor.core.ports import StoredState

AT_ONCE = 500


def micros(seconds: float) -> int:
    """Seconds since the epoch as whole microseconds, to the nearest."""
    return round(seconds * 1_000_000)


def seconds(us: int) -> float:
    """The float nearest to that many microseconds: the same one that `micros` was given."""
    return us / 1_000_000


def micros_or_none(at_s: float | None) -> int | None:
    """None where there is no time."""
    return None if at_s is None else micros(at_s)


def seconds_or_none(us: int | None) -> float | None:
    """None where there is no time."""
    return None if us is None else seconds(us)


def portions(values: Collection[Any]) -> Iterator[list[Any]]:
    """The values, as many at a time as every database takes in one IN."""
    every = list(values)
    for start in range(0, len(every), AT_ONCE):
        yield every[start : start + AT_ONCE]


def transition_row(transition: Transition) -> dict[str, Any]:
    """The row of `transitions`, without its id."""
    return {
        "target": transition.target,
        "at_us": micros(transition.at_s),
        "detected_us": micros(transition.detected_s),
        "before": transition.before.value,
        "after": transition.after.value,
        "reason": transition.reason,
        "proof": _proof_to_json(transition.proof),
    }


def transition_of(row: RowMapping) -> Transition:
    """Raises ValueError for a state that this version does not know."""
    return Transition(
        target=row["target"],
        at_s=seconds(row["at_us"]),
        detected_s=seconds(row["detected_us"]),
        before=State(row["before"]),
        after=State(row["after"]),
        reason=row["reason"],
        proof=_proof_of(row["proof"]),
    )


def state_of(row: RowMapping) -> StoredState:
    """Raises ValueError for a state that this version does not know."""
    return StoredState(row["target"], State(row["state"]), seconds(row["since_us"]), row["reason"])


def incident_row(incident: Incident) -> dict[str, Any]:
    """The row of `incidents`; what it affects has rows of its own."""
    return {
        "id": incident.id,
        "scope": incident.scope.value,
        "target": incident.target,
        "state": incident.state.value,
        "started_us": micros(incident.started_s),
        "detected_us": micros(incident.detected_s),
        "reason": incident.reason,
        "proof": _proof_to_json(incident.proof),
        "ended_us": micros_or_none(incident.ended_s),
        "end_reason": incident.end_reason,
        "started_earliest_us": micros_or_none(incident.started_earliest_s),
        "ended_earliest_us": micros_or_none(incident.ended_earliest_s),
        "parent": incident.parent,
        "suspected_cause": incident.suspected_cause,
    }


def incident_of(row: RowMapping, affected: tuple[str, ...]) -> Incident:
    """Raises ValueError for a state or a scope that this version does not know."""
    return Incident(
        id=row["id"],
        scope=Scope(row["scope"]),
        target=row["target"],
        state=State(row["state"]),
        started_s=seconds(row["started_us"]),
        detected_s=seconds(row["detected_us"]),
        reason=row["reason"],
        proof=_proof_of(row["proof"]),
        ended_s=seconds_or_none(row["ended_us"]),
        end_reason=row["end_reason"],
        started_earliest_s=seconds_or_none(row["started_earliest_us"]),
        ended_earliest_s=seconds_or_none(row["ended_earliest_us"]),
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
        "evidence": _proof_to_json(incident.proof),
    }


def canonical(body: Mapping[str, Any]) -> str:
    """One text for equal bodies."""
    return json.dumps(body, sort_keys=True, ensure_ascii=False)


def _proof_to_json(proof: IncidentEvidence) -> dict[str, Any]:
    """Only what is known. A number that JSON does not have (NaN, infinity) is not known."""
    return {
        name: value
        for name, value in asdict(proof).items()
        if value is not None and not (isinstance(value, float) and not math.isfinite(value))
    }


def _proof_of(stored: Mapping[str, Any]) -> IncidentEvidence:
    known = {each.name: stored.get(each.name) for each in fields(IncidentEvidence)}
    near = known["near_sites"]
    return IncidentEvidence(**known | {"near_sites": None if near is None else tuple(near)})


def _rfc3339(at_s: float | None) -> str | None:
    if at_s is None:
        return None
    # A timedelta of whole microseconds is exact; fromtimestamp would round a float again.
    at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=micros(at_s))
    return at.isoformat(timespec="microseconds").replace("+00:00", "Z")
