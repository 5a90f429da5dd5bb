"""The poller: every router registered beforehand, each asked when the schedule says so."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from monitor.adapters.snmp.community import CommunityWire
from monitor.adapters.snmp.exchange import Peer, PollCounters, SnmpExchange, family_of
from monitor.adapters.snmp.keys import MasterKeys, master_keys
from monitor.adapters.snmp.router import Router
from monitor.adapters.snmp.trouble import RouterTrouble
from monitor.adapters.snmp.usm import UsmWire
from monitor.adapters.snmp.wire import MessageCodec
from monitor.core.errors import ConfigError
from monitor.core.model import Device
from monitor.core.ports import Clock, Commit
from monitor.core.samples.snmp_poll import DevicePoll, PollFailed
from monitor.core.snmp_credentials import SnmpV3Credential, parse_community, parse_v3


@dataclass(frozen=True, slots=True)
class _Way:
    """How a router is reached; while it stays the same, what was learnt of it stays too."""

    address: str
    port: int
    secret: str | SnmpV3Credential
    timeout_s: float
    retries: int

    def __repr__(self) -> str:
        return f"_Way({self.address}:{self.port})"


@dataclass(frozen=True, slots=True)
class _Registered:
    """A router that can be asked."""

    way: _Way
    router: Router


@dataclass(frozen=True, slots=True)
class _Refused:
    """A router that cannot be asked, and why, in the words of a PollFailed."""

    reason: str
    detail: str


class SnmpPoller:
    """Polls routers by SNMP 2c and 3, all over one socket. Implements core.ports.Poller.

    clock: the steady time that polls bear, and that the routers' own clocks are kept by.
    patience_s: how long a walk may take, and a poll beside one question's time-outs; a
    satellite link needs some of it.
    """

    def __init__(self, clock: Clock, patience_s: float = 10.0) -> None:
        self._clock = clock
        self._patience_s = patience_s
        self._exchange = SnmpExchange()
        self._routers: dict[str, _Registered | _Refused] = {}

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
        ways = {device.name: _way(device, secrets) for device in devices}
        credentials = {
            way.secret
            for way in ways.values()
            if isinstance(way, _Way) and isinstance(way.secret, SnmpV3Credential)
        }
        # Hashing passwords is slow on purpose: it must not hold up the probes.
        keys = {
            credential: await asyncio.to_thread(master_keys, credential)
            for credential in credentials
        }
        routers: dict[str, _Registered | _Refused] = {}
        for name, way in ways.items():
            before = self._routers.get(name)
            if isinstance(way, _Refused):
                routers[name] = way
            elif isinstance(before, _Registered) and before.way == way:
                routers[name] = before
            else:
                routers[name] = self._registered(way, keys)

        def commit() -> None:
            self._routers = routers

        return commit

    async def poll(self, device: Device) -> DevicePoll | PollFailed:
        """Counters and facts of a registered router, or why there are none.

        Takes at most `patience_s` and one question's time-outs. reason: `timeout`, `auth`,
        `wrong-source`, `wrong-answer`, `malformed`, `refused`, `too-big`, `walk-too-long`,
        `not-sent`, `no-secret`, `bad-secret`, `bad-address`, `not-registered`, `closed`.
        """
        known = self._routers.get(device.name)
        if known is None:
            return self._failed(device, "not-registered", "open() was not told of this router")
        if isinstance(known, _Refused):
            return self._failed(device, known.reason, known.detail)
        try:
            return await known.router.poll(device)
        except RouterTrouble as trouble:
            return self._failed(device, trouble.reason, trouble.detail)

    async def close(self) -> None:
        """Give the sockets back; polls under way end as `closed`. May be called twice."""
        self._routers = {}
        self._exchange.close()

    def counters(self) -> PollCounters:
        """Everything odd that came in, since the start."""
        return self._exchange.counters()

    def _registered(self, way: _Way, keys: Mapping[SnmpV3Credential, MasterKeys]) -> _Registered:
        family = family_of(way.address)
        self._exchange.open(family)
        wire: MessageCodec
        if isinstance(way.secret, SnmpV3Credential):
            wire = UsmWire(keys[way.secret], self._clock.steady_s)
        else:
            wire = CommunityWire(way.secret)
        peer = Peer(family, (way.address, way.port), wire, way.timeout_s, way.retries)
        return _Registered(way, Router(self._exchange, peer, self._clock, self._patience_s))

    def _failed(self, device: Device, reason: str, detail: str) -> PollFailed:
        return PollFailed(device.name, self._clock.steady_s(), reason, detail)


def _way(device: Device, secrets: Mapping[str, str]) -> _Way | _Refused:
    text = secrets.get(device.credential)
    if text is None:
        return _Refused("no-secret", f"there is no secret named {device.credential}")
    try:
        secret = parse_v3(text) if device.version == "3" else parse_community(text)
    except ConfigError as error:
        return _Refused("bad-secret", f"{device.credential}: {error}")
    try:
        family_of(device.address)
    except ValueError:
        return _Refused("bad-address", f"{device.address} is not an IP address")
    return _Way(device.address, device.port, secret, device.timeout_s, device.retries)
