"""A snapshot has every effective value and survives JSON; a diff has what a reload changes."""

from __future__ import annotations

import json
from pathlib import Path

from monitor.settings import settings_snapshot
from monitor.settings.diff import SettingsSnapshot, diff_snapshots
from tests.settings.config_fixtures import (
    ANJATAN,
    MONITOR,
    NETWORK,
    SUKRA,
    load_valid,
    write_config,
)

RO = {"PANTAU_SECRET_RO": "hunter2"}
SNMP = '[snmp]\ncredential = "ro"\n[[snmp.interfaces]]\nname = "ether1"\n'


def _snapshot(
    directory: Path,
    monitor: str = MONITOR,
    network: str = NETWORK,
    sites: dict[str, str] | None = None,
) -> SettingsSnapshot:
    config = write_config(directory, monitor=monitor, network=network, sites=sites)
    # The same data directory for every snapshot: the temporary directories differ.
    (config / "monitor.toml").write_text(monitor.replace('"data"', '"/var/lib/pantau"'))
    found = load_valid(config, RO)
    return settings_snapshot(found)


def test_every_target_and_router_is_in_the_snapshot(tmp_path: Path) -> None:
    found = _snapshot(tmp_path, sites={"anjatan": ANJATAN + SNMP})
    assert list(found) == [
        "monitor.toml",
        "site:anjatan",
        "anchor:10.77.0.1",
        "inti",
        "pop-patrol",
        "anjatan/utama",
        "snmp:anjatan",
        "alerts.toml",
    ]
    assert found["anjatan/utama"]["parents"] == ["pop-patrol"]
    assert found["anjatan/utama"]["rtt_ms"] == 50.0
    assert found["snmp:anjatan"]["credential"] == "ro"


def test_a_snapshot_survives_json_and_holds_no_secret(tmp_path: Path) -> None:
    found = _snapshot(tmp_path, sites={"anjatan": ANJATAN + SNMP})
    text = json.dumps(found)
    assert json.loads(text) == found
    assert "hunter2" not in text


def test_equal_configurations_have_an_empty_diff(tmp_path: Path) -> None:
    one, other = _snapshot(tmp_path / "a"), _snapshot(tmp_path / "b")
    assert not diff_snapshots(one, other)


def test_a_diff_names_targets_and_keys(tmp_path: Path) -> None:
    before = _snapshot(tmp_path / "a", sites={"anjatan": ANJATAN + SNMP})
    after = _snapshot(
        tmp_path / "b",
        monitor=MONITOR + "[ping]\nrise = 4\n[dashboard]\nport = 9000\n",
        sites={"sukra": SUKRA, "anjatan": ANJATAN + "rtt_ms = 60\n" + SNMP.replace("1", "2")},
    )
    found = diff_snapshots(before, after)
    assert found
    assert found.added == ("site:sukra", "sukra/utama")
    assert found.removed == ()
    assert found.changed["monitor.toml"] == {"dashboard.port": (8050, 9000)}
    assert found.changed["anjatan/utama"] == {"rise": (3, 4), "rtt_ms": (50.0, 60.0)}
    assert found.changed["inti"] == {"rise": (3, 4)}
    assert list(found.changed["snmp:anjatan"]) == ["interfaces"]
    assert diff_snapshots(after, before).removed == ("site:sukra", "sukra/utama")


def test_a_key_that_only_one_snapshot_has_is_in_the_diff(tmp_path: Path) -> None:
    influxdb = '[storage.influxdb]\nurl = "http://x"\n'
    before, after = _snapshot(tmp_path / "a"), _snapshot(tmp_path / "b", monitor=MONITOR + influxdb)
    assert diff_snapshots(before, after).changed["monitor.toml"]["storage.influxdb.url"] == (
        None,
        "http://x",
    )
    assert diff_snapshots(after, before).changed["monitor.toml"]["storage.influxdb.url"] == (
        "http://x",
        None,
    )
