"""The running simulator: TUN device, packet responder, SNMP agents and fault scheduler."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from functools import partial
from pathlib import Path

from monitor.core.errors import SimulatorError
from monitor.core.model import Device
from monitor.simulator.behaviour import Behaviour, usual_behaviour
from monitor.simulator.control import (
    AgentCounters,
    ControlReply,
    ControlServer,
    Counters,
    change_to_json,
)
from monitor.simulator.fault_effects import AgentDefects
from monitor.simulator.fault_scheduler import FaultScheduler, Timestamps
from monitor.simulator.network import SimulatedNetwork
from monitor.simulator.responder import AgentReply, PacketResponder
from monitor.simulator.scenario import Fault, Scenario, parse_fault
from monitor.simulator.snmp_agent import Agent
from monitor.simulator.tun_device import TunDevice


class SimulatorClock:
    """A clock that never steps: Unix time at the start plus CLOCK_BOOTTIME since then."""

    def __init__(self) -> None:
        self._ahead_s = time.time() - time.clock_gettime(time.CLOCK_BOOTTIME)

    def now_s(self) -> float:
        """Seconds on the simulator's clock."""
        return time.clock_gettime(time.CLOCK_BOOTTIME) + self._ahead_s


def current_timestamps() -> Timestamps:
    """The current time on both clocks."""
    return Timestamps(time.time(), time.clock_gettime(time.CLOCK_BOOTTIME))


class Engine:
    """Runs a simulated network on a TUN device and executes control commands.

    Implements FaultActions for the scheduler.
    """

    def __init__(
        self,
        net: SimulatedNetwork,
        communities: Mapping[str, str],
        scenario: Scenario,
        tun: TunDevice,
        seed: int,
    ) -> None:
        """communities: by credential name; a router without one does not respond."""
        self.ended = asyncio.Event()
        self._tun = tun
        self._clock = SimulatorClock()
        now_s = self._clock.now_s()
        usual = {name: usual_behaviour(p.kind, name, seed) for name, p in net.addresses.items()}
        self._agents = {
            device.name: Agent(device, communities[device.credential], net, now_s, seed)
            for device in net.devices
            if device.version == "2c" and device.credential in communities
        }
        self._agents_by_link: dict[str, list[Agent]] = {}
        for agent in self._agents.values():
            for link in agent.links():
                self._agents_by_link.setdefault(link, []).append(agent)
        self._responder = PacketResponder(
            tun.fd,
            {name: (place.address, usual[name]) for name, place in net.addresses.items()},
            {a.device.address: partial(self._query_agent, a) for a in self._agents.values()},
            seed,
            self._device_is_gone,
        )
        self._gone = False
        self._scheduler = FaultScheduler(net, usual, scenario, self, current_timestamps)
        self._timer: asyncio.TimerHandle | None = None
        self._commands: dict[str, Callable[[Mapping[str, object]], ControlReply]] = {
            "changes": self._changes,
            "counters": self._counters,
            "behaviours": self._behaviours,
            "restore": self._restore,
            "quit": self._quit,
        }

    async def run(self, control: Path, ready: Callable[[], None]) -> None:
        """Run until `ended` is set. ready: called when every address replies.

        Raises SimulatorError when the control socket cannot be created, or the device is removed.
        """
        loop = asyncio.get_running_loop()
        server = ControlServer(control, self.command)
        await server.open()
        try:
            self._responder.start(loop)
            self._schedule_refresh(self._scheduler.start())
            ready()
            await self.ended.wait()
            if self._gone:
                raise SimulatorError("the device of the simulated network was removed")
        finally:
            self._responder.stop()
            if self._timer is not None:
                self._timer.cancel()
            await server.close()

    def command(self, request: Mapping[str, object]) -> ControlReply:
        """Execute one request of the control socket; see control.py."""
        do = request.get("do")
        known = self._commands.get(str(do))
        if known is not None:
            return known(request)
        fault = parse_fault({**{k: v for k, v in request.items() if k != "do"}, "what": do})
        self._schedule_refresh(self._scheduler.command(fault))
        return asdict(current_timestamps())

    def set_behaviour(self, name: str, behaviour: Behaviour) -> None:
        """Set how a target replies, and the state of the interfaces that carry it."""
        self._responder.set_behaviour(name, behaviour)
        for agent in self._agents_by_link.get(name, ()):
            agent.set_link_behaviour(name, behaviour, self._clock.now_s())

    def set_path(self, name: str, path: tuple[str, ...]) -> None:
        """Set the nodes on the way to a target, from the monitor on."""
        self._responder.set_path(name, path)

    def restart_router(self, device: Device, renumber: bool) -> None:
        """Restart a router."""
        if device.name in self._agents:
            self._agents[device.name].restart(self._clock.now_s(), renumber)

    def set_agent_defects(self, device: Device, defects: AgentDefects) -> None:
        """Set how a router's agent deviates."""
        if device.name in self._agents:
            self._agents[device.name].set_defects(defects)

    def apply_instant_fault(self, device: Device, fault: Fault) -> None:
        """Apply an instant fault to a router."""
        if device.name in self._agents:
            self._agents[device.name].apply_instant_fault(fault, self._clock.now_s())

    def set_route(self, present: bool) -> None:
        """Add or remove the monitor's own route."""
        try:
            self._tun.set_route(present)
        except OSError as error:
            raise SimulatorError(
                f"the kernel refused to change the simulated network's routes: {error.strerror}"
            ) from error

    def _device_is_gone(self) -> None:
        self._gone = True
        self.ended.set()

    def _query_agent(self, agent: Agent, request: bytes) -> AgentReply | None:
        message = agent.answer_request(request, self._clock.now_s())
        return None if message is None else AgentReply(message, agent.defects.source_address)

    def _refresh(self) -> None:
        self._schedule_refresh(self._scheduler.refresh())

    def _schedule_refresh(self, delay_s: float | None) -> None:
        """Refresh the scheduler after `delay_s`; None: not at all."""
        if self._timer is not None:
            self._timer.cancel()
        loop = asyncio.get_running_loop()
        self._timer = None if delay_s is None else loop.call_later(delay_s, self._refresh)

    def _restore(self, request: Mapping[str, object]) -> ControlReply:
        self._schedule_refresh(self._scheduler.restore(str(request.get("where", "all"))))
        return asdict(current_timestamps())

    def _changes(self, _request: Mapping[str, object]) -> ControlReply:
        return {"changes": [change_to_json(change) for change in self._scheduler.changes]}

    def _behaviours(self, _request: Mapping[str, object]) -> ControlReply:
        return {"targets": {name: asdict(b) for name, b in self._scheduler.behaviours.items()}}

    def _counters(self, _request: Mapping[str, object]) -> ControlReply:
        counters = Counters(
            targets=self._responder.counts(),
            agents={n: AgentCounters(a.requests, a.answered) for n, a in self._agents.items()},
            stray_packets=self._responder.stray_packets,
            write_errors=self._responder.write_errors,
        )
        return asdict(counters)

    def _quit(self, _request: Mapping[str, object]) -> ControlReply:
        asyncio.get_running_loop().call_soon(self.ended.set)
        return {}
