"""`pantau note`: something about an incident that the next one must read."""

from __future__ import annotations

from pathlib import Path

import click

from monitor.cli.options import config_option
from monitor.cli.people import done, tell, who_option
from monitor.settings import quick


@click.command()
@config_option
@click.argument("incident", type=click.IntRange(min=1), metavar="ID")
@click.argument("text", nargs=-1, required=True, metavar="TEXT")
@who_option
def note(config: Path, incident: int, text: tuple[str, ...], who: str) -> None:
    """Write something down about an incident; also after its end.

    \b
    Example: pantau note 17 "penyedia dihubungi, teknisi berangkat"
    """
    stored = tell(config, f"/incidents/{incident}/note", who=who, text=" ".join(text))
    done(stored, "diberi catatan", quick.timezone(config))
