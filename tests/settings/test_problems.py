"""Every mistake in problems.txt is reported with its line, what was found, and how to mend it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.settings.config_fixtures import (
    ALERTS,
    ANJATAN,
    SUKRA,
    load_config,
    write_config,
)
from tests.settings.problem_cases import ProblemCase, read_cases

SECRETS = {
    "ro": "public",
    "influxdb": "token",
    "telegram-noc": "tgram://1/2",
    "proxy": "x" * 32,
    "v3-unknown-key": "hunter2\n",
    "v3-short": "user = a\nauth = sha\nauth_password = hunter\n",
    "two-lines": "hunter2\nhunter3\n",
}


def shortened(problems: list[str], config: Path) -> list[str]:
    """Cut off the folder, and Python's own description of a TOML error, which varies by version."""
    folders = f"({config}/sites|{config}/secrets|{config})/"
    toml = r"(?<=this is not TOML) .*?(?= — )"
    return [re.sub(folders, "", re.sub(toml, " …", problem)) for problem in problems]


@pytest.mark.parametrize("case", read_cases(), ids=lambda case: f"line {case.line}")
def test_each_mistake_is_reported_exactly_as_in_the_table(
    tmp_path: Path, case: ProblemCase
) -> None:
    sites = {"anjatan": ANJATAN, "sukra": SUKRA}
    config = write_config(tmp_path, alerts=ALERTS, sites=sites, secrets=SECRETS)
    case.apply(config)
    result = load_config(config)
    problems = [str(error) for error in result.errors]
    for warning in result.warnings:
        kind = "warning, error to run" if warning.blocks_run else "warning"
        problems.append(f"{kind}: {warning}")
    assert (shortened(problems, config) or ["no problems"]) == case.problems
    assert (result.settings is None) == bool(result.errors)
    assert "hunter" not in repr(result)
