"""SNMP agent of one router, with interfaces whose counters advance with simulated traffic."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from itertools import chain

from monitor.core.model import Device
from monitor.simulator.behaviour import Behaviour, ReplyMode
from monitor.simulator.fault_effects import NO_DEFECTS, AgentDefects
from monitor.simulator.interface_traffic import SimulatedPort, simulated_port
from monitor.simulator.network import SimulatedNetwork
from monitor.simulator.router_hardware import hardware_objects, random_hardware, system_description
from monitor.simulator.scenario import Fault, FaultKind
from monitor.simulator.snmp_messages import (
    IF_NUMBER,
    IF_TABLE,
    IFX_TABLE,
    SYSTEM,
    Mib,
    ObjectKind,
    Oid,
    Value,
    ValueReader,
    answer_request,
    constant,
    huge_response,
    text_value,
)

_32_BITS, _64_BITS = 1 << 32, 1 << 64
_DAY_S = 86_400.0


class Agent:
    """Responds to SNMP requests for one router. Times are seconds on the simulator's clock."""

    def __init__(
        self, device: Device, community: str, net: SimulatedNetwork, now_s: float, seed: int
    ):
        self.device = device
        self.requests = 0
        self.answered = 0
        self.defects = NO_DEFECTS
        self._community = community.encode()
        rng = random.Random(f"{seed}:agent:{device.name}")  # noqa: S311 - simulated
        self._started_s = now_s - rng.uniform(3.0, 90.0) * _DAY_S
        self._first_index = rng.randrange(1, 5)
        self.ports = [
            simulated_port(device, interface, net, self._started_s, seed)
            for interface in device.interfaces
        ]
        self.ports.append(SimulatedPort("lo", None, 0.0, None, None, self._started_s))
        self._hardware = random_hardware(device.name, device.name in net.nodes, self._load, seed)
        self._discontinuity = 0
        self._build()

    def answer_request(self, request: bytes, now_s: float) -> bytes | None:
        """The response to one message; None: no response (wrong community, not version 2c)."""
        self.requests += 1
        if self.defects.silent:
            return None
        if self.defects.huge:
            return huge_response(request)
        limit = self.defects.max_varbinds
        reply = answer_request(request, self._community, self._mib, now_s, limit)
        self.answered += reply is not None
        return reply

    def links(self) -> set[str]:
        """The links that its interfaces carry."""
        return {port.link for port in self.ports if port.link is not None}

    def set_link_behaviour(self, link: str, behaviour: Behaviour, now_s: float) -> None:
        """Set interfaces down, with counters that stop, while their link does not reply."""
        for port in self.ports:
            if port.link == link:
                if behaviour.mode is ReplyMode.ANSWERED:
                    port.resume(now_s)
                else:
                    port.stop(now_s)

    def set_defects(self, defects: AgentDefects) -> None:
        """Set how the agent deviates."""
        self.defects = defects
        self._build()

    def apply_instant_fault(self, fault: Fault, now_s: float) -> None:
        """One of faults.BEFALLS, while the router goes on."""
        if fault.kind is FaultKind.RENUMBER:
            self._renumber()
            return
        for port in self.ports:
            if fault.kind is FaultKind.WRAP:
                port.wrap(now_s, fault.after_s)
            else:
                port.restart(now_s)
        # A counter jump is always reported as a discontinuity, a reset only on request.
        if fault.kind is FaultKind.WRAP or fault.discontinuity:
            self._discontinuity = self.uptime_ticks(now_s)

    def restart(self, now_s: float, renumber: bool) -> None:
        """Reset uptime and counters. renumber: every interface gets another ifIndex."""
        self._started_s = now_s
        self._discontinuity = 0
        for port in self.ports:
            port.restart(now_s)
        if renumber:
            self._renumber()

    def uptime_ticks(self, now_s: float) -> int:
        """sysUpTime: hundredths of a second, 32 bits."""
        return int((now_s - self._started_s) * 100) % _32_BITS

    def _renumber(self) -> None:
        self._first_index += 1
        self._build()

    def _build(self) -> None:
        self._mib = Mib(dict(self._objects()), self.defects.endless)

    def _load(self, now_s: float) -> float:
        """Utilisation of the busiest interface, 0 to 1."""
        return max(
            (port.in_bps(now_s) / port.speed_bps for port in self.ports if port.speed_bps),
            default=0.0,
        )

    def _objects(self) -> Iterable[tuple[Oid, ValueReader]]:
        rows = list(enumerate(self.ports, start=self._first_index))
        return chain(
            self._system(),
            [(IF_NUMBER, constant(Value(ObjectKind.INTEGER, len(rows))))],
            _if_table(rows),
            self._ifx_table(rows),
            hardware_objects(self._hardware),
        )

    def _system(self) -> Iterable[tuple[Oid, ValueReader]]:
        description, object_id = system_description(self._hardware)
        yield (*SYSTEM, 1, 0), constant(text_value(description))
        yield (*SYSTEM, 2, 0), constant(Value(ObjectKind.OID, object_id))
        yield (*SYSTEM, 3, 0), lambda now_s: Value(ObjectKind.TICKS, self.uptime_ticks(now_s))
        yield (*SYSTEM, 4, 0), constant(text_value("noc@indramayu.example"))
        yield (*SYSTEM, 5, 0), constant(text_value(self.device.name))
        yield (*SYSTEM, 6, 0), constant(text_value("Kabupaten Indramayu"))
        yield (*SYSTEM, 7, 0), constant(Value(ObjectKind.INTEGER, 78))

    def _ifx_table(
        self, rows: list[tuple[int, SimulatedPort]]
    ) -> Iterable[tuple[Oid, ValueReader]]:
        for index, port in rows:
            columns: dict[int, ValueReader] = {
                1: constant(text_value(port.name)),
                6: _counter64(port.in_octets),
                10: _counter64(port.out_octets),
                15: constant(Value(ObjectKind.GAUGE32, int(port.speed_bps / 1e6))),
                18: constant(text_value(port.link or "")),
                19: lambda _now_s: Value(ObjectKind.TICKS, self._discontinuity),
            }
            if self.defects.narrow:
                del columns[6], columns[10]
            yield from (((*IFX_TABLE, number, index), reader) for number, reader in columns.items())


