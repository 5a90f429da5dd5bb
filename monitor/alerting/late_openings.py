"""Sends openings of outages that wait too long on one channel by the recipient's next one, too."""

from __future__ import annotations

import logging
from functools import partial

from monitor.core.alerting.alerting_state import AlertingState
from monitor.core.alerting.fallback import (
    PATIENCE_S,
    closings_after,
    is_outage_opening,
    next_channel,
)
from monitor.core.alerting.model import OutboxRow
from monitor.core.alerting.ports import AlertLedger
from monitor.core.errors import LedgerError
from monitor.core.executor import Executor
from monitor.core.job import Job
from monitor.core.ports import Clock
from monitor.pipeline.pipeline import Pipeline

log = logging.getLogger("monitor.alerting.late_openings")

INTERVAL_S = 2.0


class LateOpenings:
    """A job. The first channel is kept trying; the ledger says what was passed on before."""

    def __init__(
        self,
        ledger: AlertLedger,
        clock: Clock,
        alerting_state: AlertingState,
        executor: Executor,
        pipeline: Pipeline,
    ) -> None:
        self._ledger = ledger
        self._clock = clock
        self._alerting_state = alerting_state
        self._executor = executor
        self._pipeline = pipeline
        self._passed_on: set[int] = set()

    def jobs(self) -> list[Job]:
        return [Job("late_openings", INTERVAL_S, self.look, deadline_s=10 * INTERVAL_S)]

    async def look(self) -> None:
        """Pass on what has waited for `PATIENCE_S`, once for each row."""
        before_s = self._clock.utc_s(self._clock.steady_s()) - PATIENCE_S
        try:
            waiting = await self._executor(partial(self._ledger.waiting_openings, before_s))
            self._passed_on &= {row.id for row in waiting}
            for row in waiting:
                if row.id not in self._passed_on and self._is_late(row):
                    self._passed_on.add(row.id)
                    await self._pass_on(row)
        except LedgerError as error:
            log.debug("openings that wait cannot be read: %s", error)

    def _is_late(self, row: OutboxRow) -> bool:
        routing = self._alerting_state.routing
        return next_channel(row, routing) is not None and is_outage_opening(row)

    async def _pass_on(self, row: OutboxRow) -> None:
        rows = await self._executor(partial(self._ledger.outbox, incident=row.incident))
        if self._pipeline.pass_on(row, closings_after(row, rows)):
            log.warning(
                "message %d has waited for %.0f s on %s and goes by the next channel, too",
                row.id,
                PATIENCE_S,
                row.channel,
            )
