"""`pantau replay`: incidents and transitions from recorded evidence, and comparison of settings."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from monitor.core.errors import PantauError
from tests.cli.cli_fixtures import T0, CliConfig


def write_evidence(path: Path, outage_s: tuple[float, float] = (60, 90)) -> str:
    """120 s of requests, five a second, with an outage from and until these seconds."""
    lines: list[dict[str, object]] = []
    for second in range(120):
        for part in range(5):
            t = second + part / 5
            rtt_ms = None if outage_s[0] <= t < outage_s[1] else 12.4
            lines.append({"t": T0 + t, "target": "anjatan/utama", "rtt_ms": rtt_ms})
        lines.append({"t": T0 + second + 0.9, "target": "anchor:10.77.0.1", "rtt_ms": 0.4})
    path.write_text("\n".join(json.dumps(line) for line in lines))
    return str(path)


def test_an_outage_in_the_evidence_is_reported(config: CliConfig, tmp_path: Path) -> None:
    result = config.run("replay", write_evidence(tmp_path / "bukti.jsonl"), "--json")
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
    ("text", "message"),
    [
        ("{", ":1:"),
        ('{"t": "x", "target": "a", "rtt_ms": 1}', ":1:"),
        ('{"t": 1, "target": "a"}', "rtt_ms"),
        ('{"t": 2, "target": "a", "rtt_ms": 1}\n{"t": 1, "target": "a", "rtt_ms": 1}', ":2:"),
    ],
)
def test_an_invalid_line_is_reported_with_its_number(
    config: CliConfig, tmp_path: Path, text: str, message: str
) -> None:
    file = tmp_path / "bukti.jsonl"
    file.write_text(text)
    result = config.run("replay", str(file))
    assert isinstance(result.exception, PantauError)
    assert message in str(result.exception)
    assert "bukti.jsonl" in str(result.exception)


def test_compare_shows_incidents_that_another_limit_would_not_report(
    config: CliConfig, tmp_path: Path
) -> None:
    short = ("replay", write_evidence(tmp_path / "bukti.jsonl", (60, 68)))
    setting = ("--set", "ping.confirm_s=9", "--compare")
    result = config.run(*short, *setting, "--json")
    assert result.exit_code == 0, result.output
    compare = json.loads(result.stdout)["compare"]
    assert compare["more"] == []
    assert [i["target"] for i in compare["less"]] == ["anjatan/utama"]
    assert "1 kurang" in config.run(*short, *setting).output


def test_compare_shows_how_much_later_an_incident_would_be_detected(
    config: CliConfig, tmp_path: Path
) -> None:
    file = write_evidence(tmp_path / "bukti.jsonl")
    result = config.run("replay", file, "--set", "ping.confirm_s=8", "--compare", "--json")
    (pair,) = json.loads(result.stdout)["compare"]["later"]
    assert pair["detected_later_s"] == pytest.approx(3.0, abs=0.5)
    assert pair["longer_s"] == 0.0


@pytest.mark.parametrize("setting", ["ping.confirm_s", "ping.confirm_s=", "ping.konfirm=8"])
def test_an_invalid_set_is_one_error_message(
    config: CliConfig, tmp_path: Path, setting: str
) -> None:
    result = config.run("replay", write_evidence(tmp_path / "bukti.jsonl"), "--set", setting)
    assert isinstance(result.exception, PantauError)
    assert "confirm_s" in str(result.exception)


def test_compare_without_set_is_wrong_usage(config: CliConfig, tmp_path: Path) -> None:
    assert config.run("replay", write_evidence(tmp_path / "b.jsonl"), "--compare").exit_code == 2
