"""A poller without a network, over routers in memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from monitor.core.model import Device
from monitor.core.ports import Clock, Commit
from monitor.core.samples.samples import DeviceSample
from monitor.core.samples.snmp_poll import DevicePoll, InterfaceCounters, PollFailed
from tests.fakes.snmp_agent.fake_router import FakeInterface, FakeRouter


class FakePoller:
    """`Poller` for tests. routers: those that answer, by device name.

    A registered device without a router times out; `failing` sets another reason by name.
    polled: the names of the devices, in the order of their polls.
    """

    def __init__(self, clock: Clock, routers: Mapping[str, FakeRouter] | None = None) -> None:
        self.routers: dict[str, FakeRouter] = dict(routers or {})
        self.failing: dict[str, str] = {}
        self.polled: list[str] = []
        self.closed = False
        self.ignored_s = 0.0
        self._clock = clock
        self._devices: dict[str, Device] = {}
        self._secrets: dict[str, str] = {}

    async def open(self, devices: Sequence[Device], secrets: Mapping[str, str]) -> None:
        (await self.prepare(devices, secrets))()

    async def prepare(self, devices: Sequence[Device], secrets: Mapping[str, str]) -> Commit:
        def commit() -> None:
            self._devices = {device.name: device for device in devices}
            self._secrets = dict(secrets)

        return commit

    def silence(self, name: str) -> None:
        """Let the router answer no more."""
        self.failing[name] = "timeout"

    async def poll(self, device: Device) -> DevicePoll | PollFailed:
        self.polled.append(device.name)
        at_s = self._clock.steady_s()
        if device.name not in self._devices:
            return PollFailed(device.name, at_s, "not-registered")
        if device.credential not in self._secrets:
            return PollFailed(device.name, at_s, "no-secret")
        router = self.routers.get(device.name)
        reason = self.failing.get(device.name, None if router else "timeout")
        if reason is not None or router is None:
            return PollFailed(device.name, at_s, reason or "timeout", ignored_s=self.ignored_s)
        ticks = router.uptime_ticks % 2**32
        names = [interface.name for interface in device.interfaces]
        ports = {port.name: port for port in router.interfaces}
        return DevicePoll(
            device=device.name,
            at_s=at_s,
            uptime_ticks=ticks,
            interfaces=tuple(_counters(ports[name], ticks) for name in names if name in ports),
            facts=DeviceSample(at_s, device.name, device.site, uptime_s=ticks / 100),
            sys_name=router.name,
            description=router.description,
            missing=tuple(name for name in names if name not in ports),
        )

    async def close(self) -> None:
        self.closed = True
        self._devices = {}


def _counters(port: FakeInterface, ticks: int) -> InterfaceCounters:
    octets = 2**64 if port.wide else 2**32
    speed_known = port.speed_mbps not in (0, 2**32 - 1)
    return InterfaceCounters(
        name=port.name,
        index=port.index,
        in_octets=port.in_octets % octets,
        out_octets=port.out_octets % octets,
        high_capacity=port.wide,
        in_errors=port.in_errors % 2**32,
        out_errors=port.out_errors % 2**32,
        in_discards=port.in_discards % 2**32,
        out_discards=port.out_discards % 2**32,
        oper=port.oper,
        speed_bps=port.speed_mbps * 1_000_000 if speed_known else None,
        discontinuity=port.discontinuity,
        alias=port.alias or None,
        uptime_ticks=ticks,
    )
