"""Checked files → the frozen models that everybody else works with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo

from monitor.core import access
from monitor.core.model import Link, Network, Node, Site, Target, TargetRole
from monitor.settings import alert_settings_builder as alerts
from monitor.settings import availability_targets, probe_rules
from monitor.settings.devices import node_device, site_device
from monitor.settings.kecamatan import Kecamatan
from monitor.settings.model import (
    DashboardSettings,
    InfluxSettings,
    JournalSettings,
    ProxySettings,
    Settings,
)
from monitor.settings.paths import resolve_data_dir
from monitor.settings.schema.alerts import AlertsFile
from monitor.settings.schema.maintenance import MaintenanceFile
from monitor.settings.schema.monitor import DashboardTable, MonitorFile
from monitor.settings.schema.network import NetworkFile, SiteFile
from monitor.settings.toml_files import TomlFile


@dataclass(frozen=True, slots=True)
class ValidatedFiles:
    """The files, each with the source that it came from (the sites in the order of their ids)."""

    directory: Path
    monitor: tuple[TomlFile, MonitorFile]
    network: tuple[TomlFile | None, NetworkFile]
    sites: tuple[tuple[TomlFile, SiteFile], ...]
    reference: Mapping[str, Kecamatan]
    alerts: AlertsFile
    maintenance: MaintenanceFile


def build_settings(checked: ValidatedFiles) -> Settings:
    """Everything, complete: every default is filled in, every name is a full name."""
    _, file = checked.monitor
    influxdb = file.storage.influxdb
    return Settings(
        organisation=file.monitor.organisation,
        timezone=ZoneInfo(file.monitor.timezone),
        data_dir=resolve_data_dir(checked.directory, file.monitor.data_dir),
        config_dir=checked.directory,
        network=_network(checked),
        journal=JournalSettings(**file.storage.journal.model_dump()),
        influxdb=InfluxSettings(**influxdb.model_dump()) if influxdb is not None else None,
        dashboard=_dashboard(file.dashboard),
        alerts=alerts.build_alert_settings(checked.alerts, checked.maintenance),
    )


def _dashboard(table: DashboardTable) -> DashboardSettings:
    proxy = table.proxy
    return DashboardSettings(
        host=table.host,
        port=table.port,
        prefix=table.prefix,
        proxy=None
        if proxy is None
        else ProxySettings(
            peers=tuple(proxy.peers),
            secret=proxy.secret,
            header=proxy.header,
            role=None if proxy.role == "none" else access.UserRole(proxy.role),
        ),
    )


def _network(checked: ValidatedFiles) -> Network:
    monitor, general = checked.monitor
    source, network = checked.network
    anchor_rules = probe_rules.effective_rules(probe_rules.rule_layers(monitor, None))
    nodes = tuple(
        Node(
            id=table.id,
            name=table.name or table.id,
            address=table.address,
            rules=probe_rules.effective_rules(
                probe_rules.rule_layers(monitor, None, source, ("nodes", number))
            ),
            parents=tuple(table.parent),
            lat=table.lat,
            lon=table.lon,
        )
        for number, table in enumerate(network.nodes)
    )
    sites = tuple(_site(checked, *pair) for pair in checked.sites)
    links = [link for site in sites for link in site.links]
    of_nodes = [node_device(table, general.snmp, links) for table in network.nodes]
    of_sites = [site.device for site in sites]
    return Network(
        sites=sites,
        nodes=nodes,
        anchors=tuple(
            Target(f"anchor:{address}", address, TargetRole.ANCHOR, anchor_rules)
            for address in network.anchors
        ),
        devices=tuple(device for device in of_nodes + of_sites if device is not None),
    )


def _site(checked: ValidatedFiles, source: TomlFile, table: SiteFile) -> Site:
    monitor, general = checked.monitor
    links = tuple(
        Link(
            id=link.id,
            name=f"{table.id}/{link.id}",
            site=table.id,
            address=link.address,
            kind=link.kind,
            rules=probe_rules.effective_rules(
                probe_rules.rule_layers(monitor, link.kind, source, ("links", number))
            ),
            via=tuple(link.via),
            provider=link.provider,
            capacity_mbps=link.capacity_mbps,
            circuit=link.circuit,
            contact=link.contact,
            aim=availability_targets.availability_target(checked.monitor[1].sla, link),
        )
        for number, link in enumerate(table.links)
    )
    point = checked.reference.get(table.code)
    lat, lon = table.lat, table.lon
    if lat is None and point is not None:
        lat, lon = point.lat, point.lon
    device = site_device(table.id, table.snmp, general.snmp, links) if table.snmp else None
    return Site(
        id=table.id, name=table.name, code=table.code, links=links, lat=lat, lon=lon, device=device
    )
