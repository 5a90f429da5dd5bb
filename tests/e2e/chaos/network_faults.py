"""Faults of the simulated network, and what the daemon may and must say about each."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field

from monitor.core.model import Incident, Network, State
from monitor.simulator.control import Control

MONITOR = "monitor"
LOOKS = frozenset({State.DOWN, State.DEGRADED})


@dataclass(frozen=True, slots=True)
class NetworkFault:
    """One fault.

    must: targets of which one incident each must be told. may: targets of which there may be
    incidents. states: what these may say.
    least_s: how long it must last before the daemon can be expected to know.
    """

    name: str
    begin: Callable[[Control], object]
    must: frozenset[str] = frozenset()
    may: frozenset[str] = frozenset()
    states: frozenset[State] = frozenset({State.DOWN})
    least_s: float = 0.0
    details: str = field(default="")

    def explains(self, incident: Incident) -> bool:
        """Whether this fault is the truth behind an incident."""
        if incident.target == MONITOR:
            return MONITOR in self.must | self.may
        return incident.target in self.must | self.may and incident.state in self.states


NONE = NetworkFault("none", lambda _control: None)


def random_fault(rng: random.Random, network: Network) -> NetworkFault:
    """Draw a fault of the network."""
    return rng.choice(_KINDS)(rng, network)


def _cut(rng: random.Random, network: Network) -> NetworkFault:
    link = rng.choice(list(network.links())).name
    return NetworkFault(f"cut {link}", lambda control: control.cut(link), frozenset({link}))


def _unreachable(rng: random.Random, network: Network) -> NetworkFault:
    link = rng.choice(list(network.links())).name
    return NetworkFault(
        f"unreachable {link}", lambda control: control.unreachable(link), frozenset({link})
    )


def _pop_down(rng: random.Random, network: Network) -> NetworkFault:
    parents = {parent for node in network.nodes for parent in node.parents}
    node = rng.choice([node.id for node in network.nodes if node.parents])
    behind = {link.name for link in network.links() if node in link.via}
    behind |= {child.id for child in network.nodes if node in child.parents}
    if node in parents:
        behind |= {link.name for link in network.links() if behind & set(link.via)}
    return NetworkFault(
        f"pop-down {node}",
        lambda control: control.pop_down(node),
        frozenset({node}),
        frozenset(behind),
    )


def _uplink_cut(_rng: random.Random, _network: Network) -> NetworkFault:
    return NetworkFault("uplink-cut", lambda control: control.uplink_cut(), frozenset({MONITOR}))


def _no_route(_rng: random.Random, _network: Network) -> NetworkFault:
    return NetworkFault("no-route", lambda control: control.no_route(), frozenset({MONITOR}))


def _reboot(rng: random.Random, network: Network) -> NetworkFault:
    site = rng.choice([site for site in network.sites if site.device is not None])
    links = frozenset(link.name for link in site.links)
    return NetworkFault(
        f"reboot {site.id}", lambda control: control.reboot(site.id, for_s=600.0), links
    )


def _flap(rng: random.Random, network: Network) -> NetworkFault:
    link = rng.choice(list(network.links())).name
    period_s, down_s = rng.choice([(40, 14), (30, 12), (60, 20)])
    return NetworkFault(
        f"flap {link} {down_s}/{period_s} s",
        lambda control: control.fault("flap", link, period=period_s, down=down_s),
        frozenset({link}),
        states=LOOKS,
    )


def _delay(rng: random.Random, network: Network) -> NetworkFault:
    link = rng.choice([link for link in network.links() if link.kind == "fibre"]).name
    return NetworkFault(
        f"delay {link} 150 ms",
        lambda control: control.delay(link, 150.0),
        frozenset({link}),
        states=LOOKS - {State.DOWN},
        least_s=60.0,
    )


def _loss(rng: random.Random, network: Network) -> NetworkFault:
    link = rng.choice([link for link in network.links() if link.kind == "fibre"]).name
    return NetworkFault(
        f"loss {link} 30 %",
        lambda control: control.loss(link, 30.0),
        frozenset({link}),
        states=LOOKS - {State.DOWN},
        least_s=60.0,
    )


def _two_cuts(rng: random.Random, network: Network) -> NetworkFault:
    one, two = rng.sample([link.name for link in network.links()], 2)

    def begin(control: Control) -> None:
        control.cut(one)
        control.cut(two)

    return NetworkFault(f"cut {one} and {two}", begin, frozenset({one, two}))


_KINDS: tuple[Callable[[random.Random, Network], NetworkFault], ...] = (
    *(_cut, _cut, _cut, _two_cuts, _unreachable, _pop_down, _pop_down, _uplink_cut, _no_route),
    *(_reboot, _flap, _delay, _loss),
)
