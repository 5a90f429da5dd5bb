"""Messages on their way: what is due, what one makes needless of another, how long to wait. Pure.

A row's body is its Message in JSON without what is made at sending: the key and the time.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from hashlib import sha256

from monitor.core.alerting.model import (
    DeliveryBatch,
    EventKind,
    Notification,
    OutboxRow,
    OutboxStatus,
    Wording,
)

FIRST_RETRY_S = 5.0
LONGEST_RETRY_S = 300.0
SPREAD = 0.2
GIVE_UP_S = 86_400.0
"""A message that no try could deliver for so long is dead."""

FARTHEST_S = 600.0
"""Nothing is ever planned so far ahead: a row that is was written before the clock was set back."""

CODE_CHARACTERS = 10
"""What `with_code` adds to a text."""

GAP = "\n\n"
"""Between two texts in one message."""

Document = Mapping[str, object]


def idempotency_key(incident: int, sequence: int, channel: str, recipient: str) -> str:
    """The idempotency key of a message (ALERTS, "Outbox"), 64 hex digits."""
    return sha256(f"{incident}|{sequence}|{channel}|{recipient}".encode()).hexdigest()


def merged_key(keys: Sequence[str]) -> str:
    """The key of one message that stands for several."""
    return sha256("|".join(keys).encode()).hexdigest()


def encode_body(wording: Wording, documents: Sequence[Document]) -> str:
    """The body of a row. documents: the incidents, as in `incidents --json`."""
    return json.dumps(
        {"title": wording.title, "text": wording.text, "incidents": list(documents)},
        ensure_ascii=False,
    )


def decode_notification(row: OutboxRow, at_s: float) -> Notification:
    """The row as a message that is sent at `at_s` (UTC). Raises ValueError for a broken body."""
    body = json.loads(row.body)
    documents = tuple(body["incidents"])
    key = idempotency_key(row.incident, row.sequence, row.channel, row.recipient)
    alone = len(documents) == 1
    return Notification(
        key=key,
        event=row.event,
        title=body["title"],
        text=body["text"],
        recipient=row.recipient,
        at_s=at_s,
        incident=documents[0] if alone else None,
        incidents=() if alone else documents,
    )


def with_code(message: Notification) -> Notification:
    """The message with its code as the last line, so that people can name it on the telephone."""
    return replace(message, text=f"{message.text}\n#{message.code}")


def merge_notifications(messages: Sequence[Notification]) -> Notification:
    """Several messages to one recipient as one; each keeps its text, its code in it."""
    first = messages[0]
    if len(messages) == 1:
        return first
    events = {message.event for message in messages}
    found: dict[object, Document] = {}
    for message in messages:
        for document in (message.incident, *message.incidents):
            if document is not None:
                # The last word on an incident counts, at the place of the first.
                found[document.get("id")] = document
    return Notification(
        key=merged_key([message.key for message in messages]),
        event=events.pop() if len(events) == 1 else EventKind.DIGEST,
        title=f"{first.title} (+{len(messages) - 1})",
        text=GAP.join(message.text for message in messages),
        recipient=first.recipient,
        at_s=first.at_s,
        incidents=tuple(found.values()),
    )


def combine_batches(
    parcels: Sequence[DeliveryBatch], free: int, most_characters: int
) -> list[list[DeliveryBatch]]:
    """What goes out together, when a channel's limit leaves `free` messages for now.

    One by one while there is room; else what one recipient gets is one message, as far as the
    channel's limit of one text goes. Nothing is left out.
    """
    if len(parcels) <= free:
        return [[parcel] for parcel in parcels]
    made: list[list[DeliveryBatch]] = []
    filling: dict[str, tuple[list[DeliveryBatch], int]] = {}
    for parcel in parcels:
        length = _length(parcel.row) + CODE_CHARACTERS
        batch, filled = filling.get(parcel.row.recipient, ([], 0))
        if not batch or filled + len(GAP) + length > most_characters:
            batch, filled = [], -len(GAP)
            made.append(batch)
        batch.append(parcel)
        filling[parcel.row.recipient] = (batch, filled + len(GAP) + length)
    return made


def _length(row: OutboxRow) -> int:
    try:
        return len(decode_notification(row, 0.0).text)
    except (ValueError, LookupError):
        return 0


def retry_delay_s(attempts: int, chance: float, asked_s: float | None = None) -> float:
    """How long to wait after the `attempts`-th try failed.

    5 s × 2ⁿ to 300 s, ± 20 % by `chance` (0 to 1). asked_s: what the channel asked for is obeyed,
    to 300 s, without a spread.
    """
    if asked_s is not None:
        return min(max(asked_s, 0.0), LONGEST_RETRY_S)
    plain_s = min(FIRST_RETRY_S * 2.0 ** min(max(attempts - 1, 0), 16), LONGEST_RETRY_S)
    return plain_s * (1.0 - SPREAD + 2.0 * SPREAD * chance)


def due_batches(rows: Sequence[OutboxRow], now_s: float, limit: int) -> list[DeliveryBatch]:
    """What goes out now of a channel's unsent rows (by ascending id), oldest first.

    First in, first out for an incident: only the first of its rows that no later one makes
    needless, and that only when it is due and none before it is under way.
    """
    chains: dict[int, list[OutboxRow]] = {}
    for row in rows:
        chains.setdefault(row.incident, []).append(row)
    parcels = [parcel for chain in chains.values() if (parcel := _first(chain, now_s)) is not None]
    return sorted(parcels, key=lambda parcel: parcel.row.id)[:limit]


def _first(chain: Sequence[OutboxRow], now_s: float) -> DeliveryBatch | None:
    needless = {
        row.id: after.id
        for row in chain
        if not _under_way(row, now_s)
        for after in chain
        if _replaces(after, row)
    }
    head = next(row for row in chain if row.id not in needless)
    if not _is_due(head, now_s):
        return None
    if any(_under_way(row, now_s) for row in chain if row.id < head.id):
        return None
    return DeliveryBatch(head, tuple(row for row in chain if needless.get(row.id) == head.id))


def _is_due(row: OutboxRow, now_s: float) -> bool:
    if row.status is OutboxStatus.LEASED:
        return not _under_way(row, now_s)
    return not now_s < row.next_try_s <= now_s + FARTHEST_S


def _under_way(row: OutboxRow, now_s: float) -> bool:
    until_s = row.lease_until_s
    return (
        row.status is OutboxStatus.LEASED
        and until_s is not None
        and now_s < until_s <= now_s + FARTHEST_S
    )


def _replaces(after: OutboxRow, before: OutboxRow) -> bool:
    """Does the later message say all that the earlier one would have said?"""
    if after.id <= before.id or after.recipient != before.recipient:
        return False
    if after.event is EventKind.REMINDER:
        return before.event is EventKind.REMINDER
    if after.event is not EventKind.RESOLVED:
        return False
    if before.event not in (EventKind.OPENED, EventKind.DIGEST, EventKind.REMINDER):
        return False
    return incident_ids(before) <= incident_ids(after)


def incident_ids(row: OutboxRow) -> frozenset[int]:
    """The ids of all incidents that a row tells of."""
    return frozenset(row.about or (row.incident,))