def _if_table(rows: list[tuple[int, SimulatedPort]]) -> Iterable[tuple[Oid, ValueReader]]:
    for index, port in rows:
        speed = min(int(port.speed_bps), _32_BITS - 1)
        kind = 6 if port.speed_bps else 24  # ethernetCsmacd, softwareLoopback
        columns: dict[int, ValueReader] = {
            1: constant(Value(ObjectKind.INTEGER, index)),
            2: constant(text_value(port.name)),
            3: constant(Value(ObjectKind.INTEGER, kind)),
            4: constant(Value(ObjectKind.INTEGER, 1500)),
            5: constant(Value(ObjectKind.GAUGE32, speed)),
            7: constant(Value(ObjectKind.INTEGER, 1)),
            8: _oper(port),
            10: _counter32(port.in_octets),
            13: constant(Value(ObjectKind.COUNTER32, 0)),
            14: _counter32(port.in_errors),
            16: _counter32(port.out_octets),
            19: _counter32(port.out_discards),
            20: constant(Value(ObjectKind.COUNTER32, 0)),
        }
        yield from (((*IF_TABLE, number, index), reader) for number, reader in columns.items())


def _oper(port: SimulatedPort) -> ValueReader:
    return lambda _now_s: Value(ObjectKind.INTEGER, 1 if port.up else 2)


def _counter32(count: Callable[[float], int]) -> ValueReader:
    return lambda now_s: Value(ObjectKind.COUNTER32, count(now_s) % _32_BITS)


def _counter64(count: Callable[[float], int]) -> ValueReader:
    return lambda now_s: Value(ObjectKind.COUNTER64, count(now_s) % _64_BITS)
