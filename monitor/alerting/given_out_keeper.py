"""Keep the highest numbers of messages that are sent from memory, for the start after a kill."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from monitor.core.alerting.given_out import GivenOut
from monitor.core.alerting.model import OutboxRow
from monitor.core.alerting.ports import GivenOutStore
from monitor.core.executor import Executor
from monitor.core.model import LedgerSnapshot

log = logging.getLogger("monitor.alerting.given_out_keeper")

PATIENCE_S = 1.0
"""A disk that hangs does not hold up a message for longer."""


def restore_given_out(
    store: GivenOutStore, snapshot: LedgerSnapshot
) -> tuple[LedgerSnapshot, GivenOut]:
    """The snapshot with a next incident id that was never given out, and what was."""
    try:
        found = store.load()
        numbers = found.checked(snapshot.next_incident_id)
        if numbers != found:
            store.save(numbers)
    except OSError as error:
        log.warning("which numbers were in messages sent from memory cannot be read: %s", error)
        return snapshot, GivenOut()
    next_id = max(snapshot.next_incident_id, numbers.incident + 1)
    return replace(snapshot, next_incident_id=next_id), numbers


class GivenOutKeeper:
    """Called before messages are sent from memory. executor: a thread that waits for no ledger."""

    def __init__(self, store: GivenOutStore, numbers: GivenOut, executor: Executor) -> None:
        self._store = store
        self._wanted = self._kept = numbers
        self._executor = executor
        self._has_failed = False

    async def keep(self, rows: Sequence[OutboxRow]) -> None:
        """Keep the numbers of these rows, where they are higher; a failure stops no message."""
        # At once: the store gets the numbers of all workers in rising order.
        self._wanted = numbers = self._wanted.with_rows(rows)
        if numbers == self._kept:
            return
        try:
            async with asyncio.timeout(PATIENCE_S):
                await self._executor(partial(self._store.save, numbers))
        except (OSError, TimeoutError) as error:
            if not self._has_failed:
                log.warning("the numbers of messages sent from memory cannot be kept: %r", error)
            self._has_failed = True
            return
        self._kept = numbers
        self._has_failed = False
