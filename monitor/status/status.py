"""The `status --json` document of a running daemon, and whether the daemon is well."""

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

WELL_S = 30.0
REUSED_S = 0.25
REUSED_TIMES = 10
"""A document serves for so many times as long as it took to make it, if that is more."""

AT_ONCE = 250
"""Targets that are looked at before the probes get their turn."""


class Status:
    """Says what the daemon knows; the same document serves all who ask soon after one another.

    overlays: what people did, to be shown beside the state of a target. of_others: see Remarks.
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
        of_others: Callable[[], Sequence[MonitorWarning]] = list,
    ) -> None:
        self._pipeline = pipeline
        self._shippers = shippers
        self._clock = clock
        self._overlays = overlays
        self._remarks = WarningCollector(
            pipeline, schedule, self_metrics, shippers, polling, of_others
        )
        self._about: Document = {}
        self._refused: str | None = None
        self._good_until_s = float("-inf")
        self._made: Document = {}
        self._making: asyncio.Future[None] | None = None

    def reloaded(self, timezone: str, organisation: str) -> None:
        """A configuration is in force."""
        self._about = {"timezone": timezone, "organisation": organisation}
        self._refused = None
        self._good_until_s = float("-inf")

    def reload_refused(self, why: str) -> None:
        """The files are wrong; the daemon goes on with what it has."""
        self._refused = why
        self._good_until_s = float("-inf")

    def healthy(self) -> bool:
        """A round has ended within the last 30 s."""
        last_s = self._pipeline.progress.last_round_s
        return last_s is not None and self._clock.steady_s() - last_s < WELL_S

    async def document(self) -> Document:
        """`GET /state`. However many ask, it is made once."""
        if self._clock.steady_s() >= self._good_until_s:
            if self._making is None:
                self._making = asyncio.ensure_future(self._make())
            await asyncio.shield(self._making)
        return self._made

    async def _make(self) -> None:
        try:
            now_s = self._clock.steady_s()
            network, standings = await self._look()
            self._made = self._written(now_s, network, standings)
            took_s = self._clock.steady_s() - now_s
            self._good_until_s = now_s + max(REUSED_S, REUSED_TIMES * took_s)
        finally:
            self._making = None

    async def _look(self) -> tuple[Network, dict[str, TargetStatus]]:
        """Every target as it stands; of thousands in parts, and anew after a reload meanwhile."""
        while True:
            network = self._pipeline.network
            overlays = self._overlays()
            standings: dict[str, TargetStatus] = {}
            for place, target in enumerate(network.targets()):
                if place % AT_ONCE == AT_ONCE - 1:
                    await asyncio.sleep(0)
                    if self._pipeline.network is not network:
                        break
                standing = self._pipeline.target_status(target.name)
                more = overlays.get(target.name, ())
                standings[target.name] = (
                    replace(standing, overlays=standing.overlays + more) if more else standing
                )
            else:
                return network, standings

    def _written(
        self, now_s: float, network: Network, standings: Mapping[str, TargetStatus]
    ) -> Document:
        pipeline = self._pipeline
        last_round_s = pipeline.progress.last_round_s
        age_s = 0.0 if last_round_s is None else now_s - last_round_s
        remarks = self._remarks.found(now_s, self._refused)
        cut_off = pipeline.detector.monitor_incident is not None
        monitor: Document = {
            "state": "unknown" if cut_off else "up",
            "last_round": None
            if last_round_s is None
            else rfc3339(self._clock.utc_s(last_round_s)),
            "warnings": [remark.text for remark in remarks],
            "remarks": [remark.document() for remark in remarks],
            "missed_rounds": pipeline.progress.missed_rounds,
        }
        influxdb = None if self._shippers is None else self._shippers.document()
        if influxdb is not None:
            monitor["influxdb"] = influxdb
        document = status_document(
            network,
            standings.__getitem__,
            monitor,
            pipeline.open_incidents(),
            self._clock.utc_s(now_s),
            age_s,
            stale=not self.healthy() and last_round_s is not None,
        )
        return document | self._about
