"""`pantau incidents`: the list as table and JSON."""

from __future__ import annotations

import json
from zoneinfo import ZoneInfo

import pytest

from monitor.adapters.ledger.writer import SqlLedger
from monitor.cli.incidents import incident_table
from monitor.core.model import Incident, Scope, State
from tests.cli.cli_fixtures import T0, CliConfig, drawn

WIB = ZoneInfo("Asia/Jakarta")


@pytest.mark.parametrize(
    ("options", "ids"),
    [([], [2]), (["--all"], [1, 2]), (["--since", "2025-11-24T23:05"], [2])],
    ids=lambda each: " ".join(map(str, each)),
)
def test_json_has_open_incidents_and_on_request_the_others(
    ledger_config: CliConfig, options: list[str], ids: list[int]
) -> None:
    document = json.loads(ledger_config.run("incidents", *options, "--json").stdout)
    assert [incident["id"] for incident in document["incidents"]] == ids


def test_json_has_times_in_utc_and_the_evidence(ledger_config: CliConfig) -> None:
    ended, cut = json.loads(ledger_config.run("incidents", "--all", "--json").stdout)["incidents"]
    assert ended["ended"] == "2025-11-24T16:04:00.000Z"
    assert cut["evidence"]["lost_in_row"] == 22


def test_an_invalid_since_is_wrong_usage(ledger_config: CliConfig) -> None:
    result = ledger_config.run("incidents", "--since", "kemarin")
    assert result.exit_code == 2
    assert "24h" in result.output


def test_the_table_shows_open_incidents_first(ledger_config: CliConfig) -> None:
    output = ledger_config.run("incidents", "--all").output
    assert output.index("anjatan/utama") < output.index("anjatan/cadangan")
    assert "terbuka" in output


def test_without_incidents_a_sentence_is_printed(config: CliConfig) -> None:
    SqlLedger.open(config.data / "ledger.db").close()
    assert config.run("incidents").output == "Tidak ada insiden terbuka.\n"
    assert config.run("incidents", "--all").output == "Tidak ada insiden.\n"


def test_80_columns_are_enough_for_target_and_start(config: CliConfig) -> None:
    target = "karangampel/cadangan"
    cut = Incident(1234, Scope.LINK, target, State.UNKNOWN, T0, T0 + 6, "not_measured")
    lines = drawn(incident_table([cut], T0 + 70, WIB, wide=False), 80)
    assert lines[1].startswith("1234")
    assert target in lines[1]
    assert "24 Nov 23.00.00" in lines[1]
    assert any("terbuka" in line for line in lines)
