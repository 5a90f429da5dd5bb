"""Queries on the ledger, for reader and writer, in SQL that any database knows.

Every function takes a connection with a transaction, so that its queries see one moment.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from typing import Any

from sqlalchemy import Connection, Select, Table, exists, func, inspect, or_, select, union_all

from monitor.adapters.ledger.rows import (
    action_of,
    chunks,
    from_us,
    incident_of,
    outbox_of,
    policy_decision_of,
    state_of,
    to_us,
    transition_of,
    window_of,
)
from monitor.adapters.ledger.tables import (
    ACTIONS,
    INCIDENT_AFFECTED,
    INCIDENTS,
    LAST_ALIVE,
    LEDGER_IDENTITY,
    META,
    NOTICES,
    OUTBOX,
    STATES,
    TRANSITIONS,
    WINDOWS,
)
from monitor.core.alerting.model import (
    EventKind,
    IncidentAction,
    MaintenanceWindow,
    OutboxRow,
    OutboxStatus,
    PolicyDecision,
)
from monitor.core.ledger_identity import LedgerIdentity
from monitor.core.model import Incident, LedgerSnapshot, Transition


def load_snapshot(connection: Connection) -> LedgerSnapshot:
    states = connection.execute(select(STATES).order_by(STATES.c.target)).mappings()
    highest = connection.scalar(select(func.max(INCIDENTS.c.id)))
    alive = connection.scalar(select(META.c.value).where(META.c.key == LAST_ALIVE))
    return LedgerSnapshot(
        states=tuple(state_of(row) for row in states),
        open_incidents=tuple(incidents(connection, None, include_closed=False, limit=None)),
        next_incident_id=1 if highest is None else highest + 1,
        last_alive_s=None if alive is None else from_us(int(alive)),
    )


def identity(connection: Connection) -> LedgerIdentity:
    row = connection.execute(select(LEDGER_IDENTITY)).mappings().one()
    return LedgerIdentity(row["value"], row["last_old_incident"])


def incidents(
    connection: Connection, since_s: float | None, *, include_closed: bool, limit: int | None
) -> list[Incident]:
    chosen: Select[tuple[int]] = select(INCIDENTS.c.id)
    if not include_closed:
        chosen = chosen.where(INCIDENTS.c.ended_us.is_(None))
    elif since_s is not None:
        ended = INCIDENTS.c.ended_us
        chosen = chosen.where(or_(ended.is_(None), ended >= to_us(since_s)))
    if limit is not None:
        chosen = chosen.order_by(INCIDENTS.c.id.desc()).limit(limit)
    return incidents_among(connection, chosen)


def incidents_among(connection: Connection, chosen: Select[tuple[int]]) -> list[Incident]:
    """The incidents whose ids `chosen` selects, by ascending id."""
    affected: defaultdict[int, list[str]] = defaultdict(list)
    for incident, target in connection.execute(
        select(INCIDENT_AFFECTED.c.incident, INCIDENT_AFFECTED.c.target)
        .where(INCIDENT_AFFECTED.c.incident.in_(chosen))
        .order_by(INCIDENT_AFFECTED.c.incident, INCIDENT_AFFECTED.c.position)
    ):
        affected[incident].append(target)
    found = connection.execute(
        select(INCIDENTS).where(INCIDENTS.c.id.in_(chosen)).order_by(INCIDENTS.c.id)
    ).mappings()
    return [incident_of(row, tuple(affected.get(row["id"], ()))) for row in found]


def transitions(
    connection: Connection, start_s: float, end_s: float, target: str | None
) -> list[Transition]:
    start_us, end_us = to_us(start_s), to_us(end_s)
    inside = select(TRANSITIONS).where(
        TRANSITIONS.c.at_us >= start_us, TRANSITIONS.c.at_us < end_us
    )
    # A target has a row in `states` from its first transition on: one look into the index for
    # each of them, instead of a walk through everything that ever happened before `start`.
    earlier = TRANSITIONS.alias("earlier")
    last = (
        select(earlier.c.id)
        .where(earlier.c.target == STATES.c.target, earlier.c.at_us < start_us)
        .order_by(earlier.c.at_us.desc(), earlier.c.id.desc())
        .limit(1)
        .correlate(STATES)
        .scalar_subquery()
    )
    of_each = select(last.label("id")).select_from(STATES)
    if target is not None:
        inside = inside.where(TRANSITIONS.c.target == target)
        of_each = of_each.where(STATES.c.target == target)
    before = select(TRANSITIONS).where(TRANSITIONS.c.id.in_(of_each))
    both = union_all(before, inside).subquery()
    found = connection.execute(select(both).order_by(both.c.at_us, both.c.id)).mappings()
    return [transition_of(row) for row in found]


def revision(connection: Connection) -> str | None:
    """The migration that the tables are at; None where there are none of ours."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()


