"""The data directory, the codes of the kecamatan, and the secrets that are named."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitor.core.errors import ConfigError
from monitor.settings import require_valid
from monitor.settings.paths import resolve_data_dir
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

SNMP = '[snmp]\ncredential = "ro"\n'


def _is_error_to_run_only(config: Path, says: str, environ: dict[str, str] | None = None) -> None:
    found = load_config(config, environ)
    assert found.errors == ()
    assert found.settings is not None
    assert only_problem(found.warnings).startswith(says)
    with pytest.raises(ConfigError):
        require_valid(found, strict=True)


def test_a_missing_data_directory_is_an_error_to_run_only(tmp_path: Path) -> None:
    config = write_config(tmp_path, monitor=MONITOR.replace('"data"', '"/nowhere/at all"'))
    _is_error_to_run_only(
        config, "monitor.toml:4: the data directory at all is missing — create it for the user"
    )
    assert load_config(config).warnings[0].mend.endswith("mkdir -p '/nowhere/at all'")


def test_a_relative_data_directory_counts_from_the_configuration(tmp_path: Path) -> None:
    found = load_config(write_config(tmp_path))
    assert found.settings is not None
    assert found.settings.data_dir == tmp_path / "config" / "data"


def test_a_data_directory_beside_the_configuration_is_named_without_dots(tmp_path: Path) -> None:
    (tmp_path / "config").mkdir()
    assert resolve_data_dir(tmp_path / "config", "../data") == tmp_path.resolve() / "data"


def test_a_data_directory_that_cannot_be_looked_at_is_no_crash(tmp_path: Path) -> None:
    """A name longer than any file system takes; the schema calls it too long as well."""
    found = load_config(write_config(tmp_path, monitor=MONITOR.replace('"data"', f'"{"d" * 300}"')))
    assert "is longer than 200 characters" in only_problem(found.errors)
    assert "cannot be looked at" in only_problem(found.warnings)
    assert found.warnings[0].blocks_run


def test_a_data_directory_that_is_a_file_is_an_error(tmp_path: Path) -> None:
    config = write_config(tmp_path)
    (config / "data").rmdir()
    (config / "data").touch()
    assert "is not a directory — name a directory" in only_problem(load_config(config).errors)


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("32.12.24", 'code = "32.12.24" is Sukra\'s, this site is called "Anjatan"'),
        ("32.12.99", 'code = "32.12.99" is none of the 31 kecamatan'),
    ],
)
def test_a_wrong_code_is_an_error_to_run_only(tmp_path: Path, code: str, says: str) -> None:
    config = write_config(tmp_path, sites={"anjatan": ANJATAN.replace("32.12.23", code)})
    _is_error_to_run_only(config, f'anjatan.toml:3: {says} — for Anjatan write code = "32.12.23"')


def test_a_name_that_is_misspelt_is_an_error_to_run_only(tmp_path: Path) -> None:
    config = write_config(tmp_path, sites={"anjatan": ANJATAN.replace("Anjatan", "Anyatan")})
    _is_error_to_run_only(
        config,
        'anjatan.toml:3: code = "32.12.23" is Anjatan\'s, this site is called "Anyatan" — '
        'for Anjatan write code = "32.12.23"',
    )


def test_one_code_in_two_files_is_an_error_to_run_only(tmp_path: Path) -> None:
    second = SUKRA.replace('name = "Sukra"', 'name = "Anjatan"').replace("32.12.24", "32.12.23")
    config = write_config(tmp_path, sites={"anjatan": ANJATAN, "sukra": second})
    _is_error_to_run_only(config, 'sukra.toml:3: code = "32.12.23" is used already at anjatan.toml')


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
def test_other_spellings_in_use_are_accepted(tmp_path: Path, name: str, code: str) -> None:
    site = ANJATAN.replace('name = "Anjatan"', f'name = "{name}"').replace("32.12.23", code)
    assert load_config(write_config(tmp_path, sites={"anjatan": site})).warnings == ()


def test_a_missing_secret_is_an_error_to_run_only_and_said_once(tmp_path: Path) -> None:
    config = write_config(tmp_path, sites={"anjatan": ANJATAN + SNMP, "sukra": SUKRA + SNMP})
    _is_error_to_run_only(
        config, 'anjatan.toml:10: the secret "ro" is missing, or this user may not read it (named '
    )
    assert "in 2 places" in load_config(config).warnings[0].what
    assert "PANTAU_SECRET_RO" in load_config(config).warnings[0].mend


def test_a_missing_token_for_influxdb_is_an_error_to_run_only(tmp_path: Path) -> None:
    section = '[storage.influxdb]\nurl = "http://127.0.0.1:8086"\ntoken = "influxdb"\n'
    config = write_config(tmp_path, monitor=MONITOR + section)
    _is_error_to_run_only(config, 'monitor.toml:7: the secret "influxdb" is missing')
    assert load_config(config, {"PANTAU_SECRET_INFLUXDB": "t"}).warnings == ()


def test_a_secret_that_can_be_had_is_no_problem(tmp_path: Path) -> None:
    config = write_config(tmp_path, sites={"anjatan": ANJATAN + SNMP}, secrets={"ro": "public\n"})
    assert (load_config(config).errors, load_config(config).warnings) == ((), ())


def test_a_secret_open_to_others_is_an_error(tmp_path: Path) -> None:
    config = write_config(tmp_path, sites={"anjatan": ANJATAN + SNMP}, secrets={"ro": "hunter2\n"})
    (config / "secrets" / "ro").chmod(0o640)
    problem = only_problem(load_config(config).errors)
    assert problem.startswith("anjatan.toml:10: the secret in ro is open to other users (mode 0640")
    assert " — run chmod 600 " in problem
    assert "hunter2" not in problem


@pytest.mark.parametrize(
    ("version", "text", "says"),
    [
        ("3", "hunter2\n", "line 1 of the credential is not one of: user = …"),
        ("3", "user = a\nauth = sha\nauth_password = hunter\n", "shorter than 8 characters"),
        ("2c", "hunter2\nhunter3\n", "a community of version 2c is one line"),
    ],
)
def test_a_credential_that_no_poller_could_use_is_an_error(
    tmp_path: Path, version: str, text: str, says: str
) -> None:
    site = ANJATAN + SNMP + f'version = "{version}"\n'
    config = write_config(tmp_path, sites={"anjatan": site}, secrets={"ro": text})
    problem = only_problem(load_config(config).errors)
    assert problem.startswith(f'anjatan.toml:10: the secret "ro" is no SNMP {version} credential')
    assert says in problem
    assert "hunter" not in problem


def test_a_secret_used_for_both_versions_is_checked_for_both(tmp_path: Path) -> None:
    network = NETWORK + '[nodes.snmp]\ncredential = "ro"\nversion = "3"\n'
    config = write_config(
        tmp_path, network=network, sites={"anjatan": ANJATAN + SNMP}, secrets={"ro": "public"}
    )
    assert only_problem(load_config(config).errors).startswith(
        'network.toml:11: the secret "ro" is no SNMP 3 credential'
    )


def test_no_secret_is_looked_for_under_a_name_that_is_none(tmp_path: Path) -> None:
    site = ANJATAN + SNMP.replace("ro", "../monitor.toml")
    errors = load_config(write_config(tmp_path, sites={"anjatan": site})).errors
    assert [short_text(error).split(" (")[0] for error in errors] == [
        "anjatan.toml:10: [snmp] the value of credential"
    ]


PROXY = '[dashboard.proxy]\npeers = "127.0.0.1"\nsecret = "proxy"\n'


def test_a_proxys_secret_that_is_missing_is_told_and_stops_no_daemon(tmp_path: Path) -> None:
    found = load_config(write_config(tmp_path, monitor=MONITOR + PROXY))
    assert only_problem(found.warnings).startswith("monitor.toml:7: the secret proxy is missing")
    assert require_valid(found, strict=True).dashboard.proxy is not None


def test_a_proxys_secret_that_can_be_guessed_is_told(tmp_path: Path) -> None:
    config = write_config(tmp_path, monitor=MONITOR + PROXY)
    found = load_config(config, {"PANTAU_SECRET_PROXY": "short"})
    assert "shorter than 20 characters" in only_problem(found.warnings)
    assert load_config(config, {"PANTAU_SECRET_PROXY": "x" * 32}).warnings == ()


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ('peers = "gateway"', 'peers = "gateway" is not an IPv4 or IPv6 address, nor a network'),
        ("peers = []", "peers is empty"),
        ('peers = ["::/0"]', "is every address there is"),
        ('peers = "10.9.0.1/24"', "nor a network"),
        ('peers = "::1"\nheader = "Cookie"', "is a header with a meaning of its own"),
        ('peers = "::1"\nheader = "X User"', "is not the name of a header"),
        ('peers = "::1"\nrole = "root"', 'role = "root" is not one of those allowed'),
        ('peer = "::1"', "did you mean peers?"),
    ],
)
def test_a_proxy_that_cannot_be_is_an_error_with_its_line(
    tmp_path: Path, line: str, says: str
) -> None:
    text = f'{MONITOR}[dashboard.proxy]\nsecret = "proxy"\n{line}\n'
    found = load_config(write_config(tmp_path, monitor=text))
    assert says in only_problem(found.errors)
    number = len(text.splitlines())
    assert found.errors[0].line == number


def test_who_is_no_user_here_may_be_let_in_to_nothing(tmp_path: Path) -> None:
    found = load_config(write_config(tmp_path, monitor=f'{MONITOR}{PROXY}role = "none"\n'))
    assert found.settings is not None
    assert found.settings.dashboard.proxy is not None
    assert found.settings.dashboard.proxy.role is None


def test_what_looks_like_a_secret_itself_is_not_repeated_as_the_name_of_a_missing_one(
    tmp_path: Path,
) -> None:
    token = "apiv3_Xq3kJ0v8Lw2mZr5tYb7nCd9fGh1jKs4pUx6aEo"
    section = f'[storage.influxdb]\nurl = "http://x"\ntoken = "{token}"\n'
    proxy = f'[dashboard.proxy]\npeers = "127.0.0.1"\nsecret = "{token}"\n'
    found = load_config(write_config(tmp_path, monitor=MONITOR + section + proxy))
    assert found.warnings == ()
    assert token not in repr(found)
