"""A prober, its clock, and the outcomes that it has delivered."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from monitor.adapters.icmp import IcmpProber, SocketMode
from monitor.adapters.system.clock import SystemClock
from monitor.core.model import Outcome, ProbeRules, Target, TargetRole
from monitor.core.ports import Clock, Prober
from tests.adapters.icmp.network import VethNetwork
from tests.adapters.icmp.realtime import realtime_priority
from tests.fakes.clock import ManualClock
from tests.waiting import eventually_async

BOTH_MODES = (SocketMode.RAW, SocketMode.DATAGRAM)


class ProbeRig:
    """batches: the outcomes by delivery, each with the time of its delivery."""

    def __init__(self, prober: Prober, clock: Clock, timeout_s: float = 0.2) -> None:
        self.prober = prober
        self.clock = clock
        self.outcomes: list[Outcome] = []
        self.batches: list[tuple[float, list[Outcome]]] = []
        self._timeout_s = timeout_s

    def take(self, outcomes: Sequence[Outcome]) -> None:
        """The sink of the prober."""
        self.batches.append((self.clock.steady_s(), list(outcomes)))
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
        """Let time pass until so many outcomes have been delivered."""
        if isinstance(self.clock, ManualClock):
            for _ in range(100):
                if len(self.outcomes) < count:
                    await self.clock.run(0.1)
        await eventually_async(lambda: len(self.outcomes) >= count)

    async def pass_time(self, at_least_s: float) -> None:
        if isinstance(self.clock, ManualClock):
            await self.clock.run(at_least_s)
        else:
            until_s = self.clock.steady_s() + at_least_s
            await eventually_async(lambda: self.clock.steady_s() >= until_s, every_s=0.005)


@asynccontextmanager
async def probing(
    network: VethNetwork, *, timeout_s: float = 0.2, **options: object
) -> AsyncIterator[ProbeRig]:
    """An open IcmpProber on the near side, with every address of VethNetwork as a target.

    options: go to IcmpProber.
    """
    clock = SystemClock()
    rig = ProbeRig(IcmpProber(clock, **options), clock, timeout_s)  # type: ignore[arg-type]
    with network.near.inside():
        await rig.prober.open(rig.take)
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
        await rig.prober.close()
