"""What people tell the daemon: who does it, and the way to it."""

from __future__ import annotations

import getpass
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

import click

from monitor.adapters.ledger import SqlLedgerReader
from monitor.adapters.system.local_api_client import LocalApiClient
from monitor.cli import words
from monitor.cli.loading import settings_of
from monitor.core.alerting.alerting_state import AlertingState
from monitor.settings import quick

F = TypeVar("F", bound=Callable[..., Any])

PATIENCE_S = 20.0
"""A write waits for the disk."""


def who_option(command: F) -> F:
    """`--who NAME`: the command gets it as `who: str`."""
    return click.option(
        "--who",
        metavar="NAME",
        callback=_who,
        help="Who does it [default: $PANTAU_WHO, else the login name].",
    )(command)


def tell(config: Path, path: str, **fields: object) -> dict[str, object]:
    """Have the daemon do something; what it stored. Raises ApiError in its own words."""
    given = {name.rstrip("_"): value for name, value in fields.items() if value is not None}
    return LocalApiClient(quick.data_dir(config), PATIENCE_S).post(path, given)


def ledger_of(config: Path) -> SqlLedgerReader:
    """The ledger, read-only: answers also while the daemon does not run."""
    return SqlLedgerReader.open(quick.data_dir(config) / "ledger.db")


def alerting_state_of(config: Path) -> AlertingState:
    """The configuration's rota, routes and recurring windows."""
    settings = settings_of(config, os.environ)
    return AlertingState(settings.alerts, settings.network, settings.timezone)


def done(action: Mapping[str, object], what: str, zone: ZoneInfo) -> None:
    """One line that says what was stored."""
    until = action.get("until")
    limit = f" sampai {words.moment(until, zone)}" if until is not None else ""
    click.echo(f"Insiden {action['incident']} {what} oleh {action['who']}{limit}.")


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
