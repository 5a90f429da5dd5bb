"""Usual paths and traces in the ledger, inside the caller's transaction."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select, update

from monitor.adapters.ledger.rows import (
    chunks,
    from_us,
    from_us_or_none,
    to_us,
    to_us_or_none,
)
from monitor.adapters.ledger.tables import PATH_BASELINES, PATH_TRACES
from monitor.core.paths.model import (
    BASELINE_DAYS,
    MOST_TRACES,
    Hop,
    IncidentTrace,
    PathBaseline,
    RouteHop,
)


def path_baselines(connection: Connection) -> list[PathBaseline]:
    rows = connection.execute(select(PATH_BASELINES).order_by(PATH_BASELINES.c.target)).mappings()
    return [
        PathBaseline(
            target=row["target"],
            address=row["address"],
            at_s=from_us(row["at_us"]),
            hops=tuple(Hop(*hop) for hop in row["hops"]),
            known=tuple(row["known"]),
            changed_s=from_us_or_none(row["changed_us"]),
            previous=tuple(row["previous"]),
        )
        for row in rows
    ]


def incident_traces(connection: Connection, incident: int) -> list[IncidentTrace]:
    rows = connection.execute(
        select(PATH_TRACES).where(PATH_TRACES.c.incident == incident).order_by(PATH_TRACES.c.id)
    ).mappings()
    return [
        IncidentTrace(
            incident=row["incident"],
            target=row["target"],
            at_s=from_us(row["at_us"]),
            result=row["result"],
            hops=tuple(RouteHop(*hop) for hop in row["hops"]),
            usual=tuple(RouteHop(*hop) for hop in row["usual"]),
        )
        for row in rows
    ]


def record_paths(
    connection: Connection, baselines: Collection[PathBaseline], traces: Sequence[IncidentTrace]
) -> None:
    _put_baselines(connection, {each.target: _baseline_row(each) for each in baselines})
    _add_traces(connection, traces)
    if baselines:
        newest_us = max(to_us(each.at_s) for each in baselines)
        oldest_us = newest_us - BASELINE_DAYS * 86_400_000_000
        connection.execute(delete(PATH_BASELINES).where(PATH_BASELINES.c.at_us < oldest_us))
    if traces:
        newest = connection.scalar(select(func.max(PATH_TRACES.c.id)))
        connection.execute(
            delete(PATH_TRACES).where(PATH_TRACES.c.id <= (newest or 0) - MOST_TRACES)
        )


def _put_baselines(connection: Connection, rows: dict[str, dict[str, Any]]) -> None:
    column = PATH_BASELINES.c.target
    for chunk in chunks(rows):
        present = set(connection.scalars(select(column).where(column.in_(chunk))))
        for target in present:
            connection.execute(update(PATH_BASELINES).where(column == target).values(rows[target]))
        new = [rows[target] for target in chunk if target not in present]
        if new:
            connection.execute(insert(PATH_BASELINES), new)


def _add_traces(connection: Connection, traces: Sequence[IncidentTrace]) -> None:
    """What is stored already is skipped: after an error the same ones are recorded again."""
    known: set[tuple[int, int]] = set()
    for chunk in chunks({trace.incident for trace in traces}):
        stored = connection.execute(
            select(PATH_TRACES.c.incident, PATH_TRACES.c.at_us).where(
                PATH_TRACES.c.incident.in_(chunk)
            )
        )
        known.update((incident, at_us) for incident, at_us in stored)
    new = [row for each in traces if _key(row := _trace_row(each)) not in known]
    if new:
        connection.execute(insert(PATH_TRACES), new)


def _key(row: dict[str, Any]) -> tuple[int, int]:
    return row["incident"], row["at_us"]


def _baseline_row(baseline: PathBaseline) -> dict[str, Any]:
    return {
        "target": baseline.target,
        "address": baseline.address,
        "at_us": to_us(baseline.at_s),
        "hops": [list(hop) for hop in baseline.hops],
        "known": list(baseline.known),
        "changed_us": to_us_or_none(baseline.changed_s),
        "previous": list(baseline.previous),
    }


def _trace_row(trace: IncidentTrace) -> dict[str, Any]:
    return {
        "incident": trace.incident,
        "target": trace.target,
        "at_us": to_us(trace.at_s),
        "result": trace.result,
        "hops": [list(hop) for hop in trace.hops],
        "usual": [list(hop) for hop in trace.usual],
    }
