"""A shipper with fakes all around it, and a clock that its own naps move."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

from monitor.core.errors import InfluxError
from monitor.core.samples.samples import PingSample
from monitor.storage.influx_shipper import InfluxShipper, ShipperLimits
from tests.fakes.clock import ManualClock
from tests.fakes.journal import MemoryJournal
from tests.fakes.quarantine import MemoryQuarantine
from tests.fakes.sink import MemorySink
from tests.sample_builders import MIDNIGHT_S, ping
from tests.waiting import eventually_async


class Harbour:
    """A shipper with everything around it. Its naps pass at once and move the clock."""

    def __init__(self, lines: int = 5000) -> None:
        self.clock = ManualClock(MIDNIGHT_S)
        self.journal = MemoryJournal()
        self.sink = MemorySink()
        self.quarantine = MemoryQuarantine()
        self.naps: list[float] = []
        self.shipper = InfluxShipper(
            self.journal,
            self.sink,
            self.clock,
            self.quarantine,
            limits=ShipperLimits(lines=lines),
            sleep=self.nap,
        )

    async def nap(self, length_s: float) -> None:
        self.naps.append(length_s)
        self.clock.advance(length_s)
        turn = asyncio.Event()
        asyncio.get_running_loop().call_soon(turn.set)
        await turn.wait()

    @property
    def passed_s(self) -> float:
        return self.clock.steady_s() - MIDNIGHT_S

    @asynccontextmanager
    async def shipping(self) -> AsyncIterator[None]:
        task = asyncio.create_task(self.shipper.run())
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def until(self, check: Callable[[], object]) -> None:
        async with self.shipping():
            await eventually_async(check, every_s=0.001)


def rows(count: int, begin: int = 0) -> list[PingSample]:
    return [
        ping(MIDNIGHT_S + 10.0 * place, rtt=None, sent=50) for place in range(begin, begin + count)
    ]


def down(status: int | None = None, retry_after_s: float | None = None) -> InfluxError:
    return InfluxError("it does not do it", status=status, retry_after_s=retry_after_s)
