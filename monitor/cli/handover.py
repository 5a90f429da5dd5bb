"""`pantau handover`: the summary of a shift."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from zoneinfo import ZoneInfo

import click
from rich.console import Console
from rich.text import Text

from monitor.cli import alert_words, moments, words
from monitor.cli.maintenance import print_windows
from monitor.cli.oncall import print_oncall
from monitor.cli.options import config_option
from monitor.cli.people import alerting_state_of, ledger_of
from monitor.settings import quick
from monitor.status import queries


@click.command()
@config_option
@click.option("--since", metavar="WHEN", default="8h", show_default=True, help="8h, 07:30 …")
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
def handover(config: Path, since: str, as_json: bool) -> None:
    """What the next shift must know: open, taken by whom, over since then, work ahead.

    \b
    Example: pantau handover --since 07:30
    """
    zone, now_s = quick.timezone(config), moments.now_s()
    since_s = moments.past_s(since, now_s, zone, "--since")
    ledger, alerting_state = ledger_of(config), alerting_state_of(config)
    queries.remember_windows(ledger, alerting_state, now_s)
    document = queries.handover(ledger, alerting_state, since_s, now_s)
    if as_json:
        click.echo(json.dumps(document, ensure_ascii=False))
    else:
        _print(document, zone, now_s)


def _print(document: Mapping[str, object], zone: ZoneInfo, now_s: float) -> None:
    console = words.console()
    console.print(
        f"Serah terima {words.moment(document['at'], zone)}, "
        f"sejak {words.moment(document['since'], zone)}",
        style="bold",
    )
    still_open, over = words.dicts(document["open"]), words.dicts(document["over"])
    _heading(console, f"Terbuka: {len(still_open)}")
    for incident in still_open:
        _print_incident(console, incident, zone, now_s)
    _heading(console, f"Selesai: {len(over)}")
    for incident in over:
        _print_incident(console, incident, zone, now_s)
    _heading(console, "Pemeliharaan sampai besok")
    print_windows(words.dicts(document["maintenance"]), zone)
    _heading(console, "Piket")
    print_oncall(words.dicts(document["oncall"]), zone)


def _heading(console: Console, text: str) -> None:
    console.print()
    console.print(text, style="bold")


def _print_incident(
    console: Console, incident: Mapping[str, object], zone: ZoneInfo, now_s: float
) -> None:
    """One line of what it is, then who has it and what was noted."""
    begin_s, end_s = words.seconds_of(incident["started"]), words.seconds_of(incident["ended"])
    length = words.duration((now_s if end_s is None else end_s) - (begin_s or now_s))
    line = Text(f"  {incident['id']}  {incident['target']}  ")
    line.append_text(words.state_text(incident["state"]))
    line.append(f"  sejak {words.moment(incident['started'], zone)}, {length}")
    affected = incident["affected"]
    if isinstance(affected, list) and affected:
        line.append(f", {len(affected)} jalur terdampak")
    console.print(line)
    for remark in handling_lines(incident["handling"], zone, over=end_s is not None):
        console.print(Text(f"       {remark}"))


def handling_lines(handling: object, zone: ZoneInfo, *, over: bool) -> list[str]:
    """Who has it in hand, the ticket, the cause, and every note."""
    if not isinstance(handling, dict):
        return []
    lines = []
    if handling["acknowledged_by"] is not None:
        why = f": {handling['acknowledged_why']}" if handling["acknowledged_why"] else ""
        until = words.moment(handling["acknowledged_until"], zone)
        lines.append(f"ditangani {handling['acknowledged_by']} sampai {until}{why}")
    elif not over:
        lines.append("belum ada yang menangani")
    if handling["snoozed_by"] is not None:
        until = words.moment(handling["snoozed_until"], zone)
        lines.append(f"ditunda {handling['snoozed_by']} sampai {until}")
    if handling["ticket"] is not None:
        lines.append(f"tiket penyedia {handling['ticket']}")
    if handling["cause"] is not None:
        lines.append(f"sebab: {alert_words.CAUSES.get(handling['cause'], handling['cause'])}")
    lines += [
        f"{words.moment(note['at'], zone)} {note['who']}: {note['text']}"
        for note in words.dicts(handling["notes"])
    ]
    return lines
