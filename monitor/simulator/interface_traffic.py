"""Interfaces of a router: a weekly traffic profile and the counters derived from it."""

from __future__ import annotations

import math
import random
from bisect import bisect_right
from dataclasses import dataclass
from itertools import accumulate, pairwise

from monitor.core.model import Device, Interface
from monitor.simulator.network import SimulatedNetwork

WIB_S = 7 * 3600
"""West Indonesia Time is UTC+7, without summer time."""


WEEK_S = 7 * 86_400
_FIRST_MONDAY_S = 4 * 86_400 - WIB_S  # Monday 1970-01-05 00:00 WIB, in Unix time
_POINT_S = 900
_POINTS = WEEK_S // _POINT_S
_NOISE = 0.25
_RIPPLE = 0.4
_OFFICE_DAY = (
    (0.0, 0.05),
    (5.0, 0.05),
    (6.5, 0.12),
    (8.0, 0.70),
    (9.5, 1.00),
    (11.5, 0.92),
    (12.5, 0.55),
    (13.5, 0.88),
    (15.0, 0.78),
    (16.5, 0.35),
    (18.0, 0.18),
    (21.0, 0.14),
    (24.0, 0.05),
)
"""(hour in WIB, share of the busiest hour), with a lunch break and the end of work at 16:00."""


_WEEKEND = 0.3


