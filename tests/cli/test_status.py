"""`pantau status`, `incidents` and `replay`, as a person and as a script see them."""

from __future__ import annotations

import json
import subprocess
import sys
from io import StringIO
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from rich.console import Console
from rich.table import Table
from rich.text import Text

from monitor.adapters.ledger.writer import SqlLedger
from monitor.cli.incidents import incident_table
from monitor.cli.status import state_table
from monitor.core.errors import PantauError
from monitor.core.model import Incident, Scope, State
from tests.cli.cli_fixtures import T0, add_ledger, make_config

WIB = ZoneInfo("Asia/Jakarta")


def test_status_without_a_daemon_is_the_ledger_and_marked_stale(tmp_path: Path) -> None:
    result = add_ledger(make_config(tmp_path)).run("status", "--json")
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


def test_the_status_table_says_that_it_is_stale_and_what_is_cut(tmp_path: Path) -> None:
    output = add_ledger(make_config(tmp_path)).run("status").output
    assert "BASI" in output
    assert "Putus" in output
    assert "WIB" in output


def drawn(table: Table, width: int) -> list[str]:
    """The lines of a table on a terminal of that width."""
    console = Console(width=width, file=StringIO(), markup=False)
    with console.capture() as said:
        console.print(table)
    return said.get().splitlines()


def test_the_status_table_has_the_site_itself_and_says_what_carries_it(tmp_path: Path) -> None:
    lines = add_ledger(make_config(tmp_path)).run("status").output.splitlines()
    (site,) = [line for line in lines if line.startswith("Anjatan")]
    assert "Terganggu, berjalan di cadangan" in site
    assert "24 Nov 23.10.00" in site


def test_the_status_ends_with_a_count_and_its_moment_and_begins_with_what_is_wrong(
    tmp_path: Path,
) -> None:
    output = add_ledger(make_config(tmp_path)).run("status").output
    assert "! the daemon does not answer on" in output
    *_, summary, moment = output.splitlines()
    assert summary == "1 situs: 1 ! Terganggu"
    assert moment == "Data per 24 Nov 23.11.40 WIB"


def test_a_site_with_one_link_takes_one_row_and_one_without_a_link_is_there_too() -> None:
    up = {"state": "up", "since": None, "rtt_ms": 9.1, "loss_pct": 0.0, "overlays": ["flapping"]}
    sites = [
        {"id": "a", "name": "A", "state": "up", "since": None, "links": [up | {"target": "a/x"}]},
        {"id": "b", "name": "B", "state": "unknown", "since": None, "links": []},
    ]
    document: dict[str, object] = {"sites": sites, "nodes": []}
    lines = drawn(state_table(document, WIB, wide=True, stale=False), 120)
    assert [line.split() for line in lines[1:]] == [
        ["A", "a/x", "✓", "Normal,", "tidak", "stabil", "–", "9,1", "0,0"],
        ["B", "b", "?", "Tidak", "ada", "data", "–"],
    ]
    assert lines[0].split() == [
        *("Nama", "Sasaran", "Keadaan", "Sejak", "(WIB)", "RTT", "ms", "Hilang", "%")
    ]


def test_on_80_columns_no_target_is_cut(tmp_path: Path) -> None:
    result = add_ledger(make_config(tmp_path)).run("status", "--json")
    document = json.loads(result.stdout)
    lines = drawn(state_table(document, WIB, wide=False, stale=True), 80)
    assert [line.split()[0] for line in lines[1:] if not line.startswith(" ")] == [
        "anjatan",
        "anjatan/utama",
        "anjatan/cadangan",
        "pop-patrol",
    ]


def test_on_80_columns_no_incident_loses_its_target_or_its_begin() -> None:
    target = "karangampel/cadangan"
    cut = Incident(1234, Scope.LINK, target, State.UNKNOWN, T0, T0 + 6, "not_measured")
    lines = drawn(incident_table([cut], T0 + 70, WIB, wide=False), 80)
    assert lines[1].startswith("1234")
    assert target in lines[1]
    assert "24 Nov 23.00.00" in lines[1]
    assert any("terbuka" in line for line in lines)


def test_what_was_true_once_is_not_green(tmp_path: Path) -> None:
    document = json.loads(add_ledger(make_config(tmp_path)).run("status", "--json").stdout)
    colours = {
        stale: {
            str(span.style)
            for cell in state_table(document, WIB, wide=True, stale=stale).columns[2].cells
            if isinstance(cell, Text)
            for span in cell.spans
        }
        for stale in (False, True)
    }
    assert "green" in colours[False]
    assert colours[True] <= {"dim"}


def test_nothing_that_is_said_is_taken_for_markup(tmp_path: Path) -> None:
    assert "[[rota]]" in make_config(tmp_path).run("oncall").output


def test_without_any_incident_the_answer_fits_the_question(tmp_path: Path) -> None:
    at = make_config(tmp_path)
    SqlLedger.open(at.data / "ledger.db").close()
    assert at.run("incidents").output == "Tidak ada insiden terbuka.\n"
    assert at.run("incidents", "--all").output == "Tidak ada insiden.\n"


def test_status_before_the_first_run_says_so_in_one_sentence(tmp_path: Path) -> None:
    result = make_config(tmp_path).run("status")
    assert isinstance(result.exception, PantauError)
    assert "pantau run" in str(result.exception)


