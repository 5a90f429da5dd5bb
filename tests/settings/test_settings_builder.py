"""The files become Settings with all defaults, full names and coordinates."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitor.core.model import Device, Interface, Node, ProbeRules, Site, TargetRole
from monitor.core.paths.settings import TraceSettings
from monitor.settings.kecamatan import kecamatan_by_code
from monitor.settings.model import (
    DashboardSettings,
    DiskSettings,
    InfluxSettings,
    JournalSettings,
    Settings,
)
from tests.settings.config_fixtures import (
    ANJATAN,
    MONITOR,
    NETWORK,
    SUKRA,
    load_valid,
    write_config,
)

RO = {"PANTAU_SECRET_RO": "x", "PANTAU_SECRET_INFLUXDB": "x"}


def _settings(
    tmp_path: Path, monitor: str = MONITOR, network: str = NETWORK, site: str = ANJATAN
) -> Settings:
    config = write_config(tmp_path, monitor=monitor, network=network, sites={"anjatan": site})
    return load_valid(config, RO)


def test_every_key_of_a_link_is_read(tmp_path: Path) -> None:
    more = 'provider = "Penyedia A"\ncapacity_mbps = 100\ncircuit = "FO-1"\ncontact = "0800"\n'
    (link,) = _settings(tmp_path, site=ANJATAN + more).network.links()
    assert (link.id, link.name, link.site) == ("utama", "anjatan/utama", "anjatan")
    assert (link.address, link.kind, link.via) == ("10.77.23.1", "fibre", ("pop-patrol",))
    assert (link.provider, link.capacity_mbps) == ("Penyedia A", 100.0)
    assert (link.circuit, link.contact) == ("FO-1", "0800")


def test_nodes_and_anchors_are_targets_too(tmp_path: Path) -> None:
    network = _settings(tmp_path, network=NETWORK + "lat = -6.3\nlon = 108\n").network
    assert network.nodes == (
        Node("inti", "inti", "10.77.0.10", ProbeRules()),
        Node("pop-patrol", "PoP Patrol", "10.77.0.14", ProbeRules(), ("inti",), -6.3, 108.0),
    )
    assert [(target.name, target.role) for target in network.targets()] == [
        ("anchor:10.77.0.1", TargetRole.ANCHOR),
        ("inti", TargetRole.NODE),
        ("pop-patrol", TargetRole.NODE),
        ("anjatan/utama", TargetRole.LINK),
    ]


def test_addresses_are_normalized(tmp_path: Path) -> None:
    site = ANJATAN.replace("10.77.23.1", "FD00:0:0::0001")
    assert _settings(tmp_path, site=site).network.links()[0].address == "fd00::1"


@pytest.mark.parametrize(
    ("site", "coordinates"),
    [
        (ANJATAN, (-6.3506, 107.9615)),
        ("lat = 0.0\nlon = 100\n" + ANJATAN, (0.0, 100.0)),
        (ANJATAN.replace("32.12.23", "32.12.99"), (None, None)),
    ],
    ids=["of the kecamatan", "of the file", "unknown code"],
)
def test_coordinates_are_those_of_the_file_else_of_the_kecamatan(
    tmp_path: Path, site: str, coordinates: tuple[float | None, float | None]
) -> None:
    (built,) = _settings(tmp_path, site=site).network.sites
    assert (built.lat, built.lon) == coordinates


def test_a_router_has_default_intervals_and_the_address_of_the_first_link(tmp_path: Path) -> None:
    (site,) = _settings(tmp_path, site=ANJATAN + '[snmp]\ncredential = "ro"\n').network.sites
    assert site.device == Device("anjatan", "10.77.23.1", "2c", "ro", (), site="anjatan")


def test_a_routers_own_keys_take_precedence_over_snmp_in_monitor_toml(tmp_path: Path) -> None:
    general = "[snmp]\ninterval_s = 30\ntimeout_s = 1.5\nretries = 0\nport = 1161\n"
    own = (
        '[snmp]\naddress = "10.77.23.9"\nversion = "3"\ncredential = "v3"\n'
        "timeout_s = 4\nretries = 3\n"
    )
    config = write_config(
        tmp_path,
        monitor=MONITOR + general,
        sites={"anjatan": ANJATAN + own, "sukra": SUKRA + '[snmp]\ncredential = "ro"\n'},
        secrets={"v3": "user = pantau\n", "ro": "public"},
    )
    found = load_valid(config)
    anjatan, sukra = found.network.devices
    assert anjatan == Device(
        name="anjatan",
        address="10.77.23.9",
        version="3",
        credential="v3",
        interfaces=(),
        interval_s=30.0,
        timeout_s=4.0,
        retries=3,
        port=1161,
        site="anjatan",
    )
    assert (sukra.interval_s, sukra.timeout_s, sukra.retries) == (30.0, 1.5, 0)


def test_an_interfaces_own_capacity_takes_precedence_over_its_links(tmp_path: Path) -> None:
    ports = """capacity_mbps = 100
