"""`pantau ack`: somebody has an incident in hand."""

from __future__ import annotations

from pathlib import Path

import click

from monitor.cli import moments
from monitor.cli.options import config_option
from monitor.cli.people import done, tell, who_option
from monitor.settings import quick


@click.command()
@config_option
@click.argument("incident", type=click.IntRange(min=1), metavar="ID")
@click.option(
    "--until", metavar="WHEN", help="2h, 15:30 or 2026-11-24T15:30; 8 hours at most, the default."
)
@click.option("--why", metavar="TEXT", help="What is being done.")
@who_option
def ack(config: Path, incident: int, until: str | None, why: str | None, who: str) -> None:
    """Take an incident in hand: no reminders and no escalation until then.

    The end of the incident is still told to everybody who was told of its beginning.

    \b
    Example: pantau ack 17 --until 2h --why "penyedia dihubungi"
    """
    zone = quick.timezone(config)
    until_s = None if until is None else moments.ahead_s(until, moments.now_s(), zone, "--until")
    stored = tell(
        config,
        f"/incidents/{incident}/acknowledge",
        who=who,
        why=why,
        until=None if until_s is None else moments.utc_text(until_s),
    )
    done(stored, "ditangani", zone)
