"""Decisions converted to UTC and formatted for the log."""

from __future__ import annotations

from dataclasses import fields

from monitor.core.detection.decision_log import decision_to_utc, format_decision, incident_to_utc
from monitor.core.model import (
    ChangeKind,
    Incident,
    IncidentChange,
    IncidentEvidence,
    Scope,
    State,
    Transition,
)

AHEAD_S = 86_400.0
DOWN = Transition("anjatan/utama", 10.0, 16.0, State.UP, State.DOWN, "silence")
OUTAGE = Incident(
    id=7,
    scope=Scope.LINK,
    target="anjatan/utama",
    state=State.DOWN,
    started_s=10.0,
    detected_s=16.0,
    reason="silence",
    ended_s=40.0,
    end_reason="reply",
    started_earliest_s=5.0,
    ended_earliest_s=39.0,
)
OPEN = Incident(1, Scope.MONITOR, "monitor", State.UNKNOWN, 10.0, 16.0, "send_failure")


def to_utc(steady_s: float) -> float:
    return steady_s + AHEAD_S


def test_every_time_of_a_decision_becomes_utc_and_nothing_else_changes() -> None:
    for decision in (OUTAGE, DOWN):
        converted = (
            incident_to_utc(decision, to_utc)
            if isinstance(decision, Incident)
            else decision_to_utc(decision, to_utc)
        )
        for each in fields(decision):
            before, after = getattr(decision, each.name), getattr(converted, each.name)
            moved = each.name.endswith("_s")
            assert after == (before + AHEAD_S if moved else before), each.name
    change = decision_to_utc(IncidentChange(ChangeKind.CLOSED, OUTAGE, 41.0), to_utc)
    expected = IncidentChange(ChangeKind.CLOSED, incident_to_utc(OUTAGE, to_utc), 41.0 + AHEAD_S)
    assert change == expected


def test_a_time_that_is_not_known_stays_unknown() -> None:
    utc = incident_to_utc(OPEN, to_utc)
    assert (utc.ended_s, utc.started_earliest_s, utc.ended_earliest_s) == (None,) * 3


def test_a_log_line_has_target_change_and_reason() -> None:
    assert format_decision(DOWN) == "anjatan/utama: up -> down (silence)"
    opened = IncidentChange(ChangeKind.OPENED, OPEN, 16.0)
    assert format_decision(opened) == "incident 1 opened: monitor (send_failure)"
    closed = IncidentChange(ChangeKind.CLOSED, OUTAGE, 41.0)
    assert format_decision(closed) == "incident 7 closed: anjatan/utama (reply)"


def test_a_log_line_of_an_opened_incident_has_the_errno() -> None:
    unsent = Incident(
        1,
        Scope.MONITOR,
        "monitor",
        State.UNKNOWN,
        10.0,
        16.0,
        "send_failure",
        IncidentEvidence(error="ENETUNREACH"),
    )
    line = format_decision(IncidentChange(ChangeKind.OPENED, unsent, 16.0))
    assert line == "incident 1 opened: monitor (send_failure: ENETUNREACH)"
