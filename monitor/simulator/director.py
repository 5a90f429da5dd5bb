"""Events and commands over time → how each target behaves now, and the log of truth."""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from monitor.core.model import Device
from monitor.simulator.behaviour import Behaviour
from monitor.simulator.effects import combined, effects_on
from monitor.simulator.events import BEFALLS, Event, What
from monitor.simulator.quirks import HONEST, Quirks, quirks_of, routers_of, troubles_of
from monitor.simulator.scenario import Running, Scenario, check_names
from monitor.simulator.world import SimulatedNetwork

_TRUTHS = 100_000
"""So many changes are remembered: a demo may run for days."""


class Stage(Protocol):
    """What the director directs."""

    def behave(self, name: str, behaviour: Behaviour) -> None:
        """From now on a target answers like this."""
        ...

    def restart(self, device: Device, renumber: bool) -> None:
        """A router starts anew now: uptime and counters from 0."""
        ...

    def answer_so(self, device: Device, quirks: Quirks) -> None:
        """From now on a router's agent answers like this."""
        ...

    def befall(self, device: Device, event: Event) -> None:
        """One of events.BEFALLS happens to a router now."""
        ...

    def route(self, present: bool) -> None:
        """The monitor has, or has not, a route into the made-up network."""
        ...


@dataclass(frozen=True, slots=True)
class Moment:
    """Now, on both clocks: Unix time, and CLOCK_BOOTTIME, which never steps. Seconds."""

    utc_s: float
    boottime_s: float


@dataclass(frozen=True, slots=True)
class Truth:
    """One change, as it was done.

    what: "behaviour" (name: the target), "restart", "agent", "wrap", "counter-reset" or "renumber"
    (name: the router), "route" (name: "present" or "absent"). behaviour: from then on; None for
    the others.
    because: the events in force ("cut anjatan/utama"); empty: back to the usual.
    """

    utc_s: float
    boottime_s: float
    what: str
    name: str
    behaviour: Behaviour | None = None
    because: tuple[str, ...] = ()


