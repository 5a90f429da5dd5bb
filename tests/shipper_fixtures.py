"""A shipper on fakes, whose sleeps pass at once and move the clock."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

from monitor.core.errors import InfluxError, WriteRefusal
from monitor.core.samples.samples import PingSample
from monitor.storage.influx_shipper import InfluxShipper, ShipperLimits, ShipperState
from tests.fakes.clock import ManualClock
from tests.fakes.dead_letters import MemoryDeadLetters, MemoryResendStore
from tests.fakes.journal import MemoryJournal
from tests.fakes.sink import MemorySink
from tests.sample_builders import MIDNIGHT_S, ping
from tests.waiting import eventually_async


class ShipperOnFakes:
    """A shipper and the fakes at its ports. sleeps: how long it slept, in seconds."""

    def __init__(self, lines: int = 5000, journal: MemoryJournal | None = None) -> None:
        self.clock = ManualClock(MIDNIGHT_S)
        self.journal = MemoryJournal() if journal is None else journal
        self.sink = MemorySink()
        self.dead_letters = MemoryDeadLetters()
        self.resend_store = MemoryResendStore()
        self.sleeps: list[float] = []
        self._lines = lines
        self.shipper = self.make()

    def make(self) -> InfluxShipper:
        """Another shipper on these fakes, as after a restart."""
        return InfluxShipper(
            self.journal,
            self.sink,
            self.clock,
            self.dead_letters,
            self.resend_store,
            limits=ShipperLimits(lines=self._lines),
            sleep=self.sleep,
        )

    async def sleep(self, length_s: float) -> None:
        self.sleeps.append(length_s)
        self.clock.advance(length_s)
        turn = asyncio.Event()
        asyncio.get_running_loop().call_soon(turn.set)
        await turn.wait()

    @property
    def state(self) -> ShipperState:
        return self.shipper.state

    @property
    def elapsed_s(self) -> float:
        return self.clock.steady_s() - MIDNIGHT_S

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        task = asyncio.create_task(self.shipper.run())
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def until(self, check: Callable[[], object]) -> None:
        async with self.running():
            await eventually_async(check, every_s=0.001)


def rows(count: int, begin: int = 0) -> list[PingSample]:
    return [
        ping(MIDNIGHT_S + 10.0 * place, rtt=None, sent=50) for place in range(begin, begin + count)
    ]


def refusal(
    status: int | None = None,
    retry_after_s: float | None = None,
    about: WriteRefusal | None = None,
    dropped: int = 0,
) -> InfluxError:
    return InfluxError(
        "it does not do it",
        status=status,
        retry_after_s=retry_after_s,
        refusal=about,
        dropped=dropped,
    )
