"""The configured network as it is simulated: addresses, names, parents and routers."""

from __future__ import annotations

import difflib
import ipaddress
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass

from monitor.core.errors import SimulatorError
from monitor.core.model import Device, Link, Network, TargetRole

MOST_HOPS = 64

ALL_TARGETS = ("all", "uplink")
"""Names that select every target, anchors included."""


@dataclass(frozen=True, slots=True)
class SimulatedAddress:
    """One address that replies.

    kind: fibre, radio, lte, vsat, node or anchor.
    parents: node ids; the address is unreachable when all of them are down or unreachable.
    depends_on: for a router's own address that is no target: the targets that carry it; it is
    silent when all of them are.
    """

    name: str
    address: str
    kind: str
    parents: tuple[str, ...] = ()
    depends_on: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SimulatedNetwork:
    """Every address by name, the names that a scenario may use, and the routers."""

    addresses: Mapping[str, SimulatedAddress]
    sites: Mapping[str, tuple[str, ...]]
    nodes: frozenset[str]
    devices: tuple[Device, ...]
    links: Mapping[str, Link]

    def select(self, where: str) -> tuple[str, ...]:
        """The addresses that a name selects: a target, a node's or site's id, "all" or "uplink".

        Raises SimulatorError that names the nearest known name.
        """
        if where in self.addresses:
            return (where,)
        if where in self.sites:
            return self.sites[where]
        if where in ALL_TARGETS:
            return tuple(self.addresses)
        known = [*self.addresses, *self.sites, *ALL_TARGETS]
        near = difflib.get_close_matches(where, known, n=1, cutoff=0.5)
        hint = f"did you mean {near[0]!r}?" if near else "use site/link, a site's or a node's id"
        raise SimulatorError(f"no target, site or node is called {where!r}: {hint}")

    def behind(self, down: Iterable[str], standing: Iterable[str] = ()) -> frozenset[str]:
        """These nodes and every address that is reachable only through them.

        standing: addresses that stay reachable in any case, and with them what is behind them.
        """
        excluded = set(standing)
        cut = set(down) - excluded
        changed = True
        while changed:
            unreachable = {
                each.name
                for each in self.addresses.values()
                if each.name not in cut | excluded and each.parents and cut.issuperset(each.parents)
            }
            cut |= unreachable
            changed = bool(unreachable)
        return frozenset(cut)

    def path_to(
        self, name: str, cut: Container[str] = (), rerouted: Container[str] = ()
    ) -> tuple[str, ...]:
        """The nodes on the way to an address, from the monitor on.

        Of two parents the first that is not `cut` is used; for `rerouted` names the last one.
        """
        path: list[str] = []
        current = name
        while len(path) < MOST_HOPS:
            parents = self.addresses[current].parents
            if current in rerouted:
                parents = tuple(reversed(parents))
            standing = [parent for parent in parents if parent not in cut]
            following = next(iter(standing or parents), None)
            if following is None:
                break
            path.append(following)
            current = following
        return tuple(reversed(path))

    def device_of(self, name: str) -> Device | None:
        """The router of a site or node (or of the site that a target belongs to)."""
        owner = self.links[name].site if name in self.links else name
        return next((device for device in self.devices if device.name == owner), None)

    def upstream_of(self, name: str) -> str:
        """Address of the router before this one, which would send an ICMP error about it."""
        parents = self.addresses[name].parents
        if parents:
            return self.addresses[parents[0]].address
        nodes = [
            self.addresses[node] for node in self.addresses if node in self.nodes and node != name
        ]
        return (nodes[0] if nodes else self.addresses[name]).address


def simulate_network(network: Network) -> SimulatedNetwork:
    """Build the simulated network of a configuration.

    Raises SimulatorError when two targets have the same address.
    """
    links = {link.name: link for link in network.links()}
    sites = {site.id: tuple(link.name for link in site.links) for site in network.sites}
    addresses: dict[str, SimulatedAddress] = {}
    for target in network.targets():
        kind = links[target.name].kind if target.role is TargetRole.LINK else target.role.value
        addresses[target.name] = SimulatedAddress(
            target.name, _plain(target.address), kind, target.parents
        )
    taken = {each.address: each.name for each in addresses.values()}
    if len(taken) < len(addresses):
        twice = next(each for each in addresses.values() if taken[each.address] != each.name)
        raise SimulatorError(
            f"{twice.name} and {taken[twice.address]} have one address, {twice.address}: "
            "give each its own"
        )
    devices = all_devices(network)
    for device in devices:
        address = _plain(device.address)
        if address not in taken:
            name = f"router:{device.name}"
            addresses[name] = SimulatedAddress(
                name, address, "node", (), sites.get(device.name, (device.name,))
            )
            taken[address] = name
    nodes = frozenset(node.id for node in network.nodes)
    return SimulatedNetwork(addresses, sites, nodes, devices, links)


def all_devices(network: Network) -> tuple[Device, ...]:
    """All routers: those of the network and those configured only at their site."""
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
