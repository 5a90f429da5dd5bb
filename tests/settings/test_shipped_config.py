"""The shipped configuration is valid and complete, and holds no secret."""

from __future__ import annotations

import re
from collections.abc import Iterator
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import get_args

import pytest
from pydantic import BaseModel

from monitor.core.alerting.settings import AlertSettings
from monitor.core.model import Network
from monitor.settings import load, settings_snapshot
from monitor.settings.kecamatan import kecamatan_by_code
from monitor.settings.model import Settings
from monitor.settings.schema.alerts import AlertsFile
from monitor.settings.schema.maintenance import MaintenanceFile
from monitor.settings.schema.monitor import MonitorFile
from monitor.settings.schema.network import NetworkFile, SiteFile

SHIPPED = Path(__file__).parents[2] / "config"


@pytest.fixture(scope="module")
def network() -> Network:
    found = load(SHIPPED, {"PANTAU_SECRET_ROUTER_RO": "public"})
    assert found.settings is not None, [str(error) for error in found.errors]
    return found.settings.network


def test_only_the_missing_data_directory_is_a_warning() -> None:
    found = load(SHIPPED, {"PANTAU_SECRET_ROUTER_RO": "public"})
    assert found.errors == ()
    assert all("the data directory" in warning.what for warning in found.warnings)


def test_it_has_the_31_kecamatan_with_their_names_and_codes(network: Network) -> None:
    reference = kecamatan_by_code()
    assert sorted(site.code for site in network.sites) == list(reference)
    assert all(site.name == reference[site.code].name for site in network.sites)
    assert all(site.id == site.name.lower().replace(" ", "-") for site in network.sites)


def test_every_site_has_a_file_of_its_own(network: Network) -> None:
    files = sorted(path.stem for path in (SHIPPED / "sites").iterdir())
    assert files == sorted(site.id for site in network.sites)


def test_it_has_a_core_and_five_pops(network: Network) -> None:
    assert [node.id for node in network.nodes if not node.parents] == ["inti"]
    assert sorted(node.id for node in network.nodes if node.parents) == [
        "pop-haurgeulis",
        "pop-jatibarang",
        "pop-kandanghaur",
        "pop-karangampel",
        "pop-patrol",
    ]
    assert [anchor.address for anchor in network.anchors] == ["10.77.0.1", "10.77.0.2"]


def test_every_address_is_inside_10_77_and_used_once(network: Network) -> None:
    addresses = [target.address for target in network.targets()]
    assert len(set(addresses)) == len(addresses)
    inside = ip_network("10.77.0.0/16")
    every = addresses + [device.address for device in network.devices]
    assert all(ip_address(address) in inside for address in every)
    for site in network.sites:
        number = int(site.code.rpartition(".")[2])
        assert {link.address.rpartition(".")[0] for link in site.links} == {f"10.77.{number}"}


def test_at_least_eight_sites_have_a_second_link_of_another_kind(network: Network) -> None:
    with_two_links = [site for site in network.sites if len(site.links) == 2]
    assert len(with_two_links) >= 8
    for site in with_two_links:
        first, second = site.links
        assert (first.id, second.id) == ("utama", "cadangan")
        assert second.kind in {"lte", "vsat"}
        assert first.kind != second.kind
        assert first.provider != second.provider


def test_every_link_has_a_parent_node_and_some_have_two(network: Network) -> None:
    assert all(link.via for link in network.links())
    assert any(len(link.via) == 2 for link in network.links())
    assert {link.kind for link in network.links()} == {"fibre", "radio", "lte", "vsat"}


def test_every_site_and_node_is_polled_and_every_link_has_an_interface(network: Network) -> None:
    names = {device.name for device in network.devices}
    assert names == {site.id for site in network.sites} | {node.id for node in network.nodes}
    ports = {port.link for device in network.devices for port in device.interfaces if port.link}
    assert ports == {link.name for link in network.links()}


def test_each_kind_has_its_limits(network: Network) -> None:
    limits = {(link.kind, link.rules.rtt_ms, link.rules.timeout_s) for link in network.links()}
    assert limits == {
        ("fibre", 50.0, 1.0),
        ("radio", 80.0, 1.0),
        ("lte", 150.0, 1.0),
        ("vsat", 800.0, 3.0),
    }


def test_it_has_no_channels_and_notifies_nobody() -> None:
    found = load(SHIPPED, {"PANTAU_SECRET_ROUTER_RO": "public"})
    assert found.settings is not None
    assert found.settings.alerts == AlertSettings()


def test_no_secret_is_shipped() -> None:
    secrets = SHIPPED / "secrets"
    ignored = (SHIPPED.parent / ".gitignore").read_text().split()
    assert "/config/secrets/" in ignored
    assert not secrets.exists() or not list(secrets.iterdir())


