"""Check where the page is served and what it reads: an open address, a store that is not there."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

from monitor.settings.problems import ConfigProblem, format_value
from monitor.settings.toml_files import ConfigFiles

_HOST = ("dashboard", "host")
_SERIES = ("dashboard", "series")


def dashboard_warnings(files: ConfigFiles) -> Iterator[ConfigProblem]:
    """The page's own port is open to the network: passwords cross it unencrypted."""
    source = files.monitor
    host = source.text(_HOST) if source is not None else None
    if source is None or host is None or _is_loopback(host):
        return
    yield source.problem(
        _HOST,
        f"host = {format_value(host)} opens the page to the network without TLS: "
        "passwords and sessions can be read on the way",
        'keep host = "127.0.0.1" and let nginx pass requests on (deploy/nginx-pantau.conf)',
    )


def series_problems(files: ConfigFiles) -> Iterator[ConfigProblem]:
    """The page is to read an InfluxDB that is not configured."""
    source = files.monitor
    if source is None or source.text(_SERIES) != "influxdb":
        return
    if source.text(("storage", "influxdb", "url")) is None:
        yield source.problem(
            _SERIES,
            'series = "influxdb" needs [storage.influxdb], which is not there',
            'write where InfluxDB is, or series = "journal"',
        )


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
