"""A real prober on a VethNetwork, and the outcomes it has delivered."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from monitor.adapters.icmp import IcmpProber, SocketMode
from monitor.adapters.system.clock import SystemClock
from monitor.core.model import Outcome, ProbeRules, Target, TargetRole
from tests.adapters.icmp.network import VethNetwork
from tests.adapters.icmp.realtime import realtime_priority
from tests.waiting import eventually_async

BOTH_MODES = (SocketMode.RAW, SocketMode.DATAGRAM)


class ProbeRig:
    """The prober, opened on the near side, with every address of VethNetwork as a target."""

    def __init__(self, prober: IcmpProber, clock: SystemClock, timeout_s: float) -> None:
        self.prober = prober
        self.clock = clock
        self.outcomes: list[Outcome] = []
        self.batches = 0
        self._timeout_s = timeout_s

    def take(self, outcomes: Sequence[Outcome]) -> None:
        self.batches += 1
        self.outcomes.extend(outcomes)

    def targets(self, *addresses: str) -> list[Target]:
        """Targets whose names are their addresses."""
        rules = ProbeRules(timeout_s=self._timeout_s)
        return [Target(one, one, TargetRole.LINK, rules) for one in addresses]

    def watch(self, *addresses: str) -> None:
        self.prober.watch(self.targets(*addresses))

    async def probe(self, *addresses: str) -> list[Outcome]:
        """One round, all requests at once; the outcomes in the order of the addresses."""
        before = len(self.outcomes)
        await self.prober.round(addresses, 0.0)
        await self.until(before + len(addresses))
        remaining = self.outcomes[before:]
        found: list[Outcome] = []
        for address in addresses:
            one = next(outcome for outcome in remaining if outcome.target == address)
            remaining.remove(one)
            found.append(one)
        return found

    async def until(self, count: int) -> None:
        """Wait until so many outcomes have been delivered."""
        await eventually_async(lambda: len(self.outcomes) >= count)

    async def pass_time(self, at_least_s: float) -> None:
        until_s = self.clock.steady_s() + at_least_s
        await eventually_async(lambda: self.clock.steady_s() >= until_s, every_s=0.005)


@asynccontextmanager
async def probing(
    network: VethNetwork, *, timeout_s: float = 0.2, **options: object
) -> AsyncIterator[ProbeRig]:
    """An open prober; `options` go to IcmpProber."""
    clock = SystemClock()
    prober = IcmpProber(clock, **options)  # type: ignore[arg-type]
    rig = ProbeRig(prober, clock, timeout_s)
    with network.near.inside():
        await prober.open(rig.take)
    try:
        rig.watch(
            *(VethNetwork.ALIVE, VethNetwork.ALIVE_TOO, VethNetwork.NEIGHBOUR),
            *(VethNetwork.MONITOR, VethNetwork.REFUSED, VethNetwork.FILTERED),
            *(VethNetwork.SILENT, VethNetwork.UNROUTED, VethNetwork.ALIVE6),
            *(VethNetwork.REFUSED6, VethNetwork.SILENT6, VethNetwork.UNROUTED6),
        )
        with realtime_priority():
            yield rig
    finally:
        await prober.close()
