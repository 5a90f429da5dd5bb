"""`pantau run`: the daemon, in the foreground."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import sys
from pathlib import Path

import click

from monitor.cli.configuration import load_settings
from monitor.cli.options import config_option
from monitor.core.documents import rfc3339
from monitor.core.errors import PantauError
from monitor.daemon import app

COLLECTED_AFTER = (20_000, 50, 100)
"""New objects before a look at the youngest; looks at one age before one at the next."""

LEVELS = ("debug", "info", "warning", "error")


@click.command()
@config_option
@click.option("--log", "level", type=click.Choice(LEVELS), default="info", show_default=True)
def run(config: Path, level: str) -> None:
    """The daemon, in the foreground: probes, judges, stores. SIGTERM ends it, SIGHUP reloads.

    \b
    Example: pantau run --config /etc/pantau
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Lines("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=level.upper(), handlers=[handler])
    settings = load_settings(config, os.environ, strict=True)
    try:
        asyncio.run(app.run(settings, os.environ, _settle))
    except* PantauError as group:
        # A task group wraps what its tasks raise; a person wants the sentence.
        raise group.exceptions[0] from None


class _Lines(logging.Formatter):
    """Each with its moment in UTC, and saying so: a log is read beside others."""

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:  # noqa: N802
        return str(rfc3339(record.created))


def _settle() -> None:
    """What exists now stays, and nearly all that comes is let go without the collector's help.

    With 10,000 targets it held up the probes for a tenth of a second, every 40 s.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*COLLECTED_AFTER)
