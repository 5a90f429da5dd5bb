"""Write to the ledger, inside the caller's transaction.

Recording is idempotent: a decision that is stored already, word for word, is skipped, so that it
may be recorded again when it is not certain that it was committed. New decisions count in the
order of the call, never by their times, because a clock can be set back.

Only the daemon writes, so what was read in a transaction still holds when it is written.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import Connection, Table, bindparam, delete, func, insert, select, update

from monitor.adapters.ledger.queries import outbox_rows, undelivered
from monitor.adapters.ledger.rows import (
    action_of,
    action_row,
    canonical,
    chunks,
    event_body,
    incident_row,
    outbox_row,
    policy_decision_row,
    to_us,
    transition_row,
    window_of,
    window_row,
)
from monitor.adapters.ledger.tables import (
    ACTIONS,
    INCIDENT_AFFECTED,
    INCIDENT_EVENTS,
    INCIDENTS,
    LAST_ALIVE,
    META,
    NOTICES,
    OUTBOX,
    STATES,
    TRANSITIONS,
    WINDOWS,
)
from monitor.core.alerting.model import (
    DeliveryBatch,
    IncidentAction,
    MaintenanceWindow,
    OutboxRow,
    OutboxStatus,
    PolicyDecision,
)
from monitor.core.alerting.outbox import due_batches
from monitor.core.errors import LedgerError, RecordRefused
from monitor.core.model import Incident, IncidentChange, Transition

Row = dict[str, Any]

OUTBOX_KEY = ("incident", "sequence", "channel", "recipient")
DECISION_KEY = ("incident", "at_us", "event", "reason", "recipient", "channel")


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
    present: set[str] = set()
    for chunk in chunks(states.keys()):
        present.update(
            connection.scalars(select(STATES.c.target).where(STATES.c.target.in_(chunk)))
        )
    _put(connection, STATES, "target", states, present)


def record_changes(connection: Connection, changes: Sequence[IncidentChange]) -> None:
    """New changes of incidents as events, and each incident as its last change left it."""
    if not changes:
        return
    ids = {change.incident.id for change in changes}
    subjects = _known_incidents(connection, ids)
    present = frozenset(subjects)
    known, sequences = _known_events(connection, ids, changes)
    events: list[Row] = []
    latest: dict[int, Incident] = {}
    for change in changes:
        incident = change.incident
        subject = (incident.scope.value, incident.target)
        before = subjects.setdefault(incident.id, subject)
        if before != subject:
            raise RecordRefused(
                f"incident {incident.id} is about {before[1]} in the ledger, and now about"
                f" {incident.target}: do two daemons write into one ledger?"
            )
        body = event_body(change)
        at_us = to_us(change.at_s)
        key = (incident.id, at_us, change.change.value, canonical(body))
        if key in known:
            continue
        known.add(key)
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
    _put(connection, INCIDENTS, "id", rows, present)
    _put_affected(connection, latest.values())
    connection.execute(insert(INCIDENT_EVENTS), events)


def record_alive(connection: Connection, at_s: float) -> None:
    present = connection.scalars(select(META.c.key).where(META.c.key == LAST_ALIVE)).all()
    row = {"key": LAST_ALIVE, "value": str(to_us(at_s))}
    _put(connection, META, "key", {LAST_ALIVE: row}, present)


def record_outbox(connection: Connection, rows: Sequence[OutboxRow]) -> None:
    """New rows; one that was sent from memory is marked sent, if it is stored already."""
    _add_new(connection, OUTBOX, OUTBOX_KEY, [outbox_row(row) for row in rows])
    for row in rows:
        if row.status in (OutboxStatus.SENT, OutboxStatus.DEAD):
            values = outbox_row(row)
            connection.execute(
                update(OUTBOX)
                .where(*(OUTBOX.c[name] == values[name] for name in OUTBOX_KEY))
                .where(OUTBOX.c.status == OutboxStatus.PENDING.value)
                .values(values)
            )


def record_policy_decisions(
    connection: Connection, policy_decisions: Sequence[PolicyDecision]
) -> None:
    _add_new(
        connection,
        NOTICES,
        DECISION_KEY,
        [policy_decision_row(decision) for decision in policy_decisions],
    )


def add_action(connection: Connection, action: IncidentAction) -> IncidentAction:
    found = connection.scalar(select(INCIDENTS.c.id).where(INCIDENTS.c.id == action.incident))
    if found is None:
        raise LedgerError(
            f"there is no incident {action.incident}: `pantau incidents --all` lists them"
        )
    number = _add(connection, ACTIONS, action_row(action))
    stored = connection.execute(select(ACTIONS).where(ACTIONS.c.id == number)).mappings().one()
    return action_of(stored)


def add_window(connection: Connection, window: MaintenanceWindow) -> MaintenanceWindow:
    return _window(connection, _add(connection, WINDOWS, window_row(window)))


def end_window(connection: Connection, number: int, at_s: float, who: str) -> MaintenanceWindow:
    window = _window(connection, number)
    if window.ended_s is not None or window.end_s <= at_s:
        raise LedgerError(f"maintenance window {number} is over already")
    connection.execute(
        update(WINDOWS).where(WINDOWS.c.id == number).values(ended_us=to_us(at_s), ended_by=who)
    )
    return _window(connection, number)


def lease(
    connection: Connection, channel: str, now_s: float, lease_s: float, limit: int
) -> list[DeliveryBatch]:
    batches = due_batches(undelivered(connection, channel), now_s, limit)
    taken = [number for batch in batches for number in batch.ids]
    for chunk in chunks(taken):
        connection.execute(
            update(OUTBOX)
            .where(OUTBOX.c.id.in_(chunk))
            .values(
                status=OutboxStatus.LEASED.value,
                lease_until_us=to_us(now_s + lease_s),
                attempts=OUTBOX.c.attempts + 1,
                first_try_us=func.coalesce(OUTBOX.c.first_try_us, to_us(now_s)),
            )
        )
    stored = outbox_rows(connection, taken)
    return [
        DeliveryBatch(stored[batch.row.id], tuple(stored[row.id] for row in batch.replaced))
        for batch in batches
    ]


def mark_sent(connection: Connection, row: int, replaced: Collection[int], at_s: float) -> None:
    values: dict[str, Any] = {
        "status": OutboxStatus.SENT.value,
        "sent_us": to_us(at_s),
        "lease_until_us": None,
    }
    _change(connection, [row], values)
    _change(connection, replaced, values | {"merged_into": row})


def reschedule(connection: Connection, rows: Collection[int], why: str, next_try_s: float) -> None:
    _change(
        connection,
        rows,
        {
            "status": OutboxStatus.PENDING.value,
            "next_try_us": to_us(next_try_s),
            "lease_until_us": None,
            "last_error": why,
        },
    )


def release(connection: Connection, rows: Collection[int]) -> None:
    _change(
        connection,
        rows,
        {
            "status": OutboxStatus.PENDING.value,
            "lease_until_us": None,
            "attempts": OUTBOX.c.attempts - 1,
        },
    )


def release_all(connection: Connection) -> int:
    """Leased rows of a process that has ended are due again; returns how many."""
    leased = connection.scalars(
        select(OUTBOX.c.id).where(OUTBOX.c.status == OutboxStatus.LEASED.value)
    ).all()
    _change(connection, leased, {"status": OutboxStatus.PENDING.value, "lease_until_us": None})
    return len(leased)


def release_waiting(
    connection: Connection, channel: str, but: Collection[int], now_s: float
) -> int:
    """Rows of a channel that wait for a retry are due now; returns how many."""
    found = connection.scalars(
        select(OUTBOX.c.id).where(
            OUTBOX.c.channel == channel,
            OUTBOX.c.status == OutboxStatus.PENDING.value,
            OUTBOX.c.next_try_us > to_us(now_s),
        )
    ).all()
    waiting = [number for number in found if number not in but]
    _change(connection, waiting, {"next_try_us": to_us(now_s)})
    return len(waiting)


def mark_dead(
    connection: Connection, rows: Collection[int], why: str, instead: Sequence[OutboxRow]
) -> None:
    _change(
        connection,
        rows,
        {"status": OutboxStatus.DEAD.value, "lease_until_us": None, "last_error": why},
    )
    record_outbox(connection, instead)


def retry(connection: Connection, number: int, now_s: float) -> OutboxRow:
    row = outbox_rows(connection, [number]).get(number)
    if row is None:
        raise LedgerError(f"there is no message {number} in the outbox: `pantau outbox` lists them")
    if row.status is not OutboxStatus.DEAD:
        raise LedgerError(
            f"message {number} is {row.status.value}: only one that is dead can be tried again"
        )
    _change(
        connection,
        [number],
        {
            "status": OutboxStatus.PENDING.value,
            "next_try_us": to_us(now_s),
            "attempts": 0,
            "first_try_us": None,
        },
    )
    return outbox_rows(connection, [number])[number]


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
    """(scope, target) of each that is stored."""
    found: dict[int, tuple[str, str]] = {}
    for chunk in chunks(ids):
        for number, scope, target in connection.execute(
            select(INCIDENTS.c.id, INCIDENTS.c.scope, INCIDENTS.c.target).where(
                INCIDENTS.c.id.in_(chunk)
            )
        ):
            found[number] = (scope, target)
    return found


def _known_events(
    connection: Connection, ids: Collection[int], changes: Sequence[IncidentChange]
) -> tuple[set[tuple[int, int, str, str]], dict[int, int]]:
    """The events of these incidents at these times, and each incident's last sequence."""
    times = [to_us(change.at_s) for change in changes]
    number, at = INCIDENT_EVENTS.c.incident, INCIDENT_EVENTS.c.at_us
    known: set[tuple[int, int, str, str]] = set()
    sequences: dict[int, int] = {}
    for chunk in chunks(ids):
        for incident, sequence in connection.execute(
            select(number, func.max(INCIDENT_EVENTS.c.sequence))
            .where(number.in_(chunk))
            .group_by(number)
        ):
            sequences[incident] = sequence
        for incident, at_us, change, body in connection.execute(
            select(number, at, INCIDENT_EVENTS.c.change, INCIDENT_EVENTS.c.body).where(
                number.in_(chunk), at.between(min(times), max(times))
            )
        ):
            known.add((incident, at_us, change, canonical(body)))
    return known, sequences


