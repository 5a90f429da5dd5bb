"""Sum raw rows up to minutes and hours, every minute."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from monitor.adapters.journal import SqliteJournal
from monitor.core.alerting.maintenance import (
    MaintenanceCalendar,
    maintenance_spans,
    targets_by_name,
)
from monitor.core.alerting.ports import AlertReader
from monitor.core.job import Job
from monitor.core.ports import Clock, LedgerReader
from monitor.core.state_history import Spans, StateHistory
from monitor.core.warning import MonitorWarning
from monitor.settings.model import Settings
from monitor.storage.store_errors import StoreErrors

INTERVAL_S = 60.0
HOURS_PER_RUN = 24
"""After a long pause many hours wait: other jobs get their turn in between."""

MaintenanceSpans = Callable[[float, float], Mapping[str, Spans]]
"""When each target was under maintenance in [start, end) (UTC)."""


def maintenance_from(ledger: AlertReader, settings: Settings) -> MaintenanceSpans:
    """The windows of the ledger and of maintenance.toml."""

    def spans(start_s: float, end_s: float) -> Mapping[str, Spans]:
        windows = tuple(ledger.windows(start_s, end_s))
        reach = targets_by_name(settings.network)
        maintenance = MaintenanceCalendar(
            reach, settings.timezone, windows, settings.alerts.maintenance
        )
        return maintenance_spans(maintenance, start_s, end_s)

    return spans


class RollupJob:
    """Sums up the hours of the journal that are over and have new rows."""

    def __init__(self, journal: SqliteJournal, ledger: LedgerReader, clock: Clock) -> None:
        self._journal = journal
        self._ledger = ledger
        self._clock = clock
        self._maintenance: MaintenanceSpans = lambda start_s, end_s: {}
        self._errors = StoreErrors()

    def reconfigure(self, maintenance: MaintenanceSpans) -> None:
        self._maintenance = maintenance

    def jobs(self) -> list[Job]:
        return [Job("rollups", INTERVAL_S, self.roll_up, deadline_s=3600)]

    def warnings(self) -> list[MonitorWarning]:
        return self._errors.warnings()

    async def roll_up(self) -> None:
        """Sum up at most 24 hours; a failure is tried again at the next run."""
        now_s = self._clock.utc_s(self._clock.steady_s())
        await self._errors.run(
            "rollups",
            "rollups",
            lambda: self._journal.roll_up(now_s, self._state_history, HOURS_PER_RUN),
        )

    def _state_history(self, start_s: float, end_s: float) -> StateHistory:
        transitions = self._ledger.transitions(start_s, end_s)
        return StateHistory.of(transitions, self._maintenance(start_s, end_s))
