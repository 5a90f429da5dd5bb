"""`pantau cause`: what an incident really came from."""

from __future__ import annotations

from pathlib import Path

import click

from monitor.cli import alert_words
from monitor.cli.options import config_option
from monitor.cli.people import done, tell, who_option
from monitor.core.alerting.handling import REPORTED_CAUSES
from monitor.settings import quick


@click.command()
@config_option
@click.argument("incident", type=click.IntRange(min=1), metavar="ID")
@click.argument("cause", type=click.Choice(REPORTED_CAUSES))
@who_option
def cause(config: Path, incident: int, cause: str, who: str) -> None:
    """Name what an incident came from, once it is known; the last word counts.

    \b
    Example: pantau cause 17 power
    """
    stored = tell(config, f"/incidents/{incident}/cause", who=who, cause=cause)
    word = alert_words.CAUSES[cause]
    done(stored, f"dinyatakan disebabkan {word}", quick.timezone(config))
