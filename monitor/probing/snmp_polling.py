"""SNMP polls, spread over their interval; counters become rates; a dead router delays nobody."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from monitor.core.detection.causes import PortObservation, RouterObservation
from monitor.core.documents import Document
from monitor.core.errors import NotFound
from monitor.core.job import Job
from monitor.core.model import Device, Network
from monitor.core.ports import Clock, Poller
from monitor.core.samples.rates import Rates, RateState, advance
from monitor.core.samples.router_facts import RouterFacts, router_document
from monitor.core.samples.samples import InterfaceSample, Sample
from monitor.core.samples.snmp_poll import DevicePoll, PollFailed
from monitor.pipeline.pipeline import Pipeline

log = logging.getLogger("monitor.probing.snmp_polling")

SPREAD = 0.8


class SnmpPolling:
    """Owns what must be remembered between two polls of a router."""

    def __init__(self, poller: Poller, pipeline: Pipeline, clock: Clock) -> None:
        self._poller = poller
        self._pipeline = pipeline
        self._clock = clock
        self._memory: dict[str, RateState] = {}
        self._trouble: dict[str, str] = {}
        self._told: dict[str, RouterFacts] = {}
        self._devices: dict[str, Device] = {}
        self._under_way: dict[str, asyncio.Task[None]] = {}

    def jobs(self, network: Network) -> list[Job]:
        """A job a poll interval. What was known of routers that are gone is forgotten."""
        self._devices = {device.name: device for device in network.devices}
        for known in (self._memory, self._trouble, self._told):
            for name in known.keys() - self._devices.keys():
                del known[name]
        groups: dict[float, list[Device]] = {}
        for device in network.devices:
            groups.setdefault(device.interval_s, []).append(device)
        return [
            Job(
                name=f"poll every {interval_s:g} s",
                every_s=interval_s,
                run=partial(self._sweep, tuple(devices), interval_s),
                deadline_s=interval_s,
            )
            for interval_s, devices in sorted(groups.items())
        ]

    def trouble(self) -> dict[str, str]:
        """Routers whose last poll brought nothing, and why."""
        return dict(self._trouble)

    def router(self, name: str) -> Document:
        """What one router told of itself. Raises NoSuchThing for one that nobody watches."""
        device = self._devices.get(name)
        if device is None:
            raise NotFound(f"no router named {name[:80]} is watched")
        return router_document(device, self._told.get(name))

    async def close(self) -> None:
        """Give up the polls that are under way, and close the poller."""
        tasks = list(self._under_way.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._poller.close()

    async def _sweep(self, devices: Sequence[Device], interval_s: float) -> None:
        """Starts are paced, ends are not waited for: no dead router holds up another, nor this."""
        pause_s = interval_s * SPREAD / len(devices)
        for device in devices:
            self._start(device)
            await asyncio.sleep(pause_s)

    def _start(self, device: Device) -> None:
        if device.name in self._under_way:
            # Its time-outs take longer than its interval: it is asked again when they are over.
            return
        task = asyncio.ensure_future(self._poll(device))
        self._under_way[device.name] = task
        task.add_done_callback(partial(self._over, device.name))

    def _over(self, name: str, task: asyncio.Task[None]) -> None:
        del self._under_way[name]
        error = None if task.cancelled() else task.exception()
        if error is not None:
            context = {"message": f"the poll of {name} failed", "exception": error, "task": task}
            task.get_loop().call_exception_handler(context)

    async def _poll(self, device: Device) -> None:
        answer = await self._poller.poll(device)
        if device.name not in self._devices:
            return
        now_s = round(self._clock.utc_s(answer.at_s), 3)
        told = self._told.get(device.name, RouterFacts(now_s))
        if isinstance(answer, PollFailed):
            if self._trouble.get(device.name) != answer.reason:
                log.warning(
                    "%s (%s) cannot be read by SNMP: %s %s",
                    device.name,
                    device.address,
                    answer.reason,
                    answer.detail,
                )
            self._trouble[device.name] = answer.reason
            self._told[device.name] = told.silent(answer, now_s)
            return
        if self._trouble.pop(device.name, None) is not None:
            log.info("%s can be read by SNMP again", device.name)
        rates = self._rates(device, answer, now_s)
        self._told[device.name] = told.told(answer, rates, now_s)
        samples: list[Sample] = list(rates.samples)
        if answer.facts is not None:
            samples.append(replace(answer.facts, at_s=now_s))
        self._pipeline.store(samples)

    def _rates(self, device: Device, poll: DevicePoll, at_s: float) -> Rates:
        rates = advance(self._memory.get(device.name, RateState()), device, poll, at_s)
        self._memory[device.name] = rates.memory
        for seen in sites_seen(device, poll, rates.samples):
            self._pipeline.add_router_observation(seen)
        return rates


def sites_seen(
    device: Device, poll: DevicePoll, samples: Sequence[InterfaceSample]
) -> list[RouterObservation]:
    """What one reading tells of sites: its own, and those that a PoP's ports face."""
    ports: dict[str, dict[str, PortObservation]] = {} if device.site is None else {device.site: {}}
    for sample in samples:
        if sample.link is not None:
            used = [u for u in (sample.in_util, sample.out_util) if u is not None]
            site, slash, _ = sample.link.partition("/")
            link = sample.link if slash else f"{device.site}/{sample.link}"
            owner = site if slash else str(device.site)
            ports.setdefault(owner, {})[link] = PortObservation(
                sample.oper, max(used, default=None)
            )
    uptime_s = None if poll.uptime_ticks is None else poll.uptime_ticks / 100
    return [
        RouterObservation(site, poll.at_s, uptime_s if site == device.site else None, seen)
        for site, seen in ports.items()
    ]