def _put_affected(connection: Connection, incidents: Collection[Incident]) -> None:
    for chunk in chunks([incident.id for incident in incidents]):
        connection.execute(delete(INCIDENT_AFFECTED).where(INCIDENT_AFFECTED.c.incident.in_(chunk)))
    rows = [
        {"incident": incident.id, "position": position, "target": target}
        for incident in incidents
        for position, target in enumerate(dict.fromkeys(incident.affected))
    ]
    if rows:
        connection.execute(insert(INCIDENT_AFFECTED), rows)


def _put(
    connection: Connection, table: Table, key: str, rows: dict[Any, Row], present: Collection[Any]
) -> None:
    """Update the rows whose key is present, insert the others. rows: by key, all columns."""
    changed = [{**row, "wanted_key": row[key]} for row in rows.values() if row[key] in present]
    if changed:
        values: Row = {
            name: bindparam(name) for name in changed[0] if name not in (key, "wanted_key")
        }
        connection.execute(
            update(table).where(table.c[key] == bindparam("wanted_key")).values(values), changed
        )
    added = [row for row in rows.values() if row[key] not in present]
    if added:
        connection.execute(insert(table), added)


def _add(connection: Connection, table: Table, row: dict[str, Any]) -> int:
    number = connection.execute(insert(table).returning(table.c.id), row).scalar_one()
    return int(number)


def _add_new(
    connection: Connection, table: Table, names: Sequence[str], rows: Sequence[dict[str, Any]]
) -> None:
    """Insert the rows whose key is not stored yet; of two with one key, the first."""
    if not rows:
        return
    columns = [table.c[name] for name in names]
    known: set[tuple[Any, ...]] = set()
    for chunk in chunks({row["incident"] for row in rows}):
        found = connection.execute(select(*columns).where(table.c.incident.in_(chunk)))
        known.update(tuple(row) for row in found)
    new: list[Row] = []
    for row in rows:
        key = tuple(row[name] for name in names)
        if key not in known:
            known.add(key)
            new.append(row)
    if new:
        connection.execute(insert(table), new)


def _change(connection: Connection, rows: Collection[int], values: dict[str, Any]) -> None:
    for chunk in chunks(rows):
        connection.execute(update(OUTBOX).where(OUTBOX.c.id.in_(chunk)).values(values))


def _window(connection: Connection, number: int) -> MaintenanceWindow:
    row = connection.execute(select(WINDOWS).where(WINDOWS.c.id == number)).mappings().first()
    if row is None:
        raise LedgerError(
            f"there is no maintenance window {number}: `pantau maintenance list` shows them"
        )
    return window_of(row)
