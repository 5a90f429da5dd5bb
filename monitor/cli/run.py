"""`pantau run`: the daemon, in the foreground."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import sys
from pathlib import Path

import click

from monitor import app
from monitor.cli.loading import settings_of
from monitor.cli.options import config_option
from monitor.core.errors import PantauError

LEVELS = ("debug", "info", "warning", "error")


@click.command()
@config_option
@click.option("--log", "level", type=click.Choice(LEVELS), default="info", show_default=True)
def run(config: Path, level: str) -> None:
    """The daemon, in the foreground: probes, judges, stores. SIGTERM ends it, SIGHUP reloads.

    \b
    Example: pantau run --config /etc/pantau
    """
    logging.basicConfig(
        level=level.upper(),
        stream=sys.stderr,
        format="%(asctime)s.%(msecs)03d %(levelname)s %(name)s: %(message)s",
        datefmt="%Y-%m-%dT%H:%M:%S",
    )
    settings = settings_of(config, os.environ, strict=True)
    try:
        asyncio.run(app.run(settings, os.environ, _settle))
    except* PantauError as group:
        # A task group wraps what its tasks raise; a person wants the sentence.
        raise group.exceptions[0] from None


def _settle() -> None:
    """What exists now stays: the collector need not look at all of it again and again."""
    gc.collect()
    gc.freeze()
