"""A poller with the agent that it polls."""

from __future__ import annotations

from monitor.adapters.snmp import SnmpPoller
from monitor.core.model import Device
from monitor.core.samples.rates import PollRates, RateBaselines, compute_rates
from monitor.core.samples.samples import DeviceSample
from monitor.core.samples.snmp_poll import DevicePoll, PollFailed
from tests.fakes.clock import ManualClock
from tests.fakes.snmp_agent.devices import device, failed, polled
from tests.fakes.snmp_agent.fake_router import FakeInterface
from tests.fakes.snmp_agent.scripted_agent import Script, ScriptedAgent
from tests.fakes.snmp_agent.snmpd import SECRETS, SnmpAgent


class PollRig:
    """A real snmpd, and polls of it with the rates that they give."""

    def __init__(self, agent: SnmpAgent, clock: ManualClock, poller: SnmpPoller) -> None:
        self.agent = agent
        self.clock = clock
        self.poller = poller
        self.router = device(agent.address, agent.port)
        self._baselines = RateBaselines()

    def device(self, *interfaces: str, name: str = "anjatan", **options: object) -> Device:
        address, port = self.agent.address, self.agent.port
        return device(address, port, *interfaces, name=name, **options)  # type: ignore[arg-type]

    async def register(self, *interfaces: str, **options: object) -> None:
        """Publish the router's objects and register it with these interfaces."""
        self.agent.publish()
        self.router = self.device(*interfaces, **options)  # type: ignore[arg-type]
        await self.poller.open([self.router], SECRETS)

    def set_interfaces(self, *interfaces: FakeInterface) -> None:
        self.agent.router.interfaces = list(interfaces)

    def pass_time(self, seconds: float, in_bps: float = 0, out_bps: float = 0) -> None:
        self.agent.router.advance(seconds, in_bps, out_bps)
        self.agent.publish()
        self.clock.advance(seconds)

    async def poll(self) -> DevicePoll:
        return await polled(self.poller, self.router)

    async def rates(self) -> tuple[DevicePoll, PollRates]:
        """The next poll, and the rates since the previous one."""
        poll = await self.poll()
        rates = compute_rates(self._baselines, self.router, poll, poll.at_s)
        self._baselines = rates.baselines
        return poll, rates

    async def in_bps(self, name: str) -> float | None:
        _, rates = await self.rates()
        return next(sample.in_bps for sample in rates.samples if sample.ifname == name)

    async def facts(self) -> DeviceSample:
        facts = (await self.poll()).facts
        assert facts is not None
        return facts


class ScriptedRig:
    """An agent that a test scripts, and polls of it."""

    def __init__(self, agent: ScriptedAgent, poller: SnmpPoller) -> None:
        self.agent = agent
        self.poller = poller
        self.router = device(agent.address, agent.port)

    async def register(
        self,
        *interfaces: str,
        script: Script | None = None,
        timeout_s: float = 0.1,
        retries: int = 1,
    ) -> None:
        self.router = device(
            self.agent.address,
            self.agent.port,
            *interfaces,
            timeout_s=timeout_s,
            retries=retries,
        )
        self.agent.script = script
        await self.poller.open([self.router], SECRETS)

    async def poll(self) -> DevicePoll:
        return await polled(self.poller, self.router)

    async def failure(self) -> PollFailed:
        return await failed(self.poller, self.router)
