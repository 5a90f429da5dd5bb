"""`pantau ticket`: the provider's number for an incident."""

from __future__ import annotations

from pathlib import Path

import click

from monitor.cli.options import config_option
from monitor.cli.people import done, tell, who_option
from monitor.settings import quick


@click.command()
@config_option
@click.argument("incident", type=click.IntRange(min=1), metavar="ID")
@click.argument("number", metavar="NUMBER")
@who_option
def ticket(config: Path, incident: int, number: str, who: str) -> None:
    """Keep the provider's ticket number with an incident; the last one counts.

    \b
    Example: pantau ticket 17 INC-2026-004711
    """
    stored = tell(config, f"/incidents/{incident}/ticket", who=who, number=number)
    done(stored, f"diberi nomor tiket {stored['text']}", quick.timezone(config))
