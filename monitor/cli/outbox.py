"""`pantau outbox`: messages on their way, and those that failed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from zoneinfo import ZoneInfo

import click
from rich.table import Table
from rich.text import Text

from monitor.cli import alert_words, moments, words
from monitor.cli.options import config_option
from monitor.cli.people import ledger_of, tell, who_option
from monitor.core.alerting.model import OutboxStatus
from monitor.settings import quick
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
    document = queries.outbox(ledger_of(config), status, None if as_json else SHOWN)
    if as_json:
        click.echo(json.dumps(document, ensure_ascii=False))
    else:
        print_messages(words.dicts(document["outbox"])[::-1], quick.timezone(config))


@outbox.command()
@config_option
@click.argument("message", type=click.IntRange(min=1), metavar="ID")
@who_option
def retry(config: Path, message: int, who: str) -> None:
    """Send a message that was given up once more.

    \b
    Example: pantau outbox retry 12
    """
    stored = tell(config, f"/outbox/{message}/retry", who=who)
    click.echo(f"Pesan {stored['id']} dikirim lagi lewat {stored['channel']}.")


def print_messages(messages: list[dict[str, object]], zone: ZoneInfo) -> None:
    """As a table, the newest first."""
    console = words.console()
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
        Text(alert_words.EVENTS.get(str(message["event"]), str(message["event"]))),
        Text(str(message["channel"])),
        Text(alert_words.recipient(message["recipient"])),
        Text(alert_words.MESSAGE.get(str(message["status"]), str(message["status"]))),
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
        return words.moment(message["sent"], zone)
    error = f": {message['last_error']}" if message["last_error"] else ""
    if message["status"] == OutboxStatus.DEAD:
        return f"{message['attempts']} kali dicoba{error}"
    if message["attempts"]:
        return f"dicoba lagi {words.moment(message['next_try'], zone)}{error}"
    if ill and message["status"] == OutboxStatus.PENDING:
        return "menunggu giliran: pesan lain di saluran ini belum berhasil dikirim"
    due_s = words.seconds_of(message["next_try"])
    late = due_s is not None and moments.now_s() - due_s > 60
    return "belum dicoba: apakah pantau run berjalan?" if late else ""
