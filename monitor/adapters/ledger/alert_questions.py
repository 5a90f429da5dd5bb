"""What the ledger may be asked about alerts, as queries that any SQL database answers.

Every function takes a connection with a transaction, so that its queries see one moment.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import Connection, Table, exists, func, select

from monitor.adapters.ledger.alert_rows import action_of, notice_of, outbox_of, window_of
from monitor.adapters.ledger.questions import incidents_among
from monitor.adapters.ledger.rows import micros, portions
from monitor.adapters.ledger.tables import ACTIONS, INCIDENTS, NOTICES, OUTBOX, WINDOWS
from monitor.core.alerting.model import (
    EventKind,
    IncidentAction,
    MaintenanceWindow,
    OutboxRow,
    OutboxStatus,
    PolicyDecision,
)
from monitor.core.model import Incident


def actions(
    connection: Connection, incidents: Collection[int] | None, since_s: float | None
) -> list[IncidentAction]:
    return [action_of(row) for row in _about(connection, ACTIONS, incidents, since_s)]


def notices(
    connection: Connection, incidents: Collection[int] | None, since_s: float | None
) -> list[PolicyDecision]:
    return [notice_of(row) for row in _about(connection, NOTICES, incidents, since_s)]


def incident(connection: Connection, number: int) -> Incident | None:
    chosen = select(INCIDENTS.c.id).where(INCIDENTS.c.id == number)
    return next(iter(incidents_among(connection, chosen)), None)


def message(connection: Connection, number: int) -> OutboxRow | None:
    row = connection.execute(select(OUTBOX).where(OUTBOX.c.id == number)).mappings().first()
    return None if row is None else outbox_of(row)


def owed(connection: Connection) -> list[Incident]:
    of_it = NOTICES.c.incident == INCIDENTS.c.id
    chosen = select(INCIDENTS.c.id).where(
        INCIDENTS.c.ended_us.is_not(None),
        exists().where(of_it, NOTICES.c.told),
        ~exists().where(of_it, NOTICES.c.event == EventKind.RESOLVED.value),
    )
    return incidents_among(connection, chosen)


def windows(connection: Connection, start_s: float, end_s: float) -> list[MaintenanceWindow]:
    over = func.coalesce(WINDOWS.c.ended_us, WINDOWS.c.end_us)
    found = connection.execute(
        select(WINDOWS)
        .where(
            WINDOWS.c.start_us < micros(end_s),
            WINDOWS.c.end_us > micros(start_s),
            over > micros(start_s),
            # One that was ended before it began was never in force.
            over > WINDOWS.c.start_us,
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


def unsent(connection: Connection, channel: str) -> list[OutboxRow]:
    """A channel's rows that are on their way, by id."""
    found = connection.execute(
        select(OUTBOX)
        .where(
            OUTBOX.c.channel == channel,
            OUTBOX.c.status.in_((OutboxStatus.PENDING.value, OutboxStatus.LEASED.value)),
        )
        .order_by(OUTBOX.c.id)
    ).mappings()
    return [outbox_of(row) for row in found]


def _about(
    connection: Connection,
    table: Table,
    incidents: Collection[int] | None,
    since_s: float | None,
) -> list[Any]:
    """Rows in the order in which they were written."""
    query = select(table).order_by(table.c.id)
    if since_s is not None:
        query = query.where(table.c.at_us >= micros(since_s))
    if incidents is None:
        return list(connection.execute(query).mappings())
    found = [
        row
        for some in portions(incidents)
        for row in connection.execute(query.where(table.c.incident.in_(some))).mappings()
    ]
    return sorted(found, key=lambda row: int(row["id"]))
