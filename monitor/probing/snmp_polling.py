"""SNMP polls of routers, spread over their interval; counters become rates and samples."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial

from monitor.core.detection.causes import PortObservation, RouterObservation
from monitor.core.documents import Document
from monitor.core.errors import NotFound
from monitor.core.job import Job
from monitor.core.model import Device, Network
from monitor.core.ports import Clock, Commit, Poller
from monitor.core.samples.rates import PollRates, RateBaselines, compute_rates
from monitor.core.samples.router_facts import RouterFacts, router_document
from monitor.core.samples.samples import InterfaceSample, Sample
from monitor.core.samples.snmp_poll import DevicePoll, PollFailed
from monitor.pipeline.pipeline import Pipeline

log = logging.getLogger("monitor.probing.snmp_polling")

SPREAD = 0.8
"""The share of an interval over which the polls start."""

CATCH_UP = 4
"""A late sweep starts its polls at most this many times as fast, never all at once."""


class SnmpPolling:
    """Starts the polls, and keeps what must be remembered between two polls of a router."""

    def __init__(
        self,
        poller: Poller,
        pipeline: Pipeline,
        clock: Clock,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._poller = poller
        self._pipeline = pipeline
        self._clock = clock
        self._sleep = sleep
        self._devices: dict[str, Device] = {}
        self._rate_states: dict[str, RateBaselines] = {}
        self._errors: dict[str, str] = {}
        self._ignored: dict[str, PollFailed] = {}
        self._facts: dict[str, RouterFacts] = {}
        self._running: dict[str, asyncio.Task[None]] = {}

    async def prepare(self, network: Network, secrets: Mapping[str, str]) -> Commit:
        """Make ready to poll another set of routers. Raises SnmpError and changes nothing.

        secrets: the text of each credential by its name.
        """
        commit_poller = await self._poller.prepare(network.devices, secrets)
        return partial(self._commit, network.devices, commit_poller)

    def jobs(self) -> list[Job]:
        """One job for each poll interval."""
        intervals: dict[float, list[Device]] = {}
        for device in self._devices.values():
            intervals.setdefault(device.interval_s, []).append(device)
        return [
            Job(
                name=f"poll every {interval_s:g} s",
                every_s=interval_s,
                run=partial(self._sweep, tuple(devices), interval_s),
                # The starts alone take 80 % of the interval: a late one must not cut off the rest.
                deadline_s=2 * interval_s,
            )
            for interval_s, devices in sorted(intervals.items())
        ]

    def trouble(self) -> dict[str, str]:
        """Reason of the failure for each router whose last poll failed."""
        return dict(self._errors)

    def ignored(self) -> dict[str, PollFailed]:
        """Routers that answered wrongly too often and are not asked for a while: the last one."""
        return dict(self._ignored)

    def router(self, name: str) -> Document:
        """What is known of one router. Raises NotFound for one that is not polled."""
        device = self._devices.get(name)
        if device is None:
            raise NotFound(f"no router named {name[:80]} is watched")
        return router_document(device, self._facts.get(name))

    async def close(self) -> None:
        """Cancel the polls that are running, and close the poller."""
        tasks = list(self._running.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._poller.close()

    def _commit(self, devices: Sequence[Device], commit_poller: Commit) -> None:
        """Replace the routers; forget what is known of those that left or moved."""
        commit_poller()
        before = self._devices
        self._devices = {device.name: device for device in devices}
        for name, device in before.items():
            if name not in self._devices or _moved(device, self._devices[name]):
                for known in (self._rate_states, self._errors, self._ignored, self._facts):
                    known.pop(name, None)

    async def _sweep(self, devices: Sequence[Device], interval_s: float) -> None:
        """Start a poll of each router, paced; a slow or dead router delays no other."""
        pause_s = interval_s * SPREAD / len(devices)
        started_s = self._clock.steady_s()
        for place, device in enumerate(devices):
            if place:
                wait_s = started_s + place * pause_s - self._clock.steady_s()
                await self._sleep(max(wait_s, pause_s / CATCH_UP))
            self._start(device)

    def _start(self, device: Device) -> None:
        if device.name in self._running:
            # Its time-outs take longer than its interval: it is polled again when they are over.
            return
        task = asyncio.ensure_future(self._poll(device))
        self._running[device.name] = task
        task.add_done_callback(partial(self._ended, device.name))

    def _ended(self, name: str, task: asyncio.Task[None]) -> None:
        del self._running[name]
        error = None if task.cancelled() else task.exception()
        if error is not None:
            context = {"message": f"the poll of {name} failed", "exception": error, "task": task}
            task.get_loop().call_exception_handler(context)

    async def _poll(self, device: Device) -> None:
        answer = await self._poller.poll(device)
        current = self._devices.get(device.name)
        if current is None or _moved(device, current):
            return
        now_s = round(self._clock.utc_s(answer.at_s), 3)
        facts = self._facts.get(device.name, RouterFacts(now_s))
        if isinstance(answer, PollFailed):
            if answer.reason == "ignored" and device.name in self._ignored:
                return  # known, with what it did wrong
            self._log_failure(device, answer)
            self._errors[device.name] = answer.reason
            self._facts[device.name] = facts.after_failure(answer, now_s)
            self._ignored.pop(device.name, None)
            if answer.ignored_s:
                self._ignored[device.name] = answer
            return
        self._ignored.pop(device.name, None)
        if self._errors.pop(device.name, None) is not None:
            log.info("%s can be read by SNMP again", device.name)
        rates = self._rates(device, answer, now_s)
        self._facts[device.name] = facts.after_poll(answer, rates, now_s)
        samples: list[Sample] = list(rates.samples)
        if answer.facts is not None:
            samples.append(replace(answer.facts, at_s=now_s))
        self._pipeline.store(samples)

    def _log_failure(self, device: Device, failed: PollFailed) -> None:
        """Once for each reason in a row, and whenever the router is not asked for a while."""
        if self._errors.get(device.name) != failed.reason:
            log.warning(
                "%s (%s) cannot be read by SNMP: %s %s",
                device.name,
                device.address,
                failed.reason,
                failed.detail,
            )
        if failed.ignored_s:
            log.warning(
                "%s (%s) answers SNMP wrongly again and again (%s %s): it is not asked for %.0f s",
                device.name,
                device.address,
                failed.reason,
                failed.detail,
                failed.ignored_s,
            )

    def _rates(self, device: Device, poll: DevicePoll, at_s: float) -> PollRates:
        state = self._rate_states.get(device.name, RateBaselines())
        rates = compute_rates(state, device, poll, at_s)
        self._rate_states[device.name] = rates.baselines
        for observation in router_observations(device, poll, rates.samples):
            self._pipeline.add_router_observation(observation)
        return rates


def router_observations(
    device: Device, poll: DevicePoll, samples: Sequence[InterfaceSample]
) -> list[RouterObservation]:
    """What one poll says of sites: of its own, and of those that a PoP's interfaces lead to."""
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


def _moved(before: Device, after: Device) -> bool:
    return (before.address, before.port) != (after.address, after.port)