@pytest.fixture(scope="module")
def full_settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """The shipped files without the leading # of every commented example."""
    config = tmp_path_factory.mktemp("full")
    for path in SHIPPED.rglob("*.toml"):
        copy = config / path.relative_to(SHIPPED)
        copy.parent.mkdir(exist_ok=True)
        commented = r"(?m)^# (?=[a-z_]+ = |\[+[a-z_.]+\]+$|\]$|  \{)"
        copy.write_text(re.sub(commented, "", path.read_text()))
    assert "[[rota]]" in (config / "alerts.toml").read_text().splitlines()
    known = {"ROUTER_RO": "public", "INFLUXDB": "t", "PROKSI": "x" * 32}
    found = load(config, {f"PANTAU_SECRET_{name}": text for name, text in known.items()})
    assert found.settings is not None, [str(error) for error in found.errors]
    assert all(warning.blocks_run for warning in found.warnings), found.warnings
    return found.settings


def test_the_commented_examples_are_valid_and_read(full_settings: Settings) -> None:
    alerts = full_settings.alerts
    assert {channel.type for channel in alerts.channels} == {"apprise", "webhook", "command"}
    assert alerts.people
    assert alerts.rotas[0].overrides
    assert len(alerts.routes) == 3
    assert alerts.heartbeat
    assert alerts.base_url
    assert alerts.maintenance
    assert full_settings.influxdb is not None
    assert all(link.circuit for site in full_settings.network.sites for link in site.links[:1])


def test_the_keys_of_a_snapshot_stay(full_settings: Settings) -> None:
    """`check --diff --json` shows them, and daemons before and after an update compare them."""
    rules = "interval_s confirm_interval_s confirm_s timeout_s rise window_s loss_pct rtt_ms"
    target = f"address role parents {rules} record_s false_alarm"
    expected = {
        "monitor.toml": "organisation timezone data_dir dashboard.host dashboard.port "
        "dashboard.series "
        "dashboard.prefix dashboard.trusted_proxies dashboard.user dashboard.proxy.peers "
        "dashboard.proxy.secret dashboard.proxy.header "
        "dashboard.proxy.role storage.influxdb.url storage.influxdb.org storage.influxdb.bucket "
        "storage.influxdb.token storage.influxdb.verify_tls storage.influxdb.timeout_s "
        "storage.influxdb.ca_file trace.enabled trace.max_hops trace.baseline_every_h "
        "storage.journal.raw_days storage.journal.evidence_days storage.journal.minute_days "
        "storage.journal.hour_days storage.journal.max_mb storage.disk.free_mb "
        "storage.disk.full_within_h storage.disk.free_inodes_pct",
        "site": "name code lat lon",
        "anchor": target,
        "node": f"{target} name lat lon",
        "link": f"{target} kind provider capacity_mbps circuit contact sla_pct",
        "snmp": "name address version credential interfaces interval_s timeout_s retries port site",
        "alerts.toml": "hours hours.calendar hours.holidays hours.workdays heartbeat base_url "
        "test_at rules.hold_s rules.group_count rules.group_s rules.group_join_s "
        "rules.reminder_s rules.reminders rules.later_reminder_s rules.longest_ack_s "
        "rules.long_down_s",
        "channel": "id type secret address command language per_minute most_characters fallback "
        "daily_test buttons allowed_users hold_s signing_key",
        "person": "id name channels language phone",
        "rota": "people start turn_days overrides",
        "route": "match steps office_hours hold_s",
        "window": "key targets why start duration_s weekdays days first last who",
    }
    keys: dict[str, set[str]] = {}
    for name, values in settings_snapshot(full_settings).items():
        kind, colon, _ = name.partition(":")
        if not colon and not name.endswith(".toml"):
            kind = "link" if "/" in name else "node"
        keys.setdefault(kind, set()).update(values)
    assert keys == {kind: set(words.split()) for kind, words in expected.items()}


def test_every_key_of_the_schema_is_in_the_shipped_files() -> None:
    words = "\n".join(
        path.read_text("utf-8") for path in SHIPPED.rglob("*") if path.suffix in (".toml", ".md")
    )
    files = (MonitorFile, NetworkFile, SiteFile, AlertsFile, MaintenanceFile)
    keys = {key for file in files for key in _keys(file)}
    assert keys >= {"false_alarm", "capacity_mbps", "workdays", "weekdays"}, "of every file"
    assert {key for key in keys if not re.search(rf"\b{key}\b", words)} == set()


def _keys(model: type[BaseModel]) -> Iterator[str]:
    for key, field in model.model_fields.items():
        yield key
        for inner in _models(field.annotation):
            yield from _keys(inner)


def _models(annotation: object) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from _models(part)
