"""Build `Settings` from validated files: fill in defaults, full target names, coordinates."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar
from zoneinfo import ZoneInfo

from monitor.core.access import UserRole
from monitor.core.model import Device, Interface, Link, Network, Node, Site, Target, TargetRole
from monitor.core.paths.settings import TraceSettings
from monitor.settings.alert_settings_builder import build_alert_settings
from monitor.settings.availability_targets import availability_target
from monitor.settings.kecamatan import Kecamatan
from monitor.settings.model import (
    DashboardSettings,
    DiskSettings,
    InfluxSettings,
    JournalSettings,
    ProxySettings,
    Settings,
)
from monitor.settings.paths import resolve_data_dir
from monitor.settings.probe_rules import effective_rules, rule_layers
from monitor.settings.schema.alerts import AlertsFile
from monitor.settings.schema.common import SnmpKeys, SnmpSection
from monitor.settings.schema.maintenance import MaintenanceFile
from monitor.settings.schema.monitor import DashboardTable, InfluxTable, MonitorFile
from monitor.settings.schema.network import NetworkFile, NodeTable, SiteFile
from monitor.settings.toml_files import TomlFile

N = TypeVar("N", int, float)

_BPS_PER_MBPS = 1e6


@dataclass(frozen=True, slots=True)
class ValidatedFiles:
    """The validated files with their sources, sites in the order of their ids.

    reference: the known kecamatan, by their codes.
    """

    directory: Path
    monitor: tuple[TomlFile, MonitorFile]
    network: tuple[TomlFile | None, NetworkFile]
    sites: tuple[tuple[TomlFile, SiteFile], ...]
    reference: Mapping[str, Kecamatan]
    alerts: AlertsFile
    maintenance: MaintenanceFile


def build_settings(files: ValidatedFiles) -> Settings:
    """The complete settings. The files must have passed all cross checks."""
    _, monitor = files.monitor
    influxdb = monitor.storage.influxdb
    return Settings(
        organisation=monitor.monitor.organisation,
        timezone=ZoneInfo(monitor.monitor.timezone),
        data_dir=resolve_data_dir(files.directory, monitor.monitor.data_dir),
        config_dir=files.directory,
        network=_network(files),
        trace=TraceSettings(**monitor.trace.model_dump()),
        journal=JournalSettings(**monitor.storage.journal.model_dump()),
        disk=DiskSettings(**monitor.storage.disk.model_dump()),
        influxdb=None if influxdb is None else _influxdb(files.directory, influxdb),
        dashboard=_dashboard(monitor.dashboard),
        alerts=build_alert_settings(files.alerts, files.maintenance),
    )


def _influxdb(directory: Path, table: InfluxTable) -> InfluxSettings:
    ca_file = table.ca_file
    values = table.model_dump() | {
        "ca_file": None if ca_file is None else str(resolve_data_dir(directory, ca_file))
    }
    return InfluxSettings(**values)


def _dashboard(table: DashboardTable) -> DashboardSettings:
    proxy = table.proxy
    return DashboardSettings(
        host=table.host,
        port=table.port,
        prefix=table.prefix,
        trusted_proxies=tuple(table.trusted_proxies),
        user=table.user,
        series=table.series,
        proxy=None
        if proxy is None
        else ProxySettings(
            peers=tuple(proxy.peers),
            secret=proxy.secret,
            header=proxy.header,
            role=None if proxy.role == "none" else UserRole(proxy.role),
        ),
    )


def _network(files: ValidatedFiles) -> Network:
    monitor_source, monitor = files.monitor
    source, network = files.network
    anchor_rules = effective_rules(rule_layers(monitor_source, None))
    nodes = tuple(
        Node(
            id=table.id,
            name=table.name or table.id,
            address=table.address,
            rules=effective_rules(rule_layers(monitor_source, None, source, ("nodes", number))),
            parents=tuple(table.parent),
            lat=table.lat,
            lon=table.lon,
        )
        for number, table in enumerate(network.nodes)
    )
    sites = tuple(_site(files, *site) for site in files.sites)
    links = [link for site in sites for link in site.links]
    node_devices = [_node_device(table, monitor.snmp, links) for table in network.nodes]
    site_devices = [site.device for site in sites]
    return Network(
        sites=sites,
        nodes=nodes,
        anchors=tuple(
            Target(f"anchor:{address}", address, TargetRole.ANCHOR, anchor_rules)
            for address in network.anchors
        ),
        devices=tuple(device for device in node_devices + site_devices if device is not None),
    )


def _site(files: ValidatedFiles, source: TomlFile, table: SiteFile) -> Site:
    monitor_source, monitor = files.monitor
    links = tuple(
        Link(
            id=link.id,
            name=f"{table.id}/{link.id}",
            site=table.id,
            address=link.address,
            kind=link.kind,
            rules=effective_rules(
                rule_layers(monitor_source, link.kind, source, ("links", number))
            ),
            via=tuple(link.via),
            provider=link.provider,
            capacity_mbps=link.capacity_mbps,
            circuit=link.circuit,
            contact=link.contact,
            aim=availability_target(monitor.sla, link),
        )
        for number, link in enumerate(table.links)
    )
    kecamatan = files.reference.get(table.code)
    lat, lon = table.lat, table.lon
    if lat is None and kecamatan is not None:
        lat, lon = kecamatan.lat, kecamatan.lon
    return Site(
        id=table.id,
        name=table.name,
        code=table.code,
        links=links,
        lat=lat,
        lon=lon,
        device=_site_device(table, monitor.snmp, links),
    )


def _site_device(table: SiteFile, general: SnmpKeys, links: tuple[Link, ...]) -> Device | None:
    """A site's router, by default at the address of its first link. None if it is not polled."""
    section = table.snmp
    if section is None:
        return None
    interfaces = _interfaces(section, {link.id: link for link in links})
    address = section.address or links[0].address
    return _device(table.id, address, section, general, interfaces, site=table.id)


