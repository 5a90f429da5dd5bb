"""The nouns of alerting as rows of the ledger, and back. Pure.

What comes back raises ValueError for a word that this version does not know.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import RowMapping

from monitor.adapters.ledger.rows import micros, micros_or_none, seconds, seconds_or_none
from monitor.core.alerting.model import (
    ActionKind,
    EventKind,
    IncidentAction,
    MaintenanceWindow,
    OutboxRow,
    OutboxStatus,
    PolicyDecision,
)
from monitor.core.alerting.reasons import Reason


def outbox_row(row: OutboxRow) -> dict[str, Any]:
    """The row of `outbox`, without its id."""
    return {
        "incident": row.incident,
        "sequence": row.sequence,
        "channel": row.channel,
        "recipient": row.recipient,
        "event": row.event.value,
        "body": row.body,
        "about": list(row.about),
        "status": row.status.value,
        "next_try_us": micros(row.next_try_s),
        "lease_until_us": micros_or_none(row.lease_until_s),
        "attempts": row.attempts,
        "first_try_us": micros_or_none(row.first_try_s),
        "last_error": row.last_error,
        "sent_us": micros_or_none(row.sent_s),
        "merged_into": row.merged_into,
    }


def outbox_of(row: RowMapping) -> OutboxRow:
    return OutboxRow(
        incident=row["incident"],
        sequence=row["sequence"],
        channel=row["channel"],
        recipient=row["recipient"],
        event=EventKind(row["event"]),
        body=row["body"],
        next_try_s=seconds(row["next_try_us"]),
        status=OutboxStatus(row["status"]),
        lease_until_s=seconds_or_none(row["lease_until_us"]),
        attempts=row["attempts"],
        first_try_s=seconds_or_none(row["first_try_us"]),
        last_error=row["last_error"],
        sent_s=seconds_or_none(row["sent_us"]),
        id=row["id"],
        about=tuple(row["about"]),
        merged_into=row["merged_into"],
    )


def notice_row(notice: PolicyDecision) -> dict[str, Any]:
    """The row of `notices`, without its id."""
    return {
        "incident": notice.incident,
        "at_us": micros(notice.at_s),
        "event": notice.event.value,
        "told": notice.notified,
        "reason": notice.reason.value,
        "recipient": notice.recipient or "",
        "channel": notice.channel or "",
        "thread": notice.thread,
        "sequence": notice.sequence,
        "step": notice.step,
    }


def notice_of(row: RowMapping) -> PolicyDecision:
    return PolicyDecision(
        incident=row["incident"],
        at_s=seconds(row["at_us"]),
        event=EventKind(row["event"]),
        notified=row["told"],
        reason=Reason(row["reason"]),
        recipient=row["recipient"] or None,
        channel=row["channel"] or None,
        thread=row["thread"],
        sequence=row["sequence"],
        step=row["step"],
    )


def action_row(action: IncidentAction) -> dict[str, Any]:
    """The row of `actions`, without its id."""
    return {
        "incident": action.incident,
        "kind": action.kind.value,
        "who": action.who,
        "at_us": micros(action.at_s),
        "text": action.text,
        "until_us": micros_or_none(action.until_s),
    }


def action_of(row: RowMapping) -> IncidentAction:
    return IncidentAction(
        incident=row["incident"],
        kind=ActionKind(row["kind"]),
        who=row["who"],
        at_s=seconds(row["at_us"]),
        text=row["text"],
        until_s=seconds_or_none(row["until_us"]),
        id=row["id"],
    )


def window_row(window: MaintenanceWindow) -> dict[str, Any]:
    """The row of `windows`, without its id."""
    return {
        "targets": list(window.targets),
        "start_us": micros(window.start_s),
        "end_us": micros(window.end_s),
        "who": window.who,
        "why": window.why,
        "recurring": window.recurring,
        "ended_us": micros_or_none(window.ended_s),
        "ended_by": window.ended_by,
    }


def window_of(row: RowMapping) -> MaintenanceWindow:
    return MaintenanceWindow(
        targets=tuple(row["targets"]),
        start_s=seconds(row["start_us"]),
        end_s=seconds(row["end_us"]),
        who=row["who"],
        why=row["why"],
        id=row["id"],
        ended_s=seconds_or_none(row["ended_us"]),
        recurring=row["recurring"],
        ended_by=row["ended_by"],
    )
