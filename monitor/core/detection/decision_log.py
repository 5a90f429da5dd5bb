"""Convert decisions to UTC and format them as log lines."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from monitor.core.model import ChangeKind, Decision, Incident, IncidentChange, Transition

ToUtc = Callable[[float], float]
"""Converts a time of the steady timeline to Unix time."""


def decision_to_utc(decision: Decision, utc: ToUtc) -> Decision:
    """The decision with its steady times as Unix times."""
    if isinstance(decision, Transition):
        return replace(decision, at_s=utc(decision.at_s), detected_s=utc(decision.detected_s))
    incident = incident_to_utc(decision.incident, utc)
    return IncidentChange(decision.change, incident, utc(decision.at_s))


def incident_to_utc(incident: Incident, utc: ToUtc) -> Incident:
    """The incident with its steady times as Unix times."""

    def maybe(at_s: float | None) -> float | None:
        return None if at_s is None else utc(at_s)

    return replace(
        incident,
        started_s=utc(incident.started_s),
        detected_s=utc(incident.detected_s),
        ended_s=maybe(incident.ended_s),
        started_earliest_s=maybe(incident.started_earliest_s),
        ended_earliest_s=maybe(incident.ended_earliest_s),
    )


def format_decision(decision: Decision) -> str:
    """One line for the log: target, change, reason."""
    if isinstance(decision, Transition):
        change = f"{decision.before.value} -> {decision.after.value}"
        return f"{decision.target}: {change} ({decision.reason})"
    incident = decision.incident
    why = incident.end_reason or incident.reason
    error = incident.evidence.error if decision.change is ChangeKind.OPENED else None
    details = f"{why}: {error}" if error else why
    return f"incident {incident.id} {decision.change.value}: {incident.target} ({details})"
