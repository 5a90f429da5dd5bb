"""`pantau outbox`, `alert-test`, `oncall`, `handover`: notifications and who receives them."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from zoneinfo import ZoneInfo

import click
from rich.console import Console
from rich.text import Text

from monitor.adapters.ledger import SqlLedgerReader
from monitor.cli.daemon_client import post_action
from monitor.cli.formatting import (
    EVENT_NAMES,
    OUTBOX_STATUS_NAMES,
    as_dicts,
    format_duration,
    format_moment,
    format_recipient,
    format_state,
    make_console,
    make_table,
    parse_rfc3339_s,
    print_json,
)
from monitor.cli.incidents import handling_lines
from monitor.cli.ledger import load_alerting_state, open_ledger
from monitor.cli.maintenance import print_windows
from monitor.cli.options import config_option, json_option, who_option
from monitor.cli.time_arguments import current_utc_s, parse_past_s
from monitor.core.alerting.documents import outbox_document
from monitor.core.alerting.model import OutboxStatus
from monitor.core.errors import PantauError
from monitor.settings.quick_settings import read_timezone
from monitor.status import queries

MOST_MESSAGES = 50

POLL_INTERVAL_S = 0.2
"""Between two looks at the ledger for the result of a test message."""


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
    document = queries.outbox(open_ledger(config), status, None if as_json else MOST_MESSAGES)
    if as_json:
        print_json(document)
    else:
        print_messages(as_dicts(document["outbox"])[::-1], read_timezone(config))


@outbox.command(name="retry")
@config_option
@click.argument("message", type=click.IntRange(min=1), metavar="ID")
@who_option
def retry_message(config: Path, message: int, who: str) -> None:
    """Send a message that was given up once more.

    \b
    Example: pantau outbox retry 12
    """
    stored = post_action(config, f"/outbox/{message}/retry", who=who)
    click.echo(f"Pesan {stored['id']} dikirim lagi lewat {stored['channel']}.")


def print_messages(messages: list[dict[str, object]], zone: ZoneInfo) -> None:
    """As a table, in the given order."""
    console = make_console()
    if not messages:
        console.print("Tidak ada pesan.")
        return
    table = make_table(
        "No", "Insiden", "Pesan", "Saluran", "Kepada", "Keadaan", "Kode", "Keterangan"
    )
    failing = {
        m["channel"] for m in messages if m["status"] == OutboxStatus.PENDING and m["attempts"]
    }
    for message in messages:
        table.add_row(*_message_row(message, zone, channel_failing=message["channel"] in failing))
    console.print(table)


def _message_row(
    message: Mapping[str, object], zone: ZoneInfo, *, channel_failing: bool
) -> list[Text]:
    return [
        Text(str(message["id"])),
        Text(_incident_number(message["incident"])),
        Text(EVENT_NAMES.get(str(message["event"]), str(message["event"]))),
        Text(str(message["channel"])),
        Text(format_recipient(message["recipient"])),
        Text(OUTBOX_STATUS_NAMES.get(str(message["status"]), str(message["status"]))),
        Text(str(message["code"])),
        Text(_message_remark(message, zone, channel_failing=channel_failing)),
    ]


def _incident_number(incident: object) -> str:
    """An incident's number; tests and self-alerts have none."""
    return str(incident) if isinstance(incident, int) and incident > 0 else "–"


def _message_remark(message: Mapping[str, object], zone: ZoneInfo, *, channel_failing: bool) -> str:
    """What matters in the message's state: time sent, error, next attempt.

    channel_failing: another message of its channel has failed and waits for a retry.
    """
    remark = _delivery_remark(message, zone, channel_failing=channel_failing)
    if message["fallback_of"] is None:
        return remark
    return f"mengganti pesan {message['fallback_of']}" + (f"; {remark}" if remark else "")


def _delivery_remark(
    message: Mapping[str, object], zone: ZoneInfo, *, channel_failing: bool
) -> str:
    if message["merged_into"] is not None:
        return f"di dalam pesan {message['merged_into']}"
    if message["sent"] is not None:
        return format_moment(message["sent"], zone)
    error = f": {message['last_error']}" if message["last_error"] else ""
    if message["status"] == OutboxStatus.DEAD:
        return f"{message['attempts']} kali dicoba{error}"
    if message["attempts"]:
        return f"dicoba lagi {format_moment(message['next_try'], zone)}{error}"
    if channel_failing and message["status"] == OutboxStatus.PENDING:
        return "menunggu giliran: pesan lain di saluran ini belum berhasil dikirim"
    due_s = parse_rfc3339_s(message["next_try"])
    late = due_s is not None and current_utc_s() - due_s > 60
    return "belum dicoba: apakah pantau run berjalan?" if late else ""


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
    message_ids = {row["id"] for row in queued}
    found = _wait_until_delivered(
        open_ledger(config), message_ids, wait_s, time.monotonic, time.sleep
    )
    print_messages(found, read_timezone(config))
    missing = [str(row["channel"]) for row in found if row["status"] != "sent"]
    if missing:
        raise PantauError(
            f"not delivered within {wait_s:g} s: {', '.join(missing)} — "
            "`pantau outbox` says what becomes of it"
        )


