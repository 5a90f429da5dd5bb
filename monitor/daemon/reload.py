"""The daemon while it runs: what a reload exchanges, and how."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path

import orjson

from monitor.adapters.scheduler import Scheduler
from monitor.adapters.snmp import SnmpPoller
from monitor.alerting.alert_trigger import AlertTrigger
from monitor.alerting.integrations import Integrations
from monitor.alerting.self_alerts import SelfAlerts
from monitor.core.alerting.alerting_state import AlertingState
from monitor.core.alerting.notifier import Notifier
from monitor.core.alerting.office_hours import OfficeHours
from monitor.core.alerting.ports import AlertReader
from monitor.core.errors import ConfigError, PantauError
from monitor.daemon.watchdog import Watchdog
from monitor.pipeline.pipeline import Pipeline
from monitor.probing.ping_rounds import PingRounds
from monitor.probing.snmp_polling import SnmpPolling
from monitor.settings import load, require_valid, settings_snapshot
from monitor.settings.model import Settings
from monitor.settings.paths import LOADED_CONFIG_FILE
from monitor.settings.secrets import SecretStore
from monitor.status.status import Status
from monitor.storage.period_recorder import PeriodRecorder
from monitor.storage.retention import RetentionJob
from monitor.storage.rollup_job import RollupJob, maintenance_from
from monitor.storage.self_metrics import SelfMetrics

log = logging.getLogger("monitor.daemon.reload")


class Daemon:
    """The parts that a reload exchanges, and the ones that it asks for them."""

    def __init__(
        self,
        config_dir: Path,
        environ: Mapping[str, str],
        schedule: Scheduler,
        pipeline: Pipeline,
        rounds: PingRounds,
        polling: SnmpPolling,
        poller: SnmpPoller,
        period_recorder: PeriodRecorder,
        self_metrics: SelfMetrics,
        rollup_job: RollupJob,
        retention_job: RetentionJob,
        status: Status,
        watching: Watchdog,
        alert_trigger: AlertTrigger,
        notifier: Notifier,
        integrations: Integrations,
        alerting_state: AlertingState,
        ledger: AlertReader,
        self_alerts: SelfAlerts,
        settings: Settings,
    ) -> None:
        self._config_dir = config_dir
        self._environ = environ
        self._schedule = schedule
        self._pipeline = pipeline
        self._rounds = rounds
        self._polling = polling
        self._poller = poller
        self._period_recorder = period_recorder
        self._self_metrics = self_metrics
        self._rollup_job = rollup_job
        self._retention_job = retention_job
        self._status = status
        self._watching = watching
        self._alert_trigger = alert_trigger
        self._notifier = notifier
        self._integrations = integrations
        self._alerting_state = alerting_state
        self._ledger = ledger
        self._self_alerts = self_alerts
        self._settings = settings
        self._ships_to = settings.influxdb

    async def apply(self, settings: Settings, commit_integrations: Callable[[], None]) -> None:
        """Probe, poll, show and tell exactly what `settings` names.

        commit_integrations: see Integrations.prepare.
        """
        network = settings.network
        self._rollup_job.reconfigure(maintenance_from(self._ledger, settings))
        self._retention_job.reconfigure(
            settings.journal, influx_changed=settings.influxdb != self._ships_to
        )
        await self._poller.open(network.devices, secrets_of(settings, self._environ))
        jobs = [
            *self._rounds.jobs(network),
            *self._polling.jobs(network),
            *self._period_recorder.jobs(network),
            *self._self_metrics.jobs(),
            *self._rollup_job.jobs(),
            *self._retention_job.jobs(),
            *self._watching.jobs(),
            *self._alert_trigger.jobs(),
            *self._self_alerts.jobs(),
        ]
        self._schedule.set(jobs)
        self._alerting_state.reconfigure(settings.alerts, network, settings.timezone)
        self._notifier.reconfigure(office_of(settings))
        commit_integrations()
        self._settings = settings
        self._status.reloaded(settings.timezone.key, settings.organisation)
        (settings.data_dir / LOADED_CONFIG_FILE).write_bytes(
            orjson.dumps(settings_snapshot(settings), option=orjson.OPT_SORT_KEYS)
        )

    async def reload(self) -> None:
        """SIGHUP: read the files again; with any error nothing changes, and it is said."""
        try:
            settings = require_valid(load(self._config_dir, self._environ), strict=True)
            if settings.data_dir != self._settings.data_dir:
                raise ConfigError("data_dir cannot change while the daemon runs: restart it")
            commit_integrations = self._integrations.prepare(settings)
            self._pipeline.reconfigure(settings.network)
            await self.apply(settings, commit_integrations)
        except PantauError as error:
            log.error("reload refused, going on with what was loaded:\n%s", error)
            self._status.reload_refused(str(error).splitlines()[0])
        else:
            log.info("configuration reloaded: %d targets", len(settings.network.targets()))


def office_of(settings: Settings) -> Callable[[float], bool]:
    """When somebody is at work; the calendar is loaded only where a route waits for that."""
    if not any(route.office_hours for route in settings.alerts.routes):
        return lambda _: True
    holidays = import_module("monitor.adapters.system.holidays").IndonesianHolidays()
    return OfficeHours(settings.alerts.week, holidays, settings.timezone)


def secrets_of(settings: Settings, environ: Mapping[str, str]) -> dict[str, str]:
    """The texts of all SNMP credentials by name. Raises ConfigError for one that is missing."""
    store = SecretStore(settings.config_dir, environ)
    names = {device.credential for device in settings.network.devices}
    return {name: store.get(name).reveal() for name in sorted(names)}
