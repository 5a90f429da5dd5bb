"""One poll of one router, from the first message to the finished DevicePoll."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from monitor.adapters.snmp import objects, values
from monitor.adapters.snmp.codec import Oid
from monitor.adapters.snmp.exchange import Peer, SnmpExchange
from monitor.adapters.snmp.facts import FactFinder
from monitor.adapters.snmp.interfaces import PortFinder, uptime_of
from monitor.adapters.snmp.session import Group, Reading, Session
from monitor.adapters.snmp.trouble import REFUSED, RouterTrouble
from monitor.core.model import Device
from monitor.core.ports import Clock
from monitor.core.samples.samples import DeviceSample
from monitor.core.samples.snmp_poll import (
    TICKS_A_SECOND,
    DevicePoll,
    InterfaceCounters,
    uptime_continues,
)

_HEAD = (objects.SYS_UPTIME,)
_SYSTEM = Group((), (objects.SYS_NAME, objects.SYS_OBJECT_ID))
_DESCRIPTION = Group((), (objects.SYS_DESCR,))


class Router:
    """What is known of one router from poll to poll: where its ports and sensors are."""

    def __init__(self, exchange: SnmpExchange, peer: Peer, clock: Clock, patience_s: float) -> None:
        self._clock = clock
        self._poll_s = patience_s + peer.timeout_s * (1 + peer.retries)
        self._session = Session(exchange, peer, patience_s)
        self._ports = PortFinder(self._session)
        self._facts = FactFinder(self._session)
        self._object_id: Oid | None = None
        self._description: str | None = None
        self._last: tuple[int, float] | None = None
        self._one_at_a_time = asyncio.Lock()

    async def poll(self, device: Device) -> DevicePoll:
        """Raises RouterTrouble when the router tells nothing that can be used."""
        async with self._one_at_a_time:
            deadline_s = asyncio.get_running_loop().time() + self._poll_s
            names = [interface.name for interface in device.interfaces]
            readings = await self._counters(names, deadline_s)
            at_s = self._clock.steady_s()
            uptime = uptime_of(readings)
            self._last = None if uptime is None else (uptime, at_s)
            facts, sys_name = await self._circumstances(device, names, at_s, uptime, deadline_s)
            ports = self._read(names, readings)
            seen = {port.name for port in ports}
            return DevicePoll(
                device=device.name,
                at_s=at_s,
                uptime_ticks=uptime,
                interfaces=ports,
                facts=facts,
                sys_name=sys_name,
                description=self._description,
                missing=tuple(name for name in names if name not in seen),
            )

    async def _counters(self, names: Sequence[str], deadline_s: float) -> list[Reading]:
        """The ports' counters; asked twice when the first answer shows that the ports moved."""
        readings = await self._ask(names, deadline_s)
        rebooted = self._rebooted(uptime_of(readings))
        if rebooted:
            self._forget()
        if rebooted or self._ports.moved(names, readings):
            self._ports.forget()
            readings = await self._ask(names, deadline_s)
        narrow = self._ports.narrow(names, readings)
        if narrow:
            groups = self._ports.groups(narrow)
            readings += await self._session.get(_HEAD, groups, deadline_s)
        return readings

    async def _ask(self, names: Sequence[str], deadline_s: float) -> list[Reading]:
        await self._ports.find(names, self._clock.steady_s(), deadline_s)
        return await self._session.get(_HEAD, self._ports.groups(names), deadline_s)

    def _forget(self) -> None:
        self._object_id = None
        self._description = None
        self._ports.forget()
        self._facts.forget()

    def _rebooted(self, uptime: int | None) -> bool:
        if self._last is None or uptime is None:
            return False
        ticks, at_s = self._last
        return not uptime_continues(ticks, uptime, self._clock.steady_s() - at_s)

    async def _circumstances(
        self,
        device: Device,
        names: Sequence[str],
        at_s: float,
        uptime: int | None,
        deadline_s: float,
    ) -> tuple[DeviceSample, str | None]:
        """Name, speeds and facts; the counters stand without them, so trouble costs only these."""
        told: dict[str, float] = {}
        sys_name = None
        try:
            if self._object_id is None:
                system = _merged(await self._session.get((), [_SYSTEM], deadline_s))
                self._object_id = _object_id(system)
                self._description = await self._described(deadline_s)
            await self._facts.find(self._object_id, at_s, deadline_s)
            groups = [_SYSTEM, *self._ports.slow_groups(names), *self._facts.groups()]
            answer = _merged(await self._session.get((), groups, deadline_s))
        except RouterTrouble as trouble:
            if trouble.reason == REFUSED:
                self._facts.leave(at_s)
        else:
            sys_name = values.text(answer.get(objects.SYS_NAME))
            self._ports.learn_slow(names, answer)
            told = self._facts.read(answer)
            if _object_id(answer) != self._object_id:
                # Another router at this address: the next poll looks at it from the start.
                self._forget()
        facts = DeviceSample(
            at_s=at_s,
            device=device.name,
            site=device.site,
            uptime_s=None if uptime is None else uptime / TICKS_A_SECOND,
            cpu=told.get("cpu"),
            memory=told.get("memory"),
            temperature_c=told.get("temperature_c"),
            voltage_v=told.get("voltage_v"),
        )
        return facts, sys_name

    async def _described(self, deadline_s: float) -> str | None:
        """What it is, in its own words: asked once, alone, for they may fit into no answer."""
        try:
            told = _merged(await self._session.get((), [_DESCRIPTION], deadline_s))
        except RouterTrouble:
            return None
        return values.text(told.get(objects.SYS_DESCR))

    def _read(
        self, names: Sequence[str], readings: Sequence[Reading]
    ) -> tuple[InterfaceCounters, ...]:
        ports = (self._ports.counters(name, readings) for name in self._ports.known(names))
        return tuple(port for port in ports if port is not None)


def _object_id(told: Reading) -> Oid:
    return values.oid(told.get(objects.SYS_OBJECT_ID)) or ()


def _merged(readings: Sequence[Reading]) -> Reading:
    return {oid: value for reading in readings for oid, value in reading.items()}
