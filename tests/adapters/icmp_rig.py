"""A real prober on a private network, and what it has said so far."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from monitor.adapters.icmp import IcmpProber, SocketMode
from monitor.adapters.system.clock import SystemClock
from monitor.core.model import Outcome, ProbeRules, Target, TargetRole
from tests.adapters.private_network import TwoSides
from tests.adapters.undisturbed import undisturbed
from tests.waiting import eventually_async


class Probing:
    """The prober, opened on the near side, watching every address that TwoSides has."""

    def __init__(self, prober: IcmpProber, clock: SystemClock, timeout_s: float) -> None:
        self.prober = prober
        self.clock = clock
        self.outcomes: list[Outcome] = []
        self.batches = 0
        self._timeout_s = timeout_s

    def take(self, outcomes: Sequence[Outcome]) -> None:
        self.batches += 1
        self.outcomes.extend(outcomes)

    def watch(self, *addresses: str) -> None:
        """Watch these addresses; each is its own name."""
        rules = ProbeRules(timeout_s=self._timeout_s)
        self.prober.watch(Target(one, one, TargetRole.LINK, rules) for one in addresses)

    async def ask(self, *addresses: str) -> list[Outcome]:
        """One round of these, all at once, and what became of each, in the order of asking."""
        before = len(self.outcomes)
        await self.prober.round(addresses, 0.0)
        await self.until(before + len(addresses))
        rest = self.outcomes[before:]
        found: list[Outcome] = []
        for address in addresses:
            one = next(outcome for outcome in rest if outcome.target == address)
            rest.remove(one)
            found.append(one)
        return found

    async def until(self, count: int) -> None:
        await eventually_async(lambda: len(self.outcomes) >= count)

    async def pass_time(self, at_least_s: float) -> None:
        until_s = self.clock.steady_s() + at_least_s
        await eventually_async(lambda: self.clock.steady_s() >= until_s, every_s=0.005)


@asynccontextmanager
async def probing(
    network: TwoSides, *, timeout_s: float = 0.2, **options: object
) -> AsyncIterator[Probing]:
    """An open prober; `options` go to IcmpProber."""
    clock = SystemClock()
    prober = IcmpProber(clock, **options)  # type: ignore[arg-type]
    rig = Probing(prober, clock, timeout_s)
    with network.near.inside():
        await prober.open(rig.take)
    try:
        rig.watch(
            *(TwoSides.ALIVE, TwoSides.ALIVE_TOO, TwoSides.NEIGHBOUR, TwoSides.MONITOR),
            *(TwoSides.REFUSED, TwoSides.FILTERED, TwoSides.SILENT, TwoSides.UNROUTED),
            *(TwoSides.ALIVE6, TwoSides.REFUSED6, TwoSides.SILENT6, TwoSides.UNROUTED6),
        )
        with undisturbed():
            yield rig
    finally:
        await prober.close()


BOTH_MODES = (SocketMode.RAW, SocketMode.DATAGRAM)
