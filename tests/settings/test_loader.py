"""A directory becomes settings, or everything that is wrong with it, at once."""

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
    MONITOR,
    NETWORK,
    SUKRA,
    load_config,
    only_problem,
    short_text,
    write_config,
)


def test_what_is_required_is_enough(tmp_path: Path) -> None:
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


def test_a_broken_file_does_not_hide_the_errors_of_the_others(tmp_path: Path) -> None:
    config = write_config(
        tmp_path,
        monitor=MONITOR + "[ping]\ninterval_s = 0\n",
        network=NETWORK + "[[nodes]\n",
        alerts="chanels = 1\n",
        sites={"anjatan": ANJATAN + "capacity = 5\n", "sukra": SUKRA.replace("radio", "wifi")},
    )
    found = load_config(config)
    assert found.settings is None
    assert [short_text(problem).split(" ", 1)[0] for problem in found.errors] == [
        "monitor.toml:6:",
        "network.toml:10:",
        "alerts.toml:1:",
        "anjatan.toml:9:",
        "sukra.toml:7:",
    ]


def test_nodes_of_a_file_that_cannot_be_read_are_not_called_unknown(tmp_path: Path) -> None:
    found = load_config(write_config(tmp_path, network="anchors = [\n"))
    assert "is not TOML" in only_problem(found.errors)


def test_links_of_a_file_that_cannot_be_read_are_not_called_unknown(tmp_path: Path) -> None:
    section = '[nodes.snmp]\ncredential = "ro"\n[[nodes.snmp.interfaces]]\nname = "ether1"\n'
    network = NETWORK + section + 'link = "anjatan/utama"\n'
    found = load_config(write_config(tmp_path, network=network, sites={"anjatan": "id = \n"}))
    assert "is not TOML" in only_problem(found.errors)


def test_a_missing_directory_is_one_error(tmp_path: Path) -> None:
    found = load_config(tmp_path / "nowhere")
    assert found.warnings == ()
    problem = only_problem(found.errors)
    assert problem.startswith("nowhere:1: there is no such directory — ")


def test_a_missing_monitor_toml_is_an_error_and_the_rest_is_still_checked(tmp_path: Path) -> None:
    config = write_config(
        tmp_path, monitor=None, sites={"anjatan": ANJATAN.replace("fibre", "wifi")}
    )
    first, second = load_config(config).errors
    assert short_text(first).startswith("monitor.toml:1: the file is missing — ")
    assert short_text(second).startswith("anjatan.toml:7: ")


def test_files_of_windows_notepad_are_read(tmp_path: Path) -> None:
    config = write_config(tmp_path)
    text = (ANJATAN + "kapasitas = 1\n").replace("\n", "\r\n")
    (config / "sites" / "anjatan.toml").write_bytes(b"\xef\xbb\xbf" + text.encode())
    assert only_problem(load_config(config).errors).startswith("anjatan.toml:9: link")


def test_a_file_that_is_not_utf_8_is_named_with_its_line(tmp_path: Path) -> None:
    config = write_config(tmp_path)
    (config / "sites" / "anjatan.toml").write_bytes(b'id = "anjatan"\nname = "Anjat\xe4n"\n')
    assert only_problem(load_config(config).errors) == (
        "anjatan.toml:2: the file is not UTF-8 text — save it again as UTF-8"
    )


def test_a_directory_or_a_socket_in_the_place_of_a_file_is_an_error(tmp_path: Path) -> None:
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


def test_files_that_nobody_reads_are_warned_of(tmp_path: Path) -> None:
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


def test_no_site_at_all_is_a_warning(tmp_path: Path) -> None:
    found = load_config(write_config(tmp_path, sites={}))
    assert found.settings is not None
    assert only_problem(found.warnings).startswith("sites:1: there is no site to watch")


def test_a_site_without_a_link_is_a_warning(tmp_path: Path) -> None:
    site = 'id = "anjatan"\nname = "Anjatan"\ncode = "32.12.23"\n'
    found = load_config(write_config(tmp_path, sites={"anjatan": site}))
    assert found.settings is not None
    assert only_problem(found.warnings).startswith("anjatan.toml:1: this site has no link")


def test_a_site_file_with_another_name_than_its_id_is_a_warning(tmp_path: Path) -> None:
    found = load_config(write_config(tmp_path, sites={"anyatan": ANJATAN}))
    assert found.settings is not None
    assert only_problem(found.warnings).startswith(
        'anyatan.toml:1: the id "anjatan" is not the name of its file — rename the file'
    )


@pytest.mark.parametrize("alerts", [None, "", "# nothing yet\n"])
def test_alerts_may_be_absent_or_empty(tmp_path: Path, alerts: str | None) -> None:
    assert load_config(write_config(tmp_path, alerts=alerts)).errors == ()


def test_require_gives_the_settings_when_there_is_nothing_wrong(tmp_path: Path) -> None:
    found = load_config(write_config(tmp_path))
    assert require_valid(found, strict=True) is found.settings


def test_require_raises_with_every_problem_a_line(tmp_path: Path) -> None:
    found = load_config(write_config(tmp_path, sites={"anjatan": ANJATAN + "a = 1\nb = 2\n"}))
    with pytest.raises(ConfigError) as caught:
        require_valid(found, strict=False)
    assert str(caught.value).splitlines() == [str(problem) for problem in found.errors]
    assert len(found.errors) == 2


def test_only_a_strict_require_minds_what_is_not_there_yet(tmp_path: Path) -> None:
    config = write_config(tmp_path, sites={"anyatan": ANJATAN})
    (config / "data").rmdir()
    found = load_config(config)
    assert require_valid(found, strict=False).organisation == "Diskominfo"
    with pytest.raises(ConfigError) as caught:
        require_valid(found, strict=True)
    (line,) = str(caught.value).splitlines()
    assert "the data directory" in line


def test_each_problem_is_one_line_whatever_stands_in_the_file(tmp_path: Path) -> None:
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
def test_no_garbage_crashes_the_loader(
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
