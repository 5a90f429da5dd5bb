"""`pantau incidents`: what went wrong, open ones first; or one incident whole."""

from __future__ import annotations

import json
from pathlib import Path
from zoneinfo import ZoneInfo

import click
from rich.table import Table
from rich.text import Text

from monitor.cli import moments, words
from monitor.cli.case import print_case
from monitor.cli.options import config_option
from monitor.cli.people import ledger_of
from monitor.core.documents import incident_document
from monitor.core.model import Incident
from monitor.settings import quick
from monitor.status import queries

SHOWN = 50


@click.command()
@config_option
@click.argument("incident", type=click.IntRange(min=1), metavar="[ID]", required=False)
@click.option("--all", "every", is_flag=True, help="Also those that are over.")
@click.option(
    "--since",
    metavar="WHEN",
    help="Open at or after then: 24h, 7d, 2026-11-24 or 2026-11-24T14:30 (local time).",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON document, by ascending id.")
def incidents(
    config: Path, incident: int | None, every: bool, since: str | None, as_json: bool
) -> None:
    """What went wrong: open incidents, with --all or --since also those that are over.

    With ID one incident whole: what was done about it, who was told, who was not, and why.

    \b
    Example: pantau incidents --since 24h
             pantau incidents --all --json
             pantau incidents 17
    """
    zone, now_s = quick.timezone(config), moments.now_s()
    ledger = ledger_of(config)
    if incident is not None:
        document = queries.case(ledger, incident, now_s)
        if as_json:
            click.echo(json.dumps(document, ensure_ascii=False))
        else:
            print_case(queries.incident(ledger, incident), document, zone, now_s)
        return
    since_s = None if since is None else moments.past_s(since, now_s, zone, "--since")
    found = ledger.incidents(since_s=since_s, include_closed=every or since is not None)
    if as_json:
        click.echo(
            json.dumps({"incidents": [incident_document(i) for i in found]}, ensure_ascii=False)
        )
    else:
        _print(found, now_s, zone, open_only=since is None and not every)


def _print(found: list[Incident], now_s: float, zone: ZoneInfo, *, open_only: bool) -> None:
    console = words.console()
    if not found:
        console.print("Tidak ada insiden terbuka." if open_only else "Tidak ada insiden.")
        return
    ordered = sorted(found, key=lambda i: (i.ended_s is not None, -i.started_s, -i.id))
    wide = console.width >= words.WIDE
    console.print(incident_table(ordered[:SHOWN], now_s, zone, wide=wide))
    if len(ordered) > SHOWN:
        console.print(f"… dan {len(ordered) - SHOWN} lagi (--json menampilkan semua)", style="dim")


def incident_table(found: list[Incident], now_s: float, zone: ZoneInfo, *, wide: bool) -> Table:
    """In the order given; where it is narrow, the end of each is left to its length."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("No", no_wrap=True)
    table.add_column("Sasaran", no_wrap=True)
    table.add_column("Keadaan")
    table.add_column(f"Mulai ({words.zone_name(zone)})", no_wrap=True)
    if wide:
        table.add_column("Selesai", no_wrap=True)
    table.add_column("Lama")
    table.add_column("Sebab")
    for incident in found:
        document = incident_document(incident)
        is_open = incident.ended_s is None
        end_s = now_s if incident.ended_s is None else incident.ended_s
        length = words.duration(end_s - incident.started_s)
        ended = "terbuka" if is_open else words.moment(document["ended"], zone, zone_named=False)
        affected = f", {len(incident.affected)} jalur terdampak" if incident.affected else ""
        table.add_row(
            str(incident.id),
            Text(incident.target),
            words.state_text(incident.state.value),
            words.moment(document["started"], zone, zone_named=False),
            *([ended] if wide else []),
            length if wide or not is_open else f"{length}, terbuka",
            words.reason_text(incident.reason) + affected,
        )
    return table