def _node_device(table: NodeTable, general: SnmpKeys, links: Iterable[Link]) -> Device | None:
    """A node's router, by default at the node's address. Its interfaces name links `site/link`."""
    section = table.snmp
    if section is None:
        return None
    interfaces = _interfaces(section, {link.name: link for link in links})
    address = section.address or table.address
    return _device(table.id, address, section, general, interfaces, site=None)


def _interfaces(section: SnmpSection, links: Mapping[str, Link]) -> tuple[Interface, ...]:
    """An interface's own capacity takes precedence over its link's."""
    found = []
    for table in section.interfaces:
        link = links.get(table.link or "")
        mbps = table.capacity_mbps
        if mbps is None and link is not None:
            mbps = link.capacity_mbps
        found.append(
            Interface(
                name=table.name,
                link=link.name if link is not None else None,
                capacity_bps=mbps * _BPS_PER_MBPS if mbps is not None else None,
            )
        )
    return tuple(found)


def _device(
    name: str,
    address: str,
    section: SnmpSection,
    general: SnmpKeys,
    interfaces: tuple[Interface, ...],
    *,
    site: str | None,
) -> Device:
    """Each number from the router's section, else [snmp] of monitor.toml, else the default."""
    return Device(
        name=name,
        address=address,
        version=section.version,
        credential=section.credential,
        interfaces=interfaces,
        interval_s=_first_given(section.interval_s, general.interval_s, 60.0),
        timeout_s=_first_given(section.timeout_s, general.timeout_s, 2.0),
        retries=_first_given(section.retries, general.retries, 1),
        port=_first_given(section.port, general.port, 161),
        site=site,
    )


def _first_given(own: N | None, general: N | None, default: N) -> N:
    if own is not None:
        return own
    return general if general is not None else default
