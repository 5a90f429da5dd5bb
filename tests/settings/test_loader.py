"""Loading a directory: files that cannot be read, and require_valid. Mistakes: problems.txt."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monitor.core.errors import ConfigError
from monitor.settings import require_valid
from monitor.settings.model import DashboardSettings, JournalSettings
from tests.settings.config_fixtures import (
    ANJATAN,
    load_config,
    only_problem,
    short_text,
    write_config,
)


def test_the_required_keys_are_sufficient(tmp_path: Path) -> None:
    site = 'id = "anjatan"\nname = "Anjatan"\ncode = "32.12.23"\n'
    link = '[[links]]\nid = "utama"\naddress = "10.77.23.1"\nkind = "fibre"\n'
    config = write_config(tmp_path, network=None, sites={"anjatan": site + link})
    found = load_config(config)
    assert (found.errors, found.warnings) == ((), ())
    assert found.settings is not None
    assert found.settings.organisation == "Diskominfo"
    assert found.settings.timezone == ZoneInfo("Asia/Jakarta")
    assert found.settings.data_dir == config / "data"
    assert found.settings.config_dir == config
    assert found.settings.journal == JournalSettings()
    assert found.settings.influxdb is None
    assert found.settings.dashboard == DashboardSettings()
    (target,) = found.settings.network.targets()
    assert (target.name, target.address, target.parents) == ("anjatan/utama", "10.77.23.1", ())


def test_a_missing_directory_is_one_error(tmp_path: Path) -> None:
    found = load_config(tmp_path / "nowhere")
    assert found.warnings == ()
    problem = only_problem(found.errors)
    assert problem.startswith("nowhere:1: there is no such directory — ")


def test_files_saved_by_windows_notepad_are_read(tmp_path: Path) -> None:
    config = write_config(tmp_path)
    text = (ANJATAN + "kapasitas = 1\n").replace("\n", "\r\n")
    (config / "sites" / "anjatan.toml").write_bytes(b"\xef\xbb\xbf" + text.encode())
    assert only_problem(load_config(config).errors).startswith("anjatan.toml:9: link")


def test_a_file_that_is_not_utf_8_is_reported_with_its_line(tmp_path: Path) -> None:
    config = write_config(tmp_path)
    (config / "sites" / "anjatan.toml").write_bytes(b'id = "anjatan"\nname = "Anjat\xe4n"\n')
    assert only_problem(load_config(config).errors) == (
        "anjatan.toml:2: the file is not UTF-8 text — save it again as UTF-8"
    )


def test_a_directory_or_socket_instead_of_a_file_is_an_error(tmp_path: Path) -> None:
    config = write_config(tmp_path)
    (config / "sites" / "sukra.toml").mkdir()
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(os.path.relpath(config / "sites" / "terisi.toml"))
        problems = [short_text(problem) for problem in load_config(config).errors]
    assert [problem.split(" — ")[0] for problem in problems] == [
        "sukra.toml:1: this is not a file",
        "terisi.toml:1: this is not a file",
    ]


def test_a_file_of_more_than_a_megabyte_is_not_read(tmp_path: Path) -> None:
    config = write_config(tmp_path, alerts="#" * 1_000_001)
    assert only_problem(load_config(config).errors).startswith(
        "alerts.toml:1: the file is larger than 1 MB"
    )


def test_files_with_probably_wrong_names_are_warned_of(
    tmp_path: Path,
) -> None:
    config = write_config(tmp_path)
    (config / "networks.toml").touch()
    (config / "sites" / "sukra.toml.txt").touch()
    (config / "sites" / "catatan.txt").touch()
    (config / "sites" / ".anjatan.toml.swp").touch()
    found = load_config(config)
    assert found.errors == ()
    assert [short_text(problem).split(":1:")[0] for problem in found.warnings] == [
        "networks.toml",
        "sukra.toml.txt",
    ]


def test_require_valid_returns_the_settings_without_problems(tmp_path: Path) -> None:
    found = load_config(write_config(tmp_path))
    assert require_valid(found, strict=True) is found.settings


def test_require_valid_raises_with_one_line_a_problem(tmp_path: Path) -> None:
    found = load_config(write_config(tmp_path, sites={"anjatan": ANJATAN + "a = 1\nb = 2\n"}))
    with pytest.raises(ConfigError) as caught:
        require_valid(found, strict=False)
    assert str(caught.value).splitlines() == [str(problem) for problem in found.errors]
    assert len(found.errors) == 2


def test_only_a_strict_require_valid_raises_for_a_missing_data_directory(tmp_path: Path) -> None:
    config = write_config(tmp_path, sites={"anyatan": ANJATAN})
    (config / "data").rmdir()
    found = load_config(config)
    assert require_valid(found, strict=False).organisation == "Diskominfo"
    with pytest.raises(ConfigError) as caught:
        require_valid(found, strict=True)
    (line,) = str(caught.value).splitlines()
    assert "the data directory" in line


def test_a_problem_is_one_printable_line_whatever_is_in_the_file(tmp_path: Path) -> None:
    config = write_config(tmp_path, alerts='"a\\nb\\u0007" = 1\n')
    assert str(only_problem(load_config(config).errors)).isprintable()


_scalars = (
    st.text(max_size=10).map(lambda text: '"' + text.replace("\\", "").replace('"', "") + '"')
    | st.sampled_from(["0", "-1", "1e400", "nan", "inf", "true", "1979-05-27", "9" * 5000, "[" * 3])
    | st.integers().map(str)
    | st.sampled_from(["[]", "{}", '["a", 1]', "[[], {}]", '[{id = "a"}]', "{id = 1, id.x = 2}"])
)
_KNOWN_KEYS = """
id name code address kind via links links.id links.via nodes nodes.id nodes.parent snmp
snmp.credential snmp.interfaces snmp.interfaces.name anchors monitor monitor.data_dir ping
ping.interval_s ping.kinds ping.kinds.vsat.rtt_ms storage.influxdb storage.influxdb.token
monitor.timezone dashboard.prefix storage.influxdb.url lat lon channels parent x
people rota rota.people rota.overrides rota.overrides.start end start routes routes.steps steps to
match match.site after_min type url address command fallback buttons windows windows.weekdays
targets first last hours.monday hours.holidays messages.base_url heartbeat.url rules.hold_s
"""
_keys = st.sampled_from(_KNOWN_KEYS.split())
_lines = (
    st.tuples(_keys, _scalars).map(lambda pair: f"{pair[0]} = {pair[1]}")
    | _keys.map(lambda key: f"[{key}]")
    | _keys.map(lambda key: f"[[{key}]]")
)
_garbage = (
    st.binary(max_size=60)
    | st.text(max_size=60).map(lambda text: text.encode("utf-8", "replace"))
    | st.lists(_lines, max_size=8).map(lambda lines: "\n".join(lines).encode("utf-8", "replace"))
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(monitor=_garbage, network=_garbage, alerts=_garbage, site=_garbage)
def test_no_input_crashes_the_loader(
    tmp_path: Path, monitor: bytes, network: bytes, alerts: bytes, site: bytes
) -> None:
    (tmp_path / "sites").mkdir(exist_ok=True)
    (tmp_path / "monitor.toml").write_bytes(monitor)
    (tmp_path / "network.toml").write_bytes(network)
    (tmp_path / "alerts.toml").write_bytes(alerts)
    (tmp_path / "maintenance.toml").write_bytes(network + b"\n" + alerts)
    (tmp_path / "sites" / "a.toml").write_bytes(site)
    (tmp_path / "sites" / "b.toml").write_bytes(monitor + b"\n" + site)
    found = load_config(tmp_path)
    assert all(problem.line >= 1 for problem in found.errors + found.warnings)
    assert all(str(problem).isprintable() for problem in found.errors + found.warnings)
    assert (found.settings is None) == bool(found.errors)


@pytest.mark.parametrize(
    "value", ["[" * 100_000, "[" * 5_000 + "]" * 5_000, "a." * 3_000 + "b = 1", "9" * 5000]
)
def test_values_that_break_parsers_are_problems(tmp_path: Path, value: str) -> None:
    config = write_config(tmp_path, alerts=f"channels = {value}\n")
    assert only_problem(load_config(config).errors).startswith("alerts.toml:1: ")
