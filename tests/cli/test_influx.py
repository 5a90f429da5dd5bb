"""`pantau influx resend` and `quarantine`; for `setup` see tests/adapters/test_influx_setup.py."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from monitor.adapters.system.dead_letters import DeadLetterFiles
from monitor.cli.time_arguments import current_utc_s
from monitor.core.errors import ApiError
from monitor.core.ports import RefusedPoint
from tests.cli.cli_fixtures import CliConfig, make_config
from tests.influx_2_7 import InfluxTwo

POINT = RefusedPoint(0.0, "20251125:1", 422, "field type conflict", "ping,link=utama sent=1i 17")


@pytest.fixture
def config(tmp_path: Path) -> CliConfig:
    made = make_config(tmp_path)
    made.data.mkdir(exist_ok=True)
    return made


def test_an_empty_quarantine_is_said(config: CliConfig) -> None:
    assert config.run("influx", "quarantine").output == "Tidak ada sampel yang disisihkan.\n"
    assert json.loads(config.run("influx", "quarantine", "--json").output) == {"quarantine": []}


def test_refused_samples_of_all_buckets_are_listed_with_the_servers_reason(
    config: CliConfig,
) -> None:
    now_s = current_utc_s()
    for name, age_s in (("quarantine", 60.0), ("quarantine_1m", 86_400.0)):
        letters = DeadLetterFiles(config.data / name)
        letters.add(replace(POINT, at_s=now_s - age_s))
    output = config.run("influx", "quarantine").output
    assert "2 sampel disisihkan" in output
    assert output.count("ping,link=utama") == 2
    assert "field type conflict" in output
    assert "pantau influx resend" in output
    document = json.loads(config.run("influx", "quarantine", "--since", "1h", "--json").output)
    [only] = document["quarantine"]
    assert (only["status"], only["line"]) == (422, "ping,link=utama sent=1i 17")


def test_without_a_daemon_resend_says_that_it_does_not_answer(config: CliConfig) -> None:
    result = config.run("influx", "resend", "--since", "24h")
    assert isinstance(result.exception, ApiError)


def test_a_time_that_is_no_time_is_a_usage_error(config: CliConfig) -> None:
    result = config.run("influx", "resend", "--since", "kemarin")
    assert result.exit_code == 2
    assert "is no time" in result.output


@pytest.mark.parametrize(("org", "errors"), [("", 1), ("diskominfo", 0)])
def test_check_finds_a_missing_organisation_of_a_2_x_server(
    tmp_path: Path, org: str, errors: int
) -> None:
    with InfluxTwo() as server:
        made = make_config(tmp_path)
        monitor = made.config / "monitor.toml"
        table = f'[storage.influxdb]\nurl = "{server.url}"\norg = "{org}"\n'
        monitor.write_text(f"{monitor.read_text()}\n{table}")
        result = made.run("check")
    assert result.exit_code == errors
    assert result.output.count("org is missing: InfluxDB 2.7.12 takes no sample") == errors


def test_check_says_nothing_of_a_server_that_does_not_answer(config: CliConfig) -> None:
    monitor = config.config / "monitor.toml"
    monitor.write_text(f'{monitor.read_text()}\n[storage.influxdb]\nurl = "http://127.0.0.1:9"\n')
    assert config.run("check").exit_code == 0
