"""A demo takes the office's own configuration, but neither its secrets nor its siren."""

from __future__ import annotations

import os
import re
import shutil
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
from monitor.core.errors import PantauError
from monitor.core.snmp_credentials import parse_v3
from monitor.settings import load, require_valid

SHIPPED = Path(__file__).resolve().parents[2] / "config"
SIMULATOR = SHIPPED.parent / "monitor" / "simulator"
SIREN = '\n[[channels]]\nid = "sirene"\ntype = "command"\ncommand = ["/usr/local/bin/sirene"]\n'
MORE = """
[storage.influxdb]
url = "http://127.0.0.1:8086"
token = "influxdb"
[dashboard.proxy]
peers = "127.0.0.1"
secret = "proksi"
"""


@pytest.fixture
def office(tmp_path: Path) -> Path:
    """An office that is at work: secrets, a siren, a router of version 3, InfluxDB, a proxy."""
    config = tmp_path / "office"
    shutil.copytree(SHIPPED, config)
    (config / "secrets").mkdir()
    (config / "secrets" / "router-ro").touch(mode=0o600)
    (config / "secrets" / "router-ro").write_text("the real one\n")
    with (config / "alerts.toml").open("a") as alerts:
        alerts.write(SIREN)
    with (config / "monitor.toml").open("a") as monitor:
        monitor.write(MORE)
    site = config / "sites" / "anjatan.toml"
    text = site.read_text().replace('"2c"', '"3"').replace('"router-ro"', '"router-v3"')
    site.write_text(text)
    return config


def test_nobody_is_told_of_an_outage_that_is_made_up(office: Path, tmp_path: Path) -> None:
    copy = write_demo_config(office, tmp_path)
    settings = load(copy, {}).settings
    assert settings is not None
    assert settings.alerts.channels == ()
    assert "sirene" in (office / "alerts.toml").read_text(), "the office's own is left alone"


def test_no_secret_goes_along_and_every_one_is_made_up(office: Path, tmp_path: Path) -> None:
    copy = write_demo_config(office, tmp_path)
    assert not (copy / "secrets").exists()
    environ = demo_environ(copy)
    require_valid(load(copy, environ), strict=True)
    assert environ["PANTAU_SECRET_ROUTER_RO"] == COMMUNITY
    assert parse_v3(environ["PANTAU_SECRET_ROUTER_V3"]).user == "pantau"
    assert {"PANTAU_SECRET_INFLUXDB", "PANTAU_SECRET_PROKSI"} <= environ.keys()
    assert demo_communities(copy) == {"router-ro": COMMUNITY}


def test_what_a_service_manager_handed_over_is_not_used(
    office: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(office / "secrets"))
    environ = demo_environ(write_demo_config(office, tmp_path))
    assert "CREDENTIALS_DIRECTORY" not in environ
    assert environ["PATH"] == os.environ["PATH"]


def test_the_data_lies_in_the_demos_own_directory(office: Path, tmp_path: Path) -> None:
    settings = load(write_demo_config(office, tmp_path), {}).settings
    assert settings is not None
    assert settings.data_dir == tmp_path / "data"
    assert settings.data_dir.is_dir()


def test_a_configuration_without_a_data_directory_is_refused(office: Path, tmp_path: Path) -> None:
    monitor = office / "monitor.toml"
    monitor.write_text(monitor.read_text().replace("data_dir", "# data_dir"))
    with pytest.raises(PantauError, match="no line `data_dir"):
        write_demo_config(office, tmp_path)


def test_a_directory_that_holds_other_things_is_left_alone(office: Path) -> None:
    """`--keep .` in a clone must not throw the configuration away."""
    with pytest.raises(PantauError, match="holds other things"):
        claim_demo_dir(office.parent)
    assert (office / "monitor.toml").is_file()


def test_a_directory_of_an_earlier_demo_is_used_again(office: Path, tmp_path: Path) -> None:
    kept = claim_demo_dir(tmp_path / "new" / "kept")
    write_demo_config(office, kept)
    (kept / "config" / "sites" / "lelea.toml").unlink()
    assert claim_demo_dir(kept) == kept
    write_demo_config(office, kept)
    assert (kept / "config" / "sites" / "lelea.toml").is_file()


def test_the_help_of_the_demo_names_every_shipped_scenario() -> None:
    shipped = {path.stem for path in (SIMULATOR / "scenarios").glob("*.toml")}
    assert {"quiet", "link-cut"} < shipped
    named = set(re.findall(r"[a-z-]+", SCENARIOS))
    assert shipped <= named
    told = (SHIPPED.parent / "README.md").read_text("utf-8")
    assert [name for name in shipped if f"`{name}`" not in told] == []
