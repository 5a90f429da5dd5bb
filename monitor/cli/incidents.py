"""`pantau incidents`: what went wrong, open ones first; or one incident whole."""

from __future__ import annotations

import json
from pathlib import Path
from zoneinfo import ZoneInfo

import click
from rich.table import Table
from rich.text import Text

from monitor import questions
from monitor.cli import moments, words
from monitor.cli.case import print_case
from monitor.cli.options import config_option
from monitor.cli.people import ledger_of
from monitor.core.documents import incident_document
from monitor.core.model import Incident
from monitor.settings import quick

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
        document = questions.case(ledger, incident, now_s)
        if as_json:
            click.echo(json.dumps(document, ensure_ascii=False))
        else:
            print_case(questions.incident(ledger, incident), document, zone, now_s)
        return
    since_s = None if since is None else moments.past_s(since, now_s, zone, "--since")
    found = ledger.incidents(since_s=since_s, include_closed=every or since is not None)
    if as_json:
        click.echo(
            json.dumps({"incidents": [incident_document(i) for i in found]}, ensure_ascii=False)
        )
    else:
        _print(found, now_s, zone)


def _print(found: list[Incident], now_s: float, zone: ZoneInfo) -> None:
    console = words.console()
    if not found:
        console.print("Tidak ada insiden terbuka.")
        return
    ordered = sorted(found, key=lambda i: (i.ended_s is not None, -i.started_s, -i.id))
    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in ("No", "Sasaran", "Keadaan", "Mulai", "Selesai", "Lama", "Sebab", "Terdampak"):
        table.add_column(title)
    for incident in ordered[:SHOWN]:
        document = incident_document(incident)
        end_s = incident.ended_s if incident.ended_s is not None else now_s
        table.add_row(
            str(incident.id),
            Text(incident.target),
            words.state_text(incident.state.value),
            words.moment(document["started"], zone),
            words.moment(document["ended"], zone) if incident.ended_s is not None else "terbuka",
            words.duration(end_s - incident.started_s),
            words.reason_text(incident.reason),
            f"{len(incident.affected)} tautan" if incident.affected else "",
        )
    console.print(table)
    if len(ordered) > SHOWN:
        console.print(f"… dan {len(ordered) - SHOWN} lagi (--json menampilkan semua)", style="dim")
