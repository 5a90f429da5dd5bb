"""Composition root of the daemon: builds the parts, runs them, and closes them in reverse order."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
from collections.abc import Callable, Collection, Coroutine, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from importlib import import_module

from monitor.adapters.icmp import IcmpProber
from monitor.adapters.journal import SqliteJournal
from monitor.adapters.ledger.writer import SqlLedger
from monitor.adapters.scheduler import Scheduler
from monitor.adapters.snmp import SnmpPoller
from monitor.adapters.system.clock import SystemClock, clock_is_synchronised
from monitor.adapters.system.data_directory import find_user, restrict_access
from monitor.adapters.system.dead_letters import DeadLetterFiles
from monitor.adapters.system.directory_lock import DirectoryLock
from monitor.adapters.system.given_out_file import GivenOutFile
from monitor.adapters.system.key_file import (
    LINK_KEY,
    LINK_KEY_MODE,
    SESSION_KEY,
    SESSION_KEY_MODE,
    SHARED_MODE,
    load_or_create_key,
)
from monitor.adapters.system.local_api_client import SOCKET_NAME
from monitor.adapters.system.process_figures import read_process_figures
from monitor.adapters.system.resend_file import ResendFile
from monitor.adapters.system.sign_outs_file import SignOutsFile
from monitor.adapters.system.systemd import SystemdNotifier
from monitor.adapters.system.users_file import UsersFile
from monitor.adapters.system.worker_thread import WorkerThread
from monitor.alerting.alert_trigger import AlertTrigger
from monitor.alerting.channel_test import ChannelTests
from monitor.alerting.delivery import DeliveryContext
from monitor.alerting.dispatcher import Dispatcher
from monitor.alerting.duty_changes import DutyChanges
from monitor.alerting.given_out_keeper import GivenOutKeeper, restore_given_out
from monitor.alerting.incident_actions import IncidentActions
from monitor.alerting.integrations import Integrations
from monitor.alerting.late_openings import LateOpenings
from monitor.alerting.monitor_messages import MonitorMessages
from monitor.alerting.self_alerts import SelfAlerts
from monitor.api import Accounts, ApiContext, ApiServer, PeerCheck
from monitor.core.alerting.alerting_state import AlertingState
from monitor.core.alerting.model import OutboxRow
from monitor.core.alerting.notifier import Notifier
from monitor.core.alerting.policy_state import read_policy_history, restore_policy_state
from monitor.core.alerting.self_checks import CheckKey, SelfCheckReport
from monitor.core.alerting.unrecorded import UnrecordedMessages
from monitor.core.detection.detector import close_removed, restored_detector
from monitor.core.errors import ConfigError, LedgerError
from monitor.core.executor import Executor
from monitor.core.ports import SampleLog, SampleSink
from monitor.core.progress import DaemonProgress
from monitor.core.warning import MonitorWarning
from monitor.daemon.reload import (
    AlertingPart,
    ProbingPart,
    Reloader,
    ReloadPart,
    StoragePart,
    office_hours,
)
from monitor.daemon.watchdog import Watchdog
from monitor.pipeline.pipeline import Pipeline
from monitor.probing.path_tracing import PathTracing
from monitor.probing.ping_rounds import PingRounds
from monitor.probing.snmp_polling import SnmpPolling
from monitor.settings.model import InfluxSettings, Settings
from monitor.settings.secrets import SecretStore
from monitor.status.metrics import Metrics
from monitor.status.status import Status
from monitor.storage.disk_watch import BackupWatch, DiskWatch
from monitor.storage.influx_shipper import InfluxShipper
from monitor.storage.period_recorder import PeriodRecorder
from monitor.storage.retention import RetentionJob
from monitor.storage.rollup_job import RollupJob
from monitor.storage.self_metrics import SelfMetrics
from monitor.storage.shipper_group import ShipperGroup
from monitor.storage.store_watch import StoreWatch

log = logging.getLogger("monitor.daemon.app")

LEDGER = "ledger.db"
JOURNAL = "journal"
QUARANTINE = "quarantine"
RESEND_FILE = "resend.json"
GIVEN_OUT = "given-out"


async def run(settings: Settings, environ: Mapping[str, str], on_ready: Callable[[], None]) -> None:
    """Run the daemon until SIGTERM or SIGINT. Raises PantauError when it cannot start."""
    stop = _event_on(signal.SIGTERM, signal.SIGINT)
    reload_requested = _event_on(signal.SIGHUP)
    async with AsyncExitStack() as stack:
        stack.enter_context(DirectoryLock(settings.data_dir))
        restrict_access(settings.data_dir)
        daemon = Daemon(settings, environ, stack)
        await daemon.open()
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(each) for each in daemon.services(reload_requested)]
            daemon.start()
            on_ready()
            await stop.wait()
            await daemon.end()
            for task in tasks:
                task.cancel()


class Daemon:
    """All parts of the daemon. The constructor builds them, each from those above it.

    stack: closes what was opened, in reverse order.
    """

    def __init__(
        self, settings: Settings, environ: Mapping[str, str], stack: AsyncExitStack
    ) -> None:
        self._settings = settings
        self._environ = environ
        self._stack = stack
        self._clock = SystemClock()
        self._scheduler = Scheduler(self._clock)
        self._systemd = SystemdNotifier(environ, os.getpid())
        self._open_stores()
        self._executor = self._worker_thread("alerting")
        self._build_notifications()
        self._build_pipeline()
        self._build_probing()
        self._build_storage()
        self._build_alert_services()
        self._build_status()
        self._build_integrations()
        self._build_reloader()
        self._build_api()

    async def open(self) -> None:
        """Open the sockets and put the configuration in force. Raises PantauError."""
        await self._prober.open(self._pipeline.take)
        await self._actions.restore()
        await self._reloader.apply(self._settings)
        await self._api.open()
        self._stack.push_async_callback(self._api.close)

    def services(self, reload_requested: asyncio.Event) -> list[Coroutine[None, None, None]]:
        """What runs until the end, each as a task."""
        return [
            self._pipeline.run(),
            self._scheduler.guard(),
            self._dispatcher.run(),
            self._integrations.run(),
            *self._shippers.services(),
            self._reloader.run(reload_requested),
        ]

    def start(self) -> None:
        """Start the jobs, and tell systemd."""
        self._scheduler.start()
        targets = len(self._settings.network.targets())
        log.info("watching %d targets (process %d)", targets, os.getpid())
        self._systemd.ready()

    async def end(self) -> None:
        """Start no more jobs, and store what was measured in the present period."""
        log.info("ending")
        self._systemd.stopping()
        self._scheduler.close()
        self._period_recorder.finish()
        await self._period_recorder.record_alive()

    def _open_stores(self) -> None:
        data_dir = self._settings.data_dir
        self._ledger = SqlLedger.open(data_dir / LEDGER)
        self._stack.callback(self._ledger.close)
        keeps_evidence = self._settings.journal.evidence_days > 0
        self._journal = SqliteJournal(data_dir / JOURNAL, evidence=keeps_evidence)
        self._stack.callback(self._journal.close)

    def _build_notifications(self) -> None:
        """Alert policy and dispatcher, continued from what the ledger holds."""
        settings = self._settings
        key = load_or_create_key(settings.data_dir / LINK_KEY, LINK_KEY_MODE)
        self._make_session_key()
        self._alerting_state = AlertingState(
            settings.alerts, settings.network, settings.timezone, key, self._ledger.identity()
        )
        self._release_leased()
        now_s = self._clock.steady_s()
        utc_s = self._clock.utc_s(now_s)
        history = read_policy_history(self._ledger, utc_s)
        given_out_file = GivenOutFile(settings.data_dir / GIVEN_OUT)
        self._snapshot, given_out = restore_given_out(given_out_file, self._ledger.load_snapshot())
        self._notifier = Notifier(
            restore_policy_state(history, now_s, utc_s, given_out),
            self._alerting_state,
            office_hours(settings),
        )
        executor = self._worker_thread("outbox")
        keeper = GivenOutKeeper(given_out_file, given_out, self._worker_thread("given-out"))
        self._progress = DaemonProgress()
        self._unrecorded = UnrecordedMessages(self._clock.steady_s, self._progress.ledger)
        context = DeliveryContext(
            self._ledger,
            self._alerting_state,
            self._clock,
            executor,
            self._unrecorded,
            self._queue_messages,
            self._notifier.note_passed_on,
            before_memory=keeper.keep,
        )
        self._dispatcher = Dispatcher(context, {})

    def _release_leased(self) -> None:
        """What an earlier daemon was sending when it was killed: the lock shows that it is gone."""
        try:
            count = self._ledger.release_all()
        except LedgerError as error:
            log.warning("messages that were being sent wait for the end of their lease: %s", error)
            return
        if count:
            log.info("%d messages that were being sent at the last end are sent again", count)

    def _make_session_key(self) -> None:
        """For the page, which may not write here."""
        path = self._settings.data_dir / SESSION_KEY
        try:
            is_shared = find_user(self._settings.dashboard.user) is not None
            load_or_create_key(path, SHARED_MODE if is_shared else SESSION_KEY_MODE)
        except ConfigError as error:
            # Made by an earlier version's page for itself: the page reads it, this process not.
            log.warning("%s", error)

    def _build_pipeline(self) -> None:
        """Detector and store writers, continued from what the ledger holds."""
        network = self._settings.network
        now_s = self._clock.steady_s()
        snapshot = self._snapshot
        self._last_alive_s = snapshot.last_alive_s
        self._ledger.record(close_removed(network, snapshot.open_incidents, now_s))
        self._pipeline = Pipeline(
            network,
            restored_detector(network, snapshot, now_s),
            self._clock,
            self._ledger,
            self._journal,
            notifier=self._notifier,
            on_queued=self._dispatcher.wake,
            progress=self._progress,
            unrecorded=self._unrecorded,
        )
        self._stack.callback(self._pipeline.close)

    def _build_probing(self) -> None:
        self._prober = IcmpProber(self._clock)
        self._stack.push_async_callback(self._prober.close)
        self._rounds = PingRounds(self._prober, self._pipeline, self._clock)
        self._path_tracing = PathTracing(
            self._prober,
            self._pipeline,
            self._clock,
            self._ledger,
            self._executor,
            self._ledger.path_baselines(),
        )
        self._stack.push_async_callback(self._path_tracing.close)
        self._polling = SnmpPolling(SnmpPoller(self._clock), self._pipeline, self._clock)
        self._stack.push_async_callback(self._polling.close)

    def _build_storage(self) -> None:
        settings = self._settings
        self._shippers = ShipperGroup(self._influx_shippers(), self._clock)
        self._period_recorder = PeriodRecorder(self._pipeline, self._clock)
        self._self_metrics = SelfMetrics(
            self._pipeline,
            self._scheduler,
            self._clock,
            self._prober,
            self._shippers,
            read_process_figures,
            clock_is_synchronised,
            lambda: self._dispatcher.oldest_due_s,
        )
        self._disk_watch = DiskWatch(settings.data_dir, self._clock, settings.disk.limits())
        self._store_watch = StoreWatch(
            self._pipeline,
            self._clock,
            [lambda: self._ledger.remarks, lambda: self._journal.problems],
        )
        self._backup_watch = BackupWatch(settings.data_dir, self._clock)
        self._rollup_job = RollupJob(self._journal, self._ledger, self._clock)
        self._retention_job = RetentionJob(
            self._journal, self._clock, self._shippers.raw_cursor, self._settings.journal
        )

    def _influx_shippers(self) -> list[InfluxShipper]:
        """One each for raw rows, minutes and hours; none where no InfluxDB is configured."""
        settings = self._settings
        if settings.influxdb is None:
            return []
        logs: list[tuple[str, SampleLog]] = [
            ("", self._journal),
            ("_1m", self._journal.minutes),
            ("_1h", self._journal.hours),
        ]
        resend_file = ResendFile(settings.data_dir / RESEND_FILE)
        if resend_file.problem is not None:
            log.error("%s", resend_file.problem)
        sinks = self._influx_sinks(settings, settings.influxdb)
        shippers: list[InfluxShipper] = []
        for (suffix, sample_log), sink in zip(logs, sinks, strict=True):
            dead_letters = DeadLetterFiles(settings.data_dir / (QUARANTINE + suffix))
            name = f"influxdb{suffix}"
            shipper = InfluxShipper(
                sample_log, sink, self._clock, dead_letters, resend_file, name=name
            )
            self._stack.callback(shipper.close)
            shippers.append(shipper)
        return shippers

    def _influx_sinks(self, settings: Settings, influxdb: InfluxSettings) -> list[SampleSink]:
        """One for each shipper, with the secret as it is now. Raises ConfigError."""
        secrets = SecretStore(settings.config_dir, self._environ)
        token = secrets.get(influxdb.token).reveal() if influxdb.token else None
        if not influxdb.verify_tls:
            log.warning(
                "InfluxDB at %s: its certificate is not checked (verify_tls = false): better name"
                " the CA's certificate with ca_file",
                influxdb.url,
            )
        # Loaded only where it is configured: the library takes 25 MB of memory.
        make: Callable[[InfluxSettings, str | None], SampleSink]
        make = import_module("monitor.adapters.influx").InfluxWriter
        return [
            make(replace(influxdb, bucket=influxdb.bucket + suffix), token)
            for suffix in ("", "_1m", "_1h")
        ]

    def _build_alert_services(self) -> None:
        """What people do about incidents, and the messages that no incident causes."""
        self._alert_trigger = AlertTrigger(self._pipeline, self._notifier, self._dispatcher)
        self._actions = IncidentActions(
            self._ledger,
            self._clock,
            self._alerting_state,
            self._pipeline.open_incidents,
            self._executor,
            [self._alert_trigger],
        )
        self._duty_changes = DutyChanges(
            self._pipeline, self._clock, self._alerting_state, self._last_alive_s
        )
        self._late_openings = LateOpenings(
            self._ledger, self._clock, self._alerting_state, self._executor, self._pipeline
        )
        messages = MonitorMessages(
            self._ledger,
            self._clock,
            self._alerting_state,
            self._executor,
            self._dispatcher.wake,
            self._queue_messages,
        )
        self._channel_tests = ChannelTests(messages)
        self._self_alerts = SelfAlerts(
            messages,
            lambda: self._pipeline.progress,
            lambda: self._retention_job.unshipped_share,
            self._unrecorded,
            self._other_failures,
        )

    def _build_status(self) -> None:
        self._status = Status(
            self._pipeline,
            self._scheduler,
            self._self_metrics,
            self._shippers,
            self._polling,
            self._clock,
            self._overlays,
            self._warnings,
            self._alerting_state.ledger.value,
        )
        self._metrics = Metrics(
            self._pipeline,
            self._scheduler,
            self._self_metrics,
            self._prober,
            self._shippers,
            self._ledger,
            self._alerting_state,
            self._clock,
            self._executor,
            lambda: self._disk_watch.state,
            self._backup_watch.has_failed,
        )

    def _build_integrations(self) -> None:
        self._integrations = Integrations(
            self._environ,
            self._dispatcher,
            self._actions.perform,
            self._may_send_heartbeat,
            self._actions.now_s,
            self._alerting_state.ledger,
        )

    def _build_reloader(self) -> None:
        watchdog = Watchdog(
            self._systemd,
            self._clock,
            self._ledger,
            asyncio.to_thread,
            self._status.healthy,
            self._dispatcher.workers_alive,
        )
        fixed_jobs = [
            *self._self_metrics.jobs(),
            *self._rollup_job.jobs(),
            *self._retention_job.jobs(),
            *self._store_watch.jobs(),
            *self._disk_watch.jobs(),
            *self._backup_watch.jobs(),
            *watchdog.jobs(),
            *self._channel_tests.jobs(),
            *self._alert_trigger.jobs(),
            *self._late_openings.jobs(),
            *self._duty_changes.jobs(),
            *self._self_alerts.jobs(),
        ]
        probing = ProbingPart(
            self._pipeline,
            self._rounds,
            self._polling,
            self._path_tracing,
            self._period_recorder,
            self._scheduler,
            fixed_jobs,
            self._environ,
        )
        storage = StoragePart(
            self._rollup_job,
            self._retention_job,
            self._disk_watch,
            self._ledger,
            self._shippers,
            self._influx_sinks,
        )
        alerting = AlertingPart(self._alerting_state, self._notifier, self._integrations)
        parts: list[ReloadPart] = [probing, storage, alerting]
        self._reloader = Reloader(self._settings, self._environ, self._status, parts)

    def _build_api(self) -> None:
        users = UsersFile(self._settings.data_dir)
        try:
            users.remember()
        except ConfigError as error:
            log.error("%s", error)
        context = ApiContext(
            self._ledger,
            self._alerting_state,
            self._actions,
            self._channel_tests,
            self._executor,
            self._metrics.text,
            self._polling.router,
            self._shippers.resend,
            PeerCheck(lambda: find_user(self._reloader.settings.dashboard.user)),
            Accounts(users, SignOutsFile(self._settings.data_dir)),
        )
        self._api = ApiServer(
            self._settings.data_dir / SOCKET_NAME,
            self._status.document,
            self._status.healthy,
            context,
        )

    def _worker_thread(self, name: str) -> Executor:
        thread = WorkerThread(name)
        self._stack.callback(thread.close)
        return thread

    def _other_failures(self, notified: Collection[CheckKey]) -> list[SelfCheckReport]:
        """Failed checks beside those of the stores."""
        return [
            *self._disk_watch.failures(),
            *self._reloader.failures(),
            *self._dispatcher.failures(notified),
            *self._backup_watch.failures(),
            *self._shippers.failures(),
        ]

    def _queue_messages(self, rows: Sequence[OutboxRow]) -> None:
        """The pipeline is built after those who send."""
        self._pipeline.queue_messages(rows)

    def _overlays(self) -> Mapping[str, tuple[str, ...]]:
        """What people did about the targets (acknowledged, maintenance), for the status."""
        open_incidents = self._pipeline.open_incidents()
        return self._alerting_state.overlays(open_incidents, self._actions.now_s())

    def _warnings(self) -> list[MonitorWarning]:
        return [
            *self._reloader.warnings(),
            *self._rollup_job.warnings(),
            *self._retention_job.warnings(),
            *self._store_watch.warnings(),
            *self._disk_watch.warnings(),
            *self._backup_watch.warnings(),
            *self._dispatcher.warnings(),
            *self._integrations.warnings(),
        ]

    def _may_send_heartbeat(self) -> bool:
        """Whether rounds end, this machine is on the network, and alerts can be sent.

        A ledger that cannot be written does not stop it while messages go out from memory: its
        silence would report a dead monitor where a working one has said what is wrong.
        """
        return (
            self._status.healthy()
            and self._pipeline.detector.monitor_incident is None
            and self._self_alerts.is_ledger_trouble_known()
            and self._dispatcher.has_working_channel()
        )


def _event_on(*signals: signal.Signals) -> asyncio.Event:
    """An event that each of these signals sets."""
    event = asyncio.Event()
    for number in signals:
        asyncio.get_running_loop().add_signal_handler(number, event.set)
    return event
