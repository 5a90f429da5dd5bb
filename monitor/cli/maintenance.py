"""`pantau maintenance`: planned work, which is measured but calls nobody."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote
from zoneinfo import ZoneInfo

import click
from rich.table import Table
from rich.text import Text

from monitor.cli import alert_words, moments, words
from monitor.cli.options import config_option
from monitor.cli.people import alerting_state_of, ledger_of, tell, who_option
from monitor.settings import quick
from monitor.status import queries


@click.group()
@config_option
def maintenance(config: Path) -> None:
    """Planned work: what it touches is measured as ever, but nobody is called.

    Work that recurs stands in maintenance.toml.

    \b
    Example: pantau maintenance add pop-patrol anjatan/cadangan --to 2h --why "ganti radio"
             pantau maintenance list
             pantau maintenance end 3
    """


@maintenance.command()
@config_option
@click.argument("targets", nargs=-1, required=True, metavar="TARGET…")
@click.option("--from", "start", metavar="WHEN", help="30m, 22:00, 2026-11-24T22:00 [now].")
@click.option("--to", "end", metavar="WHEN", required=True, help="2h (after its start), 23:30 …")
@click.option("--why", metavar="TEXT", required=True, help="What is done.")
@who_option
def add(
    config: Path, targets: tuple[str, ...], start: str | None, end: str, why: str, who: str
) -> None:
    """Plan work on sites, links or nodes; a node means everything behind it, too.

    \b
    Example: pantau maintenance add anjatan --from 22:00 --to 2h --why "ganti radio"
    """
    zone, now_s = quick.timezone(config), moments.now_s()
    start_s = None if start is None else moments.ahead_s(start, now_s, zone, "--from")
    end_s = moments.ahead_s(end, now_s if start_s is None else start_s, zone, "--to")
    stored = tell(
        config,
        "/maintenance",
        who=who,
        why=why,
        targets=list(targets),
        from_=None if start_s is None else moments.utc_text(start_s),
        to=moments.utc_text(end_s),
    )
    click.echo(
        f"Pemeliharaan {stored['id']}: {', '.join(targets)}, "
        f"{words.moment(stored['from'], zone)} sampai {words.moment(stored['to'], zone)}."
    )


@maintenance.command(name="list")
@config_option
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
def list_windows(config: Path, as_json: bool) -> None:
    """The windows in force and those of the next 31 days, recurring ones included.

    \b
    Example: pantau maintenance list --json
    """
    now_s, alerting_state = moments.now_s(), alerting_state_of(config)
    queries.remember_windows(ledger_of(config), alerting_state, now_s)
    document = queries.maintenance(alerting_state, now_s)
    if as_json:
        click.echo(json.dumps(document, ensure_ascii=False))
    else:
        print_windows(words.dicts(document["maintenance"]), quick.timezone(config))


@maintenance.command()
@config_option
@click.argument("window", metavar="ID")
@who_option
def end(config: Path, window: str, who: str) -> None:
    """End a window now: its number, or the name of a line of maintenance.toml in force.

    \b
    Example: pantau maintenance end 3
    """
    stored = tell(config, f"/maintenance/{quote(window, safe='')}/end", who=who)
    click.echo(f"Pemeliharaan {window} diakhiri oleh {stored['ended_by']}.")


def print_windows(windows: list[dict[str, object]], zone: ZoneInfo) -> None:
    """As a table."""
    console = words.console()
    if not windows:
        console.print("Tidak ada pemeliharaan yang berlangsung atau direncanakan.")
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in ("No", "Sasaran", "Mulai", "Sampai", "Keadaan", "Pekerjaan", "Oleh"):
        table.add_column(title)
    for window in windows:
        table.add_row(*_row(window, zone))
    console.print(table)


def _row(window: Mapping[str, object], zone: ZoneInfo) -> list[Text]:
    targets = window["targets"]
    return [
        Text(str(window["id"] or window["recurring"])),
        Text(", ".join(map(str, targets)) if isinstance(targets, list) else ""),
        Text(words.moment(window["from"], zone)),
        Text(words.moment(window["to"], zone)),
        Text(alert_words.WINDOW.get(str(window["state"]), "")),
        Text(str(window["why"])),
        Text(str(window["who"])),
    ]
