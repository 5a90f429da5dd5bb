"""The `status --json` document of a running daemon, and whether the daemon is healthy."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from monitor.adapters.scheduler import Scheduler
from monitor.core.documents import Document, TargetStatus, rfc3339, status_document
from monitor.core.model import Network
from monitor.core.ports import Clock
from monitor.core.warning import MonitorWarning
from monitor.pipeline.pipeline import Pipeline
from monitor.probing.snmp_polling import SnmpPolling
from monitor.status.warnings import WarningCollector
from monitor.storage.self_metrics import SelfMetrics
from monitor.storage.shipper_group import ShipperGroup

HEALTHY_S = 30.0
CACHE_S = 0.25
CACHE_FACTOR = 10
"""A document is reused for so many times as long as making it took, if that is more."""

CHUNK_TARGETS = 250
"""Targets that are read before the event loop gets its turn."""


class Status:
    """Makes the document; requests close to one another get the same one.

    overlays: `acknowledged` and `maintenance` by target. other_warnings: see WarningCollector.
    ledger: the identity of the ledger that the incidents are numbered in.
    """

    def __init__(
        self,
        pipeline: Pipeline,
        schedule: Scheduler,
        self_metrics: SelfMetrics,
        shippers: ShipperGroup | None,
        polling: SnmpPolling,
        clock: Clock,
        overlays: Callable[[], Mapping[str, tuple[str, ...]]] = dict,
        other_warnings: Callable[[], Sequence[MonitorWarning]] = list,
        ledger: str = "",
    ) -> None:
        self._pipeline = pipeline
        self._ledger = ledger
        self._shippers = shippers
        self._clock = clock
        self._overlays = overlays
        self._warnings = WarningCollector(
            pipeline, schedule, self_metrics, shippers, polling, other_warnings
        )
        self._about: Document = {}
        self._reload_error: str | None = None
        self._valid_until_s = float("-inf")
        self._cached: Document = {}
        self._making: asyncio.Future[None] | None = None

    def reloaded(self, timezone: str, organisation: str) -> None:
        """A configuration was put in force."""
        self._about = {"timezone": timezone, "organisation": organisation}
        self._reload_error = None
        self._valid_until_s = float("-inf")

    def reload_refused(self, why: str) -> None:
        """A reload was refused: the previous configuration stays in force."""
        self._reload_error = why
        self._valid_until_s = float("-inf")

    def healthy(self) -> bool:
        """Whether a round has ended within the last 30 s."""
        last_s = self._pipeline.progress.last_round_s
        return last_s is not None and self._clock.steady_s() - last_s < HEALTHY_S

    async def document(self) -> Document:
        """The document of `GET /state`; concurrent requests share one computation."""
        if self._clock.steady_s() >= self._valid_until_s:
            if self._making is None:
                self._making = asyncio.ensure_future(self._make())
            await asyncio.shield(self._making)
        return self._cached

    async def _make(self) -> None:
        try:
            now_s = self._clock.steady_s()
            network, statuses = await self._read_targets()
            self._cached = self._compose(now_s, network, statuses)
            took_s = self._clock.steady_s() - now_s
            self._valid_until_s = now_s + max(CACHE_S, CACHE_FACTOR * took_s)
        finally:
            self._making = None

    async def _read_targets(self) -> tuple[Network, dict[str, TargetStatus]]:
        """Status of every target, in chunks; starts again when a reload changes the network."""
        while True:
            network = self._pipeline.network
            overlays = self._overlays()
            statuses: dict[str, TargetStatus] = {}
            for place, target in enumerate(network.targets()):
                if place % CHUNK_TARGETS == CHUNK_TARGETS - 1:
                    await asyncio.sleep(0)
                    if self._pipeline.network is not network:
                        break
                status = self._pipeline.target_status(target.name)
                more = overlays.get(target.name, ())
                statuses[target.name] = (
                    replace(status, overlays=status.overlays + more) if more else status
                )
            else:
                return network, statuses

    def _compose(
        self, now_s: float, network: Network, statuses: Mapping[str, TargetStatus]
    ) -> Document:
        pipeline = self._pipeline
        last_round_s = pipeline.progress.last_round_s
        age_s = 0.0 if last_round_s is None else now_s - last_round_s
        warnings = self._warnings.collect(now_s, self._reload_error)
        cut_off = pipeline.detector.monitor_incident is not None
        monitor: Document = {
            "state": "unknown" if cut_off else "up",
            "last_round": None
            if last_round_s is None
            else rfc3339(self._clock.utc_s(last_round_s)),
            "warnings": [warning.text for warning in warnings],
            "remarks": [warning.document() for warning in warnings],
            "missed_rounds": pipeline.progress.missed_rounds,
        }
        influxdb = None if self._shippers is None else self._shippers.document()
        if influxdb is not None:
            monitor["influxdb"] = influxdb
        document = status_document(
            network,
            statuses.__getitem__,
            monitor,
            pipeline.open_incidents(),
            self._clock.utc_s(now_s),
            age_s,
            stale=not self.healthy() and last_round_s is not None,
            ledger=self._ledger,
        )
        return document | self._about
