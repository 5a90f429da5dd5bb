"""`pantau influx setup | resend | quarantine`: prepare InfluxDB, and mend what it has missed."""

from __future__ import annotations

import os
import time
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.text import Text

from monitor.adapters.influx.reader import MINUTE_DAYS, RAW_DAYS
from monitor.adapters.influx.setup import BucketSpec, InfluxSetup
from monitor.adapters.system.dead_letters import read_dead_letters
from monitor.adapters.system.local_api_client import LocalApiClient
from monitor.cli.configuration import load_settings
from monitor.cli.daemon_client import post_action
from monitor.cli.formatting import format_moment, make_console, make_table, print_json
from monitor.cli.options import config_option, json_option, who_option
from monitor.cli.time_arguments import current_utc_s, format_utc, parse_past_s
from monitor.core.documents import rfc3339
from monitor.core.errors import PantauError
from monitor.settings.quick_settings import read_data_dir, read_timezone
from monitor.settings.secrets import SecretStore

HOUR_DAYS = 1826
HOUR_SHARD_DAYS = 90


POLL_INTERVAL_S = 0.5
"""Between two looks at how far a resend is."""

STATUS_TIMEOUT_S = 5.0
MOST_LISTED = 50
QUARANTINES = ("quarantine", "quarantine_1m", "quarantine_1h")


@click.group()
@config_option
def influx(config: Path) -> None:
    """InfluxDB: prepare it, send samples again, list what it refused.

    \b
    Example: pantau influx setup
    """