class Director:
    """Runs a scenario, and commands beside it."""

    def __init__(
        self,
        world: SimulatedNetwork,
        usual: Mapping[str, Behaviour],
        scenario: Scenario,
        stage: Stage,
        now: Callable[[], Moment],
    ) -> None:
        """usual: each place's behaviour when nothing is wrong. now: reads both clocks."""
        self.truth: deque[Truth] = deque(maxlen=_TRUTHS)
        self.present: dict[str, Behaviour] = {}
        self._world = world
        self._usual = usual
        self._scenario = scenario
        self._stage = stage
        self._now = now
        self._started_s = 0.0
        self._numbers = itertools.count(1)
        self._commands: list[Running] = []
        self._ended: set[str] = set()
        self._spared: dict[str, set[str]] = {}
        self._touched: set[str] = set()
        self._rebooting: dict[str, Event] = {}
        self._befallen: set[str] = set()
        self._quirks: dict[str, Quirks] = {}
        self._route_present = True

    def start(self) -> float | None:
        """Begin the scenario. Returns as `refresh`."""
        self._started_s = self._now().boottime_s
        self.present = dict(self._usual)
        for name, behaviour in self.present.items():
            self._stage.behave(name, behaviour)
        return self.refresh()

    def command(self, event: Event) -> float | None:
        """An event that begins `at_s` seconds from now. Returns as `refresh`.

        Raises SimulatorError when it names what is not there.
        """
        check_names(event, self._world)
        since = self._elapsed_s() + event.at_s
        until = None if event.for_s is None else since + event.for_s
        self._commands.append(Running(f"command:{next(self._numbers)}", event, since, until))
        return self.refresh()

    def restore(self, where: str) -> float | None:
        """End every event, as far as it concerns `where`. Returns as `refresh`.

        "uplink" ends only what was done to the monitor's own uplink, "all" everything.
        Raises SimulatorError when there is nothing of that name.
        """
        names = set(self._world.select(where))
        elapsed_s = self._elapsed_s()
        for one in [*self._running(elapsed_s), *self._commands]:
            if where == "all" or one.event.where == (where,):
                self._ended.add(one.key)
            elif where != "uplink":
                self._spared.setdefault(one.key, set()).update(names)
        return self.refresh()

    def refresh(self) -> float | None:
        """Bring every target to what is in force now.

        Returns in how many seconds it must be called again; None: not unless commanded.
        """
        elapsed_s = self._elapsed_s()
        running = self._running(elapsed_s)
        effects = effects_on(self._world, running, elapsed_s, self._spared)
        self._restart(running)
        for name in sorted(self._touched | effects.keys()):
            self._behave(name, effects.get(name, []))
        self._touched = set(effects)
        self._answer(running)
        self._befall(running)
        self._set_route(not any(one.event.what is What.NO_ROUTE for one in running))
        return self._next_change_s(elapsed_s, running)

    def _elapsed_s(self) -> float:
        return self._now().boottime_s - self._started_s

    def _running(self, elapsed_s: float) -> list[Running]:
        """What is in force; what is over is forgotten."""
        self._commands = [
            one
            for one in self._commands
            if one.key not in self._ended and (one.until_s is None or elapsed_s < one.until_s)
        ]
        scripted = self._scenario.running(elapsed_s)
        alive = {one.key for one in (*scripted, *self._commands)}
        self._ended &= alive
        self._spared = {key: names for key, names in self._spared.items() if key in alive}
        begun = (one for one in self._commands if one.since_s <= elapsed_s)
        return [one for one in (*scripted, *begun) if one.key not in self._ended]

    def _behave(self, name: str, events: Sequence[Event]) -> None:
        behaviour = combined(self._usual[name], events, self._sender(name, events))
        if behaviour == self.present[name]:
            return
        self.present[name] = behaviour
        self._stage.behave(name, behaviour)
        self._note("behaviour", name, behaviour, events)

    def _sender(self, name: str, events: Sequence[Event]) -> str | None:
        """Address of the router that says "unreachable", None when no event asks for it."""
        asked = next((event for event in events if event.what is What.UNREACHABLE), None)
        if asked is None:
            return None
        if asked.sender is not None:
            return self._world.places[asked.sender].address
        return self._world.upstream_of(name)

    def _restart(self, running: Sequence[Running]) -> None:
        """A router whose reboot is over, or was cut short, starts its uptime and counters now."""
        now = {one.key: one.event for one in running if one.event.what is What.REBOOT}
        for key, event in self._rebooting.items():
            devices = [self._world.device_of(where) for where in event.where]
            for device in devices:
                if device is not None and key not in now:
                    self._stage.restart(device, event.renumber)
                    self._note("restart", device.name)
        self._rebooting = now

    def _answer(self, running: Sequence[Running]) -> None:
        """How each router's agent answers now."""
        troubles = troubles_of(self._world, running, self._spared)
        for device in self._world.devices:
            events = troubles.get(device.name, [])
            quirks = quirks_of(self._world, device, events)
            if quirks != self._quirks.get(device.name, HONEST):
                self._quirks[device.name] = quirks
                self._stage.answer_so(device, quirks)
                self._note("agent", device.name, events=events)

    def _befall(self, running: Sequence[Running]) -> None:
        """What happens once, when its event begins."""
        now = {one.key: one.event for one in running if one.event.what in BEFALLS}
        for key, event in now.items():
            if key not in self._befallen:
                for device in routers_of(self._world, event, self._spared.get(key, ())):
                    self._stage.befall(device, event)
                    self._note(str(event.what), device.name, events=[event])
        self._befallen = set(now)

    def _set_route(self, present: bool) -> None:
        if present != self._route_present:
            self._route_present = present
            self._stage.route(present)
            self._note("route", "present" if present else "absent")

    def _note(
        self,
        what: str,
        name: str,
        behaviour: Behaviour | None = None,
        events: Sequence[Event] = (),
    ) -> None:
        moment = self._now()
        because = tuple(f"{event.what} {', '.join(event.where)}" for event in events)
        self.truth.append(Truth(moment.utc_s, moment.boottime_s, what, name, behaviour, because))

    def _next_change_s(self, elapsed_s: float, running: Sequence[Running]) -> float | None:
        moments = [
            moment
            for one in self._commands
            for moment in (one.since_s, one.until_s)
            if moment is not None and moment > elapsed_s
        ]
        scripted = self._scenario.next_change_s(elapsed_s)
        if scripted is not None:
            moments.append(scripted)
        moments.extend(
            elapsed_s + one.event.next_flap_s(elapsed_s - one.since_s)
            for one in running
            if one.event.what is What.FLAP
        )
        return min(moments) - elapsed_s if moments else None
