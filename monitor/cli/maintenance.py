"""`pantau maintenance`: add, list and end maintenance windows."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote
from zoneinfo import ZoneInfo

import click
from rich.text import Text

from monitor.cli.daemon_client import post_action
from monitor.cli.formatting import (
    WINDOW_STATE_NAMES,
    as_dicts,
    format_moment,
    make_console,
    make_table,
    print_json,
)
from monitor.cli.ledger import load_alerting_state, open_ledger
from monitor.cli.options import config_option, json_option, who_option
from monitor.cli.time_arguments import current_utc_s, format_utc, parse_future_s
from monitor.settings.quick_settings import read_timezone
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


@maintenance.command(name="add")
@config_option
@click.argument("targets", nargs=-1, required=True, metavar="TARGET…")
@click.option("--from", "start", metavar="WHEN", help="30m, 22:00, 2026-11-24T22:00 [now].")
@click.option("--to", "end", metavar="WHEN", required=True, help="2h (after its start), 23:30 …")
@click.option("--why", metavar="TEXT", required=True, help="What is done.")
@who_option
def add_window(
    config: Path, targets: tuple[str, ...], start: str | None, end: str, why: str, who: str
) -> None:
    """Plan work on sites, links or nodes; a node means everything behind it, too.

    \b
    Example: pantau maintenance add anjatan --from 22:00 --to 2h --why "ganti radio"
    """
    zone, now_s = read_timezone(config), current_utc_s()
    start_s = None if start is None else parse_future_s(start, now_s, zone, "--from")
    end_s = parse_future_s(end, now_s if start_s is None else start_s, zone, "--to")
    stored = post_action(
        config,
        "/maintenance",
        who=who,
        why=why,
        targets=list(targets),
        from_=None if start_s is None else format_utc(start_s),
        to=format_utc(end_s),
    )
    click.echo(
        f"Pemeliharaan {stored['id']}: {', '.join(targets)}, "
        f"{format_moment(stored['from'], zone)} sampai {format_moment(stored['to'], zone)}."
    )


@maintenance.command(name="list")
@config_option
@json_option
def list_windows(config: Path, as_json: bool) -> None:
    """The windows in force and those of the next 31 days, recurring ones included.

    \b
    Example: pantau maintenance list --json
    """
    now_s, state = current_utc_s(), load_alerting_state(config)
    queries.remember_windows(open_ledger(config), state, now_s)
    document = queries.maintenance(state, now_s)
    if as_json:
        print_json(document)
    else:
        print_windows(as_dicts(document["maintenance"]), read_timezone(config))


@maintenance.command(name="end")
@config_option
@click.argument("window", metavar="ID")
@who_option
def end_window(config: Path, window: str, who: str) -> None:
    """End a window now: its number, or the name of a line of maintenance.toml in force.

    \b
    Example: pantau maintenance end 3
    """
    stored = post_action(config, f"/maintenance/{quote(window, safe='')}/end", who=who)
    click.echo(f"Pemeliharaan {window} diakhiri oleh {stored['ended_by']}.")


def print_windows(windows: list[dict[str, object]], zone: ZoneInfo) -> None:
    """Maintenance windows as a table."""
    console = make_console()
    if not windows:
        console.print("Tidak ada pemeliharaan yang berlangsung atau direncanakan.")
        return
    table = make_table("No", "Sasaran", "Mulai", "Sampai", "Keadaan", "Pekerjaan", "Oleh")
    for window in windows:
        table.add_row(*_window_row(window, zone))
    console.print(table)


def _window_row(window: Mapping[str, object], zone: ZoneInfo) -> list[Text]:
    targets = window["targets"]
    return [
        Text(str(window["id"] or window["recurring"])),
        Text(", ".join(map(str, targets)) if isinstance(targets, list) else ""),
        Text(format_moment(window["from"], zone)),
        Text(format_moment(window["to"], zone)),
        Text(WINDOW_STATE_NAMES.get(str(window["state"]), "")),
        Text(str(window["why"])),
        Text(str(window["who"])),
    ]
