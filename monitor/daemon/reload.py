"""Put a configuration in force, in two phases.

Every part first prepares: it does all that can fail (addresses, sockets, keys, secrets, channels)
and changes nothing. Only when all are ready they commit, one after another without an await: no
outcome, poll or message falls between two configurations, and after an error nothing has changed.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Protocol

import orjson

from monitor.adapters.scheduler import Scheduler
from monitor.adapters.system.atomic_file import replace_file
from monitor.alerting.integrations import Integrations
from monitor.core.alerting.alerting_state import AlertingState
from monitor.core.alerting.notifier import Notifier
from monitor.core.alerting.office_hours import OfficeHours
from monitor.core.alerting.ports import AlertReader
from monitor.core.alerting.self_checks import SelfCheck, SelfCheckReport
from monitor.core.errors import ConfigError, PantauError
from monitor.core.job import Job
from monitor.core.ports import Commit, SampleSink
from monitor.core.warning import MonitorWarning
from monitor.pipeline.pipeline import Pipeline
from monitor.probing.path_tracing import PathTracing
from monitor.probing.ping_rounds import PingRounds
from monitor.probing.snmp_polling import SnmpPolling
from monitor.settings import load, require_valid, settings_snapshot
from monitor.settings.model import InfluxSettings, Settings
from monitor.settings.paths import LOADED_CONFIG_FILE
from monitor.settings.secrets import SecretStore
from monitor.status.status import Status
from monitor.storage.disk_watch import DiskWatch
from monitor.storage.period_recorder import PeriodRecorder
from monitor.storage.retention import RetentionJob
from monitor.storage.rollup_job import RollupJob, maintenance_from
from monitor.storage.shipper_group import ShipperGroup

log = logging.getLogger("monitor.daemon.reload")

ERRORS_SHOWN = 3
"""Errors of a refused reload that its self-alert names."""

LOADED_CONFIG_MODE = 0o640


class ReloadPart(Protocol):
    """A part of the daemon that follows the configuration."""

    async def prepare(self, settings: Settings) -> Commit:
        """Make ready for other settings. Raises PantauError and changes nothing."""
        ...


@dataclass(frozen=True)
class ProbingPart:
    """Targets, routers and the jobs that probe them.

    fixed_jobs: those that no configuration changes; they share the scheduler.
    """

    pipeline: Pipeline
    rounds: PingRounds
    polling: SnmpPolling
    path_tracing: PathTracing
    period_recorder: PeriodRecorder
    scheduler: Scheduler
    fixed_jobs: Sequence[Job]
    environ: Mapping[str, str]

    async def prepare(self, settings: Settings) -> Commit:
        network = settings.network
        commit_rounds = self.rounds.prepare(network)
        secrets = snmp_secrets(settings, self.environ)
        commit_tracing = self.path_tracing.prepare(network, settings.trace)
        commit_polling = await self.polling.prepare(network, secrets)

        def commit() -> None:
            commit_rounds()
            commit_polling()
            self.pipeline.reconfigure(network)
            commit_tracing()
            jobs = [*self.rounds.jobs(), *self.polling.jobs(), *self.period_recorder.jobs(network)]
            jobs += self.path_tracing.jobs()
            self.scheduler.set([*jobs, *self.fixed_jobs])

        return commit


@dataclass(frozen=True)
class StoragePart:
    """Retention times, maintenance windows of the rollups, address and secret of InfluxDB.

    make_sinks: one for each shipper, with the secret as it is now; raises ConfigError.
    """

    rollup_job: RollupJob
    retention_job: RetentionJob
    disk_watch: DiskWatch
    ledger: AlertReader
    shippers: ShipperGroup
    make_sinks: Callable[[Settings, InfluxSettings], Sequence[SampleSink]]

    async def prepare(self, settings: Settings) -> Commit:
        influxdb = settings.influxdb
        is_shipping = self.shippers.raw_cursor is not None
        sinks: Sequence[SampleSink] | None = None
        if is_shipping and influxdb is not None:
            sinks = self.make_sinks(settings, influxdb)

        def commit() -> None:
            self.rollup_job.reconfigure(maintenance_from(self.ledger, settings))
            self.retention_job.reconfigure(
                settings.journal, influx_changed=is_shipping != (influxdb is not None)
            )
            self.disk_watch.reconfigure(settings.disk.limits())
            if sinks is not None:
                self.shippers.use_sinks(sinks)

        return commit


@dataclass(frozen=True)
class AlertingPart:
    """Alert rules, people, channels, office hours."""

    alerting_state: AlertingState
    notifier: Notifier
    integrations: Integrations

    async def prepare(self, settings: Settings) -> Commit:
        office_open = office_hours(settings)
        commit_integrations = self.integrations.prepare(settings)

        def commit() -> None:
            self.alerting_state.reconfigure(settings.alerts, settings.network, settings.timezone)
            self.notifier.reconfigure(office_open)
            commit_integrations()

        return commit


class Reloader:
    """Applies the configuration at the start and again at each SIGHUP.

    parts: prepared and committed in this order. refusal: the errors for which the last reload was
    refused, one a line; None: it was not.
    """

    def __init__(
        self,
        settings: Settings,
        environ: Mapping[str, str],
        status: Status,
        parts: Sequence[ReloadPart],
    ) -> None:
        self._settings = settings
        self._environ = environ
        self._status = status
        self._parts = parts
        self._file_error: str | None = None
        self.refusal: str | None = None

    @property
    def settings(self) -> Settings:
        """Those in force."""
        return self._settings

    async def apply(self, settings: Settings) -> None:
        """Put settings in force. With a PantauError nothing has changed."""
        await self._commit(settings, await self._prepare(settings))

    async def _prepare(self, settings: Settings) -> list[Commit]:
        return [await part.prepare(settings) for part in self._parts]

    async def _commit(self, settings: Settings, commits: Sequence[Commit]) -> None:
        for commit in commits:
            commit()
        self._settings = settings
        self.refusal = None
        self._status.reloaded(settings.timezone.key, settings.organisation)
        await asyncio.to_thread(self._write_loaded_config, settings)

    async def reload(self) -> None:
        """Read the files again and apply them; an error is logged and shown in the status."""
        try:
            settings = require_valid(load(self._settings.config_dir, self._environ), strict=True)
            if settings.data_dir != self._settings.data_dir:
                raise ConfigError("data_dir cannot change while the daemon runs: restart it")
            commits = await self._prepare(settings)
        except PantauError as error:
            log.error("reload refused, going on with what was loaded:\n%s", error)
            self._refuse(str(error))
        except Exception as error:
            log.exception("reload refused, going on with what was loaded: an error of this program")
            self._refuse(f"an error of this program: {error!r}")
        else:
            await self._commit(settings, commits)
            log.info("configuration reloaded: %d targets", len(settings.network.targets()))

    def _refuse(self, errors: str) -> None:
        self.refusal = errors
        self._status.reload_refused(errors.splitlines()[0])

    def failures(self) -> list[SelfCheckReport]:
        """A refused reload, with its first errors."""
        if self.refusal is None:
            return []
        lines = self.refusal.splitlines()
        shown = lines[:ERRORS_SHOWN]
        if len(lines) > ERRORS_SHOWN:
            shown.append(f"(+{len(lines) - ERRORS_SHOWN})")
        return [SelfCheckReport(SelfCheck.RELOAD, 0.0, why="\n".join(shown))]

    async def run(self, requested: asyncio.Event) -> None:
        """Reload each time the event is set, for ever."""
        while True:
            await requested.wait()
            requested.clear()
            await self.reload()

    def warnings(self) -> list[MonitorWarning]:
        """That `check --diff` and the dashboard see an older configuration."""
        if self._file_error is None:
            return []
        text = f"{LOADED_CONFIG_FILE} cannot be written: {self._file_error}"
        return [MonitorWarning(text, "loaded_config", {"why": self._file_error})]

    def _write_loaded_config(self, settings: Settings) -> None:
        """Write what is in force to the data directory, for `check --diff` and the dashboard."""
        snapshot = orjson.dumps(settings_snapshot(settings), option=orjson.OPT_SORT_KEYS)
        try:
            replace_file(settings.data_dir / LOADED_CONFIG_FILE, snapshot, LOADED_CONFIG_MODE)
        except OSError as error:
            self._file_error = error.strerror or str(error)
            log.error("%s cannot be written: %s", LOADED_CONFIG_FILE, error)
        else:
            self._file_error = None


def office_hours(settings: Settings) -> Callable[[float], bool]:
    """Whether a moment (UTC seconds) is within office hours; always, where no route asks."""
    if not any(route.office_hours for route in settings.alerts.routes):
        return lambda _: True
    # The calendar of holidays is loaded only where a route waits for office hours.
    holidays = import_module("monitor.adapters.system.holidays").IndonesianHolidays()
    return OfficeHours(settings.alerts.week, holidays, settings.timezone)


def snmp_secrets(settings: Settings, environ: Mapping[str, str]) -> dict[str, str]:
    """The texts of all SNMP credentials by name. Raises ConfigError for one that is missing."""
    store = SecretStore(settings.config_dir, environ)
    names = {device.credential for device in settings.network.devices}
    return {name: store.get(name).reveal() for name in sorted(names)}