def test_incidents_lists_open_ones_and_with_all_also_those_that_are_over(tmp_path: Path) -> None:
    at = add_ledger(make_config(tmp_path))
    open_ones = json.loads(at.run("incidents", "--json").stdout)["incidents"]
    assert [i["id"] for i in open_ones] == [2]
    every = json.loads(at.run("incidents", "--all", "--json").stdout)["incidents"]
    assert [i["id"] for i in every] == [1, 2]
    assert every[0]["ended"] == "2025-11-24T16:04:00.000Z"
    assert every[1]["evidence"]["lost_in_row"] == 22


def test_incidents_since_a_local_time(tmp_path: Path) -> None:
    at = add_ledger(make_config(tmp_path))
    found = json.loads(at.run("incidents", "--since", "2025-11-24T23:05", "--json").stdout)
    assert [i["id"] for i in found["incidents"]] == [2]


def test_a_since_that_is_no_time_is_wrong_usage(tmp_path: Path) -> None:
    result = add_ledger(make_config(tmp_path)).run("incidents", "--since", "kemarin")
    assert result.exit_code == 2
    assert "24h" in result.output


def test_the_incidents_table_shows_open_ones_first(tmp_path: Path) -> None:
    output = add_ledger(make_config(tmp_path)).run("incidents", "--all").output
    assert output.index("anjatan/utama") < output.index("anjatan/cadangan")
    assert "terbuka" in output


def evidence(path: Path, cut: tuple[float, float] = (60, 90), seconds: int = 120) -> Path:
    lines = []
    for second in range(seconds):
        for i in range(5):
            t = second + i / 5
            silent = cut[0] <= t < cut[1]
            lines.append(
                {"t": T0 + t, "target": "anjatan/utama", "rtt_ms": None if silent else 12.4}
            )
        lines.append({"t": T0 + second + 0.9, "target": "anchor:10.77.0.1", "rtt_ms": 0.4})
    path.write_text("\n".join(json.dumps(line) for line in lines))
    return path


def test_replay_reports_the_outage_in_the_evidence(tmp_path: Path) -> None:
    at = make_config(tmp_path)
    result = at.run("replay", str(evidence(tmp_path / "bukti.jsonl")), "--json")
    assert result.exit_code == 0, result.output
    document = json.loads(result.stdout)
    (incident,) = document["incidents"]
    assert incident["target"] == "anjatan/utama"
    assert incident["started"] == "2025-11-24T16:01:00.000Z"
    assert incident["ended"] == "2025-11-24T16:01:30.000Z"
    states = [(t["target"], t["to"]) for t in document["transitions"]]
    assert ("anjatan/utama", "down") in states
    detected = [t["detected"] for t in document["transitions"]]
    assert detected == sorted(detected)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", ":1:"),
        ('{"t": "x", "target": "a", "rtt_ms": 1}', ":1:"),
        ('{"t": 1, "target": "a"}', "rtt_ms"),
        ('{"t": 2, "target": "a", "rtt_ms": 1}\n{"t": 1, "target": "a", "rtt_ms": 1}', ":2:"),
    ],
)
def test_a_bad_line_is_named_with_its_number(tmp_path: Path, text: str, words: str) -> None:
    file = tmp_path / "bukti.jsonl"
    file.write_text(text)
    result = make_config(tmp_path).run("replay", str(file))
    assert isinstance(result.exception, PantauError)
    assert words in str(result.exception)
    assert "bukti.jsonl" in str(result.exception)


def test_help_of_every_command_shows_an_example(tmp_path: Path) -> None:
    at = make_config(tmp_path)
    for name in ("status", "incidents", "replay", "probe", "check"):
        output = at.run(name, "--help").output
        assert f"pantau {name}" in output, name


def test_replay_compares_another_limit_with_the_present_one(tmp_path: Path) -> None:
    at = make_config(tmp_path)
    file = evidence(tmp_path / "bukti.jsonl", cut=(60, 68))
    result = at.run("replay", str(file), "--set", "ping.confirm_s=9", "--compare", "--json")
    assert result.exit_code == 0, result.output
    compare = json.loads(result.stdout)["compare"]
    assert compare["more"] == []
    assert [i["target"] for i in compare["less"]] == ["anjatan/utama"]
    later = at.run(
        "replay",
        str(evidence(tmp_path / "lama.jsonl")),
        "--set",
        "ping.confirm_s=8",
        "--compare",
        "--json",
    )
    (pair,) = json.loads(later.stdout)["compare"]["later"]
    assert pair["detected_later_s"] == pytest.approx(3.0, abs=0.5)
    assert pair["longer_s"] == 0.0
    shown = at.run("replay", str(file), "--set", "ping.confirm_s=9", "--compare").output
    assert "1 kurang" in shown


@pytest.mark.parametrize("setting", ["ping.confirm_s", "ping.confirm_s=", "ping.konfirm=8"])
def test_a_wrong_set_is_said_in_one_sentence(tmp_path: Path, setting: str) -> None:
    at = make_config(tmp_path)
    file = evidence(tmp_path / "bukti.jsonl")
    result = at.run("replay", str(file), "--set", setting)
    assert isinstance(result.exception, PantauError)
    assert "confirm_s" in str(result.exception)


def test_compare_without_set_is_wrong_usage(tmp_path: Path) -> None:
    at = make_config(tmp_path)
    assert at.run("replay", str(evidence(tmp_path / "b.jsonl")), "--compare").exit_code == 2


def test_status_pays_for_no_library_that_it_does_not_need() -> None:
    """Its half second would go to SQLAlchemy and pydantic, of no use where the daemon answers."""
    heavy = "{'sqlalchemy', 'pydantic', 'pysnmp', 'apscheduler'}"
    said = subprocess.run(
        [
            sys.executable,
            "-c",
            f"import sys, monitor.cli.status; print({heavy} & {{*sys.modules}})",
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    assert said.stdout == "set()\n"
