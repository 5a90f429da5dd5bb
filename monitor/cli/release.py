"""`pantau release`: an incident is in nobody's hand again."""

from __future__ import annotations

from pathlib import Path

import click

from monitor.cli.options import config_option
from monitor.cli.people import done, tell, who_option
from monitor.settings import quick


@click.command()
@config_option
@click.argument("incident", type=click.IntRange(min=1), metavar="ID")
@click.option("--why", metavar="TEXT", help="Why it is given back.")
@who_option
def release(config: Path, incident: int, why: str | None, who: str) -> None:
    """Give an incident back: its acknowledgement or snooze ends now.

    \b
    Example: pantau release 17
    """
    stored = tell(config, f"/incidents/{incident}/release", who=who, why=why)
    done(stored, "dilepas", quick.timezone(config))
