"""Options that several commands share."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from monitor.settings import where

F = TypeVar("F", bound=Callable[..., Any])


def config_option(command: F) -> F:
    """`--config DIR`: the command gets it as `config: Path`, already resolved (settings.where)."""
    return click.option(
        "--config",
        "config",
        metavar="DIR",
        type=click.Path(path_type=Path),
        callback=_resolved,
        help="The configuration [default: $PANTAU_CONFIG, else config/ here, else /etc/pantau].",
    )(command)


def _resolved(context: click.Context, parameter: click.Parameter, value: Path | None) -> Path:
    if value is None and context.parent is not None and parameter.name is not None:
        # `pantau maintenance --config DIR list`: what stands before the sub-command counts.
        above = context.parent.params.get(parameter.name)
        if isinstance(above, Path):
            return above
    return where.config_dir(value, os.environ, Path.cwd())
