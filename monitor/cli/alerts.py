"""`pantau outbox`: messages on their way, and those that failed."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from zoneinfo import ZoneInfo

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from monitor.adapters.ledger import SqlLedgerReader
from monitor.cli.daemon_client import post_action
from monitor.cli.formatting import (
    CAUSE_NAMES,
    EVENT_NAMES,
    OUTBOX_STATUS_NAMES,
    as_dicts,
    format_duration,
    format_moment,
    format_recipient,
    format_state,
    make_console,
    parse_rfc3339_s,
)
from monitor.cli.ledger import load_alerting_state, open_ledger
from monitor.cli.maintenance import print_windows
from monitor.cli.options import config_option, who_option
from monitor.cli.time_arguments import current_utc_s, parse_past_s
from monitor.core.alerting.documents import outbox_document
from monitor.core.alerting.model import OutboxStatus
from monitor.core.errors import PantauError
from monitor.settings.quick_settings import read_timezone
from monitor.status import queries

SHOWN = 50


@click.group(invoke_without_command=True)
@config_option
@click.option("--dead", is_flag=True, help="Only those that were given up.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document, by ascending id.")
@click.pass_context
def outbox(context: click.Context, config: Path, dead: bool, as_json: bool) -> None:
    """The newest messages: on their way, sent, or given up (`gagal`).

    \b
    Example: pantau outbox --dead
             pantau outbox retry 12
    """
    if context.invoked_subcommand is not None:
        return
    status = OutboxStatus.DEAD if dead else None
    document = queries.outbox(open_ledger(config), status, None if as_json else SHOWN)
    if as_json:
        click.echo(json.dumps(document, ensure_ascii=False))
    else:
        print_messages(as_dicts(document["outbox"])[::-1], read_timezone(config))


@outbox.command()
@config_option
@click.argument("message", type=click.IntRange(min=1), metavar="ID")
@who_option
def retry(config: Path, message: int, who: str) -> None:
    """Send a message that was given up once more.

    \b
    Example: pantau outbox retry 12
    """
    stored = post_action(config, f"/outbox/{message}/retry", who=who)
    click.echo(f"Pesan {stored['id']} dikirim lagi lewat {stored['channel']}.")


def print_messages(messages: list[dict[str, object]], zone: ZoneInfo) -> None:
    """As a table, the newest first."""
    console = make_console()
    if not messages:
        console.print("Tidak ada pesan.")
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in ("No", "Insiden", "Pesan", "Saluran", "Kepada", "Keadaan", "Kode", "Keterangan"):
        table.add_column(title)
    ailing = {
        m["channel"] for m in messages if m["status"] == OutboxStatus.PENDING and m["attempts"]
    }
    for message in messages:
        table.add_row(*_row(message, zone, ill=message["channel"] in ailing))
    console.print(table)


def _row(message: Mapping[str, object], zone: ZoneInfo, *, ill: bool) -> list[Text]:
    return [
        Text(str(message["id"])),
        Text(_number(message["incident"])),
        Text(EVENT_NAMES.get(str(message["event"]), str(message["event"]))),
        Text(str(message["channel"])),
        Text(format_recipient(message["recipient"])),
        Text(OUTBOX_STATUS_NAMES.get(str(message["status"]), str(message["status"]))),
        Text(str(message["code"])),
        Text(_remark(message, zone, ill=ill)),
    ]


def _number(incident: object) -> str:
    """Of an incident; a test, and what is about the monitor itself, has none."""
    return str(incident) if isinstance(incident, int) and incident > 0 else "–"


def _remark(message: Mapping[str, object], zone: ZoneInfo, *, ill: bool) -> str:
    """What a person wants to know of a message in its state.

    ill: another message of its channel was tried in vain.
    """
    if message["merged_into"] is not None:
        return f"di dalam pesan {message['merged_into']}"
    if message["sent"] is not None:
        return format_moment(message["sent"], zone)
    error = f": {message['last_error']}" if message["last_error"] else ""
    if message["status"] == OutboxStatus.DEAD:
        return f"{message['attempts']} kali dicoba{error}"
    if message["attempts"]:
        return f"dicoba lagi {format_moment(message['next_try'], zone)}{error}"
    if ill and message["status"] == OutboxStatus.PENDING:
        return "menunggu giliran: pesan lain di saluran ini belum berhasil dikirim"
    due_s = parse_rfc3339_s(message["next_try"])
    late = due_s is not None and current_utc_s() - due_s > 60
    return "belum dicoba: apakah pantau run berjalan?" if late else ""


LOOK_S = 0.2


@click.command(name="alert-test")
@config_option
@click.argument("channel", required=False)
@click.option(
    "--wait", "wait_s", type=click.FloatRange(0, 600), default=30, show_default=True, metavar="S"
)
@who_option
def alert_test(config: Path, channel: str | None, wait_s: float, who: str) -> None:
    """Send a test message now through CHANNEL, or through every channel of alerts.toml.

    Waits so many seconds for it to be taken; exit 1 when one was not.

    \b
    Example: pantau alert-test telegram-noc
    """
    queued = as_dicts(post_action(config, "/alert-test", who=who, channel=channel)["outbox"])
    numbers = {row["id"] for row in queued}
    found = _outcome(open_ledger(config), numbers, wait_s, time.monotonic, time.sleep)
    print_messages(found, read_timezone(config))
    missing = [str(row["channel"]) for row in found if row["status"] != "sent"]
    if missing:
        raise PantauError(
            f"not delivered within {wait_s:g} s: {', '.join(missing)} — "
            "`pantau outbox` says what becomes of it"
        )


def _outcome(
    ledger: SqlLedgerReader,
    numbers: set[object],
    wait_s: float,
    steady_s: Callable[[], float],
    pause: Callable[[float], None],
) -> list[dict[str, object]]:
    """The messages once all are sent or given up, or when the time is over."""
    end_s = steady_s() + wait_s
    while True:
        rows = [outbox_document(row) for row in ledger.outbox(incident=0)]
        mine = [row for row in rows if row["id"] in numbers]
        over = all(row["status"] in ("sent", "dead") for row in mine)
        if over or steady_s() >= end_s:
            return mine
        pause(LOOK_S)


@click.command()
@config_option
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
def oncall(config: Path, as_json: bool) -> None:
    """Who is on call now, and who is next, in each rota of alerts.toml.

    \b
    Example: pantau oncall
    """
    document = queries.oncall(load_alerting_state(config), current_utc_s())
    if as_json:
        click.echo(json.dumps(document, ensure_ascii=False))
    else:
        print_oncall(as_dicts(document["oncall"]), read_timezone(config))


def print_oncall(rotas: list[dict[str, object]], zone: ZoneInfo) -> None:
    """As a table."""
    console = make_console()
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
                    format_moment(turn["from"], zone),
                    format_moment(turn["to"], zone),
                )
    console.print(table)


def _person(turn: dict[str, object]) -> str:
    if turn["person"] is None:
        return "tidak ada"
    name = str(turn["name"] or turn["person"])
    return f"{name} (pengganti)" if turn["override"] else name


@click.command()
@config_option
@click.option("--since", metavar="WHEN", default="8h", show_default=True, help="8h, 07:30 …")
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
def handover(config: Path, since: str, as_json: bool) -> None:
    """What the next shift must know: open, taken by whom, over since then, work ahead.

    \b
    Example: pantau handover --since 07:30
    """
    zone, now_s = read_timezone(config), current_utc_s()
    since_s = parse_past_s(since, now_s, zone, "--since")
    ledger, alerting_state = open_ledger(config), load_alerting_state(config)
    queries.remember_windows(ledger, alerting_state, now_s)
    document = queries.handover(ledger, alerting_state, since_s, now_s)
    if as_json:
        click.echo(json.dumps(document, ensure_ascii=False))
    else:
        _print(document, zone, now_s)


def _print(document: Mapping[str, object], zone: ZoneInfo, now_s: float) -> None:
    console = make_console()
    console.print(
        f"Serah terima {format_moment(document['at'], zone)}, "
        f"sejak {format_moment(document['since'], zone)}",
        style="bold",
    )
    still_open, over = as_dicts(document["open"]), as_dicts(document["over"])
    _heading(console, f"Terbuka: {len(still_open)}")
    for incident in still_open:
        _print_incident(console, incident, zone, now_s)
    _heading(console, f"Selesai: {len(over)}")
    for incident in over:
        _print_incident(console, incident, zone, now_s)
    _heading(console, "Pemeliharaan sampai besok")
    print_windows(as_dicts(document["maintenance"]), zone)
    _heading(console, "Piket")
    print_oncall(as_dicts(document["oncall"]), zone)


def _heading(console: Console, text: str) -> None:
    console.print()
    console.print(text, style="bold")


def _print_incident(
    console: Console, incident: Mapping[str, object], zone: ZoneInfo, now_s: float
) -> None:
    """One line of what it is, then who has it and what was noted."""
    begin_s, end_s = (
        parse_rfc3339_s(incident["started"]),
        parse_rfc3339_s(incident["ended"]),
    )
    length = format_duration((now_s if end_s is None else end_s) - (begin_s or now_s))
    line = Text(f"  {incident['id']}  {incident['target']}  ")
    line.append_text(format_state(incident["state"]))
    line.append(f"  sejak {format_moment(incident['started'], zone)}, {length}")
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
        until = format_moment(handling["acknowledged_until"], zone)
        lines.append(f"ditangani {handling['acknowledged_by']} sampai {until}{why}")
    elif not over:
        lines.append("belum ada yang menangani")
    if handling["snoozed_by"] is not None:
        until = format_moment(handling["snoozed_until"], zone)
        lines.append(f"ditunda {handling['snoozed_by']} sampai {until}")
    if handling["ticket"] is not None:
        lines.append(f"tiket penyedia {handling['ticket']}")
    if handling["cause"] is not None:
        lines.append(f"sebab: {CAUSE_NAMES.get(handling['cause'], handling['cause'])}")
    lines += [
        f"{format_moment(note['at'], zone)} {note['who']}: {note['text']}"
        for note in as_dicts(handling["notes"])
    ]
    return lines
