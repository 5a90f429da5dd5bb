"""What the ledger is told about alerts, written inside the caller's transaction.

Rows and notices that follow from a judgement may be told again, like the judgement itself.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import Connection, Table, func, insert, select, update

from monitor.adapters.ledger.alert_questions import unsent
from monitor.adapters.ledger.alert_rows import (
    action_of,
    action_row,
    notice_row,
    outbox_of,
    outbox_row,
    window_of,
    window_row,
)
from monitor.adapters.ledger.rows import micros, portions
from monitor.adapters.ledger.tables import ACTIONS, INCIDENTS, NOTICES, OUTBOX, WINDOWS
from monitor.core.alerting.model import (
    DeliveryBatch,
    IncidentAction,
    MaintenanceWindow,
    OutboxRow,
    OutboxStatus,
    PolicyDecision,
)
from monitor.core.alerting.outbox import due_batches
from monitor.core.errors import LedgerError

ROW_KEY = ("incident", "sequence", "channel", "recipient")
NOTICE_KEY = ("incident", "at_us", "event", "reason", "recipient", "channel")


def record_outbox(connection: Connection, rows: Sequence[OutboxRow]) -> None:
    _add_new(connection, OUTBOX, ROW_KEY, [outbox_row(row) for row in rows])


def record_notices(connection: Connection, policy_decisions: Sequence[PolicyDecision]) -> None:
    _add_new(connection, NOTICES, NOTICE_KEY, [notice_row(notice) for notice in policy_decisions])


def act(connection: Connection, action: IncidentAction) -> IncidentAction:
    there = connection.scalar(select(INCIDENTS.c.id).where(INCIDENTS.c.id == action.incident))
    if there is None:
        raise LedgerError(
            f"there is no incident {action.incident}: `pantau incidents --all` lists them"
        )
    number = _add(connection, ACTIONS, action_row(action))
    stored = connection.execute(select(ACTIONS).where(ACTIONS.c.id == number)).mappings().one()
    return action_of(stored)


def plan(connection: Connection, window: MaintenanceWindow) -> MaintenanceWindow:
    return _window(connection, _add(connection, WINDOWS, window_row(window)))


def end_window(connection: Connection, number: int, at_s: float, who: str) -> MaintenanceWindow:
    window = _window(connection, number)
    if window.ended_s is not None or window.end_s <= at_s:
        raise LedgerError(f"maintenance window {number} is over already")
    connection.execute(
        update(WINDOWS).where(WINDOWS.c.id == number).values(ended_us=micros(at_s), ended_by=who)
    )
    return _window(connection, number)


def lease(
    connection: Connection, channel: str, now_s: float, lease_s: float, limit: int
) -> list[DeliveryBatch]:
    parcels = due_batches(unsent(connection, channel), now_s, limit)
    taken = [number for parcel in parcels for number in parcel.ids]
    for some in portions(taken):
        connection.execute(
            update(OUTBOX)
            .where(OUTBOX.c.id.in_(some))
            .values(
                status=OutboxStatus.LEASED.value,
                lease_until_us=micros(now_s + lease_s),
                attempts=OUTBOX.c.attempts + 1,
                first_try_us=func.coalesce(OUTBOX.c.first_try_us, micros(now_s)),
            )
        )
    stored = _rows(connection, taken)
    return [
        DeliveryBatch(stored[parcel.row.id], tuple(stored[row.id] for row in parcel.replaced))
        for parcel in parcels
    ]


def sent(connection: Connection, row: int, replaced: Collection[int], at_s: float) -> None:
    values: dict[str, Any] = {
        "status": OutboxStatus.SENT.value,
        "sent_us": micros(at_s),
        "lease_until_us": None,
    }
    _change(connection, [row], values)
    _change(connection, replaced, values | {"merged_into": row})


def fail(connection: Connection, rows: Collection[int], why: str, next_try_s: float) -> None:
    _change(
        connection,
        rows,
        {
            "status": OutboxStatus.PENDING.value,
            "next_try_us": micros(next_try_s),
            "lease_until_us": None,
            "last_error": why,
        },
    )


def give_back(connection: Connection, rows: Collection[int]) -> None:
    _change(
        connection,
        rows,
        {
            "status": OutboxStatus.PENDING.value,
            "lease_until_us": None,
            "attempts": OUTBOX.c.attempts - 1,
        },
    )


def dead(
    connection: Connection, rows: Collection[int], why: str, instead: Sequence[OutboxRow]
) -> None:
    _change(
        connection,
        rows,
        {"status": OutboxStatus.DEAD.value, "lease_until_us": None, "last_error": why},
    )
    record_outbox(connection, instead)


def retry(connection: Connection, number: int, now_s: float) -> OutboxRow:
    row = _rows(connection, [number]).get(number)
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
            "next_try_us": micros(now_s),
            "attempts": 0,
            "first_try_us": None,
        },
    )
    return _rows(connection, [number])[number]


def _add(connection: Connection, table: Table, row: dict[str, Any]) -> int:
    number = connection.execute(insert(table).returning(table.c.id), row).scalar_one()
    return int(number)


def _add_new(
    connection: Connection, table: Table, names: Sequence[str], rows: Sequence[dict[str, Any]]
) -> None:
    """Insert the rows whose key is not there yet; of two with one key, the first."""
    if not rows:
        return
    columns = [table.c[name] for name in names]
    known: set[tuple[Any, ...]] = set()
    for some in portions({row["incident"] for row in rows}):
        found = connection.execute(select(*columns).where(table.c.incident.in_(some)))
        known.update(tuple(row) for row in found)
    new = []
    for row in rows:
        key = tuple(row[name] for name in names)
        if key not in known:
            known.add(key)
            new.append(row)
    if new:
        connection.execute(insert(table), new)


def _change(connection: Connection, rows: Collection[int], values: dict[str, Any]) -> None:
    for some in portions(rows):
        connection.execute(update(OUTBOX).where(OUTBOX.c.id.in_(some)).values(values))


def _rows(connection: Connection, numbers: Collection[int]) -> dict[int, OutboxRow]:
    found: dict[int, OutboxRow] = {}
    for some in portions(numbers):
        for row in connection.execute(select(OUTBOX).where(OUTBOX.c.id.in_(some))).mappings():
            found[row["id"]] = outbox_of(row)
    return found


def _window(connection: Connection, number: int) -> MaintenanceWindow:
    row = connection.execute(select(WINDOWS).where(WINDOWS.c.id == number)).mappings().first()
    if row is None:
        raise LedgerError(
            f"there is no maintenance window {number}: `pantau maintenance list` shows them"
        )
    return window_of(row)
