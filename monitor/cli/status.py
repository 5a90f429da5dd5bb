"""`pantau status`: the state of every site, link and node, and since when."""

from __future__ import annotations

import os
import time
from importlib import import_module
from pathlib import Path
from zoneinfo import ZoneInfo

import click
from rich.table import Table
from rich.text import Text

from monitor.adapters.system.local_api_client import LocalApiClient
from monitor.cli.configuration import load_network
from monitor.cli.formatting import (
    OVERLAY_NAMES,
    STATE_NAMES,
    WIDE_COLUMNS,
    as_dicts,
    format_duration,
    format_moment,
    format_number,
    format_state,
    make_console,
    print_json,
    zone_name,
)
from monitor.cli.options import config_option
from monitor.core.alerting.ports import AlertReader
from monitor.settings.quick_settings import read_data_dir, read_timezone
from monitor.status.current_state import CurrentState


@click.command()
@config_option
@click.option("--json", "as_json", is_flag=True, help="One JSON document (README: the contract).")
def status(config: Path, as_json: bool) -> None:
    """Every site and link, its state and since when.

    \b
    Example: pantau status
             pantau status --json | jq '.sites[] | select(.state != "up")'
    """
    data_dir = read_data_dir(config)
    current = CurrentState(
        api=LocalApiClient(data_dir),
        open_ledger=lambda: _open_ledger(data_dir / "ledger.db"),
        network=lambda: load_network(config, os.environ),
        utc_now_s=time.time,
    )
    document = current.document()
    if as_json:
        print_json(document)
    else:
        _print_status(document, read_timezone(config))


def _open_ledger(path: Path) -> AlertReader:
    """Import SQLAlchemy, half of this command's time, only if the daemon does not answer."""
    reader: AlertReader = import_module("monitor.adapters.ledger").SqlLedgerReader.open(path)
    return reader


def _print_status(document: dict[str, object], zone: ZoneInfo) -> None:
    console = make_console()
    sites = as_dicts(document["sites"])
    monitor = document["monitor"]
    age_s = document.get("age_s")
    stale = bool(document.get("stale"))
    if stale:
        age = format_duration(age_s) if isinstance(age_s, int | float) else "?"
        console.print(
            f"BASI: pemantau tidak menjawab; keadaan di bawah ini terakhir benar {age} yang lalu.",
            style="bold reverse",
        )
    warnings = monitor.get("warnings", []) if isinstance(monitor, dict) else []
    for warning in warnings:
        console.print(f"! {warning}", style="yellow")
    console.print(state_table(document, zone, wide=console.width >= WIDE_COLUMNS, stale=stale))
    console.print(_summary(sites))
    influxdb = monitor.get("influxdb") if isinstance(monitor, dict) else None
    if isinstance(influxdb, dict):
        console.print(_influxdb_text(influxdb))
    console.print(f"Data per {format_moment(document['at'], zone)}", style="dim")


def state_table(document: dict[str, object], zone: ZoneInfo, *, wide: bool, stale: bool) -> Table:
    """One row a target, and one for each site with several links. wide: with names."""
    table = Table(box=None, pad_edge=False, header_style="bold", style="dim" if stale else "")
    if wide:
        table.add_column("Nama", no_wrap=True)
    table.add_column("Sasaran", no_wrap=True)
    table.add_column("Keadaan")
    table.add_column(f"Sejak ({zone_name(zone)})", no_wrap=True)
    for title in ("RTT ms", "Hilang %"):
        table.add_column(title, justify="right", no_wrap=True)
    rows = [row for site in as_dicts(document["sites"]) for row in _site_rows(site)]
    rows += [(str(node.get("name", "")), node, ()) for node in as_dicts(document["nodes"])]
    for name, row, notes in rows:
        state = format_state(row["state"])
        if stale:  # a stale state must not look current: no green
            state = Text(state.plain, style="dim")
        cells: list[str | Text] = [
            Text(str(row["target"])),
            Text(", ").join([state, *map(Text, notes), *_overlays(row)]),
            format_moment(row["since"], zone, zone_named=False),
            format_number(row["rtt_ms"]) if "rtt_ms" in row else "",
            format_number(row["loss_pct"]) if "loss_pct" in row else "",
        ]
        table.add_row(*([Text(name), *cells] if wide else cells))
    return table


StateRow = tuple[str, dict[str, object], tuple[str, ...]]
"""Name, document of a target (or of a site, without RTT and loss), notes."""


def _site_rows(site: dict[str, object]) -> list[StateRow]:
    """One row if a single link has the site's state; else the site's row, then its links'."""
    links = as_dicts(site["links"])
    name = str(site["name"])
    if len(links) == 1 and links[0]["state"] == site["state"]:
        return [(name, links[0], ())]
    answers = [link["state"] in ("up", "degraded") for link in links]
    on_backup = any(answers) and not answers[0]
    notes = ("berjalan di cadangan",) if on_backup else ()
    own = {"target": site["id"], "state": site["state"], "since": site["since"]}
    return [(name, own, notes), *(("", link, ()) for link in links)]


def _overlays(target: dict[str, object]) -> list[Text]:
    overlays = target.get("overlays")
    names = map(str, overlays) if isinstance(overlays, list) else ()
    return [Text(OVERLAY_NAMES.get(name, name)) for name in names]


def _summary(sites: list[dict[str, object]]) -> Text:
    counts: dict[str, int] = {}
    for site in sites:
        counts[str(site["state"])] = counts.get(str(site["state"]), 0) + 1
    summary = Text(f"{len(sites)} situs: ")
    for i, state in enumerate(state for state in STATE_NAMES if state in counts):
        if i:
            summary.append(", ")
        summary.append(f"{counts[state]} ").append_text(format_state(state))
    return summary


def _influxdb_text(influxdb: dict[str, object]) -> str:
    """How many samples wait for InfluxDB and were put aside, and how far it is behind."""
    behind_s = influxdb.get("behind_s")
    behind = ""
    if isinstance(behind_s, int | float) and behind_s > 0:
        behind = f", tertinggal {format_duration(behind_s)}"
    waiting, quarantined = influxdb.get("lag"), influxdb.get("quarantined")
    return f"InfluxDB: {waiting} sampel menunggu{behind}, {quarantined} disisihkan."
