"""The highest numbers in messages that were sent while the ledger could not be written.

The ledger does not know them after a kill. A number that is given out twice would give two
messages one idempotency key, and let the link of one message act on another incident.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from monitor.core.alerting.model import OutboxRow

MOST_INCIDENTS = 10_000
"""So far the ids may be ahead of the ledger's; further: the time of a copied file was read."""

MOST_SEQUENCE = 10_000
SKIPPED = 100
"""Numbers that are left out where it is not known which were given out."""


@dataclass(frozen=True, slots=True)
class GivenOut:
    """incident: the highest id in such a message; sequence: the highest of any thread up to it."""

    incident: int = 0
    sequence: int = 0

    def with_rows(self, rows: Iterable[OutboxRow]) -> GivenOut:
        """After these rows are sent; messages about the monitor have numbers of their own."""
        incident, sequence = self.incident, self.sequence
        for row in rows:
            if row.incident > 0:
                incident = max(incident, row.incident, *row.about)
                sequence = max(sequence, row.sequence)
        return GivenOut(incident, sequence)

    def checked(self, next_incident_id: int) -> GivenOut:
        """Without what cannot be true. next_incident_id: of the ledger."""
        incident, sequence = self.incident, self.sequence
        if incident >= next_incident_id + MOST_INCIDENTS:
            incident = next_incident_id - 1 + SKIPPED
        if sequence > MOST_SEQUENCE:
            sequence = SKIPPED
        return GivenOut(incident, sequence)

    def last_sequence(self, thread: int, recorded: int) -> int:
        """The last number of a thread. recorded: the last that the ledger knows (0: none)."""
        return max(recorded, self.sequence) if thread <= self.incident else recorded


NOTHING_GIVEN_OUT = GivenOut()
