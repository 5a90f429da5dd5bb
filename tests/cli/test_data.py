"""`pantau export` and `pantau journal`, on a journal of 90 minutes."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from pathlib import Path

import pytest

from monitor.adapters.journal import SqliteJournal
from monitor.core.errors import PantauError
from monitor.core.model import Lost, NotMeasured, Outcome, Reply
from monitor.core.samples.packed_requests import RecordedRequests
from tests.cli.cli_fixtures import CliConfig, make_config
from tests.sample_builders import LINK, MIDNIGHT_S, interface, ping

SPAN = ("--since", "2025-11-25T00:00:00+00:00", "--until", "2025-11-25T02:00:00+00:00")


def add_journal(at: CliConfig) -> CliConfig:
    journal = SqliteJournal(at.data / "journal")
    for number in range(540):
        at_s = MIDNIGHT_S + 10 * number
        rows = []
        for target in (LINK, "inti"):
            outcomes: list[Outcome] = [
                Reply(target, at_s - 9.0, at_s - 8.9, 12.345),
                Lost(target, at_s - 6.0, at_s - 5.0),
                NotMeasured(target, at_s - 3.0, at_s - 3.0, "ENOBUFS"),
            ]
            row = ping(at_s, target, sent=2, received=1, not_measured=1)
            rows.append(replace(row, requests=RecordedRequests(at_s, 0.0, outcomes)))
        journal.append([*rows, interface(at_s)])
    journal.roll_up(MIDNIGHT_S + 7200)
    journal.close()
    return at


@pytest.fixture(scope="module")
def journal_config(tmp_path_factory: pytest.TempPathFactory) -> CliConfig:
    return add_journal(make_config(tmp_path_factory.mktemp("journal")))


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_a_series_is_exported_as_csv_with_every_measured_field(journal_config: CliConfig) -> None:
    rows = rows_of(journal_config.run("export", "ping", *SPAN).stdout)
    assert len(rows) == 1080
    assert rows[0]["time"] == "2025-11-25T00:00:00.000Z"
    assert (rows[0]["target"], rows[0]["sent"], rows[0]["rtt_p50"]) == (LINK, "2", "12.0")
    assert rows[1]["site"] == ""


def test_targets_and_time_limit_the_export(journal_config: CliConfig) -> None:
    until = ("--since", SPAN[1], "--until", "2025-11-25T00:01:00+00:00")
    rows = rows_of(journal_config.run("export", "ping", *until, "--target", "inti").stdout)
    assert [row["target"] for row in rows] == ["inti"] * 6


@pytest.mark.parametrize(("series", "count"), [("ping_1m", 120), ("ping_1h", 2)])
def test_rollups_are_exported(journal_config: CliConfig, series: str, count: int) -> None:
    rows = rows_of(journal_config.run("export", series, *SPAN).stdout)
    assert len(rows) == count
    assert sum(int(row["sent"]) for row in rows) == 360 * 2 * 2
    assert sum(int(row["histogram"].partition(":")[2]) for row in rows) == 360 * 2


def test_exported_evidence_can_be_replayed(journal_config: CliConfig, tmp_path: Path) -> None:
    file = tmp_path / "bukti.jsonl"
    result = journal_config.run("export", "--evidence", *SPAN, "-o", str(file))
    assert result.exit_code == 0, result.output
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    assert len(lines) == 540 * 6 - 3 * 2 + 2 - 2
    assert [line["t"] for line in lines] == sorted(line["t"] for line in lines)
    assert {"t": MIDNIGHT_S + 1.0, "target": LINK, "rtt_ms": 12.345} in lines
    assert {"t": MIDNIGHT_S + 7.0, "target": LINK, "error": "ENOBUFS"} in lines
    assert {"t": MIDNIGHT_S + 4.0, "target": LINK, "rtt_ms": None} in lines
    replayed = journal_config.run("replay", str(file), "--json")
    assert replayed.exit_code == 0, replayed.output


def test_an_export_follows_no_link_and_writes_to_no_device(
    journal_config: CliConfig, tmp_path: Path
) -> None:
    """Where others can write, they may have put a link in the place of what root writes."""
    precious = tmp_path / "precious"
    precious.write_text("root's")
    for trap in ("out.csv.part", "out.csv.new"):
        (tmp_path / trap).symlink_to(precious)
    result = journal_config.run("export", "ping", *SPAN, "-o", str(tmp_path / "out.csv"))
    assert result.exit_code == 0
    assert rows_of((tmp_path / "out.csv").read_text())
    (tmp_path / "link.csv").symlink_to(precious)
    for where, why in ((tmp_path / "link.csv", "it is a link"), (Path("/dev/null"), "plain file")):
        refused = journal_config.run("export", "ping", *SPAN, "-o", str(where))
        assert why in str(refused.exception)
    assert precious.read_text() == "root's"
    assert {file.name for file in tmp_path.iterdir()} == {
        *("precious", "out.csv.part", "out.csv.new", "out.csv", "link.csv")
    }


def test_a_name_that_is_a_formula_is_exported_as_a_text(tmp_path: Path) -> None:
    at = make_config(tmp_path)
    journal = SqliteJournal(at.data / "journal")
    formula = '=HYPERLINK("http://x")'
    journal.append([replace(ping(MIDNIGHT_S, LINK), provider=formula)])
    journal.close()
    (row,) = rows_of(at.run("export", "ping", *SPAN).stdout)
    assert row["provider"] == f"'{formula}"


def test_invalid_exports_are_refused(journal_config: CliConfig, tmp_path: Path) -> None:
    assert journal_config.run("export").exit_code == 2
    assert journal_config.run("export", "ping", "--evidence").exit_code == 2
    assert journal_config.run("export", "ping", "--since", "1h", "--until", "2h").exit_code == 2
    nowhere = journal_config.run("export", "ping", "-o", str(tmp_path / "no" / "where.csv"))
    assert isinstance(nowhere.exception, PantauError)
    assert "cannot be written" in str(nowhere.exception)
    assert isinstance(make_config(tmp_path).run("export", "ping").exception, PantauError)


def test_the_journal_reports_its_size_and_age(journal_config: CliConfig) -> None:
    document = json.loads(journal_config.run("journal", "--json").stdout)
    assert document["newest"] == "2025-11-25T01:29:50.000Z"
    kinds = {each["kind"]: each for each in document["kinds"]}
    assert kinds["samples"]["rows"] == 540 * 3
    assert kinds["minutes"]["rows"] == 180
    assert kinds["hours"]["rows"] == 3
    assert kinds["samples"]["lag"] is None
    assert document["bytes"] == sum(each["bytes"] for each in document["kinds"])
    assert "per menit" in journal_config.run("journal").output


def test_check_reports_damaged_files(journal_config: CliConfig, tmp_path: Path) -> None:
    intact = journal_config.run("journal", "--check")
    assert intact.exit_code == 0
    assert intact.output.count(": ok") == 4
    damaged = add_journal(make_config(tmp_path))
    (damaged.data / "journal" / "minutes-20251125.db").write_bytes(b"no database" * 900)
    result = damaged.run("journal", "--check")
    assert "minutes-20251125.db: the journal" in result.output
    assert "1 files are damaged" in str(result.exception)
