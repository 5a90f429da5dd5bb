"""Composition root of the dashboard: settings, stores and the daemon, put together.

`create()` makes the WSGI application that `__main__` serves.
"""

from __future__ import annotations

import hashlib
import logging
import os
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from urllib.parse import quote
from zoneinfo import ZoneInfo

import orjson
from flask import Flask

from dashboard.app.following import Following
from dashboard.app.gate.attempts import Attempts
from dashboard.app.gate.gate import Gate, attach
from dashboard.app.gate.peers import Proxy, read_networks
from dashboard.app.gate.sessions import Report, Sessions
from dashboard.app.gate.trust import Front, Trust
from dashboard.app.gate.visitor import named
from dashboard.app.web import Identity, build
from dashboard.i18n import Lang, Words, read_catalogue
from dashboard.reads.questions import Reads
from monitor.adapters.journal import JournalReader
from monitor.adapters.ledger import SqlLedgerReader
from monitor.adapters.system.clock import SystemClock, boottime_s
from monitor.adapters.system.key_file import (
    LINK_KEY,
    LINK_KEY_MODE,
    SESSION_KEY,
    SESSION_KEY_MODE,
    load_or_create_key,
)
from monitor.adapters.system.local_api_client import LocalApiClient
from monitor.adapters.system.passwords import Argon2Passwords
from monitor.adapters.system.sign_outs_file import SignOutsFile
from monitor.adapters.system.users_file import UsersFile
from monitor.core.documents import rfc3339
from monitor.core.errors import ConfigError
from monitor.core.ports import SampleSource
from monitor.settings import load, paths, require_valid, settings_snapshot
from monitor.settings.model import InfluxSettings, Settings
from monitor.settings.paths import LOADED_CONFIG_FILE
from monitor.settings.secrets import SecretStore
from monitor.status.current_state import CurrentState
from monitor.storage.archive_source import ArchiveSource

log = logging.getLogger(__name__)


def read_settings(environ: Mapping[str, str]) -> Settings:
    """The configuration of $PANTAU_CONFIG; raises ConfigError that lists everything wrong."""
    return require_valid(
        load(paths.resolve_config_dir(None, environ, Path.cwd()), environ), strict=False
    )


def create() -> Following:
    """What is served; it follows the daemon's configuration from then on."""
    workshop = Workshop(os.environ)
    return Following(workshop.build, workshop.version, boottime_s)


class Workshop:
    """Builds the application, again and again; who is signed in outlives that.

    environ: where the configuration and its secrets are.
    """

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self._now = wall_clock(SystemClock())
        self._attempts = Attempts(boottime_s)
        self._passwords = Argon2Passwords()
        self._data_dir: Path | None = None
        self._sessions: Sessions | None = None

    def version(self) -> str:
        """Of the configuration that the daemon works with; "" when it never ran."""
        if self._data_dir is None:
            return ""
        try:
            return _hashed((self._data_dir / LOADED_CONFIG_FILE).read_bytes())
        except OSError:
            return ""

    def build(self) -> tuple[Flask, str]:
        """The application on this machine's daemon and stores, and the version of its
        configuration, as the daemon would write it. Raises ConfigError.
        """
        settings = read_settings(self._environ)
        page, organisation = settings.dashboard, settings.organisation
        front = Front(organisation, page.prefix, words_of(settings.timezone))
        gate = Gate(self._trust(settings), front)
        identity = Identity(organisation, settings.timezone, page.prefix)
        daemon = LocalApiClient(settings.data_dir)
        server = build(self._reads(settings, daemon), identity, boottime_s, daemon, named)
        attach(gate, server, page.prefix)
        return server, _hashed(
            orjson.dumps(settings_snapshot(settings), option=orjson.OPT_SORT_KEYS)
        )

    def _reads(self, settings: Settings, daemon: LocalApiClient) -> Reads:
        ledger = SqlLedgerReader.open(settings.data_dir / "ledger.db")
        return Reads(
            network=settings.network,
            state=CurrentState(
                api=daemon,
                open_ledger=lambda: ledger,
                network=lambda: settings.network,
                utc_now_s=self._now,
            ),
            ledger=ledger,
            samples=self._samples(settings),
            now=self._now,
            steady=boottime_s,
            alerts=settings.alerts,
            zone=settings.timezone,
            router=lambda name: daemon.get(f"/routers/{quote(name, safe='')}"),
        )

    def _samples(self, settings: Settings) -> SampleSource:
        """The journal, or InfluxDB with the journal behind it."""
        journal = JournalReader(settings.data_dir / "journal")
        influxdb = settings.influxdb
        if settings.dashboard.series != "influxdb" or influxdb is None:
            return journal
        try:
            secrets = SecretStore(settings.config_dir, self._environ)
            token = secrets.get(influxdb.token).reveal() if influxdb.token else None
        except ConfigError as error:
            log.warning("%s; charts are read from the journal until then", error)
            return journal
        # Loaded only where it is configured: the library takes 25 MB of memory.
        make: Callable[[InfluxSettings, str | None], SampleSource]
        make = import_module("monitor.adapters.influx").InfluxReader
        return ArchiveSource(make(influxdb, token), journal, journal.first_s)

    def _trust(self, settings: Settings) -> Trust:
        data_dir = settings.data_dir
        if self._sessions is None or data_dir != self._data_dir:
            key_file = data_dir / SESSION_KEY
            self._sessions = Sessions(
                lambda: load_or_create_key(key_file, SESSION_KEY_MODE),
                self._now,
                SignOutsFile(data_dir),
                sign_out_report(LocalApiClient(data_dir)),
            )
        self._data_dir = data_dir
        return Trust(
            users=UsersFile(data_dir),
            passwords=self._passwords,
            sessions=self._sessions,
            attempts=self._attempts,
            link_key=lambda: load_or_create_key(data_dir / LINK_KEY, LINK_KEY_MODE),
            ledger=SqlLedgerReader.open(data_dir / "ledger.db").identity,
            now=self._now,
            proxy=proxy_of(settings, self._environ),
            trusted_proxies=read_networks(settings.dashboard.trusted_proxies),
        )


def sign_out_report(daemon: LocalApiClient) -> Report:
    """Tell the daemon of ended sessions."""

    def report(session: str, name: str, until_s: float) -> None:
        body = {"who": name, "session": session, "name": name, "until": rfc3339(until_s)}
        daemon.post("/sessions/end", body)

    return report


def _hashed(raw: bytes) -> str:
    return hashlib.sha256(raw).hexdigest()


def proxy_of(settings: Settings, environ: Mapping[str, str]) -> Proxy | None:
    """[dashboard.proxy] with its secret. Raises ConfigError for one that is missing."""
    told = settings.dashboard.proxy
    if told is None:
        return None
    secret = SecretStore(settings.config_dir, environ).get(told.secret).reveal()
    return Proxy(read_networks(told.peers), told.header, secret, told.role)


def words_of(zone: ZoneInfo) -> dict[Lang, Words]:
    """Every language's words in the office's time."""
    catalogue = read_catalogue()
    return {lang: Words(lang, catalogue[lang], zone) for lang in Lang}


def wall_clock(clock: SystemClock) -> Callable[[], float]:
    """UTC now, smooth as the daemon's own: small differences are followed slowly."""

    def now() -> float:
        clock.step_s()
        return clock.utc_s(clock.steady_s())

    return now
