"""Apply the faults of a scenario, and commanded ones, on time, and log every change."""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from monitor.core.model import Device
from monitor.simulator.behaviour import Behaviour
from monitor.simulator.fault_effects import (
    CASCADING_FAULTS,
    NO_DEFECTS,
    AgentDefects,
    affected_routers,
    agent_defects,
    agent_faults_by_router,
    combined_behaviour,
    faults_by_address,
)
from monitor.simulator.network import SimulatedNetwork
from monitor.simulator.scenario import (
    INSTANT_FAULTS,
    ActiveFault,
    Fault,
    FaultKind,
    Scenario,
    check_names,
)

_MAX_CHANGES = 100_000  # in the log: a demo may run for days


class FaultActions(Protocol):
    """What the scheduler changes in the simulated network."""

    def set_behaviour(self, name: str, behaviour: Behaviour) -> None:
        """Set how a target replies."""
        ...

    def set_path(self, name: str, path: tuple[str, ...]) -> None:
        """Set the nodes on the way to a target, from the monitor on."""
        ...

    def restart_router(self, device: Device, renumber: bool) -> None:
        """Restart a router: uptime and counters from 0."""
        ...

    def set_agent_defects(self, device: Device, defects: AgentDefects) -> None:
        """Set how a router's agent deviates."""
        ...

    def apply_instant_fault(self, device: Device, fault: Fault) -> None:
        """Apply one of INSTANT_FAULTS to a router."""
        ...

    def set_route(self, present: bool) -> None:
        """Add or remove the monitor's route into the simulated network."""
        ...


@dataclass(frozen=True, slots=True)
class Timestamps:
    """The same moment on both clocks: Unix time and CLOCK_BOOTTIME, which never steps. Seconds."""

    utc_s: float
    boottime_s: float


@dataclass(frozen=True, slots=True)
class AppliedChange:
    """One change as it was applied.

    what: "behaviour" (name: the target), "restart", "agent", "wrap", "counter-reset" or "renumber"
    (name: the router), "route" (name: "present" or "absent"). behaviour: the new one; None for
    the others.
    because: the active faults ("cut anjatan/utama"); empty: back to normal.
    """

    utc_s: float
    boottime_s: float
    what: str
    name: str
    behaviour: Behaviour | None = None
    because: tuple[str, ...] = ()


