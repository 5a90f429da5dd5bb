"""`pantau ack`, `release`, `snooze`, `note`, `ticket`, `cause`: act on incidents."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from zoneinfo import ZoneInfo

import click

from monitor.cli.daemon_client import post_action
from monitor.cli.formatting import CAUSE_NAMES, format_moment
from monitor.cli.options import config_option, who_option
from monitor.cli.time_arguments import current_utc_s, format_utc, parse_future_s
from monitor.core.alerting import handling
from monitor.settings.quick_settings import read_timezone

incident_argument = click.argument("incident", type=click.IntRange(min=1), metavar="ID")


def print_action(action: Mapping[str, object], what: str, zone: ZoneInfo) -> None:
    """Print one line about the stored action. what: a past participle in Indonesian."""
    until = action.get("until")
    limit = f" sampai {format_moment(until, zone)}" if until is not None else ""
    click.echo(f"Insiden {action['incident']} {what} oleh {action['who']}{limit}.")


@click.command()
@config_option
@click.argument("incidents", type=click.IntRange(min=1), metavar="ID...", nargs=-1, required=True)
@click.option(
    "--until", metavar="WHEN", help="2h, 15:30 or 2026-11-24T15:30; 8 hours at most, the default."
)
@click.option("--why", metavar="TEXT", help="What is being done.")
@who_option
def ack(
    config: Path, incidents: tuple[int, ...], until: str | None, why: str | None, who: str
) -> None:
    """Take incidents in hand: no reminders and no escalation until then.

    Of a dark office (no link answers) the outages of all its links are taken with the one. The end
    of an incident is still told to everybody who was told of its beginning.

    \b
    Example: pantau ack 17 --until 2h --why "penyedia dihubungi"
    """
    zone = read_timezone(config)
    until_s = None if until is None else parse_future_s(until, current_utc_s(), zone, "--until")
    taken: set[object] = set()
    for incident in dict.fromkeys(incidents):
        if incident in taken:
            continue
        stored = post_action(
            config,
            f"/incidents/{incident}/acknowledge",
            who=who,
            why=why,
            until=None if until_s is None else format_utc(until_s),
        )
        print_action(stored, "ditangani", zone)
        also = stored.get("also")
        if isinstance(also, list) and also:
            taken.update(also)
            numbers = ", ".join(str(number) for number in also)
            click.echo(f"Kantornya gelap: insiden {numbers} ikut ditangani.")


@click.command()
@config_option
@incident_argument
@click.option("--why", metavar="TEXT", help="Why it is given back.")
@who_option
def release(config: Path, incident: int, why: str | None, who: str) -> None:
    """Give an incident back: its acknowledgement or snooze ends now.

    \b
    Example: pantau release 17
    """
    stored = post_action(config, f"/incidents/{incident}/release", who=who, why=why)
    print_action(stored, "dilepas", read_timezone(config))


@click.command()
@config_option
@incident_argument
@click.argument("until", metavar="WHEN")
@who_option
def snooze(config: Path, incident: int, until: str, who: str) -> None:
    """No reminders about an incident until then: 30m, 1h, 15:30; 8 hours at most.

    \b
    Example: pantau snooze 17 1h
    """
    zone = read_timezone(config)
    until_utc = format_utc(parse_future_s(until, current_utc_s(), zone, "WHEN"))
    stored = post_action(config, f"/incidents/{incident}/snooze", who=who, until=until_utc)
    print_action(stored, "ditunda", zone)


@click.command()
@config_option
@incident_argument
@click.argument("text", nargs=-1, required=True, metavar="TEXT")
@who_option
def note(config: Path, incident: int, text: tuple[str, ...], who: str) -> None:
    """Write something down about an incident; also after its end.

    \b
    Example: pantau note 17 "penyedia dihubungi, teknisi berangkat"
    """
    stored = post_action(config, f"/incidents/{incident}/note", who=who, text=" ".join(text))
    print_action(stored, "diberi catatan", read_timezone(config))


@click.command()
@config_option
@incident_argument
@click.argument("number", metavar="NUMBER")
@who_option
def ticket(config: Path, incident: int, number: str, who: str) -> None:
    """Keep the provider's ticket number with an incident; the last one counts.

    \b
    Example: pantau ticket 17 INC-2026-004711
    """
    stored = post_action(config, f"/incidents/{incident}/ticket", who=who, number=number)
    print_action(stored, f"diberi nomor tiket {stored['text']}", read_timezone(config))


@click.command()
@config_option
@incident_argument
@click.argument("cause", type=click.Choice(handling.REPORTED_CAUSES))
@who_option
def cause(config: Path, incident: int, cause: str, who: str) -> None:
    """Name what an incident came from, once it is known; the last word counts.

    \b
    Example: pantau cause 17 power
    """
    stored = post_action(config, f"/incidents/{incident}/cause", who=who, cause=cause)
    print_action(stored, f"dinyatakan disebabkan {CAUSE_NAMES[cause]}", read_timezone(config))