@influx.command()
@config_option
@click.option("--raw-days", default=RAW_DAYS, show_default=True, type=click.IntRange(1))
@click.option("--minute-days", default=MINUTE_DAYS, show_default=True, type=click.IntRange(1))
@click.option("--hour-days", default=HOUR_DAYS, show_default=True, type=click.IntRange(1))
@click.option("--shrink", is_flag=True, help="Shorten what is kept longer; older samples go.")
def setup(config: Path, raw_days: int, minute_days: int, hour_days: int, shrink: bool) -> None:
    """Makes InfluxDB ready: raw rows, minutes and hours, a bucket each with its retention.

    It may be run again and again, and shortens nothing without --shrink. Version 1.x, 2.x and
    3.x; the secret that `token` names must be an administrator's to create anything, else what is
    missing is said.

    \b
    Example: pantau influx setup
    """
    settings = load_settings(config, os.environ)
    influxdb = settings.influxdb
    if influxdb is None:
        raise PantauError(
            f"{config / 'monitor.toml'}: there is no [storage.influxdb]: write where InfluxDB is"
        )
    token = influxdb.token
    secret = SecretStore(settings.config_dir, os.environ).get(token).reveal() if token else None
    server = InfluxSetup(influxdb, secret, shrink=shrink)
    try:
        click.echo(f"InfluxDB {server.version()}")
        found = server.prepare(
            [
                BucketSpec(influxdb.bucket, raw_days),
                BucketSpec(f"{influxdb.bucket}_1m", minute_days),
                BucketSpec(
                    f"{influxdb.bucket}_1h",
                    hour_days,
                    min(HOUR_SHARD_DAYS, max(1, hour_days // 10)),
                ),
            ]
        )
    finally:
        server.close()
    for each in found:
        rights = (
            f"may {'' if each.may_write else 'NOT '}be written,"
            f" may {'' if each.may_read else 'NOT '}be read"
        )
        click.echo(f"{each.bucket}: {'; '.join(filter(None, (each.result, rights)))}")
    missing = [f"{each.bucket}: {each.missing}" for each in found if each.missing is not None]
    if missing:
        raise PantauError("\n".join(["InfluxDB is not ready:", *missing]))


@influx.command()
@config_option
@click.option("--since", required=True, metavar="TIME", help="From when on: 24h, 7d, 2026-11-24.")
@click.option("--until", metavar="TIME", help="Up to when [default: now].")
@click.option("--measurement", metavar="NAME", help="Only this one, such as ping or ping_1h.")
@click.option("--wait/--no-wait", default=True, help="Show how far it is until it is done.")
@who_option
def resend(
    config: Path, since: str, until: str | None, measurement: str | None, wait: bool, who: str
) -> None:
    """Send samples of the journal to InfluxDB once more: nothing is there twice afterwards.

    For what was refused and set aside, for a bucket that was lost, for a backup that was restored.
    The daemon sends them after the new ones; it goes on after a restart.

    \b
    Example: pantau influx resend --since 24h
             pantau influx resend --since 2026-11-20 --until 2026-11-22 --measurement ping
    """
    zone, now_s = read_timezone(config), current_utc_s()
    until_s = now_s if until is None else parse_past_s(until, now_s, zone, "--until")
    since_s = parse_past_s(since, now_s, zone, "--since")
    answer = post_action(
        config,
        "/influx/resend",
        who=who,
        since=format_utc(since_s),
        until=format_utc(until_s),
        measurement=measurement,
    )
    rows = answer["rows"]
    click.echo(f"{rows} baris jurnal dikirim lagi ke InfluxDB.")
    if wait and isinstance(rows, int) and rows:
        _wait_until_sent(config, rows)
        click.echo("Selesai.")


def _wait_until_sent(config: Path, rows: int) -> None:
    """Show the progress of a resend; Ctrl-C ends the display, not the resend."""
    client = LocalApiClient(read_data_dir(config), STATUS_TIMEOUT_S)
    with Progress(
        TextColumn("{task.completed:.0f}/{task.total:.0f}"),
        BarColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
    ) as progress:
        task = progress.add_task("", total=rows)
        while True:
            monitor = client.get("/state")["monitor"]
            influxdb = monitor.get("influxdb") if isinstance(monitor, dict) else None
            if not isinstance(influxdb, dict):
                raise PantauError("the daemon sends nothing to InfluxDB any more")
            left = influxdb.get("resending")
            left = left if isinstance(left, int) else 0
            progress.update(task, completed=max(0, rows - left))
            if not left:
                return
            if influxdb.get("last_error") is not None:
                progress.console.print(Text(f"menunggu: {influxdb['last_error']}"))
                raise PantauError(
                    "InfluxDB does not take samples now; the daemon goes on by itself, look at it"
                    " with `pantau status`"
                )
            time.sleep(POLL_INTERVAL_S)


@influx.command()
@config_option
@click.option("--since", metavar="TIME", default="35d", show_default=True, help="From when on.")
@json_option
def quarantine(config: Path, since: str, as_json: bool) -> None:
    """List the samples that InfluxDB refused and that were set aside, the newest last.

    \b
    Example: pantau influx quarantine --since 24h
    """
    zone = read_timezone(config)
    since_s = parse_past_s(since, current_utc_s(), zone, "--since")
    data_dir = read_data_dir(config)
    found = sorted(
        (point for name in QUARANTINES for point in read_dead_letters(data_dir / name, since_s)),
        key=lambda point: point.at_s,
    )
    if as_json:
        print_json(
            {
                "quarantine": [
                    {
                        "at": rfc3339(point.at_s),
                        "status": point.status,
                        "words": point.words,
                        "line": point.line,
                    }
                    for point in found
                ]
            }
        )
        return
    if not found:
        click.echo("Tidak ada sampel yang disisihkan.")
        return
    table = make_table("Waktu", "Status", "Sampel", "Kata server")
    for point in found[-MOST_LISTED:]:
        table.add_row(
            format_moment(rfc3339(point.at_s), zone),
            str(point.status or ""),
            Text(point.line.partition(" ")[0]),
            Text(point.words),
        )
    console = make_console()
    console.print(table)
    console.print(
        f"{len(found)} sampel disisihkan"
        + (f", {MOST_LISTED} terbaru di atas" if len(found) > MOST_LISTED else "")
        + ". Setelah penyebabnya diperbaiki: pantau influx resend --since WAKTU"
    )
