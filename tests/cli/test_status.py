"""`pantau status` from the ledger, as table and JSON."""

from __future__ import annotations

import json
import subprocess
import sys
from zoneinfo import ZoneInfo

import pytest
from rich.text import Text

from monitor.cli.status import state_table
from monitor.core.errors import PantauError
from tests.cli.cli_fixtures import CliConfig, drawn

WIB = ZoneInfo("Asia/Jakarta")


def test_without_a_daemon_json_is_from_the_ledger_and_marked_stale(
    ledger_config: CliConfig,
) -> None:
    result = ledger_config.run("status", "--json")
    assert result.exit_code == 0, result.output
    document = json.loads(result.stdout)
    assert document["stale"] is True
    assert document["age_s"] > 0
    assert document["at"] == "2025-11-24T16:11:40.000Z"
    (site,) = document["sites"]
    assert (site["id"], site["state"]) == ("anjatan", "degraded")
    links = {link["target"]: link for link in site["links"]}
    assert links["anjatan/utama"]["state"] == "down"
    assert links["anjatan/utama"]["since"] == "2025-11-24T16:10:00.000Z"
    assert links["anjatan/utama"]["rtt_ms"] is None
    (node,) = document["nodes"]
    assert node["state"] == "unknown"


def test_the_table_has_warnings_sites_links_a_count_and_its_time(ledger_config: CliConfig) -> None:
    output = ledger_config.run("status").output
    assert "BASI" in output
    assert "Putus" in output
    assert "! the daemon does not answer on" in output
    *lines, summary, moment = output.splitlines()
    (site,) = [line for line in lines if line.startswith("Anjatan")]
    assert "Terganggu, berjalan di cadangan" in site
    assert "24 Nov 23.10.00" in site
    assert summary == "1 situs: 1 ! Terganggu"
    assert moment == "Data per 24 Nov 23.11.40 WIB"


def test_a_site_with_a_single_link_or_none_takes_one_row() -> None:
    up = {"state": "up", "since": None, "rtt_ms": 9.1, "loss_pct": 0.0, "overlays": ["flapping"]}
    sites = [
        {"id": "a", "name": "A", "state": "up", "since": None, "links": [up | {"target": "a/x"}]},
        {"id": "b", "name": "B", "state": "unknown", "since": None, "links": []},
    ]
    document: dict[str, object] = {"sites": sites, "nodes": []}
    titles, *rows = drawn(state_table(document, WIB, wide=True, stale=False), 120)
    assert titles.split() == [
        *["Nama", "Sasaran", "Keadaan", "Sejak", "(WIB)", "RTT", "ms", "Hilang", "%"]
    ]
    assert [row.split() for row in rows] == [
        ["A", "a/x", "✓", "Normal,", "tidak", "stabil", "–", "9,1", "0,0"],
        ["B", "b", "?", "Tidak", "ada", "data", "–"],
    ]


def test_80_columns_are_enough_for_every_target(ledger_config: CliConfig) -> None:
    document = json.loads(ledger_config.run("status", "--json").stdout)
    lines = drawn(state_table(document, WIB, wide=False, stale=True), 80)
    assert [line.split()[0] for line in lines[1:] if not line.startswith(" ")] == [
        "anjatan",
        "anjatan/utama",
        "anjatan/cadangan",
        "pop-patrol",
    ]


def test_a_stale_state_is_not_green(ledger_config: CliConfig) -> None:
    document = json.loads(ledger_config.run("status", "--json").stdout)
    styles = {
        stale: {
            str(span.style)
            for cell in state_table(document, WIB, wide=True, stale=stale).columns[2].cells
            if isinstance(cell, Text)
            for span in cell.spans
        }
        for stale in (False, True)
    }
    assert "green" in styles[False]
    assert styles[True] <= {"dim"}


def test_before_the_first_run_it_is_one_error_message(config: CliConfig) -> None:
    result = config.run("status")
    assert isinstance(result.exception, PantauError)
    assert "pantau run" in str(result.exception)


def test_brackets_are_not_interpreted_as_markup(config: CliConfig) -> None:
    assert "[[rota]]" in config.run("oncall").output


@pytest.mark.parametrize("command", ["status", "incidents", "replay", "probe", "check"])
def test_the_help_shows_an_example(config: CliConfig, command: str) -> None:
    assert f"pantau {command}" in config.run(command, "--help").output


@pytest.mark.parametrize(
    ("module", "heavy"),
    [
        ("status", "sqlalchemy pydantic pysnmp apscheduler"),
        ("incident_actions", "sqlalchemy pydantic pysnmp apscheduler"),
    ],
)
def test_quick_commands_import_no_slow_library(module: str, heavy: str) -> None:
    """`pantau status` must answer within half a second."""
    program = f"import sys, monitor.cli.{module}; print({{*{heavy.split()}}} & {{*sys.modules}})"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert done.stdout == b"set()\n"
