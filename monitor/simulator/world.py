"""The configured network as it is simulated: names, addresses, and who is behind whom."""

from __future__ import annotations

import difflib
import ipaddress
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from monitor.core.errors import SimulatorError
from monitor.core.model import Device, Link, Network, TargetRole

EVERYTHING = ("all", "uplink")
"""Names that mean every target, the anchors too."""


@dataclass(frozen=True, slots=True)
class Place:
    """One address that answers.

    kind: fibre, radio, lte, vsat, node or anchor.
    parents: node ids; it is behind a node that is down when all of them are down or cut off.
    follows: of a router's own address that is no target: the targets that carry it; it falls
    silent when all of them are.
    """

    name: str
    address: str
    kind: str
    parents: tuple[str, ...] = ()
    follows: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SimulatedNetwork:
    """Every place by name, the names that a scenario may use, and the routers."""

    places: Mapping[str, Place]
    sites: Mapping[str, tuple[str, ...]]
    nodes: frozenset[str]
    devices: tuple[Device, ...]
    links: Mapping[str, Link]

    def select(self, where: str) -> tuple[str, ...]:
        """The places that a name means: a target, a node's id, a site's id, "all" or "uplink".

        Raises SimulatorError that names the nearest known name.
        """
        if where in self.places:
            return (where,)
        if where in self.sites:
            return self.sites[where]
        if where in EVERYTHING:
            return tuple(self.places)
        known = [*self.places, *self.sites, *EVERYTHING]
        near = difflib.get_close_matches(where, known, n=1, cutoff=0.5)
        hint = f"did you mean {near[0]!r}?" if near else "use site/link, a site's or a node's id"
        raise SimulatorError(f"no target, site or node is called {where!r}: {hint}")

    def behind(self, down: Iterable[str], standing: Iterable[str] = ()) -> frozenset[str]:
        """These nodes and every place whose every way leads through one of them.

        standing: places that stay, whatever is down, and with them what hangs on them.
        """
        kept = set(standing)
        cut = set(down) - kept
        grown = True
        while grown:
            fallen = {
                place.name
                for place in self.places.values()
                if place.name not in cut | kept and place.parents and cut.issuperset(place.parents)
            }
            cut |= fallen
            grown = bool(fallen)
        return frozenset(cut)

    def device_of(self, name: str) -> Device | None:
        """The router of a site or node (or of the site that a target belongs to)."""
        owner = self.links[name].site if name in self.links else name
        return next((device for device in self.devices if device.name == owner), None)

    def upstream_of(self, name: str) -> str:
        """Address of the router before a place: who would send an ICMP error about it."""
        parents = self.places[name].parents
        if parents:
            return self.places[parents[0]].address
        nodes = [self.places[node] for node in self.places if node in self.nodes and node != name]
        return (nodes[0] if nodes else self.places[name]).address


def build_world(network: Network) -> SimulatedNetwork:
    """The simulated side of a configuration.

    Raises SimulatorError when two places have one address: nothing could tell them apart.
    """
    links = {link.name: link for link in network.links()}
    sites = {site.id: tuple(link.name for link in site.links) for site in network.sites}
    places: dict[str, Place] = {}
    for target in network.targets():
        kind = links[target.name].kind if target.role is TargetRole.LINK else target.role.value
        places[target.name] = Place(target.name, _plain(target.address), kind, target.parents)
    taken = {place.address: place.name for place in places.values()}
    if len(taken) < len(places):
        twice = next(p for p in places.values() if taken[p.address] != p.name)
        raise SimulatorError(
            f"{twice.name} and {taken[twice.address]} have one address, {twice.address}: "
            "give each its own"
        )
    devices = all_devices(network)
    for device in devices:
        address = _plain(device.address)
        if address not in taken:
            name = f"router:{device.name}"
            places[name] = Place(name, address, "node", (), sites.get(device.name, (device.name,)))
            taken[address] = name
    nodes = frozenset(node.id for node in network.nodes)
    return SimulatedNetwork(places, sites, nodes, devices, links)


def all_devices(network: Network) -> tuple[Device, ...]:
    """All routers once: those of the network and those that only their site knows."""
    found = {device.name: device for device in network.devices}
    for site in network.sites:
        if site.device is not None:
            found.setdefault(site.device.name, site.device)
    return tuple(found.values())


def _plain(address: str) -> str:
    try:
        return str(ipaddress.ip_address(address))
    except ValueError as error:
        raise SimulatorError(f"{address!r} is not an IP address: write it as 10.77.0.1") from error