class FaultScheduler:
    """Runs a scenario and commands."""

    def __init__(
        self,
        net: SimulatedNetwork,
        usual: Mapping[str, Behaviour],
        scenario: Scenario,
        actions: FaultActions,
        now: Callable[[], Timestamps],
    ) -> None:
        """usual: behaviour of each address without faults. now: reads both clocks."""
        self.changes: deque[AppliedChange] = deque(maxlen=_MAX_CHANGES)
        self.behaviours: dict[str, Behaviour] = {}
        self._net = net
        self._usual = usual
        self._scenario = scenario
        self._actions = actions
        self._now = now
        self._started_s = 0.0
        self._numbers = itertools.count(1)
        self._commands: list[ActiveFault] = []
        self._ended: set[str] = set()
        self._restored: dict[str, set[str]] = {}
        self._affected: set[str] = set()
        self._rebooting: dict[str, Fault] = {}
        self._applied_instant: set[str] = set()
        self._defects: dict[str, AgentDefects] = {}
        self._route_present = True
        self._paths: dict[str, tuple[str, ...]] = {}

    def start(self) -> float | None:
        """Start the scenario. Returns the same as `refresh`."""
        self._started_s = self._now().boottime_s
        self.behaviours = dict(self._usual)
        for name, behaviour in self.behaviours.items():
            self._actions.set_behaviour(name, behaviour)
        return self.refresh()

    def command(self, fault: Fault) -> float | None:
        """Add a fault that begins `at_s` seconds from now. Returns the same as `refresh`.

        Raises SimulatorError when it names an unknown target.
        """
        check_names(fault, self._net)
        since = self._elapsed_s() + fault.at_s
        until = None if fault.for_s is None else since + fault.for_s
        self._commands.append(ActiveFault(f"command:{next(self._numbers)}", fault, since, until))
        return self.refresh()

    def restore(self, where: str) -> float | None:
        """End every fault as far as it affects `where`. Returns the same as `refresh`.

        "uplink" ends only faults of the monitor's own uplink, "all" everything.
        Raises SimulatorError for an unknown name.
        """
        names = set(self._net.select(where))
        elapsed_s = self._elapsed_s()
        for one in [*self._active(elapsed_s), *self._commands]:
            if where == "all" or one.fault.where == (where,):
                self._ended.add(one.key)
            elif where != "uplink":
                self._restored.setdefault(one.key, set()).update(names)
        return self.refresh()

    def refresh(self) -> float | None:
        """Apply the faults that are active now.

        Returns the seconds until it must be called again; None: not before the next command.
        """
        elapsed_s = self._elapsed_s()
        active = self._active(elapsed_s)
        by_address = faults_by_address(self._net, active, elapsed_s, self._restored)
        self._finish_reboots(active)
        for name in sorted(self._affected | by_address.keys()):
            self._update_behaviour(name, by_address.get(name, []))
        self._affected = set(by_address)
        self._update_paths(active, by_address)
        self._update_agents(active)
        self._apply_instant(active)
        self._set_route(not any(one.fault.kind is FaultKind.NO_ROUTE for one in active))
        return self._next_change_s(elapsed_s, active)

    def _elapsed_s(self) -> float:
        return self._now().boottime_s - self._started_s

    def _active(self, elapsed_s: float) -> list[ActiveFault]:
        """The active faults; ended commands are dropped."""
        self._commands = [
            one
            for one in self._commands
            if one.key not in self._ended and (one.until_s is None or elapsed_s < one.until_s)
        ]
        scripted = self._scenario.active(elapsed_s)
        current = {one.key for one in (*scripted, *self._commands)}
        self._ended &= current
        self._restored = {key: names for key, names in self._restored.items() if key in current}
        started = (one for one in self._commands if one.since_s <= elapsed_s)
        return [one for one in (*scripted, *started) if one.key not in self._ended]

    def _update_behaviour(self, name: str, faults: Sequence[Fault]) -> None:
        behaviour = combined_behaviour(self._usual[name], faults, self._sender(name, faults))
        if behaviour == self.behaviours[name]:
            return
        self.behaviours[name] = behaviour
        self._actions.set_behaviour(name, behaviour)
        self._log("behaviour", name, behaviour, faults)

    def _sender(self, name: str, faults: Sequence[Fault]) -> str | None:
        """Address of the router that sends the ICMP error; None without an unreachable fault."""
        unreachable = next((fault for fault in faults if fault.kind is FaultKind.UNREACHABLE), None)
        if unreachable is None:
            return None
        if unreachable.sender is not None:
            return self._net.addresses[unreachable.sender].address
        return self._net.upstream_of(name)

    def _finish_reboots(self, active: Sequence[ActiveFault]) -> None:
        """Restart uptime and counters of routers whose reboot has ended or was aborted."""
        now = {one.key: one.fault for one in active if one.fault.kind is FaultKind.REBOOT}
        for key, fault in self._rebooting.items():
            devices = [self._net.device_of(where) for where in fault.where]
            for device in devices:
                if device is not None and key not in now:
                    self._actions.restart_router(device, fault.renumber)
                    self._log("restart", device.name)
        self._rebooting = now

    def _update_paths(
        self, active: Sequence[ActiveFault], by_address: Mapping[str, Sequence[Fault]]
    ) -> None:
        """Lead each target over a parent that stands, or over its last one while rerouted."""
        cut = {
            name
            for name, faults in by_address.items()
            if any(fault.kind in CASCADING_FAULTS for fault in faults)
        }
        rerouted = {
            name
            for one in active
            if one.fault.kind is FaultKind.REROUTE
            for where in one.fault.where
            for name in self._net.select(where)
            if name not in self._restored.get(one.key, set())
        }
        for name in self._net.addresses:
            path = self._net.path_to(name, cut, rerouted)
            if path != self._paths.get(name):
                self._paths[name] = path
                self._actions.set_path(name, path)

    def _update_agents(self, active: Sequence[ActiveFault]) -> None:
        """Update the defects of each router's agent."""
        faults_by_router = agent_faults_by_router(self._net, active, self._restored)
        for device in self._net.devices:
            faults = faults_by_router.get(device.name, [])
            defects = agent_defects(self._net, device, faults)
            if defects != self._defects.get(device.name, NO_DEFECTS):
                self._defects[device.name] = defects
                self._actions.set_agent_defects(device, defects)
                self._log("agent", device.name, faults=faults)

    def _apply_instant(self, active: Sequence[ActiveFault]) -> None:
        """Apply instant faults that have just started."""
        now = {one.key: one.fault for one in active if one.fault.kind in INSTANT_FAULTS}
        for key, fault in now.items():
            if key not in self._applied_instant:
                for device in affected_routers(self._net, fault, self._restored.get(key, ())):
                    self._actions.apply_instant_fault(device, fault)
                    self._log(str(fault.kind), device.name, faults=[fault])
        self._applied_instant = set(now)

    def _set_route(self, present: bool) -> None:
        if present != self._route_present:
            self._route_present = present
            self._actions.set_route(present)
            self._log("route", "present" if present else "absent")

    def _log(
        self,
        what: str,
        name: str,
        behaviour: Behaviour | None = None,
        faults: Sequence[Fault] = (),
    ) -> None:
        moment = self._now()
        because = tuple(f"{fault.kind} {', '.join(fault.where)}" for fault in faults)
        self.changes.append(
            AppliedChange(moment.utc_s, moment.boottime_s, what, name, behaviour, because)
        )

    def _next_change_s(self, elapsed_s: float, active: Sequence[ActiveFault]) -> float | None:
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
            elapsed_s + one.fault.next_flap_s(elapsed_s - one.since_s)
            for one in active
            if one.fault.kind is FaultKind.FLAP
        )
        return min(moments) - elapsed_s if moments else None
