"""A demo uses a copy of the configuration, without its secrets and alerts."""

from __future__ import annotations

import os
import re
import shutil
import tomllib
from pathlib import Path

import pytest

from monitor.cli.demo import SCENARIOS
from monitor.cli.demo_config import (
    COMMUNITY,
    claim_demo_dir,
    demo_communities,
    demo_environ,
    write_demo_config,
)
from monitor.cli.demo_influx import add_influx_config
from monitor.core.errors import PantauError
from monitor.core.snmp_credentials import parse_v3
from monitor.settings import load, require_valid

SHIPPED = Path(__file__).resolve().parents[2] / "config"
SIMULATOR = SHIPPED.parent / "monitor" / "simulator"
SIREN = '\n[[channels]]\nid = "sirene"\ntype = "command"\ncommand = ["/usr/local/bin/sirene"]\n'
SECTIONS = """
[storage.influxdb]
url = "http://127.0.0.1:8086"
token = "influxdb"
[dashboard.proxy]
peers = "127.0.0.1"
secret = "proksi"
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A configuration in use: secrets, a siren, a router of version 3, InfluxDB, a proxy."""
    config = tmp_path / "in-use"
    shutil.copytree(SHIPPED, config)
    (config / "secrets").mkdir()
    (config / "secrets" / "router-ro").touch(mode=0o600)
    (config / "secrets" / "router-ro").write_text("the real one\n")
    with (config / "alerts.toml").open("a") as alerts:
        alerts.write(SIREN)
    with (config / "monitor.toml").open("a") as monitor:
        monitor.write(SECTIONS)
    site = config / "sites" / "anjatan.toml"
    text = site.read_text().replace('"2c"', '"3"').replace('"router-ro"', '"router-v3"')
    site.write_text(text)
    return config


def test_a_demo_has_no_channels(config: Path, tmp_path: Path) -> None:
    copy = write_demo_config(config, tmp_path)
    settings = load(copy, {}).settings
    assert settings is not None
    assert settings.alerts.channels == ()
    assert "sirene" in (config / "alerts.toml").read_text(), "the original is unchanged"


def test_every_secret_is_replaced_by_a_generated_one(config: Path, tmp_path: Path) -> None:
    copy = write_demo_config(config, tmp_path)
    assert not (copy / "secrets").exists()
    environ = demo_environ(copy)
    require_valid(load(copy, environ), strict=True)
    assert environ["PANTAU_SECRET_ROUTER_RO"] == COMMUNITY
    assert parse_v3(environ["PANTAU_SECRET_ROUTER_V3"]).user == "pantau"
    assert {"PANTAU_SECRET_INFLUXDB", "PANTAU_SECRET_PROKSI"} <= environ.keys()
    assert demo_communities(copy) == {"router-ro": COMMUNITY}


def test_credentials_of_systemd_are_not_used(
    config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(config / "secrets"))
    environ = demo_environ(write_demo_config(config, tmp_path))
    assert "CREDENTIALS_DIRECTORY" not in environ
    assert environ["PATH"] == os.environ["PATH"]


def test_the_data_directory_is_the_demos_own(config: Path, tmp_path: Path) -> None:
    settings = load(write_demo_config(config, tmp_path), {}).settings
    assert settings is not None
    assert settings.data_dir == tmp_path / "data"
    assert settings.data_dir.is_dir()


def test_a_configuration_without_data_dir_is_refused(config: Path, tmp_path: Path) -> None:
    monitor = config / "monitor.toml"
    monitor.write_text(monitor.read_text().replace("data_dir", "# data_dir"))
    with pytest.raises(PantauError, match="no line `data_dir"):
        write_demo_config(config, tmp_path)


def test_a_directory_with_other_files_is_not_used(config: Path) -> None:
    """`--keep .` in a clone must not delete the configuration."""
    with pytest.raises(PantauError, match="holds other things"):
        claim_demo_dir(config.parent)
    assert (config / "monitor.toml").is_file()


def test_the_directory_of_an_earlier_demo_is_used_again(config: Path, tmp_path: Path) -> None:
    directory = claim_demo_dir(tmp_path / "new" / "directory")
    write_demo_config(config, directory)
    (directory / "config" / "sites" / "lelea.toml").unlink()
    assert claim_demo_dir(directory) == directory
    write_demo_config(config, directory)
    assert (directory / "config" / "sites" / "lelea.toml").is_file()


def test_the_help_names_every_shipped_scenario() -> None:
    shipped = {path.stem for path in (SIMULATOR / "scenarios").glob("*.toml")}
    assert {"quiet", "link-cut"} < shipped
    named = set(re.findall(r"[a-z-]+", SCENARIOS))
    assert shipped <= named
    readme = (SHIPPED.parent / "README.md").read_text("utf-8")
    assert [name for name in shipped if f"`{name}`" not in readme] == []


def test_the_demos_influxdb_is_added_to_the_copy_unless_it_has_one(tmp_path: Path) -> None:
    (tmp_path / "monitor.toml").write_text("[monitor]\n")
    add_influx_config(tmp_path)
    assert tomllib.loads((tmp_path / "monitor.toml").read_text())["storage"]["influxdb"] == {
        "url": "http://127.0.0.1:8087",
        "bucket": "pantau",
    }
    with pytest.raises(PantauError, match="of its own"):
        add_influx_config(tmp_path)
