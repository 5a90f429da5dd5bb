"""Polls: started in their turn, bounded each by itself, and no concern of one another."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

import pytest

from monitor.adapters.scheduler import Scheduler
from monitor.adapters.system.clock import SystemClock
from monitor.core.detection.detector import Detector
from monitor.core.errors import NotFound
from monitor.core.model import Device, Interface, Network
from monitor.core.ports import Commit
from monitor.core.samples.samples import InterfaceSample
from monitor.core.samples.snmp_poll import DevicePoll, InterfaceCounters, PollFailed
from monitor.pipeline.pipeline import Pipeline
from monitor.probing.snmp_polling import SnmpPolling
from tests.fakes.clock import ManualClock
from tests.fakes.journal import MemoryJournal
from tests.fakes.ledger import MemoryLedger
from tests.fakes.poller import FakePoller
from tests.waiting import eventually_async

INTERVAL_S = 0.2
NAMES = ("anjatan", "bongas", "cantigi")


def router(name: str) -> Device:
    return Device(name, "10.77.1.1", "2c", "ro", (Interface("ether1"),), interval_s=INTERVAL_S)


@dataclass
class Routers:
    """A `Poller` whose routers answer at once, fail, hang, or break the poller."""

    clock: SystemClock
    asked: list[str] = field(default_factory=list)
    failing: dict[str, str] = field(default_factory=dict)
    hanging: set[str] = field(default_factory=set)
    broken: set[str] = field(default_factory=set)
    go_on: asyncio.Event = field(default_factory=asyncio.Event)
    given_up: list[str] = field(default_factory=list)

    async def prepare(self, devices: Sequence[Device], secrets: Mapping[str, str]) -> Commit:
        return lambda: None

    async def open(self, devices: Sequence[Device], secrets: Mapping[str, str]) -> None:
        """Nothing is registered here."""

    async def close(self) -> None:
        """Nothing is held here."""

    async def poll(self, device: Device) -> DevicePoll | PollFailed:
        self.asked.append(device.name)
        if device.name in self.broken:
            raise RuntimeError("broken on purpose")
        if device.name in self.hanging:
            try:
                await self.go_on.wait()
            except asyncio.CancelledError:
                self.given_up.append(device.name)
                raise
        now_s = self.clock.steady_s()
        if device.name in self.failing:
            return PollFailed(device.name, now_s, self.failing[device.name])
        port = InterfaceCounters("ether1", 1, 1000, 1000, high_capacity=True)
        return DevicePoll(device.name, now_s, 100, (port,))

    def times(self) -> dict[str, int]:
        return {name: self.asked.count(name) for name in NAMES}


class House:
    """Polling by a real schedule, ten times a second."""

    def __init__(self) -> None:
        self.clock = SystemClock()
        self.routers = Routers(self.clock)
        self.journal = MemoryJournal()
        self.network = Network(devices=tuple(router(name) for name in NAMES))
        self.pipeline = Pipeline(
            self.network, Detector(self.network), self.clock, MemoryLedger(), self.journal
        )
        self.polling = SnmpPolling(self.routers, self.pipeline, self.clock)
        self.schedule = Scheduler(self.clock)

    async def watch(self, *names: str) -> None:
        kept = tuple(device for device in self.network.devices if device.name in names)
        (await self.polling.prepare(replace(self.network, devices=kept), {}))()
        self.schedule.set(self.polling.jobs())


@pytest.fixture
async def house() -> AsyncIterator[House]:
    made = House()
    await made.watch(*NAMES)
    made.schedule.start()
    yield made
    made.schedule.close()
    await made.polling.close()


async def test_every_router_is_asked_once_an_interval_and_its_ports_are_stored(
    house: House,
) -> None:
    await eventually_async(lambda: min(house.routers.times().values()) >= 4)
    times = house.routers.times().values()
    assert max(times) - min(times) <= 1
    house.schedule.close()
    await house.polling.close()
    house.pipeline.close()
    stored = house.journal.read_after(None, 1000).samples
    assert {s.device for s in stored if isinstance(s, InterfaceSample)} == set(NAMES)


async def test_a_router_that_hangs_holds_up_nobody_fails_nothing_and_is_not_asked_twice(
    house: House,
) -> None:
    house.routers.hanging.add("cantigi")
    await eventually_async(lambda: house.routers.times()["anjatan"] >= 5)
    assert house.routers.times()["cantigi"] == 1
    assert house.routers.times()["bongas"] >= 4
    assert house.schedule.counters.failed_runs == 0
    assert house.schedule.counters.missed_runs == 0
    house.routers.hanging.clear()
    house.routers.go_on.set()
    await eventually_async(lambda: house.routers.times()["cantigi"] >= 3)


async def test_a_poll_that_raises_is_said_counted_and_asked_again(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    house.routers.broken.add("bongas")
    await eventually_async(lambda: house.schedule.counters.failed_runs >= 2)
    assert house.routers.times()["anjatan"] >= 2
    assert "the poll of bongas failed" in caplog.text
    house.routers.broken.clear()
    seen = house.schedule.counters.failed_runs
    asked = house.routers.times()["bongas"]
    await eventually_async(lambda: house.routers.times()["bongas"] >= asked + 3)
    assert house.schedule.counters.failed_runs <= seen + 1


async def test_trouble_is_named_until_it_is_over_and_logged_when_it_changes(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    house.routers.failing["bongas"] = "timeout"
    await eventually_async(lambda: house.polling.trouble() == {"bongas": "timeout"})
    asked = house.routers.times()["bongas"]
    await eventually_async(lambda: house.routers.times()["bongas"] >= asked + 3)
    assert caplog.text.count("cannot be read by SNMP: timeout") == 1
    house.routers.failing["bongas"] = "auth"
    await eventually_async(lambda: house.polling.trouble() == {"bongas": "auth"})
    assert "cannot be read by SNMP: auth" in caplog.text
    house.routers.failing.clear()
    await eventually_async(lambda: house.polling.trouble() == {})


async def test_what_a_router_told_stays_when_it_falls_silent_and_goes_with_it(house: House) -> None:
    await eventually_async(lambda: house.polling.router("anjatan")["at"] is not None)
    house.routers.failing["anjatan"] = "timeout"
    await eventually_async(lambda: house.polling.router("anjatan")["failed"] is not None)
    assert house.polling.router("anjatan")["uptime_s"] is None
    assert house.polling.router("anjatan")["at"] is not None
    await house.watch("bongas")
    with pytest.raises(NotFound, match="no router named anjatan is watched"):
        house.polling.router("anjatan")


async def test_a_router_that_a_reload_took_away_is_forgotten_also_while_it_is_being_asked(
    house: House,
) -> None:
    house.routers.failing |= {"bongas": "timeout", "cantigi": "timeout"}
    await eventually_async(lambda: len(house.polling.trouble()) == 2)
    house.routers.hanging.add("cantigi")
    asked = house.routers.times()["cantigi"]
    await eventually_async(lambda: house.routers.times()["cantigi"] > asked)
    await house.watch("anjatan")
    assert house.polling.trouble() == {}
    house.routers.go_on.set()
    asked = house.routers.times()["anjatan"]
    await eventually_async(lambda: house.routers.times()["anjatan"] >= asked + 3)
    assert house.polling.trouble() == {}


async def test_the_end_does_not_wait_for_a_router_that_hangs(house: House) -> None:
    house.routers.hanging.add("cantigi")
    await eventually_async(lambda: house.routers.times()["cantigi"] == 1)
    house.schedule.close()
    async with asyncio.timeout(1):
        await house.polling.close()
    assert house.routers.given_up == ["cantigi"]


async def test_a_late_event_loop_neither_cuts_a_sweep_off_nor_starts_all_polls_at_once() -> None:
    clock = ManualClock()
    started_s: list[float] = []

    class Poller(FakePoller):
        async def poll(self, device: Device) -> DevicePoll | PollFailed:
            started_s.append(clock.steady_s())
            return PollFailed(device.name, clock.steady_s(), "timeout")

    async def late_sleep(for_s: float) -> None:
        """Every wake is as late again as the pause between two polls."""
        await clock.sleep_until(clock.steady_s() + for_s + 4.8)

    network = Network(devices=tuple(replace(router(f"r{n}"), interval_s=60.0) for n in range(10)))
    pipeline = Pipeline(network, Detector(network), clock, MemoryLedger(), MemoryJournal())
    polling = SnmpPolling(Poller(clock, {}), pipeline, clock, late_sleep)
    (await polling.prepare(network, {}))()
    (job,) = polling.jobs()
    begin_s = clock.steady_s()
    sweep = asyncio.ensure_future(job.run())
    await clock.run(job.deadline_s)
    assert sweep.done()
    assert len(started_s) == 10
    assert started_s[-1] - begin_s <= 60.0
    assert min(b - a for a, b in pairwise(started_s)) >= 4.8
