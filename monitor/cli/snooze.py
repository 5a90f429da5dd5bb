"""`pantau snooze`: quiet for a while about one incident."""

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
@click.argument("until", metavar="WHEN")
@who_option
def snooze(config: Path, incident: int, until: str, who: str) -> None:
    """No reminders about an incident until then: 30m, 1h, 15:30; 8 hours at most.

    \b
    Example: pantau snooze 17 1h
    """
    zone = quick.timezone(config)
    until_s = moments.ahead_s(until, moments.now_s(), zone, "WHEN")
    stored = tell(config, f"/incidents/{incident}/snooze", who=who, until=moments.utc_text(until_s))
    done(stored, "ditunda", zone)
