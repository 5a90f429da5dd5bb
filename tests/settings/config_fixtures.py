"""A small valid configuration, to be changed in one place by a test."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from monitor.settings import ConfigProblem, LoadResult, load
from monitor.settings.model import Settings

MONITOR = """\
[monitor]
organisation = "Diskominfo"
timezone = "Asia/Jakarta"
data_dir = "data"
"""

NETWORK = """\
anchors = ["10.77.0.1"]
[[nodes]]
id = "inti"
address = "10.77.0.10"
[[nodes]]
id = "pop-patrol"
name = "PoP Patrol"
address = "10.77.0.14"
parent = "inti"
"""

ANJATAN = """\
id = "anjatan"
name = "Anjatan"
code = "32.12.23"
[[links]]
id = "utama"
address = "10.77.23.1"
kind = "fibre"
via = "pop-patrol"
"""

SUKRA = """\
id = "sukra"
name = "Sukra"
code = "32.12.24"
[[links]]
id = "utama"
address = "10.77.24.1"
kind = "radio"
via = "pop-patrol"
"""


ALERTS = """\
[[channels]]
id = "hook"
type = "webhook"
address = "http://127.0.0.1:9000/pantau"
[[people]]
id = "budi"
channels = ["hook"]
[[rota]]
name = "jaga"
people = ["budi"]
start = 2026-11-23T07:30:00
"""


def write_config(
    directory: Path,
    *,
    monitor: str | None = MONITOR,
    network: str | None = NETWORK,
    alerts: str | None = None,
    maintenance: str | None = None,
    sites: Mapping[str, str] | None = None,
    secrets: Mapping[str, str] | None = None,
) -> Path:
    """Write a configuration and its data directory. None: no such file."""
    config = directory / "config"
    (config / "sites").mkdir(parents=True)
    (config / "data").mkdir()
    given = {"monitor.toml": monitor, "network.toml": network, "alerts.toml": alerts}
    given["maintenance.toml"] = maintenance
    for name, text in given.items():
        if text is not None:
            (config / name).write_text(text)
    for name, text in ({"anjatan": ANJATAN} if sites is None else sites).items():
        (config / "sites" / f"{name}.toml").write_text(text)
    for name, text in (secrets or {}).items():
        (config / "secrets").mkdir(exist_ok=True)
        (config / "secrets" / name).touch(mode=0o600)
        (config / "secrets" / name).write_text(text)
    return config


def load_config(config: Path, environ: Mapping[str, str] | None = None) -> LoadResult:
    """Load with this environment only."""
    return load(config, environ or {})


def load_valid(config: Path, environ: Mapping[str, str] | None = None) -> Settings:
    """The settings of a configuration without errors."""
    result = load_config(config, environ)
    assert result.settings is not None, [short_text(error) for error in result.errors]
    return result.settings


def short_text(problem: ConfigProblem) -> str:
    """`anjatan.toml:7: what — mend`: without the temporary folders."""
    return re.sub(r"(?:/[^/\s:]+)+/(?=[^/\s:]+)", "", str(problem))


def only_problem(problems: tuple[ConfigProblem, ...]) -> str:
    """The text of the single problem."""
    assert len(problems) == 1, [short_text(problem) for problem in problems]
    return short_text(problems[0])
