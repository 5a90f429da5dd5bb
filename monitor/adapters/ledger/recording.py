"""What the ledger is told, written inside the caller's transaction.

Everything here is idempotent: what is already known, word for word, is passed over, so that a
judgement may be told again when it is not certain that it was committed. What is new counts
in the order in which it is told, never by its time, because a clock can be set back.

Only the daemon writes, so what was read in a transaction still holds when it is written.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import Connection, Table, bindparam, delete, func, insert, select, update

from monitor.adapters.ledger.rows import (
    canonical,
    event_body,
    incident_row,
    micros,
    portions,
    transition_row,
)
from monitor.adapters.ledger.tables import (
    INCIDENT_AFFECTED,
    INCIDENT_EVENTS,
    INCIDENTS,
    LAST_ALIVE,
    META,
    STATES,
    TRANSITIONS,
)
from monitor.core.errors import RecordRefused
from monitor.core.model import Incident, IncidentChange, Transition

Row = dict[str, Any]


def record_transitions(connection: Connection, transitions: Sequence[Transition]) -> None:
    """New transitions, and the state that each target is left in."""
    rows = [transition_row(transition) for transition in transitions]
    if not rows:
        return
    known = _known_transitions(connection, rows)
    new: list[Row] = []
    for row in rows:
        key = (row["detected_us"], row["target"], row["before"], row["after"])
        if key not in known:
            known.add(key)
            new.append(row)
    if not new:
        return
    connection.execute(insert(TRANSITIONS), new)
    states = {
        row["target"]: {
            "target": row["target"],
            "state": row["after"],
            "since_us": row["at_us"],
            "reason": row["reason"],
        }
        for row in new
    }
    there: set[str] = set()
    for some in portions(states.keys()):
        there.update(connection.scalars(select(STATES.c.target).where(STATES.c.target.in_(some))))
    _put(connection, STATES, "target", states, there)


def record_changes(connection: Connection, changes: Sequence[IncidentChange]) -> None:
    """New changes of incidents as events, and each incident as its last change left it."""
    if not changes:
        return
    ids = {change.incident.id for change in changes}
    about = _known_incidents(connection, ids)
    there = frozenset(about)
    told, sequences = _known_events(connection, ids, changes)
    events: list[Row] = []
    latest: dict[int, Incident] = {}
    for change in changes:
        incident = change.incident
        now_about = (incident.scope.value, incident.target)
        was_about = about.setdefault(incident.id, now_about)
        if was_about != now_about:
            raise RecordRefused(
                f"incident {incident.id} is about {was_about[1]} in the ledger, and now about"
                f" {incident.target}: do two daemons write into one ledger?"
            )
        body = event_body(change)
        at_us = micros(change.at_s)
        key = (incident.id, at_us, change.change.value, canonical(body))
        if key in told:
            continue
        told.add(key)
        sequences[incident.id] = sequences.get(incident.id, 0) + 1
        events.append(
            {
                "incident": incident.id,
                "sequence": sequences[incident.id],
                "change": change.change.value,
                "at_us": at_us,
                "body": body,
            }
        )
        latest[incident.id] = incident
    if not events:
        return
    rows = {incident.id: incident_row(incident) for incident in latest.values()}
    _put(connection, INCIDENTS, "id", rows, there)
    _put_affected(connection, latest.values())
    connection.execute(insert(INCIDENT_EVENTS), events)


def record_alive(connection: Connection, at_s: float) -> None:
    there = connection.scalars(select(META.c.key).where(META.c.key == LAST_ALIVE)).all()
    row = {"key": LAST_ALIVE, "value": str(micros(at_s))}
    _put(connection, META, "key", {LAST_ALIVE: row}, there)


def _known_transitions(
    connection: Connection, rows: Sequence[Row]
) -> set[tuple[int, str, str, str]]:
    # By the span of time, which an index knows, rather than by thousands of names.
    detected = TRANSITIONS.c.detected_us
    times = [row["detected_us"] for row in rows]
    found = connection.execute(
        select(detected, TRANSITIONS.c.target, TRANSITIONS.c.before, TRANSITIONS.c.after).where(
            detected.between(min(times), max(times))
        )
    )
    return {(at, target, before, after) for at, target, before, after in found}


def _known_incidents(connection: Connection, ids: Collection[int]) -> dict[int, tuple[str, str]]:
    """What each is about, as (scope, target)."""
    there: dict[int, tuple[str, str]] = {}
    for some in portions(ids):
        for number, scope, target in connection.execute(
            select(INCIDENTS.c.id, INCIDENTS.c.scope, INCIDENTS.c.target).where(
                INCIDENTS.c.id.in_(some)
            )
        ):
            there[number] = (scope, target)
    return there


def _known_events(
    connection: Connection, ids: Collection[int], changes: Sequence[IncidentChange]
) -> tuple[set[tuple[int, int, str, str]], dict[int, int]]:
    """The events of these incidents at these times, and each incident's last sequence."""
    times = [micros(change.at_s) for change in changes]
    number, at = INCIDENT_EVENTS.c.incident, INCIDENT_EVENTS.c.at_us
    told: set[tuple[int, int, str, str]] = set()
    sequences: dict[int, int] = {}
    for some in portions(ids):
        for incident, sequence in connection.execute(
            select(number, func.max(INCIDENT_EVENTS.c.sequence))
            .where(number.in_(some))
            .group_by(number)
        ):
            sequences[incident] = sequence
        for incident, at_us, change, body in connection.execute(
            select(number, at, INCIDENT_EVENTS.c.change, INCIDENT_EVENTS.c.body).where(
                number.in_(some), at.between(min(times), max(times))
            )
        ):
            told.add((incident, at_us, change, canonical(body)))
    return told, sequences


def _put_affected(connection: Connection, incidents: Collection[Incident]) -> None:
    for some in portions([incident.id for incident in incidents]):
        connection.execute(delete(INCIDENT_AFFECTED).where(INCIDENT_AFFECTED.c.incident.in_(some)))
    rows = [
        {"incident": incident.id, "position": position, "target": target}
        for incident in incidents
        for position, target in enumerate(dict.fromkeys(incident.affected))
    ]
    if rows:
        connection.execute(insert(INCIDENT_AFFECTED), rows)


def _put(
    connection: Connection, table: Table, key: str, rows: dict[Any, Row], there: Collection[Any]
) -> None:
    """Change the rows whose key is there, insert the others; rows by key, each whole."""
    changed = [{**row, "sought": row[key]} for row in rows.values() if row[key] in there]
    if changed:
        values: Row = {name: bindparam(name) for name in changed[0] if name not in (key, "sought")}
        connection.execute(
            update(table).where(table.c[key] == bindparam("sought")).values(values), changed
        )
    added = [row for row in rows.values() if row[key] not in there]
    if added:
        connection.execute(insert(table), added)
