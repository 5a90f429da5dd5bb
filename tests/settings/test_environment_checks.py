"""Checks against the machine: data directory, names of kecamatan, files of secrets.

Most mistakes: problems.txt.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from monitor.settings import require_valid
from monitor.settings.paths import resolve_data_dir
from tests.settings.config_fixtures import (
    ANJATAN,
    MONITOR,
    load_config,
    load_valid,
    only_problem,
    write_config,
)

SNMP = '[snmp]\ncredential = "ro"\n'


def test_a_relative_data_directory_is_relative_to_the_configuration(tmp_path: Path) -> None:
    found = load_valid(write_config(tmp_path))
    assert found.data_dir == tmp_path / "config" / "data"


def test_dots_in_the_data_directory_are_resolved(tmp_path: Path) -> None:
    (tmp_path / "config").mkdir()
    assert resolve_data_dir(tmp_path / "config", "../data") == tmp_path.resolve() / "data"


def test_a_data_directory_that_cannot_be_examined_is_reported(tmp_path: Path) -> None:
    """A name longer than file systems allow; the schema reports it as well."""
    found = load_config(write_config(tmp_path, monitor=MONITOR.replace('"data"', f'"{"d" * 300}"')))
    assert "is longer than 200 characters" in only_problem(found.errors)
    assert "cannot be looked at" in only_problem(found.warnings)
    assert found.warnings[0].blocks_run


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("Trisi", "32.12.26"),
        ("Terisi", "32.12.26"),
        ("Gabus Wetan", "32.12.03"),
        ("KEDOKANBUNDER", "32.12.28"),
        ("kedokan-bunder", "32.12.28"),
        ("Kantor Kecamatan Anjatan", "32.12.23"),
        ("Kec. Anjatan", "32.12.23"),
    ],
)
def test_other_spellings_of_a_kecamatan_are_accepted(tmp_path: Path, name: str, code: str) -> None:
    site = ANJATAN.replace('name = "Anjatan"', f'name = "{name}"').replace("32.12.23", code)
    assert load_config(write_config(tmp_path, sites={"anjatan": site})).warnings == ()


def test_a_readable_secret_is_valid(tmp_path: Path) -> None:
    config = write_config(tmp_path, sites={"anjatan": ANJATAN + SNMP}, secrets={"ro": "public\n"})
    assert (load_config(config).errors, load_config(config).warnings) == ((), ())


def test_a_secret_readable_by_others_is_an_error(tmp_path: Path) -> None:
    config = write_config(tmp_path, sites={"anjatan": ANJATAN + SNMP}, secrets={"ro": "hunter2\n"})
    (config / "secrets" / "ro").chmod(0o640)
    problem = only_problem(load_config(config).errors)
    assert problem.startswith("anjatan.toml:10: the secret in ro is open to other users (mode 0640")
    assert " — run chmod 600 " in problem
    assert "hunter2" not in problem


PROXY = '[dashboard.proxy]\npeers = "127.0.0.1"\nsecret = "proxy"\n'


def test_a_missing_proxy_secret_does_not_stop_the_daemon(tmp_path: Path) -> None:
    found = load_config(write_config(tmp_path, monitor=MONITOR + PROXY))
    assert only_problem(found.warnings).startswith("monitor.toml:7: the secret proxy is missing")
    assert require_valid(found, strict=True).dashboard.proxy is not None


def test_users_of_the_proxy_without_account_may_have_no_role(tmp_path: Path) -> None:
    found = load_valid(write_config(tmp_path, monitor=f'{MONITOR}{PROXY}role = "none"\n'))
    assert found.dashboard.proxy is not None
    assert found.dashboard.proxy.role is None


def test_a_pasted_secret_is_not_printed_as_the_name_of_a_missing_one(
    tmp_path: Path,
) -> None:
    token = "apiv3_Xq3kJ0v8Lw2mZr5tYb7nCd9fGh1jKs4pUx6aEo"
    section = f'[storage.influxdb]\nurl = "http://x"\ntoken = "{token}"\n'
    proxy = f'[dashboard.proxy]\npeers = "127.0.0.1"\nsecret = "{token}"\n'
    found = load_config(write_config(tmp_path, monitor=MONITOR + section + proxy))
    assert found.warnings == ()
    assert token not in repr(found)
