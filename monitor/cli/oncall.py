"""`pantau oncall`: who is on call now, and who is next."""

from __future__ import annotations

import json
from pathlib import Path
from zoneinfo import ZoneInfo

import click
from rich.table import Table
from rich.text import Text

from monitor.cli import moments, words
from monitor.cli.options import config_option
from monitor.cli.people import alerting_state_of
from monitor.settings import quick
from monitor.status import queries


@click.command()
@config_option
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
def oncall(config: Path, as_json: bool) -> None:
    """Who is on call now, and who is next, in each rota of alerts.toml.

    \b
    Example: pantau oncall
    """
    document = queries.oncall(alerting_state_of(config), moments.now_s())
    if as_json:
        click.echo(json.dumps(document, ensure_ascii=False))
    else:
        print_oncall(words.dicts(document["oncall"]), quick.timezone(config))


def print_oncall(rotas: list[dict[str, object]], zone: ZoneInfo) -> None:
    """As a table."""
    console = words.console()
    if not rotas:
        console.print("alerts.toml belum menyebut piket ([[rota]]).")
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in ("Piket", "", "Petugas", "Telepon", "Mulai", "Sampai"):
        table.add_column(title)
    for rota in rotas:
        for name, key in (("sekarang", "now"), ("berikutnya", "next")):
            turn = rota[key]
            if isinstance(turn, dict):
                table.add_row(
                    Text(str(rota["rota"]) if key == "now" else ""),
                    name,
                    Text(_person(turn)),
                    Text(str(turn["phone"] or "–")),
                    words.moment(turn["from"], zone),
                    words.moment(turn["to"], zone),
                )
    console.print(table)


def _person(turn: dict[str, object]) -> str:
    if turn["person"] is None:
        return "tidak ada"
    name = str(turn["name"] or turn["person"])
    return f"{name} (pengganti)" if turn["override"] else name
