"""SNMP polling: polls are paced, bounded each by itself, and independent of one another."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from itertools import pairwise

import pytest

from monitor.core.detection.detector import Detector
from monitor.core.errors import NotFound
from monitor.core.model import Device, Interface, Network
from monitor.core.samples.samples import InterfaceSample
from monitor.core.samples.snmp_poll import DevicePoll, PollFailed
from monitor.pipeline.pipeline import Pipeline
from monitor.probing.snmp_polling import SnmpPolling
from tests.fakes.clock import ManualClock
from tests.fakes.journal import MemoryJournal
from tests.fakes.ledger import MemoryLedger
from tests.fakes.poller import FakePoller
from tests.fakes.snmp_agent.fake_router import FakeRouter
from tests.job_driver import run_jobs

NAMES = ("anjatan", "bongas", "cantigi")


def router(name: str) -> Device:
    return Device(name, "10.77.1.1", "2c", "ro", (Interface("ether1"),), interval_s=60.0)


class Poller(FakePoller):
    """Routers in `hanging` answer when `answer` is set; `broken` ones raise."""

    def __init__(self, clock: ManualClock) -> None:
        super().__init__(clock, {name: FakeRouter() for name in NAMES})
        self.hanging: set[str] = set()
        self.broken: set[str] = set()
        self.answer = asyncio.Event()
        self.cancelled: list[str] = []
        self.started_s: list[float] = []

    async def poll(self, device: Device) -> DevicePoll | PollFailed:
        self.started_s.append(self._clock.steady_s())
        if device.name in self.broken:
            raise RuntimeError("broken on purpose")
        answer = await super().poll(device)
        if device.name in self.hanging:
            try:
                await self.answer.wait()
            except asyncio.CancelledError:
                self.cancelled.append(device.name)
                raise
        return answer


class Rig:
    """Polls every minute on a manual clock. late_s: how late each pause between polls ends."""

    def __init__(self, names: tuple[str, ...] = NAMES, late_s: float = 0.0) -> None:
        self.clock = ManualClock()
        self.poller = Poller(self.clock)
        self.journal = MemoryJournal()
        self.network = Network(devices=tuple(router(name) for name in names))
        self.pipeline = Pipeline(
            self.network, Detector(self.network), self.clock, MemoryLedger(), self.journal
        )

        async def sleep(for_s: float) -> None:
            await self.clock.sleep_until(self.clock.steady_s() + for_s + late_s)

        self.polling = SnmpPolling(self.poller, self.pipeline, self.clock, sleep)

    async def configure(self, *devices: Device) -> None:
        network = replace(self.network, devices=devices or self.network.devices)
        (await self.polling.prepare(network, {"ro": "public"}))()
        self.jobs = self.polling.jobs()

    async def poll(self, sweeps: int = 1) -> dict[str, int]:
        """Run sweeps; how often each router was polled in them."""
        self.poller.polled.clear()
        await run_jobs(self.jobs, self.clock, sweeps * 60.0)
        return {name: self.poller.polled.count(name) for name in NAMES}


@pytest.fixture
async def rig() -> Rig:
    made = Rig()
    await made.configure()
    return made


async def test_every_router_is_polled_once_an_interval_and_its_samples_are_stored(rig: Rig) -> None:
    assert await rig.poll(sweeps=3) == dict.fromkeys(NAMES, 3)
    await rig.polling.close()
    rig.pipeline.close()
    stored = rig.journal.read_after(None, 1000).samples
    assert {s.device for s in stored if isinstance(s, InterfaceSample)} == set(NAMES)


async def test_a_router_that_hangs_delays_no_other_and_is_not_polled_twice(rig: Rig) -> None:
    rig.poller.hanging.add("bongas")
    assert await rig.poll(sweeps=4) == {"anjatan": 4, "bongas": 1, "cantigi": 4}
    rig.poller.hanging.clear()
    rig.poller.answer.set()
    assert (await rig.poll(sweeps=3))["bongas"] == 3


async def test_a_poll_that_raises_is_reported_and_the_router_polled_again(
    rig: Rig, caplog: pytest.LogCaptureFixture
) -> None:
    rig.poller.broken.add("bongas")
    assert (await rig.poll(sweeps=2))["cantigi"] == 2
    assert caplog.text.count("the poll of bongas failed") == 2
    rig.poller.broken.clear()
    assert await rig.poll(sweeps=2) == dict.fromkeys(NAMES, 2)


async def test_a_failure_is_named_until_it_is_over_and_logged_when_it_changes(
    rig: Rig, caplog: pytest.LogCaptureFixture
) -> None:
    for reason in ("timeout", "auth"):
        rig.poller.failing["bongas"] = reason
        await rig.poll(sweeps=3)
        assert rig.polling.trouble() == {"bongas": reason}
        assert caplog.text.count(f"cannot be read by SNMP: {reason}") == 1
    rig.poller.failing.clear()
    await rig.poll()
    assert rig.polling.trouble() == {}


async def test_a_router_that_is_not_asked_for_a_while_is_named_with_what_it_did_wrong(
    rig: Rig, caplog: pytest.LogCaptureFixture
) -> None:
    rig.poller.failing["bongas"], rig.poller.ignored_s = "too-large", 60.0
    await rig.poll()
    rig.poller.failing["bongas"] = "ignored"
    await rig.poll(sweeps=3)
    assert {name: f.reason for name, f in rig.polling.ignored().items()} == {"bongas": "too-large"}
    assert rig.polling.trouble() == {"bongas": "too-large"}
    assert caplog.text.count("bongas (10.77.1.1) answers SNMP wrongly again and again") == 1
    rig.poller.failing.clear()
    await rig.poll()
    assert (rig.polling.ignored(), rig.polling.trouble()) == ({}, {})


async def test_facts_of_a_router_stay_when_it_fails_and_go_when_it_is_removed(rig: Rig) -> None:
    await rig.poll()
    assert rig.polling.router("anjatan")["at"] is not None
    rig.poller.failing["anjatan"] = "timeout"
    await rig.poll()
    facts = rig.polling.router("anjatan")
    assert facts["failed"] is not None
    assert facts["at"] is not None
    await rig.configure(router("bongas"))
    with pytest.raises(NotFound, match="no router named anjatan is watched"):
        rig.polling.router("anjatan")


@pytest.mark.parametrize("stays", [False, True], ids=["removed", "moved"])
async def test_a_removed_or_moved_router_is_forgotten_also_while_it_is_polled(
    rig: Rig, stays: bool
) -> None:
    rig.poller.failing["bongas"] = "timeout"
    await rig.poll()
    rig.poller.hanging.add("bongas")
    await rig.poll()
    moved = replace(router("bongas"), address="10.77.1.9")
    await rig.configure(router("anjatan"), *([moved] if stays else []))
    assert rig.polling.trouble() == {}
    rig.poller.answer.set()
    await rig.clock.run(0.1)
    assert rig.polling.trouble() == {}, "the answer came from the old address"
    if stays:
        assert rig.polling.router("bongas")["since"] is None


async def test_the_end_cancels_a_poll_that_hangs(rig: Rig) -> None:
    rig.poller.hanging.add("bongas")
    await rig.poll()
    async with asyncio.timeout(1):
        await rig.polling.close()
    assert rig.poller.cancelled == ["bongas"]


async def test_a_late_event_loop_neither_cuts_a_sweep_off_nor_starts_all_polls_at_once() -> None:
    """Each pause of 4.8 s takes twice as long: 43 s late in all, were they added up."""
    rig = Rig(tuple(f"r{n}" for n in range(10)), late_s=4.8)
    await rig.configure()
    (job,) = rig.jobs
    begin_s = rig.clock.steady_s()
    sweep = asyncio.ensure_future(job.run())
    await rig.clock.run(job.deadline_s)
    assert sweep.done()
    assert len(rig.poller.started_s) == 10
    assert rig.poller.started_s[-1] - begin_s <= 60.0
    assert min(b - a for a, b in pairwise(rig.poller.started_s)) >= 4.8