def _wait_until_delivered(
    ledger: SqlLedgerReader,
    message_ids: set[object],
    wait_s: float,
    monotonic_s: Callable[[], float],
    pause: Callable[[float], None],
) -> list[dict[str, object]]:
    """Wait until every message is sent or given up, at most `wait_s`. The messages as they are."""
    end_s = monotonic_s() + wait_s
    while True:
        rows = [outbox_document(row) for row in ledger.outbox(incident=0)]
        messages = [row for row in rows if row["id"] in message_ids]
        done = all(row["status"] in ("sent", "dead") for row in messages)
        if done or monotonic_s() >= end_s:
            return messages
        pause(POLL_INTERVAL_S)


@click.command()
@config_option
@json_option
def oncall(config: Path, as_json: bool) -> None:
    """Who is on call now, and who is next, in each rota of alerts.toml.

    \b
    Example: pantau oncall
    """
    document = queries.oncall(load_alerting_state(config), current_utc_s())
    if as_json:
        print_json(document)
    else:
        print_oncall(as_dicts(document["oncall"]), read_timezone(config))


def print_oncall(rotas: list[dict[str, object]], zone: ZoneInfo) -> None:
    """The current and the next person of each rota, as a table."""
    console = make_console()
    if not rotas:
        console.print("alerts.toml belum menyebut piket ([[rota]]).")
        return
    table = make_table("Piket", "", "Petugas", "Telepon", "Mulai", "Sampai")
    for rota in rotas:
        for name, key in (("sekarang", "now"), ("berikutnya", "next")):
            turn = rota[key]
            if isinstance(turn, dict):
                table.add_row(
                    Text(str(rota["rota"]) if key == "now" else ""),
                    name,
                    Text(_person_name(turn)),
                    Text(str(turn["phone"] or "–")),
                    format_moment(turn["from"], zone),
                    format_moment(turn["to"], zone),
                )
    console.print(table)


def _person_name(turn: dict[str, object]) -> str:
    if turn["person"] is None:
        return "tidak ada"
    name = str(turn["name"] or turn["person"])
    return f"{name} (pengganti)" if turn["override"] else name


@click.command()
@config_option
@click.option("--since", metavar="WHEN", default="8h", show_default=True, help="8h, 07:30 …")
@json_option
def handover(config: Path, since: str, as_json: bool) -> None:
    """What the next shift must know: open, taken by whom, over since then, work ahead.

    \b
    Example: pantau handover --since 07:30
    """
    zone, now_s = read_timezone(config), current_utc_s()
    since_s = parse_past_s(since, now_s, zone, "--since")
    ledger, state = open_ledger(config), load_alerting_state(config)
    queries.remember_windows(ledger, state, now_s)
    document = queries.handover(ledger, state, since_s, now_s)
    if as_json:
        print_json(document)
    else:
        _print_handover(document, zone, now_s)


def _print_handover(document: Mapping[str, object], zone: ZoneInfo, now_s: float) -> None:
    console = make_console()
    console.print(
        f"Serah terima {format_moment(document['at'], zone)}, "
        f"sejak {format_moment(document['since'], zone)}",
        style="bold",
    )
    still_open, over = as_dicts(document["open"]), as_dicts(document["over"])
    _print_heading(console, f"Terbuka: {len(still_open)}")
    for incident in still_open:
        _print_incident(console, incident, zone, now_s)
    _print_heading(console, f"Selesai: {len(over)}")
    for incident in over:
        _print_incident(console, incident, zone, now_s)
    _print_heading(console, "Pemeliharaan sampai besok")
    print_windows(as_dicts(document["maintenance"]), zone)
    _print_heading(console, "Piket")
    print_oncall(as_dicts(document["oncall"]), zone)


def _print_heading(console: Console, text: str) -> None:
    console.print()
    console.print(text, style="bold")


def _print_incident(
    console: Console, incident: Mapping[str, object], zone: ZoneInfo, now_s: float
) -> None:
    """One line for the incident, then one for each thing done about it."""
    start_s, end_s = parse_rfc3339_s(incident["started"]), parse_rfc3339_s(incident["ended"])
    length = format_duration((now_s if end_s is None else end_s) - (start_s or now_s))
    line = Text(f"  {incident['id']}  {incident['target']}  ")
    line.append_text(format_state(incident["state"]))
    line.append(f"  sejak {format_moment(incident['started'], zone)}, {length}")
    affected = incident["affected"]
    if isinstance(affected, list) and affected:
        line.append(f", {len(affected)} jalur terdampak")
    console.print(line)
    for text in handling_lines(incident["handling"], zone, over=end_s is not None):
        console.print(Text(f"       {text}"))
