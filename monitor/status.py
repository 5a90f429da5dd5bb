"""The `status --json` document of a running daemon, and whether the daemon is well."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from monitor.core.documents import Document, Standing, rfc3339, state_document
from monitor.core.model import Incident, Network
from monitor.core.ports import Clock
from monitor.housekeeping import Housekeeping, in_words
from monitor.pipeline import Pipeline
from monitor.polling import Polling
from monitor.schedule import Schedule
from monitor.shipper import Shipper

WELL_S = 30.0
REUSED_S = 0.25
REUSED_TIMES = 10
"""A document serves for so many times as long as it took to make it, if that is more."""

AT_ONCE = 250
"""Targets that are looked at before the probes get their turn."""

LATELY_S = 900.0
"""What went wrong once is shown for so long."""

FEW_FDS = 0.8


class Status:
    """Says what the daemon knows; the same document serves all who ask soon after one another.

    overlays: what people did, to be shown beside the state of a target. of_store: warnings of the
    one who keeps the journal.
    """

    def __init__(
        self,
        pipeline: Pipeline,
        schedule: Schedule,
        housekeeping: Housekeeping,
        shipper: Shipper | None,
        polling: Polling,
        clock: Clock,
        overlays: Callable[[], Mapping[str, tuple[str, ...]]] = dict,
        of_store: Callable[[], Sequence[str]] = list,
    ) -> None:
        self._pipeline = pipeline
        self._schedule = schedule
        self._housekeeping = housekeeping
        self._shipper = shipper
        self._polling = polling
        self._clock = clock
        self._overlays = overlays
        self._of_store = of_store
        self._about: Document = {}
        self._refused: str | None = None
        self._good_until_s = float("-inf")
        self._made: Document = {}
        self._making: asyncio.Future[None] | None = None

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

    async def _look(self) -> tuple[Network, dict[str, Standing]]:
        """Every target as it stands; of thousands in parts, and anew after a reload meanwhile."""
        while True:
            network = self._pipeline.network
            overlays = self._overlays()
            standings: dict[str, Standing] = {}
            for place, target in enumerate(network.targets()):
                if place % AT_ONCE == AT_ONCE - 1:
                    await asyncio.sleep(0)
                    if self._pipeline.network is not network:
                        break
                standing = self._pipeline.standing(target.name)
                more = overlays.get(target.name, ())
                standings[target.name] = (
                    replace(standing, overlays=standing.overlays + more) if more else standing
                )
            else:
                return network, standings

    def _written(
        self, now_s: float, network: Network, standings: Mapping[str, Standing]
    ) -> Document:
        pipeline = self._pipeline
        last_round_s = pipeline.progress.last_round_s
        age_s = 0.0 if last_round_s is None else now_s - last_round_s
        cut_off = pipeline.world.isolation is not None
        monitor: Document = {
            "state": "unknown" if cut_off else "up",
            "last_round": None
            if last_round_s is None
            else rfc3339(self._clock.utc_s(last_round_s)),
            "warnings": self._warnings(now_s),
            "missed_rounds": pipeline.progress.missed_rounds,
        }
        shipper = self._shipper
        if shipper is not None:
            monitor["influxdb"] = {
                "lag": shipper.state.lag_lines,
                "last_error": shipper.state.last_error,
                "quarantined": shipper.state.quarantined,
            }
        document = state_document(
            network,
            standings.__getitem__,
            monitor,
            pipeline.open_incidents(),
            self._clock.utc_s(now_s),
            age_s,
            stale=not self.healthy() and last_round_s is not None,
        )
        return document | self._about

    def _warnings(self, now_s: float) -> list[str]:
        """What a person should know or do, the gravest first."""
        progress = self._pipeline.progress
        found = [
            *self._of_measuring(now_s),
            f"configuration not reloaded: {self._refused}" if self._refused else None,
            f"ledger: {progress.ledger_trouble}" if progress.ledger_trouble else None,
            f"journal: {progress.journal_trouble}" if progress.journal_trouble else None,
            (
                f"{progress.dropped_samples} samples were dropped: the journal cannot be written"
                if progress.dropped_samples
                else None
            ),
            *self._of_this_machine(now_s),
            *self._of_store(),
        ]
        if self._shipper is not None and self._shipper.state.last_error:
            found.append(f"InfluxDB: {self._shipper.state.last_error}")
        routers = sorted(self._polling.trouble())
        if routers:
            shown = ", ".join(routers[:5]) + (" …" if len(routers) > 5 else "")
            found.append(f"SNMP: no answer from {len(routers)} routers: {shown}")
        return [warning for warning in found if warning]

    def _of_measuring(self, now_s: float) -> list[str | None]:
        """Whether what is shown can be believed."""
        cut = self._pipeline.world.isolation
        lately = self._housekeeping.unmeasured
        missed_s = self._pipeline.progress.last_missed_s
        missed = self._pipeline.progress.missed_rounds
        return [
            _cut_off(cut) if cut is not None else None,
            f"not measured in the last 10 s: {in_words(lately)}" if lately else None,
            (
                f"{missed} rounds were missed since the start, the last {_ago(now_s - missed_s)}"
                if missed_s is not None and now_s - missed_s < LATELY_S
                else None
            ),
        ]

    def _of_this_machine(self, now_s: float) -> list[str | None]:
        """Its clock, its time for us, its descriptors."""
        counters = self._schedule.counters
        own = self._housekeeping.own
        found: list[str | None] = []
        step, stall, failure = counters.last_step, counters.last_stall, counters.last_failure
        if step is not None and now_s - step.at_s < LATELY_S:
            found.append(
                f"this machine's clock was set by {step.length_s:+.1f} s "
                f"{_ago(now_s - step.at_s)}: times of before may be wrong"
            )
        if own is not None and own.synchronised == 0:
            found.append(
                "this machine's clock is not synchronised: outages may bear wrong times, and "
                "penalties hang on them; switch NTP on (timedatectl set-ntp true)"
            )
        if stall is not None and now_s - stall.at_s < LATELY_S:
            found.append(
                f"this process stood still for {stall.length_s:.1f} s {_ago(now_s - stall.at_s)}: "
                "the machine is too busy, or was suspended"
            )
        if failure is not None and now_s - failure.at_s < LATELY_S:
            found.append(f"{failure.job} failed {_ago(now_s - failure.at_s)}: the log says why")
        if own is not None and _few_are_left(own.open_fds, own.max_fds):
            found.append(
                f"{own.open_fds} of {own.max_fds} descriptors are in use: raise the limit "
                "(systemd: LimitNOFILE=, by hand: ulimit -n)"
            )
        return found


def _cut_off(incident: Incident) -> str:
    if incident.reason == "send_failure":
        return f"this machine cannot send ({incident.proof.error}): nothing is measured"
    return "this machine is cut off: no anchor answers, nothing can be said of any link"


def _few_are_left(used: int | None, most: int | None) -> bool:
    return used is not None and most is not None and used >= FEW_FDS * most


def _ago(age_s: float) -> str:
    return "just now" if age_s < 60 else f"{age_s / 60:.0f} min ago"
