"""[snmp] sections → the routers that are polled."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from monitor.core.model import Device, Interface, Link
from monitor.settings.schema.common import SnmpKeys, SnmpSection
from monitor.settings.schema.network import NodeTable

N = TypeVar("N", int, float)

_BPS_A_MBPS = 1e6


def site_device(
    site: str, section: SnmpSection, general: SnmpKeys, links: tuple[Link, ...]
) -> Device:
    """A site's router. Without an address of its own it has that of the site's first link."""
    by_id = {link.id: link for link in links}
    interfaces = tuple(
        _interface(table.name, by_id.get(table.link or ""), table.capacity_mbps)
        for table in section.interfaces
    )
    address = section.address or links[0].address
    return _device(site, address, section, general, interfaces, site=site)


def node_device(node: NodeTable, general: SnmpKeys, links: Iterable[Link]) -> Device | None:
    """A node's router, None when it is not polled. Its ports name links in full: site/link."""
    section = node.snmp
    if section is None:
        return None
    by_name = {link.name: link for link in links}
    interfaces = tuple(
        _interface(table.name, by_name.get(table.link or ""), table.capacity_mbps)
        for table in section.interfaces
    )
    address = section.address or node.address
    return _device(node.id, address, section, general, interfaces, site=None)


def _interface(name: str, link: Link | None, own_mbps: float | None) -> Interface:
    """A port's own capacity wins over that of its link."""
    of_link = link.capacity_mbps if link is not None else None
    mbps = own_mbps if own_mbps is not None else of_link
    return Interface(
        name=name,
        link=link.name if link is not None else None,
        capacity_bps=mbps * _BPS_A_MBPS if mbps is not None else None,
    )


def _device(
    name: str,
    address: str,
    section: SnmpSection,
    general: SnmpKeys,
    interfaces: tuple[Interface, ...],
    *,
    site: str | None,
) -> Device:
    """The section's own keys, else those of [snmp] in monitor.toml, else the defaults."""
    return Device(
        name=name,
        address=address,
        version=section.version,
        credential=section.credential,
        interfaces=interfaces,
        interval_s=_first(section.interval_s, general.interval_s, 60.0),
        timeout_s=_first(section.timeout_s, general.timeout_s, 2.0),
        retries=_first(section.retries, general.retries, 1),
        port=_first(section.port, general.port, 161),
        site=site,
    )


def _first(own: N | None, general: N | None, otherwise: N) -> N:
    if own is not None:
        return own
    return general if general is not None else otherwise
