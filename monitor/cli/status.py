"""`pantau status`: every site and link, its state and since when."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from zoneinfo import ZoneInfo

import click
from rich.table import Table
from rich.text import Text

from monitor.adapters.ledger import SqlLedgerReader
from monitor.adapters.local_api import LocalApi
from monitor.cli import words
from monitor.cli.loading import network_of
from monitor.cli.options import config_option
from monitor.reading import CurrentState
from monitor.settings import quick


@click.command()
@config_option
@click.option("--json", "as_json", is_flag=True, help="One JSON document (README: the contract).")
def status(config: Path, as_json: bool) -> None:
    """Every site and link, its state and since when.

    \b
    Example: pantau status
             pantau status --json | jq '.sites[] | select(.state != "up")'
    """
    data_dir = quick.data_dir(config)
    current = CurrentState(
        api=LocalApi(data_dir),
        open_ledger=lambda: SqlLedgerReader.open(data_dir / "ledger.db"),
        network=lambda: network_of(config, os.environ),
        utc_now_s=time.time,
    )
    document = current.document()
    if as_json:
        click.echo(json.dumps(document, ensure_ascii=False))
    else:
        _print(document, quick.timezone(config))


def _print(document: dict[str, object], zone: ZoneInfo) -> None:
    console = words.console()
    sites = _dicts(document["sites"])
    nodes = _dicts(document["nodes"])
    monitor = document["monitor"]
    age_s = document.get("age_s")
    if document.get("stale"):
        age = words.duration(age_s) if isinstance(age_s, int | float) else "?"
        console.print(
            f"BASI: pemantau tidak menjawab; keadaan di bawah ini terakhir benar {age} yang lalu.",
            style="bold reverse",
        )
    warnings = monitor.get("warnings", []) if isinstance(monitor, dict) else []
    for warning in warnings:
        console.print(f"! {warning}", style="yellow", markup=False)
    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in ("Situs", "Tautan", "Keadaan", "Sejak", "RTT ms", "Hilang %", "Keterangan"):
        table.add_column(title, justify="right" if "%" in title or "ms" in title else "left")
    for site in sites:
        for i, link in enumerate(_dicts(site["links"])):
            _add(table, str(site["name"]) if i == 0 else "", link, zone)
    table.add_section()
    for node in nodes:
        _add(table, str(node.get("name", "")), node, zone)
    console.print(table)
    console.print(_summary(sites))
    influxdb = monitor.get("influxdb") if isinstance(monitor, dict) else None
    if isinstance(influxdb, dict):
        console.print(_of_influxdb(influxdb))
    console.print(f"Data per {words.moment(document['at'], zone)}", style="dim")


def _add(table: Table, name: str, target: dict[str, object], zone: ZoneInfo) -> None:
    overlays = target.get("overlays")
    names = map(str, overlays) if isinstance(overlays, list) else ()
    notes = [words.OVERLAYS.get(name, name) for name in names]
    table.add_row(
        Text(name),
        Text(str(target["target"])),
        words.state_text(target["state"]),
        words.moment(target["since"], zone),
        words.number(target["rtt_ms"]),
        words.number(target["loss_pct"]),
        ", ".join(notes),
    )


def _summary(sites: list[dict[str, object]]) -> Text:
    counts: dict[str, int] = {}
    for site in sites:
        counts[str(site["state"])] = counts.get(str(site["state"]), 0) + 1
    summary = Text(f"{len(sites)} situs: ")
    for i, state in enumerate(state for state in words.STATES if state in counts):
        if i:
            summary.append(", ")
        summary.append(f"{counts[state]} ").append_text(words.state_text(state))
    return summary


def _of_influxdb(told: dict[str, object]) -> str:
    """How far it is behind, of all that is sent there."""
    behind_s = told.get("behind_s")
    since = ""
    if isinstance(behind_s, int | float) and behind_s > 0:
        since = f", tertinggal {words.duration(behind_s)}"
    return (
        f"InfluxDB: {told.get('lag')} sampel menunggu{since}, {told.get('quarantined')} disisihkan."
    )


def _dicts(value: object) -> list[dict[str, object]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