def actions(
    connection: Connection, incidents: Collection[int] | None, since_s: float | None
) -> list[IncidentAction]:
    return [action_of(row) for row in _of_incidents(connection, ACTIONS, incidents, since_s)]


def policy_decisions(
    connection: Connection, incidents: Collection[int] | None, since_s: float | None
) -> list[PolicyDecision]:
    return [
        policy_decision_of(row) for row in _of_incidents(connection, NOTICES, incidents, since_s)
    ]


def incident(connection: Connection, number: int) -> Incident | None:
    chosen = select(INCIDENTS.c.id).where(INCIDENTS.c.id == number)
    return next(iter(incidents_among(connection, chosen)), None)


def outbox_rows(connection: Connection, numbers: Collection[int]) -> dict[int, OutboxRow]:
    """The messages with these numbers."""
    found: dict[int, OutboxRow] = {}
    for chunk in chunks(numbers):
        for row in connection.execute(select(OUTBOX).where(OUTBOX.c.id.in_(chunk))).mappings():
            found[row["id"]] = outbox_of(row)
    return found


def undecided_closings(connection: Connection) -> list[Incident]:
    of_incident = NOTICES.c.incident == INCIDENTS.c.id
    chosen = select(INCIDENTS.c.id).where(
        INCIDENTS.c.ended_us.is_not(None),
        exists().where(of_incident, NOTICES.c.told),
        ~exists().where(of_incident, NOTICES.c.event == EventKind.RESOLVED.value),
    )
    return incidents_among(connection, chosen)


def windows(connection: Connection, start_s: float, end_s: float) -> list[MaintenanceWindow]:
    ended = func.coalesce(WINDOWS.c.ended_us, WINDOWS.c.end_us)
    found = connection.execute(
        select(WINDOWS)
        .where(
            WINDOWS.c.start_us < to_us(end_s),
            WINDOWS.c.end_us > to_us(start_s),
            ended > to_us(start_s),
            # A window that was ended before it began was never in force.
            ended > WINDOWS.c.start_us,
        )
        .order_by(WINDOWS.c.start_us, WINDOWS.c.id)
    ).mappings()
    return [window_of(row) for row in found]


def outbox(
    connection: Connection,
    status: OutboxStatus | None,
    incident: int | None,
    limit: int | None,
) -> list[OutboxRow]:
    query = select(OUTBOX).order_by(OUTBOX.c.id.desc())
    if status is not None:
        query = query.where(OUTBOX.c.status == status.value)
    if incident is not None:
        query = query.where(OUTBOX.c.incident == incident)
    if limit is not None:
        query = query.limit(limit)
    return [outbox_of(row) for row in reversed(connection.execute(query).mappings().all())]


def waiting_openings(connection: Connection, before_s: float) -> list[OutboxRow]:
    later = OUTBOX.alias("later")
    queued = func.coalesce(OUTBOX.c.queued_us, OUTBOX.c.first_try_us, OUTBOX.c.next_try_us)
    found = connection.execute(
        select(OUTBOX)
        .where(
            OUTBOX.c.status.in_((OutboxStatus.PENDING.value, OutboxStatus.LEASED.value)),
            OUTBOX.c.event.in_((EventKind.OPENED.value, EventKind.DIGEST.value)),
            queued <= to_us(before_s),
            ~exists().where(
                later.c.incident == OUTBOX.c.incident,
                later.c.sequence == OUTBOX.c.sequence,
                later.c.recipient == OUTBOX.c.recipient,
                later.c.id > OUTBOX.c.id,
            ),
        )
        .order_by(OUTBOX.c.id)
    ).mappings()
    return [outbox_of(row) for row in found]


def undelivered(connection: Connection, channel: str) -> list[OutboxRow]:
    """The pending and leased messages of a channel, by id."""
    found = connection.execute(
        select(OUTBOX)
        .where(
            OUTBOX.c.channel == channel,
            OUTBOX.c.status.in_((OutboxStatus.PENDING.value, OutboxStatus.LEASED.value)),
        )
        .order_by(OUTBOX.c.id)
    ).mappings()
    return [outbox_of(row) for row in found]


def _of_incidents(
    connection: Connection,
    table: Table,
    incidents: Collection[int] | None,
    since_s: float | None,
) -> list[Any]:
    """The rows about these incidents (None: all), in the order in which they were written."""
    query = select(table).order_by(table.c.id)
    if since_s is not None:
        query = query.where(table.c.at_us >= to_us(since_s))
    if incidents is None:
        return list(connection.execute(query).mappings())
    found = [
        row
        for chunk in chunks(incidents)
        for row in connection.execute(query.where(table.c.incident.in_(chunk))).mappings()
    ]
    return sorted(found, key=lambda row: int(row["id"]))
