"""The SNMP poller: the registered routers, and one poll of one router (port `Poller`)."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from monitor.adapters.snmp.errors import REFUSED, PollError
from monitor.adapters.snmp.facts import FactReader
from monitor.adapters.snmp.interfaces import InterfaceReader, uptime_ticks
from monitor.adapters.snmp.messages import (
    SYS_DESCR,
    SYS_NAME,
    SYS_OBJECT_ID,
    SYS_UPTIME,
    CommunityCodec,
    MessageCodec,
    Oid,
    oid_value,
    string_value,
)
from monitor.adapters.snmp.session import ObjectGroup, Reading, SnmpSession
from monitor.adapters.snmp.transport import Peer, PollCounters, SnmpTransport, address_family
from monitor.adapters.snmp.usm import MasterKeys, UsmCodec, master_keys
from monitor.core.errors import ConfigError
from monitor.core.model import Device
from monitor.core.ports import Clock, Commit
from monitor.core.samples.samples import DeviceSample
from monitor.core.samples.snmp_poll import (
    TICKS_A_SECOND,
    DevicePoll,
    InterfaceCounters,
    PollFailed,
    uptime_continues,
)
from monitor.core.snmp_credentials import SnmpV3Credential, parse_community, parse_v3

_HEAD = (SYS_UPTIME,)
_SYSTEM = ObjectGroup((), (SYS_NAME, SYS_OBJECT_ID))
_DESCRIPTION = ObjectGroup((), (SYS_DESCR,))


@dataclass(frozen=True, slots=True)
class _Access:
    """How a router is reached; what was learnt of the router is kept while it does not change."""

    address: str
    port: int
    secret: str | SnmpV3Credential
    timeout_s: float
    retries: int

    def __repr__(self) -> str:
        return f"_Access({self.address}:{self.port})"


@dataclass(frozen=True, slots=True)
class _Registered:
    """A router that can be polled."""

    access: _Access
    router: RouterPoll


@dataclass(frozen=True, slots=True)
class _Unusable:
    """A router that cannot be polled: reason and detail of its PollFailed."""

    reason: str
    detail: str


class SnmpPoller:
    """Polls routers by SNMP 2c and 3 over one socket for each address family.

    clock: gives the times of polls and follows the routers' clocks.
    patience_s: limit of a walk, and of a poll beyond the time-outs of one request; a satellite
    link needs some of it.
    """

    def __init__(self, clock: Clock, patience_s: float = 10.0) -> None:
        self._clock = clock
        self._patience_s = patience_s
        self._transport = SnmpTransport()
        self._routers: dict[str, _Registered | _Unusable] = {}

    async def open(self, devices: Sequence[Device], secrets: Mapping[str, str]) -> None:
        """Prepare to poll exactly these routers, and commit. Raises SnmpError."""
        (await self.prepare(devices, secrets))()

    async def prepare(self, devices: Sequence[Device], secrets: Mapping[str, str]) -> Commit:
        """Derive keys and open sockets for exactly these routers; the polls do not change yet.

        secrets: the text of each credential by name (see core.snmp_credentials).
        A router whose address or secret cannot be used is registered too: its polls give the
        reason. Raises SnmpError when this machine gives no socket. The returned function puts
        the set in force: it cannot fail and does not await.
        """
        accesses = {device.name: _access(device, secrets) for device in devices}
        credentials = {
            access.secret
            for access in accesses.values()
            if isinstance(access, _Access) and isinstance(access.secret, SnmpV3Credential)
        }
        # Key derivation is slow on purpose: it must not block the event loop.
        keys = {
            credential: await asyncio.to_thread(master_keys, credential)
            for credential in credentials
        }
        routers: dict[str, _Registered | _Unusable] = {}
        for name, access in accesses.items():
            before = self._routers.get(name)
            if isinstance(access, _Unusable):
                routers[name] = access
            elif isinstance(before, _Registered) and before.access == access:
                routers[name] = before
            else:
                routers[name] = self._registered(access, keys)

        def commit() -> None:
            self._routers = routers

        return commit

    async def poll(self, device: Device) -> DevicePoll | PollFailed:
        """Counters and facts of a registered router, or why there are none.

        Takes at most `patience_s` and the time-outs of one request. Reasons: `timeout`, `auth`,
        `wrong-source`, `wrong-answer`, `malformed`, `too-large`, `refused`, `too-big`,
        `walk-too-long`, `ignored` (its answers were wrong again and again), `not-sent`,
        `no-secret`, `bad-secret`, `bad-address`, `not-registered`, `closed`.
        """
        known = self._routers.get(device.name)
        if known is None:
            return self._failed(device, "not-registered", "this router is not registered")
        if isinstance(known, _Unusable):
            return self._failed(device, known.reason, known.detail)
        try:
            return await known.router.poll(device)
        except PollError as error:
            return self._failed(device, error.reason, error.detail, error.ignored_s)

    async def close(self) -> None:
        """Close the sockets; polls under way end as `closed`. May be called twice."""
        self._routers = {}
        self._transport.close()

    def counters(self) -> PollCounters:
        """Totals since the start."""
        return self._transport.counters()

    def _registered(
        self, access: _Access, keys: Mapping[SnmpV3Credential, MasterKeys]
    ) -> _Registered:
        family = address_family(access.address)
        self._transport.open(family)
        codec: MessageCodec
        if isinstance(access.secret, SnmpV3Credential):
            codec = UsmCodec(keys[access.secret], self._clock.steady_s)
        else:
            codec = CommunityCodec(access.secret)
        address = (access.address, access.port)
        peer = Peer(family, address, codec, access.timeout_s, access.retries)
        router = RouterPoll(self._transport, peer, self._clock, self._patience_s)
        return _Registered(access, router)

    def _failed(
        self, device: Device, reason: str, detail: str, ignored_s: float = 0.0
    ) -> PollFailed:
        return PollFailed(device.name, self._clock.steady_s(), reason, detail, ignored_s)


class RouterPoll:
    """Polls one router; remembers from poll to poll where its interfaces and facts are."""

    def __init__(
        self, transport: SnmpTransport, peer: Peer, clock: Clock, patience_s: float
    ) -> None:
        self._clock = clock
        self._limit_s = patience_s + peer.timeout_s * (1 + peer.retries)
        self._session = SnmpSession(transport, peer, patience_s)
        self._interfaces = InterfaceReader(self._session)
        self._facts = FactReader(self._session)
        self._object_id: Oid | None = None
        self._description: str | None = None
        self._last_uptime: tuple[int, float] | None = None
        self._lock = asyncio.Lock()

    async def poll(self, device: Device) -> DevicePoll:
        """Raises PollError when the router gives nothing usable."""
        async with self._lock:
            deadline_s = asyncio.get_running_loop().time() + self._limit_s
            names = [interface.name for interface in device.interfaces]
            readings = await self._read_counters(names, deadline_s)
            at_s = self._clock.steady_s()
            uptime = uptime_ticks(readings)
            self._last_uptime = None if uptime is None else (uptime, at_s)
            facts, sys_name = await self._read_facts(device, names, at_s, uptime, deadline_s)
            interfaces = self._interface_counters(names, readings)
            found = {interface.name for interface in interfaces}
            return DevicePoll(
                device=device.name,
                at_s=at_s,
                uptime_ticks=uptime,
                interfaces=interfaces,
                facts=facts,
                sys_name=sys_name,
                description=self._description,
                missing=tuple(name for name in names if name not in found),
            )

    async def _read_counters(self, names: Sequence[str], deadline_s: float) -> list[Reading]:
        """Read the interfaces' counters; once more if the first reading shows that they moved."""
        readings = await self._locate_and_read(names, deadline_s)
        rebooted = self._rebooted(uptime_ticks(readings))
        if rebooted:
            self._clear()
        if rebooted or self._interfaces.have_moved(names, readings):
            self._interfaces.clear()
            readings = await self._locate_and_read(names, deadline_s)
        without_64_bit = self._interfaces.switch_to_32_bit(names, readings)
        if without_64_bit:
            groups = self._interfaces.counter_groups(without_64_bit)
            readings += await self._session.get(_HEAD, groups, deadline_s)
        return readings

    async def _locate_and_read(self, names: Sequence[str], deadline_s: float) -> list[Reading]:
        await self._interfaces.locate(names, self._clock.steady_s(), deadline_s)
        return await self._session.get(_HEAD, self._interfaces.counter_groups(names), deadline_s)

    def _clear(self) -> None:
        self._object_id = None
        self._description = None
        self._interfaces.clear()
        self._facts.clear()

    def _rebooted(self, uptime: int | None) -> bool:
        if self._last_uptime is None or uptime is None:
            return False
        ticks, at_s = self._last_uptime
        return not uptime_continues(ticks, uptime, self._clock.steady_s() - at_s)

    async def _read_facts(
        self,
        device: Device,
        names: Sequence[str],
        at_s: float,
        uptime: int | None,
        deadline_s: float,
    ) -> tuple[DeviceSample, str | None]:
        """Facts, sysName and speeds; an error costs only these, the counters are kept."""
        facts: dict[str, float] = {}
        sys_name = None
        try:
            if self._object_id is None:
                system = _merged(await self._session.get((), [_SYSTEM], deadline_s))
                self._object_id = _object_id(system)
                self._description = await self._read_description(deadline_s)
            await self._facts.locate(self._object_id, at_s, deadline_s)
            attributes = self._interfaces.attribute_groups(names)
            groups = [_SYSTEM, *attributes, *self._facts.groups()]
            values = _merged(await self._session.get((), groups, deadline_s))
        except PollError as error:
            if error.reason == REFUSED:
                self._facts.suspend(at_s)
        else:
            sys_name = string_value(values.get(SYS_NAME))
            self._interfaces.update_attributes(names, values)
            facts = self._facts.read(values)
            if _object_id(values) != self._object_id:
                # Another router at this address: the next poll begins anew.
                self._clear()
        sample = DeviceSample(
            at_s=at_s,
            device=device.name,
            site=device.site,
            uptime_s=None if uptime is None else uptime / TICKS_A_SECOND,
            cpu=facts.get("cpu"),
            memory=facts.get("memory"),
            temperature_c=facts.get("temperature_c"),
            voltage_v=facts.get("voltage_v"),
        )
        return sample, sys_name

    async def _read_description(self, deadline_s: float) -> str | None:
        """sysDescr, in a message of its own: it may be too long for any response."""
        try:
            values = _merged(await self._session.get((), [_DESCRIPTION], deadline_s))
        except PollError:
            return None
        return string_value(values.get(SYS_DESCR))

    def _interface_counters(
        self, names: Sequence[str], readings: Sequence[Reading]
    ) -> tuple[InterfaceCounters, ...]:
        located = self._interfaces.located(names)
        counters = (self._interfaces.counters(name, readings) for name in located)
        return tuple(one for one in counters if one is not None)


def _access(device: Device, secrets: Mapping[str, str]) -> _Access | _Unusable:
    text = secrets.get(device.credential)
    if text is None:
        return _Unusable("no-secret", f"there is no secret named {device.credential}")
    try:
        secret = parse_v3(text) if device.version == "3" else parse_community(text)
    except ConfigError as error:
        return _Unusable("bad-secret", f"{device.credential}: {error}")
    try:
        address_family(device.address)
    except ValueError:
        return _Unusable("bad-address", f"{device.address} is not an IP address")
    return _Access(device.address, device.port, secret, device.timeout_s, device.retries)


def _object_id(values: Reading) -> Oid:
    return oid_value(values.get(SYS_OBJECT_ID)) or ()


def _merged(readings: Sequence[Reading]) -> Reading:
    return {oid: value for reading in readings for oid, value in reading.items()}
