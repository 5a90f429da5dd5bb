"""`pantau check`: print every problem of the configuration."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, replace
from importlib import import_module
from pathlib import Path

import click

from monitor import settings as configuration
from monitor.cli.options import config_option
from monitor.core.errors import ConfigError, InfluxError
from monitor.settings.diff import SettingsDiff, SettingsSnapshot, SnapshotValue, diff_snapshots
from monitor.settings.paths import LOADED_CONFIG_FILE
from monitor.settings.problems import ConfigProblem, LoadResult

INFLUX_TIMEOUT_S = 2.0
"""How long a check waits for the version of InfluxDB."""


@click.command()
@config_option
@click.option("--diff", "with_diff", is_flag=True, help="Also say what a reload would change.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document, nothing else.")
def check(config: Path, with_diff: bool, as_json: bool) -> None:
    """Reads the whole configuration and says everything that is wrong.

    One problem a line: file:line: what — how to mend it. Exit 0: no error (a warning may become
    one in `pantau run`: a missing secret or data directory, a wrong code). Exit 1: errors.

    \b
    Example: pantau check --config /etc/pantau
             pantau check --diff && systemctl reload pantau
    """
    loaded = configuration.load(config, os.environ)
    loaded = replace(loaded, errors=(*loaded.errors, *_influx_problems(config, loaded)))
    if not as_json:
        _print(loaded)
    changes = _changes(loaded) if with_diff else None
    if as_json:
        click.echo(json.dumps(_document(loaded, changes), indent=2))
    elif changes is not None:
        _print_changes(changes)
    click.get_current_context().exit(1 if loaded.errors else 0)


def _influx_problems(config: Path, loaded: LoadResult) -> list[ConfigProblem]:
    """InfluxDB 2 needs an organisation, which only the server's version tells.

    A server that does not answer is no mistake of the configuration.
    """
    settings = loaded.settings
    influxdb = None if settings is None else settings.influxdb
    if influxdb is None or influxdb.org:
        return []
    # Loaded only where InfluxDB is configured: the library takes 25 MB of memory.
    module = import_module("monitor.adapters.influx.setup")
    server = module.InfluxSetup(replace(influxdb, timeout_s=INFLUX_TIMEOUT_S), None)
    try:
        version = server.version()
    except InfluxError:
        return []
    finally:
        server.close()
    if not version.startswith("2."):
        return []
    path = config / "monitor.toml"
    lines = path.read_text(encoding="utf-8").splitlines()
    line = next((n for n, text in enumerate(lines, 1) if "[storage.influxdb]" in text), 1)
    return [
        ConfigProblem(
            str(path),
            line,
            f"org is missing: InfluxDB {version} takes no sample without it",
            'add the organisation\'s name or id, such as org = "diskominfo"',
        )
    ]


def _changes(loaded: LoadResult) -> SettingsDiff | None:
    """What a reload would change; None if it would be refused. Raises ConfigError."""
    if loaded.settings is None:
        return None
    before = _loaded_by_daemon(loaded.settings.data_dir / LOADED_CONFIG_FILE)
    return diff_snapshots(before, configuration.settings_snapshot(loaded.settings))


def _loaded_by_daemon(path: Path) -> SettingsSnapshot:
    """The snapshot of the configuration that the daemon uses. Raises ConfigError."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ConfigError(
            f"there is nothing to compare with: no daemon has written {path} yet; "
            "start one with pantau run"
        ) from error
    except OSError as error:
        raise ConfigError(
            f"{path} cannot be read ({error.strerror}): run this as the daemon's user"
        ) from error
    except ValueError as error:
        raise ConfigError(_damaged_message(path)) from error
    if not isinstance(found, dict) or not all(isinstance(keys, dict) for keys in found.values()):
        raise ConfigError(_damaged_message(path))
    return found


def _damaged_message(path: Path) -> str:
    return f"{path} is damaged: reload or restart the daemon, which writes it anew"


def _print(loaded: LoadResult) -> None:
    for problem in loaded.errors:
        click.echo(str(problem))
    for problem in loaded.warnings:
        click.echo(str(replace(problem, what=f"warning: {problem.what}")))
    click.echo(_summary(loaded))


def _print_changes(changes: SettingsDiff) -> None:
    for name in changes.added:
        click.echo(f"+ {name}")
    for name in changes.removed:
        click.echo(f"- {name}")
    for name, keys in changes.changed.items():
        for key, (before, after) in keys.items():
            click.echo(f"~ {name}: {key} {_as_json(before)} → {_as_json(after)}")
    if not changes:
        click.echo("a reload would change nothing")


def _as_json(value: SnapshotValue) -> str:
    return json.dumps(value, ensure_ascii=False)


def _summary(loaded: LoadResult) -> str:
    stopping = sum(problem.blocks_run for problem in loaded.warnings)
    summary = f"{_count(loaded.errors, 'error')}, {_count(loaded.warnings, 'warning')}"
    if stopping:
        summary += f" ({stopping} of them an error to pantau run)"
    if loaded.settings is not None:
        network = loaded.settings.network
        summary += (
            f"; {len(network.sites)} sites, {len(network.links())} links, "
            f"{len(network.nodes)} nodes, {len(network.devices)} routers"
        )
    return summary


def _count(problems: tuple[ConfigProblem, ...], word: str) -> str:
    count = len(problems)
    return f"{count or 'no'} {word}{'' if count == 1 else 's'}"


def _document(loaded: LoadResult, changes: SettingsDiff | None) -> dict[str, object]:
    document: dict[str, object] = {
        "errors": [asdict(problem) for problem in loaded.errors],
        "warnings": [asdict(problem) for problem in loaded.warnings],
    }
    if changes is not None:
        document["diff"] = {
            "added": changes.added,
            "removed": changes.removed,
            "changed": {
                name: {key: {"before": old, "after": new} for key, (old, new) in keys.items()}
                for name, keys in changes.changed.items()
            },
        }
    return document
