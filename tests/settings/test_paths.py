"""Configuration and data directory, and reading them without the whole configuration."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from monitor.core.errors import ConfigError
from monitor.settings import quick_settings
from monitor.settings.paths import resolve_config_dir
from tests.settings.config_fixtures import MONITOR, load_valid, write_config


def test_the_option_precedes_the_environment_the_working_directory_and_etc(tmp_path: Path) -> None:
    environ = {"PANTAU_CONFIG": "/srv/pantau"}
    assert resolve_config_dir(None, {}, tmp_path) == Path("/etc/pantau")
    (tmp_path / "config").mkdir()
    assert resolve_config_dir(None, {}, tmp_path) == tmp_path / "config"
    assert resolve_config_dir(None, {"PANTAU_CONFIG": ""}, tmp_path) == tmp_path / "config"
    assert resolve_config_dir(None, environ, tmp_path) == Path("/srv/pantau")
    assert resolve_config_dir(Path("mine"), environ, tmp_path) == Path("mine")


@pytest.mark.parametrize("data_dir", ["data", "/var/lib/pantau", "../elsewhere"])
def test_quick_settings_equal_the_loaded_ones(tmp_path: Path, data_dir: str) -> None:
    config = write_config(tmp_path, monitor=MONITOR.replace('"data"', f'"{data_dir}"'))
    found = load_valid(config)
    assert quick_settings.read_data_dir(config) == found.data_dir
    assert quick_settings.read_timezone(config) == found.timezone


def test_quick_settings_need_only_monitor_toml(tmp_path: Path) -> None:
    config = write_config(tmp_path, network="[[[", sites={"x": "?"})
    assert quick_settings.read_data_dir(config) == config / "data"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "the file is missing"),
        ("[monitor", "this is not TOML"),
        ("\xff", "this is not TOML"),
        ("", "the key data_dir is missing"),
        ("monitor = 1\n", "the key data_dir is missing"),
        ("[monitor]\ndata_dir = 1\n", "the key data_dir is not a text in quotes"),
    ],
)
def test_a_missing_data_dir_is_one_line_with_the_reason(
    tmp_path: Path, text: str | None, message: str
) -> None:
    if text is not None:
        (tmp_path / "monitor.toml").write_bytes(text.encode("latin-1"))
    with pytest.raises(ConfigError, match=message) as caught:
        quick_settings.read_data_dir(tmp_path)
    assert str(caught.value).startswith(f"{tmp_path}/monitor.toml:1: ")
    assert "\n" not in str(caught.value)


def test_an_invalid_time_zone_is_one_line(tmp_path: Path) -> None:
    config = write_config(tmp_path, monitor=MONITOR.replace("Jakarta", "Nowhere"))
    with pytest.raises(ConfigError, match="'Asia/Nowhere' is not a time zone"):
        quick_settings.read_timezone(config)


def test_quick_settings_do_not_import_pydantic() -> None:
    program = (
        "import sys; from monitor import settings; from monitor.cli import options; "
        "from monitor.settings import paths, quick_settings, secrets; "
        "sys.exit('pydantic' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
