"""What the ledger may be asked, as queries that any SQL database answers.

Every function takes a connection with a transaction, so that its queries see one moment.
"""

from __future__ import annotations

from collections import defaultdict

from sqlalchemy import Connection, Select, func, inspect, or_, select, union_all

from monitor.adapters.ledger.rows import incident_of, micros, seconds, state_of, transition_of
from monitor.adapters.ledger.tables import (
    INCIDENT_AFFECTED,
    INCIDENTS,
    LAST_ALIVE,
    META,
    STATES,
    TRANSITIONS,
)
from monitor.core.model import Incident, Transition
from monitor.core.ports import LedgerSnapshot


def remember(connection: Connection) -> LedgerSnapshot:
    states = connection.execute(select(STATES).order_by(STATES.c.target)).mappings()
    highest = connection.scalar(select(func.max(INCIDENTS.c.id)))
    alive = connection.scalar(select(META.c.value).where(META.c.key == LAST_ALIVE))
    return LedgerSnapshot(
        states=tuple(state_of(row) for row in states),
        open_incidents=tuple(incidents(connection, None, include_closed=False, limit=None)),
        next_incident_id=1 if highest is None else highest + 1,
        last_alive_s=None if alive is None else seconds(int(alive)),
    )


def incidents(
    connection: Connection, since_s: float | None, *, include_closed: bool, limit: int | None
) -> list[Incident]:
    chosen: Select[tuple[int]] = select(INCIDENTS.c.id)
    if not include_closed:
        chosen = chosen.where(INCIDENTS.c.ended_us.is_(None))
    elif since_s is not None:
        ended = INCIDENTS.c.ended_us
        chosen = chosen.where(or_(ended.is_(None), ended >= micros(since_s)))
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
    start_us, end_us = micros(start_s), micros(end_s)
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
