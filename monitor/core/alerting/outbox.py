"""Rules of the outbox: which rows are due, which replace others, retry delays, merging.

The body of a row is the notification as JSON without key and time, which are made at sending.
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
"""A message that could not be delivered for so long is dead."""

MAX_AHEAD_S = 600.0
"""No time of a row lies further ahead, unless the clock was set back after it was written."""

CODE_CHARACTERS = 10
"""Characters that `with_code` adds to a text."""

SEPARATOR = "\n\n"
"""Between two texts merged into one message."""

Document = Mapping[str, object]


def idempotency_key(ledger: str, incident: int, sequence: int, channel: str, recipient: str) -> str:
    """The idempotency key of a message: a sha256 in hex.

    ledger: the identity of its ledger; "": a message of a version without identities, whose key
    stays as it was.
    """
    message = f"{incident}|{sequence}|{channel}|{recipient}"
    return sha256((f"{ledger}|{message}" if ledger else message).encode()).hexdigest()


def row_key(row: OutboxRow) -> str:
    """The idempotency key of a row."""
    return idempotency_key(row.ledger, row.incident, row.sequence, row.channel, row.recipient)


def event_id(ledger: str, incident: int, sequence: int, recipient: str) -> str:
    """The id of a message, the same on every channel of its recipient: a sha256 in hex.

    ledger: as for `idempotency_key`.
    """
    message = f"{incident}|{sequence}|{recipient}"
    return sha256((f"{ledger}|{message}" if ledger else message).encode()).hexdigest()


def merged_key(keys: Sequence[str]) -> str:
    """The key of one message merged from several."""
    return sha256("|".join(keys).encode()).hexdigest()


def encode_body(
    wording: Wording, documents: Sequence[Document], list_address: str | None = None
) -> str:
    """The body of a row. documents: the incidents as in `incidents --json`, with their facts.

    list_address: of the page that lists all incidents.
    """
    return json.dumps(
        {
            "title": wording.title,
            "text": wording.text,
            "incidents": list(documents),
            "list": list_address,
        },
        ensure_ascii=False,
    )


def decode_notification(row: OutboxRow, at_s: float) -> Notification:
    """The notification of a row, sent at `at_s` (UTC). Raises ValueError for a broken body."""
    body = json.loads(row.body)
    documents = tuple(body["incidents"])
    alone = len(documents) == 1
    return Notification(
        key=row_key(row),
        event=row.event,
        title=body["title"],
        text=body["text"],
        recipient=row.recipient,
        at_s=at_s,
        incident=documents[0] if alone else None,
        incidents=() if alone else documents,
        event_id=event_id(row.ledger, row.incident, row.sequence, row.recipient),
        ledger=row.ledger,
        list_address=body.get("list"),
    )


def with_code(message: Notification) -> Notification:
    """The notification with its code as the last line of the text."""
    return replace(message, text=f"{message.text}\n#{message.code}")


def merge_notifications(messages: Sequence[Notification]) -> Notification:
    """Several notifications to one recipient as one, with all texts and incidents."""
    first = messages[0]
    if len(messages) == 1:
        return first
    events = {message.event for message in messages}
    found: dict[object, Document] = {}
    for message in messages:
        for document in (message.incident, *message.incidents):
            if document is not None:
                # The last document of an incident replaces an earlier one in its place.
                found[document.get("id")] = document
    return Notification(
        key=merged_key([message.key for message in messages]),
        event=events.pop() if len(events) == 1 else EventKind.DIGEST,
        title=f"{first.title} (+{len(messages) - 1})",
        text=SEPARATOR.join(message.text for message in messages),
        recipient=first.recipient,
        at_s=first.at_s,
        incidents=tuple(found.values()),
        list_address=first.list_address,
        is_recorded=all(message.is_recorded for message in messages),
        event_id=merged_key([message.event_id for message in messages]),
        # Rows without an identity belong to the same ledger, from before it had one.
        ledger=next((each.ledger for each in reversed(messages) if each.ledger), ""),
    )


def combine_batches(
    due: Sequence[DeliveryBatch], free: int, most_characters: int
) -> list[list[DeliveryBatch]]:
    """Combine rows into at most about `free` messages (the rate limit of the channel).

    Up to `free`: one message each. Else one message a recipient, as far as `most_characters`
    goes. Nothing is left out.
    """
    if len(due) <= free:
        return [[batch] for batch in due]
    messages: list[list[DeliveryBatch]] = []
    last: dict[str, tuple[list[DeliveryBatch], int]] = {}
    for batch in due:
        length = _length(batch.row) + CODE_CHARACTERS
        message, filled = last.get(batch.row.recipient, ([], 0))
        if not message or filled + len(SEPARATOR) + length > most_characters:
            message, filled = [], -len(SEPARATOR)
            messages.append(message)
        message.append(batch)
        last[batch.row.recipient] = (message, filled + len(SEPARATOR) + length)
    return messages


def _length(row: OutboxRow) -> int:
    try:
        return len(decode_notification(row, 0.0).text)
    except (ValueError, LookupError):
        return 0


def retry_delay_s(attempts: int, chance: float, asked_s: float | None = None) -> float:
    """The delay after the `attempts`-th failed attempt: 5 s × 2ⁿ up to 300 s, ± 20 % by `chance`.

    chance: 0 to 1. asked_s: a delay that the channel asked for is taken instead, up to 300 s.
    """
    if asked_s is not None:
        return min(max(asked_s, 0.0), LONGEST_RETRY_S)
    plain_s = min(FIRST_RETRY_S * 2.0 ** min(max(attempts - 1, 0), 16), LONGEST_RETRY_S)
    return plain_s * (1.0 - SPREAD + 2.0 * SPREAD * chance)


def due_batches(rows: Sequence[OutboxRow], now_s: float, limit: int) -> list[DeliveryBatch]:
    """The rows to send now out of the unsent rows of a channel (by ascending id).

    Openings first, so that none waits behind reminders and closings; of these the oldest.

    First in, first out for an incident: only its first row that no later one replaces, and only
    when it is due and no earlier one is being sent.
    """
    by_incident: dict[int, list[OutboxRow]] = {}
    for row in rows:
        by_incident.setdefault(row.incident, []).append(row)
    firsts = (_first_due(waiting, now_s) for waiting in by_incident.values())
    due = [batch for batch in firsts if batch is not None]
    return sorted(due, key=lambda batch: (not _is_opening(batch.row), batch.row.id))[:limit]


def _first_due(rows: Sequence[OutboxRow], now_s: float) -> DeliveryBatch | None:
    replaced_by = {
        row.id: after.id
        for row in rows
        if not _is_being_sent(row, now_s)
        for after in rows
        if _replaces(after, row)
    }
    first = next(row for row in rows if row.id not in replaced_by)
    if not _is_due(first, now_s):
        return None
    if any(_is_being_sent(row, now_s) for row in rows if row.id < first.id):
        return None
    return DeliveryBatch(first, tuple(row for row in rows if replaced_by.get(row.id) == first.id))


def _is_opening(row: OutboxRow) -> bool:
    return row.event in (EventKind.OPENED, EventKind.DIGEST)


def _is_due(row: OutboxRow, now_s: float) -> bool:
    if row.status is OutboxStatus.LEASED:
        return not _is_being_sent(row, now_s)
    return not now_s < row.next_try_s <= now_s + MAX_AHEAD_S


def _is_being_sent(row: OutboxRow, now_s: float) -> bool:
    until_s = row.lease_until_s
    return (
        row.status is OutboxStatus.LEASED
        and until_s is not None
        and now_s < until_s <= now_s + MAX_AHEAD_S
    )


def _replaces(after: OutboxRow, before: OutboxRow) -> bool:
    """Whether the later message contains everything that the earlier one would have said."""
    if after.recipient != before.recipient or not _is_later(after, before):
        return False
    if after.event is EventKind.REMINDER:
        return before.event is EventKind.REMINDER
    if after.event is not EventKind.RESOLVED:
        return False
    if before.event not in (EventKind.OPENED, EventKind.DIGEST, EventKind.REMINDER):
        return False
    return incident_ids(before) <= incident_ids(after)


def _is_later(after: OutboxRow, before: OutboxRow) -> bool:
    """By sequence in one thread: a row for a further channel comes late, but keeps its sequence."""
    if after.incident == before.incident and after.sequence != before.sequence:
        return after.sequence > before.sequence
    return after.id > before.id


def incident_ids(row: OutboxRow) -> frozenset[int]:
    """The ids of all incidents of a row."""
    return frozenset(row.about or (row.incident,))