@dataclass(frozen=True, slots=True)
class TrafficProfile:
    """Traffic of one direction of one interface. Times are Unix seconds, rates bits per second.

    points: the rate at each 15 minutes of a WIB week, from Monday 00:00, the first repeated at the
    end. bits: cumulative bits since Monday at each point, without the ripple.
    """

    points: tuple[float, ...]
    bits: tuple[float, ...]
    ripple_bps: float
    ripple_period_s: float

    @property
    def peak_bps(self) -> float:
        """Upper limit of the rate."""
        return max(self.points) + self.ripple_bps

    def rate_bps(self, at_s: float) -> float:
        """The rate at a time."""
        _, second = _week(at_s)
        point, part = divmod(second, _POINT_S)
        low, high = self.points[int(point)], self.points[int(point) + 1]
        curve = low + (high - low) * part / _POINT_S
        return curve + self.ripple_bps * math.sin(math.tau * second / self.ripple_period_s)

    def bits_between(self, start_s: float, end_s: float) -> float:
        """The integral of `rate_bps` from start to end."""
        first, second_a = _week(start_s)
        last, second_b = _week(end_s)
        # Whole weeks since the first one only, so that the float keeps single bits.
        weeks = (last - first) * self._since_monday(WEEK_S)
        return weeks + self._since_monday(second_b) - self._since_monday(second_a)

    def _since_monday(self, second: float) -> float:
        point = min(int(second // _POINT_S), _POINTS - 1)
        part = second - point * _POINT_S
        low, high = self.points[point], self.points[point + 1]
        curve = self.bits[point] + low * part + (high - low) * part * part / (2 * _POINT_S)
        turn = math.tau / self.ripple_period_s
        return curve + self.ripple_bps / turn * (1.0 - math.cos(turn * second))


def simulated_traffic(name: str, busiest_bps: float, seed: int) -> TrafficProfile:
    """Traffic of one direction of one interface, deterministic in name and seed.

    busiest_bps: approximate rate of the busiest hour; the maximum is 1.5 times it.
    """
    rng = random.Random(f"{seed}:traffic:{name}")  # noqa: S311 - simulated traffic, no secret
    rates = [
        busiest_bps * _share(point * _POINT_S) * (1.0 + rng.uniform(-_NOISE, _NOISE))
        for point in range(_POINTS)
    ]
    points = (*rates, rates[0])
    areas = [(low + high) / 2 * _POINT_S for low, high in pairwise(points)]
    # A whole number of ripples a week, so that the curve is periodic.
    period = WEEK_S / rng.randrange(WEEK_S // 170, WEEK_S // 90)
    return TrafficProfile(
        points=points,
        bits=tuple(accumulate(areas, initial=0.0)),
        ripple_bps=_RIPPLE * min(points),
        ripple_period_s=period,
    )


def _week(at_s: float) -> tuple[int, float]:
    """Number of the week since 1970, and the second in it, in WIB."""
    week, second = divmod(at_s - _FIRST_MONDAY_S, WEEK_S)
    return int(week), second


def _share(second: float) -> float:
    day, in_day = divmod(second, 86_400)
    hour = in_day / 3600
    right = bisect_right(_OFFICE_DAY, hour, key=lambda point: point[0])
    (hour_a, low), (hour_b, high) = _OFFICE_DAY[right - 1], _OFFICE_DAY[right]
    share = low + (high - low) * (hour - hour_a) / (hour_b - hour_a)
    return share * (_WEEKEND if day >= 5 else 1.0)


_USUAL_MBPS = {"fibre": 100.0, "radio": 50.0, "lte": 20.0, "vsat": 4.0}
_OTHER_MBPS = 1000.0
_PACKET_BITS = 8 * 800
_PACKETS_PER_ERROR = 4_000_000
_PACKETS_PER_DISCARD = 250_000
_END = 1 << 64  # of a 64-bit counter, and at the same moment of its low half


@dataclass(slots=True)
class TrafficCounter:
    """One direction of an interface since the router started. traffic: None: no traffic.

    offset: octets added to the counter.
    """

    traffic: TrafficProfile | None
    idle_bits: float = 0.0
    offset: int = 0

    def bits(self, start_s: float, end_s: float) -> float:
        """Bits from start to end if the interface were always up."""
        return 0.0 if self.traffic is None else self.traffic.bits_between(start_s, end_s)


class SimulatedPort:
    """An interface. Counters stop while its link is cut, and restart at 0 with its router.

    name: ifName. link: full name of the link that it carries, if any.
    speed_bps: interface speed; the link's capacity may be lower.
    Times are seconds on the simulator's clock (Unix time at its start, never stepped).
    """

    def __init__(
        self,
        name: str,
        link: str | None,
        speed_bps: float,
        inbound: TrafficProfile | None,
        outbound: TrafficProfile | None,
        started_s: float,
    ) -> None:
        self.name = name
        self.link = link
        self.speed_bps = speed_bps
        self._inbound = TrafficCounter(inbound)
        self._outbound = TrafficCounter(outbound)
        self._started_s = started_s
        self._idle_since_s: float | None = None

    @property
    def up(self) -> bool:
        """ifOperStatus."""
        return self._idle_since_s is None

    def stop(self, now_s: float) -> None:
        """Stop the counters: the link is cut."""
        if self._idle_since_s is None:
            self._idle_since_s = now_s

    def resume(self, now_s: float) -> None:
        """Resume the counters."""
        if self._idle_since_s is not None:
            for flow in (self._inbound, self._outbound):
                flow.idle_bits += flow.bits(self._idle_since_s, now_s)
            self._idle_since_s = None

    def restart(self, now_s: float) -> None:
        """Reset every counter to 0."""
        self._started_s = now_s
        for flow in (self._inbound, self._outbound):
            flow.idle_bits = 0.0
            flow.offset = 0
        if self._idle_since_s is not None:
            self._idle_since_s = now_s

    def wrap(self, now_s: float, after_s: float) -> None:
        """Move the octet counters so that both wrap after `after_s` seconds."""
        for flow in (self._inbound, self._outbound):
            flow.offset = _END - int(self._bits(flow, now_s + after_s) / 8)

    def in_octets(self, now_s: float) -> int:
        """Octets received since the counters began, not wrapped."""
        return int(self._bits(self._inbound, now_s) / 8) + self._inbound.offset

    def out_octets(self, now_s: float) -> int:
        """Octets sent since the counters began, not wrapped."""
        return int(self._bits(self._outbound, now_s) / 8) + self._outbound.offset

    def in_errors(self, now_s: float) -> int:
        """Receive errors: one in some millions of packets."""
        return int(self._bits(self._inbound, now_s) / _PACKET_BITS / _PACKETS_PER_ERROR)

    def out_discards(self, now_s: float) -> int:
        """Discarded packets of a full queue."""
        return int(self._bits(self._outbound, now_s) / _PACKET_BITS / _PACKETS_PER_DISCARD)

    def in_bps(self, now_s: float) -> float:
        """Current inbound rate, bits per second."""
        flow = self._inbound.traffic
        return flow.rate_bps(now_s) if flow is not None and self.up else 0.0

    def _bits(self, flow: TrafficCounter, now_s: float) -> float:
        until_s = now_s if self._idle_since_s is None else self._idle_since_s
        return max(flow.bits(self._started_s, until_s) - flow.idle_bits, 0.0)


@dataclass(frozen=True, slots=True)
class PortTraffic:
    """Traffic of an interface while its link is up. capacity_bps: of its link."""

    inbound: TrafficProfile
    outbound: TrafficProfile
    capacity_bps: float


def port_traffic(
    device: Device, interface: Interface, net: SimulatedNetwork, seed: int
) -> PortTraffic:
    """Deterministic in names and seed; a site's first link carries nearly all traffic."""
    link = net.links.get(interface.link) if interface.link else None
    if interface.capacity_bps:
        capacity_bps = interface.capacity_bps
    elif link is not None:
        capacity_bps = 1e6 * (link.capacity_mbps or _USUAL_MBPS.get(link.kind, _OTHER_MBPS))
    else:
        capacity_bps = 1e6 * _OTHER_MBPS
    name = f"{device.name}:{interface.name}"
    rng = random.Random(f"{seed}:port:{name}")  # noqa: S311 - simulated traffic, no secret
    spare = link is not None and net.sites[link.site][0] != link.name
    share = rng.uniform(0.02, 0.05) if spare else rng.uniform(0.35, 0.7)
    return PortTraffic(
        inbound=simulated_traffic(f"{name}:in", capacity_bps * share, seed),
        outbound=simulated_traffic(f"{name}:out", capacity_bps * share * 0.3, seed),
        capacity_bps=capacity_bps,
    )


def simulated_port(
    device: Device, interface: Interface, net: SimulatedNetwork, started_s: float, seed: int
) -> SimulatedPort:
    """A configured interface with its traffic; the router started at `started_s`."""
    traffic = port_traffic(device, interface, net, seed)
    capacity_bps = traffic.capacity_bps
    return SimulatedPort(
        name=interface.name,
        link=interface.link,
        speed_bps=1e8 if capacity_bps <= 1e8 else max(1e9, capacity_bps),
        inbound=traffic.inbound,
        outbound=traffic.outbound,
        started_s=started_s,
    )
