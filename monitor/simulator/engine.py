"""The made-up network as it runs: device, wire, agents and director, bound together."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from functools import partial
from pathlib import Path

from monitor.core.errors import SimulatorError
from monitor.core.model import Device
from monitor.simulator.agents import Agent
from monitor.simulator.behaviour import Behaviour, usual_behaviour
from monitor.simulator.control import AgentCounts, Answer, ControlServer, Counters, truth_to_json
from monitor.simulator.director import Director, Moment
from monitor.simulator.events import Event, parse_event
from monitor.simulator.network import AgentReply, VirtualWire
from monitor.simulator.quirks import Quirks
from monitor.simulator.scenario import Scenario
from monitor.simulator.tun import Tun
from monitor.simulator.world import SimulatedNetwork


class Timeline:
    """Time that never steps: Unix time at the start plus what CLOCK_BOOTTIME has counted since."""

    def __init__(self) -> None:
        self._ahead_s = time.time() - time.clock_gettime(time.CLOCK_BOOTTIME)

    def now_s(self) -> float:
        """Seconds on the simulator's timeline."""
        return time.clock_gettime(time.CLOCK_BOOTTIME) + self._ahead_s


def moment() -> Moment:
    """Now, on both clocks."""
    return Moment(time.time(), time.clock_gettime(time.CLOCK_BOOTTIME))


class Engine:
    """Runs a world on a TUN device. It is the director's stage, and does what control asks."""

    def __init__(
        self,
        world: SimulatedNetwork,
        communities: Mapping[str, str],
        scenario: Scenario,
        tun: Tun,
        seed: int,
    ) -> None:
        """communities: of SNMP version 2c, by credential name; a router without one is silent."""
        self.ended = asyncio.Event()
        self._tun = tun
        self._timeline = Timeline()
        now_s = self._timeline.now_s()
        usual = {name: usual_behaviour(p.kind, name, seed) for name, p in world.places.items()}
        self._agents = {
            device.name: Agent(device, communities[device.credential], world, now_s, seed)
            for device in world.devices
            if device.version == "2c" and device.credential in communities
        }
        self._carriers: dict[str, list[Agent]] = {}
        for agent in self._agents.values():
            for link in agent.links():
                self._carriers.setdefault(link, []).append(agent)
        self._wire = VirtualWire(
            tun.fd,
            {name: (place.address, usual[name]) for name, place in world.places.items()},
            {a.device.address: partial(self._ask_agent, a) for a in self._agents.values()},
            seed,
            self._device_is_gone,
        )
        self._gone = False
        self._director = Director(world, usual, scenario, self, moment)
        self._timer: asyncio.TimerHandle | None = None
        self._commands: dict[str, Callable[[Mapping[str, object]], Answer]] = {
            "truth": self._truth,
            "counters": self._counters,
            "behaviours": self._behaviours,
            "restore": self._restore,
            "quit": self._quit,
        }

    async def run(self, control: Path, ready: Callable[[], None]) -> None:
        """Answer until `ended` is set. ready: called when everything answers.

        Raises SimulatorError when the control socket cannot be made, or the device is taken away.
        """
        loop = asyncio.get_running_loop()
        server = ControlServer(control, self.command)
        await server.open()
        try:
            self._wire.start(loop)
            self._wait(self._director.start())
            ready()
            await self.ended.wait()
            if self._gone:
                raise SimulatorError("somebody has taken the made-up network's device away")
        finally:
            self._wire.stop()
            if self._timer is not None:
                self._timer.cancel()
            await server.close()

    def command(self, request: Mapping[str, object]) -> Answer:
        """What one line on the control socket asks for; see control.py."""
        do = request.get("do")
        known = self._commands.get(str(do))
        if known is not None:
            return known(request)
        event = parse_event({**{k: v for k, v in request.items() if k != "do"}, "what": do})
        self._wait(self._director.command(event))
        return asdict(moment())

    def behave(self, name: str, behaviour: Behaviour) -> None:
        """From now on a target answers like this (Stage)."""
        self._wire.behave(name, behaviour)
        for agent in self._carriers.get(name, ()):
            agent.link_behaves(name, behaviour, self._timeline.now_s())

    def restart(self, device: Device, renumber: bool) -> None:
        """A router starts anew (Stage)."""
        if device.name in self._agents:
            self._agents[device.name].restart(self._timeline.now_s(), renumber)

    def answer_so(self, device: Device, quirks: Quirks) -> None:
        """How a router's agent answers from now on (Stage)."""
        if device.name in self._agents:
            self._agents[device.name].behave(quirks)

    def befall(self, device: Device, event: Event) -> None:
        """Something happens to a router that goes on (Stage)."""
        if device.name in self._agents:
            self._agents[device.name].befall(event, self._timeline.now_s())

    def route(self, present: bool) -> None:
        """The monitor's own route (Stage)."""
        try:
            self._tun.route(present)
        except OSError as error:
            raise SimulatorError(
                f"the kernel refused to change the made-up network's routes: {error.strerror}"
            ) from error

    def _device_is_gone(self) -> None:
        self._gone = True
        self.ended.set()

    def _ask_agent(self, agent: Agent, request: bytes) -> AgentReply | None:
        message = agent.answer(request, self._timeline.now_s())
        return None if message is None else AgentReply(message, agent.quirks.answers_from)

    def _refresh(self) -> None:
        self._wait(self._director.refresh())

    def _wait(self, delay_s: float | None) -> None:
        """Let the director look again after so long."""
        if self._timer is not None:
            self._timer.cancel()
        loop = asyncio.get_running_loop()
        self._timer = None if delay_s is None else loop.call_later(delay_s, self._refresh)

    def _restore(self, request: Mapping[str, object]) -> Answer:
        self._wait(self._director.restore(str(request.get("where", "all"))))
        return asdict(moment())

    def _truth(self, _request: Mapping[str, object]) -> Answer:
        return {"truth": [truth_to_json(truth) for truth in self._director.truth]}

    def _behaviours(self, _request: Mapping[str, object]) -> Answer:
        return {"targets": {name: asdict(b) for name, b in self._director.present.items()}}

    def _counters(self, _request: Mapping[str, object]) -> Answer:
        counters = Counters(
            targets=self._wire.counts(),
            agents={n: AgentCounts(a.requests, a.answered) for n, a in self._agents.items()},
            stray_packets=self._wire.stray_packets,
            write_errors=self._wire.write_errors,
        )
        return asdict(counters)

    def _quit(self, _request: Mapping[str, object]) -> Answer:
        asyncio.get_running_loop().call_soon(self.ended.set)
        return {}
