"""One router's SNMP agent: its ports, whose counters advance with the made-up traffic."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from itertools import chain

from monitor.core.model import Device
from monitor.simulator.behaviour import Behaviour, Fate
from monitor.simulator.events import Event, What
from monitor.simulator.hardware import describe, hardware_objects, made_up_hardware
from monitor.simulator.mib import (
    IF_NUMBER,
    IF_TABLE,
    IFX_TABLE,
    SYSTEM,
    Mib,
    ObjectKind,
    Oid,
    Teller,
    Value,
    always,
    text,
)
from monitor.simulator.ports import Port, made_up_port
from monitor.simulator.quirks import HONEST, Quirks
from monitor.simulator.snmp import answer
from monitor.simulator.world import SimulatedNetwork

_32_BITS, _64_BITS = 1 << 32, 1 << 64
_DAY_S = 86_400.0


class Agent:
    """Answers SNMP requests for one router. Times are seconds on the simulator's timeline."""

    def __init__(
        self, device: Device, community: str, world: SimulatedNetwork, now_s: float, seed: int
    ):
        self.device = device
        self.requests = 0
        self.answered = 0
        self.quirks = HONEST
        self._community = community.encode()
        dice = random.Random(f"{seed}:agent:{device.name}")  # noqa: S311 - a made-up router
        self._started_s = now_s - dice.uniform(3.0, 90.0) * _DAY_S
        self._first_index = dice.randrange(1, 5)
        self.ports = [
            made_up_port(device, interface, world, self._started_s, seed)
            for interface in device.interfaces
        ]
        self.ports.append(Port("lo", None, 0.0, None, None, self._started_s))
        self._hardware = made_up_hardware(device.name, device.name in world.nodes, self._load, seed)
        self._discontinuity = 0
        self._build()

    def answer(self, request: bytes, now_s: float) -> bytes | None:
        """The answer to one message; None: silence (wrong community, not SNMP version 2c)."""
        self.requests += 1
        if self.quirks.silent:
            return None
        most = self.quirks.most_varbinds
        reply = answer(request, self._community, self._mib, now_s, most)
        self.answered += reply is not None
        return reply

    def links(self) -> set[str]:
        """The links that run over its ports."""
        return {port.link for port in self.ports if port.link is not None}

    def link_behaves(self, link: str, behaviour: Behaviour, now_s: float) -> None:
        """A port whose link is cut goes down, and its counters stand still."""
        for port in self.ports:
            if port.link == link:
                if behaviour.fate is Fate.ANSWERED:
                    port.resume(now_s)
                else:
                    port.stop(now_s)

    def behave(self, quirks: Quirks) -> None:
        """From now on it answers so."""
        self.quirks = quirks
        self._build()

    def befall(self, event: Event, now_s: float) -> None:
        """One of events.BEFALLS, while the router goes on."""
        if event.what is What.RENUMBER:
            self._renumber()
            return
        for port in self.ports:
            if event.what is What.WRAP:
                port.wrap(now_s, event.after_s)
            else:
                port.restart(now_s)
        # A jump that nobody asked a real router for is told; a reset need not be.
        if event.what is What.WRAP or event.discontinuity:
            self._discontinuity = self.uptime_ticks(now_s)

    def restart(self, now_s: float, renumber: bool) -> None:
        """Uptime and counters from 0. renumber: every port gets another ifIndex."""
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
        self._mib = Mib(dict(self._objects()), self.quirks.endless)

    def _load(self, now_s: float) -> float:
        """The share of its busiest port that is used."""
        return max(
            (port.in_bps(now_s) / port.speed_bps for port in self.ports if port.speed_bps),
            default=0.0,
        )

    def _objects(self) -> Iterable[tuple[Oid, Teller]]:
        rows = list(enumerate(self.ports, start=self._first_index))
        return chain(
            self._system(),
            [(IF_NUMBER, always(Value(ObjectKind.INTEGER, len(rows))))],
            _if_table(rows),
            self._ifx_table(rows),
            hardware_objects(self._hardware),
        )

    def _system(self) -> Iterable[tuple[Oid, Teller]]:
        words, object_id = describe(self._hardware)
        yield (*SYSTEM, 1, 0), always(text(words))
        yield (*SYSTEM, 2, 0), always(Value(ObjectKind.OID, object_id))
        yield (*SYSTEM, 3, 0), lambda now_s: Value(ObjectKind.TICKS, self.uptime_ticks(now_s))
        yield (*SYSTEM, 4, 0), always(text("noc@indramayu.example"))
        yield (*SYSTEM, 5, 0), always(text(self.device.name))
        yield (*SYSTEM, 6, 0), always(text("Kabupaten Indramayu"))
        yield (*SYSTEM, 7, 0), always(Value(ObjectKind.INTEGER, 78))

    def _ifx_table(self, rows: list[tuple[int, Port]]) -> Iterable[tuple[Oid, Teller]]:
        for index, port in rows:
            columns: dict[int, Teller] = {
                1: always(text(port.name)),
                6: _counter64(port.in_octets),
                10: _counter64(port.out_octets),
                15: always(Value(ObjectKind.GAUGE32, int(port.speed_bps / 1e6))),
                18: always(text(port.link or "")),
                19: lambda _now_s: Value(ObjectKind.TICKS, self._discontinuity),
            }
            if self.quirks.narrow:
                del columns[6], columns[10]
            yield from (((*IFX_TABLE, number, index), teller) for number, teller in columns.items())


def _if_table(rows: list[tuple[int, Port]]) -> Iterable[tuple[Oid, Teller]]:
    for index, port in rows:
        speed = min(int(port.speed_bps), _32_BITS - 1)
        kind = 6 if port.speed_bps else 24  # ethernetCsmacd, softwareLoopback
        columns: dict[int, Teller] = {
            1: always(Value(ObjectKind.INTEGER, index)),
            2: always(text(port.name)),
            3: always(Value(ObjectKind.INTEGER, kind)),
            4: always(Value(ObjectKind.INTEGER, 1500)),
            5: always(Value(ObjectKind.GAUGE32, speed)),
            7: always(Value(ObjectKind.INTEGER, 1)),
            8: _oper(port),
            10: _counter32(port.in_octets),
            13: always(Value(ObjectKind.COUNTER32, 0)),
            14: _counter32(port.in_errors),
            16: _counter32(port.out_octets),
            19: _counter32(port.out_discards),
            20: always(Value(ObjectKind.COUNTER32, 0)),
        }
        yield from (((*IF_TABLE, number, index), teller) for number, teller in columns.items())


def _oper(port: Port) -> Teller:
    return lambda _now_s: Value(ObjectKind.INTEGER, 1 if port.up else 2)


def _counter32(count: Callable[[float], int]) -> Teller:
    return lambda now_s: Value(ObjectKind.COUNTER32, count(now_s) % _32_BITS)


def _counter64(count: Callable[[float], int]) -> Teller:
    return lambda now_s: Value(ObjectKind.COUNTER64, count(now_s) % _64_BITS)