[snmp]
credential = "ro"
[[snmp.interfaces]]
name = "ether1"
link = "utama"
[[snmp.interfaces]]
name = "ether2"
link = "utama"
capacity_mbps = 1000
[[snmp.interfaces]]
name = "ether3"
"""
    (device,) = _settings(tmp_path, site=ANJATAN + ports).network.devices
    assert device.interfaces == (
        Interface("ether1", "anjatan/utama", 100e6),
        Interface("ether2", "anjatan/utama", 1000e6),
        Interface("ether3"),
    )


def test_a_nodes_router_is_polled_at_the_nodes_address(tmp_path: Path) -> None:
    section = '[nodes.snmp]\ncredential = "ro"\n[[nodes.snmp.interfaces]]\nname = "ether1"\n'
    (device,) = _settings(tmp_path, network=NETWORK + section).network.devices
    assert device == Device("pop-patrol", "10.77.0.14", "2c", "ro", (Interface("ether1"),))


def test_storage_and_dashboard_are_read(tmp_path: Path) -> None:
    sections = """
[storage.influxdb]
url = "https://influx.example:8086/"
org = "diskominfo"
bucket = "net"
token = "influxdb"
verify_tls = false
timeout_s = 5
[storage.journal]
raw_days = 7
max_mb = 512
[storage.disk]
free_mb = 2000
free_inodes_pct = 2.5
[trace]
enabled = false
max_hops = 12
baseline_every_h = 6
[dashboard]
host = "0.0.0.0"
port = 8080
prefix = "pantau"
"""
    found = _settings(tmp_path, monitor=MONITOR + sections)
    assert found.influxdb == InfluxSettings(
        "https://influx.example:8086", "diskominfo", "net", "influxdb", False, 5.0
    )
    assert found.journal == JournalSettings(raw_days=7, max_mb=512)
    assert found.disk == DiskSettings(free_mb=2000, full_within_h=24.0, free_inodes_pct=2.5)
    assert found.trace == TraceSettings(enabled=False, max_hops=12, baseline_every_h=6.0)
    assert found.dashboard == DashboardSettings("0.0.0.0", 8080, "/pantau/")


def test_influxdb_needs_only_its_address(tmp_path: Path) -> None:
    found = _settings(tmp_path, monitor=MONITOR + '[storage.influxdb]\nurl = "http://x"\n')
    assert found.influxdb == InfluxSettings("http://x", "", "pantau", None, True, 10.0)


@pytest.mark.parametrize("prefix", ["pantau", "/pantau", "/pantau/"])
def test_a_prefix_begins_and_ends_with_a_slash(tmp_path: Path, prefix: str) -> None:
    monitor = MONITOR + f'[dashboard]\nprefix = "{prefix}"\n'
    assert _settings(tmp_path, monitor=monitor).dashboard.prefix == "/pantau/"


def test_the_documented_example_is_read(tmp_path: Path) -> None:
    monitor = """\
[monitor]
organisation = "Diskominfo Kabupaten Indramayu"
timezone = "Asia/Jakarta"
data_dir = "/var/lib/pantau"
[ping]                       # defaults for every target
interval_s = 1.0
confirm_interval_s = 0.2
confirm_s = 5.0
timeout_s = 1.0
rise = 3
window_s = 60
loss_pct = 5
rtt_ms = 50
record_s = 10                # one stored sample a target for each such period
[ping.kinds.vsat]
timeout_s = 3.0
rtt_ms = 800
[snmp]
interval_s = 60
"""
    site = """\
id = "anjatan"
name = "Anjatan"
code = "32.12.23"
[[links]]
id = "utama"
address = "10.77.23.1"
kind = "fibre"               # fibre | radio | lte | vsat
provider = "Penyedia A"
via = "pop-patrol"           # a node id, or a list of them
capacity_mbps = 100
[[links]]
id = "cadangan"
address = "10.77.23.2"
kind = "lte"
[snmp]
address = "10.77.23.1"
version = "2c"               # 2c | 3
credential = "ro"            # the name of a secret
[[snmp.interfaces]]
name = "ether1"              # ifName; never an index
link = "utama"
"""
    found = _settings(tmp_path, monitor=monitor, site=site)
    (built,) = found.network.sites
    assert isinstance(built, Site)
    assert [link.name for link in built.links] == ["anjatan/utama", "anjatan/cadangan"]
    assert built.device is not None
    assert built.device.interfaces == (Interface("ether1", "anjatan/utama", 100e6),)
    assert found.data_dir == Path("/var/lib/pantau")


def test_the_list_of_kecamatan_has_31_inside_the_kabupaten() -> None:
    every = kecamatan_by_code()
    assert list(every) == [f"32.12.{number:02d}" for number in range(1, 32)]
    assert all(-6.68 < each.lat < -6.22 and 107.85 < each.lon < 108.54 for each in every.values())
    assert every["32.12.28"].name == "Kedokan Bunder"
