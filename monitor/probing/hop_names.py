"""The names that the configuration gives to addresses on a path."""

from __future__ import annotations

import ipaddress

from monitor.core.model import Network


def names_by_address(network: Network) -> dict[str, str]:
    """The name of each configured address; nodes win over links at the same one."""
    sites = {site.id: site.name for site in network.sites}
    found: dict[str, str] = {}
    for device in network.devices:
        found[plain_address(device.address)] = device.name
    for anchor in network.anchors:
        found[plain_address(anchor.address)] = anchor.name
    for link in network.links():
        found[plain_address(link.address)] = f"{sites.get(link.site, link.site)} · {link.id}"
    for node in network.nodes:
        found[plain_address(node.address)] = node.name
    return found


def plain_address(address: str) -> str:
    """As the kernel writes it: `fd77::1`, not `fd77:0::1`; without a zone."""
    try:
        return str(ipaddress.ip_address(address.partition("%")[0]))
    except ValueError:
        return address
