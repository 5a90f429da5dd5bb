"""`pantau influx setup`: create the buckets, or say exactly what is missing."""

from __future__ import annotations

import os
from pathlib import Path

import click

from monitor.adapters.influx.reader import MINUTE_DAYS, RAW_DAYS
from monitor.adapters.influx.setup import BucketSpec, InfluxSetup
from monitor.cli.configuration import load_settings
from monitor.cli.options import config_option
from monitor.core.errors import PantauError
from monitor.settings.secrets import SecretStore

HOUR_DAYS = 1826
HOUR_SHARD_DAYS = 90


@click.command()
@config_option
@click.argument("action", type=click.Choice(["setup"]))
@click.option("--raw-days", default=RAW_DAYS, show_default=True, type=click.IntRange(1))
@click.option("--minute-days", default=MINUTE_DAYS, show_default=True, type=click.IntRange(1))
@click.option("--hour-days", default=HOUR_DAYS, show_default=True, type=click.IntRange(1))
def influx(config: Path, action: str, raw_days: int, minute_days: int, hour_days: int) -> None:
    """Makes InfluxDB ready: raw rows, minutes and hours, a bucket each with its retention.

    It may be run again and again. Version 1.x, 2.x and 3.x Core; the secret that `token` names
    must be an administrator's to create anything, else what is missing is said.

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
    setup = InfluxSetup(influxdb, secret)
    try:
        click.echo(f"InfluxDB {setup.version()}")
        found = setup.prepare(
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
        setup.close()
    for each in found:
        if each.result:
            click.echo(f"{each.bucket}: {each.result}")
    missing = [f"{each.bucket}: {each.missing}" for each in found if each.missing is not None]
    if missing:
        raise PantauError("\n".join(["InfluxDB is not ready:", *missing]))
