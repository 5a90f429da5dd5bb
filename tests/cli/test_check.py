"""`pantau check`: problems, exit code, and what a reload would change."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from monitor.cli.check import check
from monitor.core.errors import ConfigError
from monitor.settings import settings_snapshot
from monitor.settings.paths import LOADED_CONFIG_FILE
from tests.settings.config_fixtures import ANJATAN, MONITOR, SUKRA, load_valid, write_config


def _check(*arguments: str | Path) -> Result:
    return CliRunner().invoke(check, [str(argument) for argument in arguments])


def test_a_valid_configuration_is_one_line_and_exit_0(tmp_path: Path) -> None:
    result = _check("--config", write_config(tmp_path))
    assert result.exit_code == 0
    assert result.stdout == "no errors, no warnings; 1 sites, 1 links, 2 nodes, 0 routers\n"


def test_errors_are_one_line_each_and_exit_1(tmp_path: Path) -> None:
    site = ANJATAN.replace("fibre", "wifi") + "x = 1\n"
    config = write_config(tmp_path, sites={"anjatan": site})
    result = _check("--config", config)
    assert result.exit_code == 1
    first, second, summary = result.stdout.splitlines()
    assert first.startswith(f"{config}/sites/anjatan.toml:7: ")
    assert second.startswith(f"{config}/sites/anjatan.toml:9: ")
    assert " — " in first
    assert summary == "2 errors, no warnings"


def test_warnings_alone_are_exit_0(tmp_path: Path) -> None:
    config = write_config(tmp_path, sites={"anyatan": ANJATAN})
    (config / "data").rmdir()
    result = _check("--config", config)
    assert result.exit_code == 0
    first, second, summary = result.stdout.splitlines()
    assert first.startswith(f"{config}/monitor.toml:4: warning: the data directory ")
    assert second.startswith(f"{config}/sites/anyatan.toml:1: warning: the id ")
    assert summary.startswith("no errors, 2 warnings (1 of them an error to pantau run); 1 sites")


def test_json_is_a_single_document(tmp_path: Path) -> None:
    config = write_config(tmp_path, sites={"anjatan": ANJATAN + "x = 1\n"})
    (config / "data").rmdir()
    result = _check("--config", config, "--json")
    assert result.exit_code == 1
    document = json.loads(result.stdout)
    assert set(document) == {"errors", "warnings"}
    (error,) = document["errors"]
    assert error["file"] == f"{config}/sites/anjatan.toml"
    assert error["line"] == 9
    assert "the key x is not known" in error["what"]
    assert error["mend"]
    assert error["blocks_run"] is False
    (warning,) = document["warnings"]
    assert warning["blocks_run"] is True


def test_diff_shows_what_a_reload_would_change(tmp_path: Path) -> None:
    config = write_config(tmp_path)
    working = load_valid(config)
    (working.data_dir / LOADED_CONFIG_FILE).write_text(json.dumps(settings_snapshot(working)))
    unchanged = _check("--config", config, "--diff")
    assert unchanged.stdout.splitlines()[-1] == "a reload would change nothing"

    (config / "sites" / "anjatan.toml").unlink()
    (config / "sites" / "sukra.toml").write_text(SUKRA)
    (config / "monitor.toml").write_text(MONITOR + "[ping]\nrise = 4\n")
    changed = _check("--config", config, "--diff")
    assert changed.exit_code == 0
    assert changed.stdout.splitlines()[1:] == [
        "+ site:sukra",
        "+ sukra/utama",
        "- site:anjatan",
        "- anjatan/utama",
        "~ anchor:10.77.0.1: rise 3 → 4",
        "~ inti: rise 3 → 4",
        "~ pop-patrol: rise 3 → 4",
    ]
    document = json.loads(_check("--config", config, "--diff", "--json").stdout)
    assert document["diff"]["added"] == ["site:sukra", "sukra/utama"]
    assert document["diff"]["changed"]["inti"] == {"rise": {"before": 3, "after": 4}}


def test_an_invalid_configuration_has_no_diff(tmp_path: Path) -> None:
    result = _check("--config", write_config(tmp_path, alerts="x = 1\n"), "--diff")
    assert result.exit_code == 1
    assert result.stdout.splitlines()[-1] == "1 error, no warnings"


@pytest.mark.parametrize(
    ("text", "message"),
    [(None, "nothing to compare with"), ("{", "is damaged"), ("[]", "is damaged")],
)
def test_without_a_daemons_snapshot_the_diff_fails_with_the_reason(
    tmp_path: Path, text: str | None, message: str
) -> None:
    config = write_config(tmp_path)
    if text is not None:
        (config / "data" / LOADED_CONFIG_FILE).write_text(text)
    result = _check("--config", config, "--diff")
    assert result.exit_code == 1
    assert isinstance(result.exception, ConfigError)
    assert message in str(result.exception)
    assert result.stdout.startswith("no errors, no warnings")


def test_the_command_line_finds_the_configuration_and_sets_the_exit_code(tmp_path: Path) -> None:
    """By the working directory and by $PANTAU_CONFIG."""
    config = write_config(tmp_path, alerts="x = 1\n")
    root = Path(__file__).parents[2]

    def run(cwd: Path, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "monitor", "check", *arguments],
            cwd=cwd,
            env={"PYTHONPATH": str(root), "PATH": "", **environ},
            capture_output=True,
            text=True,
            check=False,
        )

    here = run(tmp_path)
    assert (here.returncode, here.stderr) == (1, "")
    assert here.stdout.startswith(f"{config}/alerts.toml:1: the key x is not known")
    (config / "alerts.toml").unlink()
    elsewhere = run(root, PANTAU_CONFIG=str(config))
    assert (elsewhere.returncode, elsewhere.stderr) == (0, "")
    assert run(root, "--nonsense").returncode == 2
