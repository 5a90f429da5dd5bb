"""Messages that the ledger has not taken yet, and what became of those that were sent without it.

While the ledger cannot be written (a full disk, an error of the disk, a file that is gone) messages
are sent from memory. Each keeps the idempotency key of its outbox row. When the ledger can be
written again the row is recorded with what became of it, so that it is not sent a second time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from monitor.core.alerting.model import DeliveryBatch, Notification, OutboxRow, OutboxStatus
from monitor.core.progress import WriterState

Key = tuple[int, int, str, str]
"""incident, sequence, channel, recipient: one row of the outbox."""

PATIENCE_S = 3.0
"""A row that is not recorded after so long is sent from memory (a disk that hangs)."""

FIRST_ID = 1 << 62
"""Ids of rows that are not recorded: after those of the ledger, in the order in which they came."""

MERGED = "said by a later message, which was sent from memory"
"""`last_error` of a row in whose place a later one was sent from memory."""

MARKS = {
    "id": "(Dikirim dari memori; belum tercatat di server pemantau.)",
    "en": "(Sent from memory; not recorded on the monitor's server yet.)",
}
MARK_CHARACTERS = 64
"""At least as many as the longest mark and the end of the line before it."""


class UnrecordedMessages:
    """Shared by the pipeline (adds, records) and the channel workers (send). Event loop only.

    Except `to_record`: it only reads, and the thread that writes the ledger calls it.
    steady_s: the steady clock. ledger: whether it can be written.
    """

    def __init__(self, steady_s: Callable[[], float], ledger: WriterState) -> None:
        self._steady_s = steady_s
        self._ledger = ledger
        self._waiting: dict[Key, tuple[float, OutboxRow]] = {}
        self._tried: dict[Key, OutboxRow] = {}
        self._accepted: set[tuple[int, int]] = set()
        self._next_id = FIRST_ID

    def add(self, rows: Iterable[OutboxRow]) -> None:
        """Rows that are queued for the ledger."""
        now_s = self._steady_s()
        for row in rows:
            self._waiting.setdefault(key_of(row), (now_s, replace(row, id=self._next_id)))
            self._next_id += 1

    def to_record(self, row: OutboxRow) -> OutboxRow:
        """The row as the ledger shall keep it: with what became of it meanwhile."""
        tried = self._tried.get(key_of(row))
        return row if tried is None else replace(tried, id=row.id)

    def recorded(self, rows: Iterable[OutboxRow]) -> None:
        """The ledger has these rows now.

        What was tried while they were being written stays known: `settle` marks it later.
        """
        for row in rows:
            key = key_of(row)
            self._waiting.pop(key, None)
            tried = self._tried.get(key)
            if tried is not None and tried.status is row.status:
                del self._tried[key]

    def is_needed(self, channel: str) -> bool:
        """Whether messages of this channel have to be sent without the ledger."""
        if self._ledger.error is not None:
            return True
        before_s = self._steady_s() - PATIENCE_S
        return any(
            added_s <= before_s and row.channel == channel and not self._is_settled(key)
            for key, (added_s, row) in self._waiting.items()
        )

    def unsent(self, channel: str, stored: Sequence[OutboxRow]) -> list[OutboxRow]:
        """The rows of a channel that nobody has got yet, by id.

        stored: what the ledger holds of them, as far as it can be read. Nothing else sends them:
        a row that is leased there was not delivered, and its lease could not be given back.
        """
        rows = {key_of(row): row for row in stored if row.channel == channel}
        for key, (_, row) in self._waiting.items():
            if row.channel == channel:
                rows.setdefault(key, row)
        known = [replace(self._tried.get(key, row), id=row.id) for key, row in rows.items()]
        return sorted(
            (
                replace(row, status=OutboxStatus.PENDING, lease_until_s=None)
                for row in known
                if row.status in (OutboxStatus.PENDING, OutboxStatus.LEASED)
            ),
            key=lambda row: row.id,
        )

    def is_unrecorded(self, row: OutboxRow) -> bool:
        """Whether the ledger does not have the row yet."""
        return key_of(row) in self._waiting

    def note_sent(self, batch: DeliveryBatch, at_s: float) -> None:
        """The channel accepted the message, also in place of the rows that it replaces (UTC).

        What waits for this channel after a failed attempt is due at once.
        """
        for row in (batch.row, *batch.replaced):
            self._tried[key_of(row)] = replace(
                row,
                status=OutboxStatus.SENT,
                attempts=row.attempts + 1,
                first_try_s=at_s if row.first_try_s is None else row.first_try_s,
                last_error=row.last_error if row is batch.row else MERGED,
                sent_s=at_s,
            )

        for key, tried in self._tried.items():
            if tried.channel == batch.row.channel and not self._is_settled(key):
                self._tried[key] = replace(tried, next_try_s=min(tried.next_try_s, at_s))

    def note_failed(self, batch: DeliveryBatch, why: str, at_s: float, next_s: float) -> None:
        """The attempt failed at `at_s`, the next one is at `next_s` (UTC)."""
        for row in (batch.row, *batch.replaced):
            self._tried[key_of(row)] = replace(
                row,
                attempts=row.attempts + 1,
                first_try_s=at_s if row.first_try_s is None else row.first_try_s,
                last_error=why,
                next_try_s=next_s,
            )

    def note_dead(self, batch: DeliveryBatch, why: str) -> None:
        """The message is given up on this channel."""
        for row in (batch.row, *batch.replaced):
            self._tried[key_of(row)] = replace(row, status=OutboxStatus.DEAD, last_error=why)

    def outcome(self, row: OutboxRow) -> OutboxRow | None:
        """What became of a row that was leased from the ledger: sent or dead; None: neither."""
        tried = self._tried.get(key_of(row))
        return tried if tried is not None and self._is_settled(key_of(row)) else None

    def settle(self, rows: Iterable[OutboxRow]) -> None:
        """The ledger knows what became of these rows."""
        for row in rows:
            self._tried.pop(key_of(row), None)

    def note_accepted(self, row: OutboxRow) -> None:
        """A channel accepted a message; remembered for those about the monitor itself."""
        if row.incident < 0:
            self._accepted.add((row.incident, row.sequence))

    def was_accepted(self, incident: int, sequence: int) -> bool:
        """Whether some channel accepted this message about the monitor, since the start."""
        return (incident, sequence) in self._accepted

    def _is_settled(self, key: Key) -> bool:
        tried = self._tried.get(key)
        return tried is not None and tried.status in (OutboxStatus.SENT, OutboxStatus.DEAD)


def key_of(row: OutboxRow) -> Key:
    """What identifies a row, also before it has an id."""
    return row.incident, row.sequence, row.channel, row.recipient


def mark_unrecorded(message: Notification, language: str, most_characters: int) -> Notification:
    """The notification with a line that says that it is not recorded yet.

    most_characters: of the text, the line included.
    """
    mark = MARKS.get(language, MARKS["en"])
    text = message.text
    if len(text) + 1 + len(mark) > most_characters:
        text = f"{text[: max(0, most_characters - len(mark) - 2)].rstrip()}…"
    return replace(message, text=f"{text}\n{mark}", is_recorded=False)
