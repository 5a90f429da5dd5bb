"""Composition root of the dashboard: settings, stores and the daemon, put together for gunicorn.

gunicorn calls `create()` in its worker: `gunicorn dashboard.wsgi:create()`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path

from flask import Flask

from dashboard.app.web import Identity, build
from dashboard.reads.questions import Reads
from monitor.adapters.clock import SystemClock, boottime_s
from monitor.adapters.journal import JournalReader
from monitor.adapters.ledger import SqlLedgerReader
from monitor.adapters.local_api import LocalApi
from monitor.reading import CurrentState
from monitor.settings import load, require, where
from monitor.settings.model import Settings


def read_settings(environ: Mapping[str, str]) -> Settings:
    """The configuration of $PANTAU_CONFIG; raises ConfigError that lists everything wrong."""
    return require(load(where.config_dir(None, environ, Path.cwd()), environ), strict=False)


def create() -> Flask:
    """The application on this machine's daemon and stores."""
    settings = read_settings(os.environ)
    ledger = SqlLedgerReader.open(settings.data_dir / "ledger.db")
    now = wall_clock(SystemClock())
    daemon = LocalApi(settings.data_dir)
    reads = Reads(
        network=settings.network,
        state=CurrentState(
            api=daemon,
            open_ledger=lambda: ledger,
            network=lambda: settings.network,
            utc_now_s=now,
        ),
        ledger=ledger,
        samples=JournalReader(settings.data_dir / "journal"),
        now=now,
        steady=boottime_s,
        alerts=settings.alerts,
        zone=settings.timezone,
    )
    identity = Identity(settings.organisation, settings.timezone, settings.dashboard.prefix)
    return build(reads, identity, boottime_s, daemon)


def wall_clock(clock: SystemClock) -> Callable[[], float]:
    """UTC now, smooth as the daemon's own: small differences are followed slowly."""

    def now() -> float:
        clock.step_s()
        return clock.utc_s(clock.steady_s())

    return now
