"""Options that several commands share."""

from __future__ import annotations

import getpass
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from monitor.settings.paths import resolve_config_dir

F = TypeVar("F", bound=Callable[..., Any])


def config_option(command: F) -> F:
    """`--config DIR`, passed as `config: Path`, resolved (see settings.paths)."""
    return click.option(
        "--config",
        "config",
        metavar="DIR",
        type=click.Path(path_type=Path),
        callback=_resolved,
        help="The configuration [default: $PANTAU_CONFIG, else config/ here, else /etc/pantau].",
    )(command)


def json_option(command: F) -> F:
    """`--json`, passed as `as_json: bool`."""
    return click.option("--json", "as_json", is_flag=True, help="One JSON document.")(command)


def who_option(command: F) -> F:
    """`--who NAME`, passed as `who: str`: the person who acts."""
    return click.option(
        "--who",
        metavar="NAME",
        callback=_who,
        help="Who does it [default: $PANTAU_WHO, else the login name].",
    )(command)


def _resolved(context: click.Context, parameter: click.Parameter, value: Path | None) -> Path:
    if value is None and context.parent is not None and parameter.name is not None:
        # `pantau maintenance --config DIR list`: the group's option holds for the sub-command.
        of_group = context.parent.params.get(parameter.name)
        if isinstance(of_group, Path):
            return of_group
    return resolve_config_dir(value, os.environ, _working_directory())


def _working_directory() -> Path:
    try:
        return Path.cwd()
    except FileNotFoundError:  # it was removed
        return Path("/")


def _who(_context: click.Context, _parameter: click.Parameter, value: str | None) -> str:
    given = value or os.environ.get("PANTAU_WHO") or os.environ.get("SUDO_USER")
    if given:
        return given
    try:
        return getpass.getuser()
    except (KeyError, OSError) as error:
        raise click.BadParameter(
            "this user has no name: give one with --who or $PANTAU_WHO", param_hint="--who"
        ) from error
