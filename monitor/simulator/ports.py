"""One port of a router: what its counters have counted by a given moment."""

from __future__ import annotations

import random
from dataclasses import dataclass

from monitor.core.model import Device, Interface
from monitor.simulator.traffic import Traffic, made_up_traffic
from monitor.simulator.world import SimulatedNetwork

_USUAL_MBPS = {"fibre": 100.0, "radio": 50.0, "lte": 20.0, "vsat": 4.0}
_OTHER_MBPS = 1000.0

_PACKET_BITS = 8 * 800
_PACKETS_PER_ERROR = 4_000_000
_PACKETS_PER_DISCARD = 250_000
_END = 1 << 64  # of a 64-bit counter, and at the same moment of its low half


@dataclass(slots=True)
class Flow:
    """One direction of a port since the router started. traffic: None where nothing ever flows.

    ahead: octets that its counter shows besides.
    """

    traffic: Traffic | None
    idle_bits: float = 0.0
    ahead: int = 0

    def bits(self, start_s: float, end_s: float) -> float:
        """What would have flowed from start to end had the port never been down."""
        return 0.0 if self.traffic is None else self.traffic.bits_between(start_s, end_s)


class Port:
    """A port. It stands still while its link is cut, and starts from 0 with its router.

    name: ifName. link: full name of the link that runs over it, None: none does.
    speed_bps: the port's own speed, of which the link may use less.
    Times are seconds on the simulator's timeline (Unix time at its start, never stepped).
    """

    def __init__(
        self,
        name: str,
        link: str | None,
        speed_bps: float,
        inbound: Traffic | None,
        outbound: Traffic | None,
        started_s: float,
    ) -> None:
        self.name = name
        self.link = link
        self.speed_bps = speed_bps
        self._inbound = Flow(inbound)
        self._outbound = Flow(outbound)
        self._started_s = started_s
        self._idle_since_s: float | None = None

    @property
    def up(self) -> bool:
        """ifOperStatus."""
        return self._idle_since_s is None

    def stop(self, now_s: float) -> None:
        """Its link is cut: the counters stand still from now on."""
        if self._idle_since_s is None:
            self._idle_since_s = now_s

    def resume(self, now_s: float) -> None:
        """Its link is back."""
        if self._idle_since_s is not None:
            for flow in (self._inbound, self._outbound):
                flow.idle_bits += flow.bits(self._idle_since_s, now_s)
            self._idle_since_s = None

    def restart(self, now_s: float) -> None:
        """Every counter is 0, because the router starts anew or for another reason."""
        self._started_s = now_s
        for flow in (self._inbound, self._outbound):
            flow.idle_bits = 0.0
            flow.ahead = 0
        if self._idle_since_s is not None:
            self._idle_since_s = now_s

    def wrap(self, now_s: float, after_s: float) -> None:
        """The octet counters jump, so that both reach their end so many seconds from now."""
        for flow in (self._inbound, self._outbound):
            flow.ahead = _END - int(self._bits(flow, now_s + after_s) / 8)

    def in_octets(self, now_s: float) -> int:
        """Octets received since the counters began, not wrapped."""
        return int(self._bits(self._inbound, now_s) / 8) + self._inbound.ahead

    def out_octets(self, now_s: float) -> int:
        """Octets sent since the counters began, not wrapped."""
        return int(self._bits(self._outbound, now_s) / 8) + self._outbound.ahead

    def in_errors(self, now_s: float) -> int:
        """A cable is never perfect: an error in some millions of packets."""
        return int(self._bits(self._inbound, now_s) / _PACKET_BITS / _PACKETS_PER_ERROR)

    def out_discards(self, now_s: float) -> int:
        """A queue is full now and then."""
        return int(self._bits(self._outbound, now_s) / _PACKET_BITS / _PACKETS_PER_DISCARD)

    def in_bps(self, now_s: float) -> float:
        """What flows in now, bits a second."""
        flow = self._inbound.traffic
        return flow.rate_bps(now_s) if flow is not None and self.up else 0.0

    def _bits(self, flow: Flow, now_s: float) -> float:
        until_s = now_s if self._idle_since_s is None else self._idle_since_s
        return max(flow.bits(self._started_s, until_s) - flow.idle_bits, 0.0)


@dataclass(frozen=True, slots=True)
class PortTraffic:
    """What flows through a port while its link is not cut. capacity_bps: of its link."""

    inbound: Traffic
    outbound: Traffic
    capacity_bps: float


def port_traffic(
    device: Device, interface: Interface, world: SimulatedNetwork, seed: int
) -> PortTraffic:
    """The same for the same names and seed; a site's first link carries nearly everything."""
    link = world.links.get(interface.link) if interface.link else None
    if interface.capacity_bps:
        capacity_bps = interface.capacity_bps
    elif link is not None:
        capacity_bps = 1e6 * (link.capacity_mbps or _USUAL_MBPS.get(link.kind, _OTHER_MBPS))
    else:
        capacity_bps = 1e6 * _OTHER_MBPS
    name = f"{device.name}:{interface.name}"
    dice = random.Random(f"{seed}:port:{name}")  # noqa: S311 - made-up traffic, no secret
    spare = link is not None and world.sites[link.site][0] != link.name
    share = dice.uniform(0.02, 0.05) if spare else dice.uniform(0.35, 0.7)
    return PortTraffic(
        inbound=made_up_traffic(f"{name}:in", capacity_bps * share, seed),
        outbound=made_up_traffic(f"{name}:out", capacity_bps * share * 0.3, seed),
        capacity_bps=capacity_bps,
    )


def made_up_port(
    device: Device, interface: Interface, world: SimulatedNetwork, started_s: float, seed: int
) -> Port:
    """A configured port with its traffic; its router started at `started_s`."""
    traffic = port_traffic(device, interface, world, seed)
    capacity_bps = traffic.capacity_bps
    return Port(
        name=interface.name,
        link=interface.link,
        speed_bps=1e8 if capacity_bps <= 1e8 else max(1e9, capacity_bps),
        inbound=traffic.inbound,
        outbound=traffic.outbound,
        started_s=started_s,
    )
