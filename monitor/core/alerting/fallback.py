"""The same message by a recipient's next channel: when the first one refuses it, or takes too long.

The new row keeps incident, sequence and recipient, so both carry the same event id; its key is its
own. Whoever got the opening on a further channel gets the closing there, too.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace

from monitor.core.alerting.model import EventKind, OutboxRow, OutboxStatus, PolicyDecision
from monitor.core.alerting.outbox import incident_ids
from monitor.core.alerting.reasons import Reason
from monitor.core.alerting.routing import AlertRouting
from monitor.core.model import State

PATIENCE_S = 60.0
"""An opening of an outage that has waited so long on a channel also goes by the next one."""

OPENINGS = (EventKind.OPENED, EventKind.DIGEST)


@dataclass(frozen=True, slots=True)
class PassedOn:
    """Rows for further channels, and the decisions that say why. Empty: no channel is left."""

    rows: tuple[OutboxRow, ...] = ()
    policy_decisions: tuple[PolicyDecision, ...] = ()


def pass_on(row: OutboxRow, routing: AlertRouting, reason: Reason, utc_s: float) -> PassedOn:
    """A message by the channel that follows its own in the list of its recipient."""
    channel = next_channel(row, routing)
    if channel is None:
        return PassedOn()
    copy = replace(
        row,
        id=0,
        channel=channel,
        status=OutboxStatus.PENDING,
        next_try_s=utc_s,
        queued_s=utc_s,
        lease_until_s=None,
        attempts=0,
        first_try_s=None,
        last_error=None,
        sent_s=None,
        merged_into=None,
        fallback_of=row.id or None,
    )
    decisions = tuple(
        PolicyDecision(
            incident=number,
            at_s=utc_s,
            event=row.event,
            notified=True,
            reason=reason,
            recipient=row.recipient,
            channel=channel,
            thread=row.incident,
            sequence=row.sequence,
        )
        for number in sorted(incident_ids(row))
        if number > 0
    )
    return PassedOn((copy,), decisions)


def next_channel(row: OutboxRow, routing: AlertRouting) -> str | None:
    """The channel after the row's own; None: there is none. A channel that is gone: the first."""
    channels = routing.channels(row.recipient)
    later = channels[channels.index(row.channel) + 1 :] if row.channel in channels else channels
    return later[0] if later else None


def is_outage_opening(row: OutboxRow) -> bool:
    """Whether a row says that something is down."""
    if row.event not in OPENINGS:
        return False
    try:
        documents = json.loads(row.body)["incidents"]
        return any(document.get("state") == State.DOWN.value for document in documents)
    except (ValueError, LookupError, AttributeError, TypeError):
        return False


def closings_after(row: OutboxRow, rows: Sequence[OutboxRow]) -> list[OutboxRow]:
    """Closings in the thread of an opening that were queued for its channel meanwhile."""
    return [
        each
        for each in rows
        if each.event is EventKind.RESOLVED
        and (each.incident, each.channel, each.recipient)
        == (row.incident, row.channel, row.recipient)
        and each.sequence > row.sequence
    ]
