"""The `status --json` document of a running daemon, and whether the daemon is well."""

from __future__ import annotations

from monitor.core.documents import Document, rfc3339, state_document
from monitor.core.ports import Clock, Prober
from monitor.pipeline import Pipeline
from monitor.polling import Polling
from monitor.schedule import Schedule
from monitor.shipper import Shipper

WELL_S = 30.0
REUSED_S = 0.25


class Status:
    """Says what the daemon knows; the same document serves all who ask within 0.25 s."""

    def __init__(
        self,
        pipeline: Pipeline,
        schedule: Schedule,
        prober: Prober,
        shipper: Shipper | None,
        polling: Polling,
        clock: Clock,
    ) -> None:
        self._pipeline = pipeline
        self._schedule = schedule
        self._prober = prober
        self._shipper = shipper
        self._polling = polling
        self._clock = clock
        self._about: Document = {}
        self._refused: str | None = None
        self._made_s = float("-inf")
        self._made: Document = {}

    def reloaded(self, timezone: str, organisation: str) -> None:
        """A configuration is in force."""
        self._about = {"timezone": timezone, "organisation": organisation}
        self._refused = None

    def reload_refused(self, why: str) -> None:
        """The files are wrong; the daemon goes on with what it has."""
        self._refused = why

    def healthy(self) -> bool:
        """A round has ended within the last 30 s."""
        last_s = self._pipeline.progress.last_round_s
        return last_s is not None and self._clock.steady_s() - last_s < WELL_S

    def document(self) -> Document:
        """`GET /state`."""
        now_s = self._clock.steady_s()
        if now_s - self._made_s >= REUSED_S:
            self._made = self._make(now_s)
            self._made_s = now_s
        return self._made

    def _make(self, now_s: float) -> Document:
        pipeline = self._pipeline
        last_round_s = pipeline.progress.last_round_s
        age_s = 0.0 if last_round_s is None else now_s - last_round_s
        cut_off = pipeline.world.isolation is not None
        monitor: Document = {
            "state": "unknown" if cut_off else "up",
            "last_round": None
            if last_round_s is None
            else rfc3339(self._clock.utc_s(last_round_s)),
            "warnings": self._warnings(),
            "missed_rounds": self._schedule.counters.missed_rounds,
        }
        shipper = self._shipper
        if shipper is not None:
            monitor["influxdb"] = {
                "lag": shipper.state.lag_lines,
                "last_error": shipper.state.last_error,
                "quarantined": shipper.state.quarantined,
            }
        document = state_document(
            pipeline.network,
            pipeline.standing,
            monitor,
            pipeline.open_incidents(),
            self._clock.utc_s(now_s),
            age_s,
            stale=not self.healthy() and last_round_s is not None,
        )
        return document | self._about

    def _warnings(self) -> list[str]:
        progress = self._pipeline.progress
        found = [
            f"configuration not reloaded: {self._refused}" if self._refused else None,
            f"ledger: {progress.ledger_trouble}" if progress.ledger_trouble else None,
            f"journal: {progress.journal_trouble}" if progress.journal_trouble else None,
            (
                f"{progress.dropped_samples} samples were dropped: the journal cannot be written"
                if progress.dropped_samples
                else None
            ),
        ]
        if self._shipper is not None and self._shipper.state.last_error:
            found.append(f"InfluxDB: {self._shipper.state.last_error}")
        routers = sorted(self._polling.trouble())
        if routers:
            shown = ", ".join(routers[:5]) + (" …" if len(routers) > 5 else "")
            found.append(f"SNMP: no answer from {len(routers)} routers: {shown}")
        return [warning for warning in found if warning]
