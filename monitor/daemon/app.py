"""Composition root of the daemon: builds everything, an AsyncExitStack takes it down."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import replace
from importlib import import_module

from monitor.adapters.icmp import IcmpProber
from monitor.adapters.journal import SqliteJournal
from monitor.adapters.ledger.writer import SqlLedger
from monitor.adapters.scheduler import Scheduler
from monitor.adapters.snmp import SnmpPoller
from monitor.adapters.system.clock import SystemClock, clock_is_synchronised
from monitor.adapters.system.dead_letters import DeadLetterFiles
from monitor.adapters.system.directory_lock import DirectoryLock
from monitor.adapters.system.key_file import LINK_KEY, LINK_KEY_MODE, load_or_create_key
from monitor.adapters.system.local_api_client import SOCKET_NAME
from monitor.adapters.system.process_figures import read_process_figures
from monitor.adapters.system.systemd import SystemdNotifier
from monitor.adapters.system.worker_thread import WorkerThread
from monitor.alerting.alert_trigger import AlertTrigger
from monitor.alerting.channel_test import ChannelTests
from monitor.alerting.dispatcher import DeliveryContext, Dispatcher
from monitor.alerting.incident_actions import IncidentActions
from monitor.alerting.integrations import Integrations
from monitor.alerting.self_alerts import SelfAlerts
from monitor.api import ApiContext, ApiServer
from monitor.core.alerting.alerting_state import AlertingState
from monitor.core.alerting.notifier import Notifier
from monitor.core.alerting.policy_state import read_policy_history, restore_policy_state
from monitor.core.detection.detector import Detector, restored_detector
from monitor.core.detection.reconfigure import close_removed
from monitor.core.executor import Executor
from monitor.core.model import Network
from monitor.core.ports import Clock, SampleLog, SampleSink
from monitor.daemon.reload import Daemon, office_of
from monitor.daemon.watchdog import Watchdog
from monitor.pipeline.pipeline import Pipeline
from monitor.probing.ping_rounds import PingRounds
from monitor.probing.snmp_polling import SnmpPolling
from monitor.settings.model import InfluxSettings, Settings
from monitor.settings.secrets import SecretStore
from monitor.status.metrics import Metrics
from monitor.status.status import Status
from monitor.storage.influx_shipper import InfluxShipper
from monitor.storage.period_recorder import PeriodRecorder
from monitor.storage.retention import RetentionJob
from monitor.storage.rollup_job import RollupJob
from monitor.storage.self_metrics import SelfMetrics
from monitor.storage.shipper_group import ShipperGroup

log = logging.getLogger("monitor.daemon.app")

LEDGER = "ledger.db"
JOURNAL = "journal"
QUARANTINE = "quarantine"


def _detector(network: Network, ledger: SqlLedger, now_s: float) -> Detector:
    """A detector with the states and open incidents of the last run.

    Incidents of targets that are no longer configured are closed in the ledger.
    """
    snapshot = ledger.load_snapshot()
    ledger.record(close_removed(network, snapshot.open_incidents, now_s))
    return restored_detector(network, snapshot, now_s)


async def run(settings: Settings, environ: Mapping[str, str], on_ready: Callable[[], None]) -> None:
    """The daemon until SIGTERM or SIGINT. Raises PantauError when it cannot start."""
    stop = _when_signalled(signal.SIGTERM, signal.SIGINT)
    hup = _when_signalled(signal.SIGHUP)
    clock = SystemClock()
    async with AsyncExitStack() as stack:
        stack.enter_context(DirectoryLock(settings.data_dir))
        ledger, journal = _stores(settings, stack)
        detector = _detector(settings.network, ledger, clock.steady_s())
        alerting_state, notifier, dispatcher = _alerting(settings, ledger, clock, stack)
        pipeline = Pipeline(
            settings.network,
            detector,
            clock,
            ledger,
            journal,
            notifier=notifier,
            on_queued=dispatcher.wake,
        )
        stack.callback(pipeline.close)
        prober = IcmpProber(clock)
        await prober.open(pipeline.take)
        stack.push_async_callback(prober.close)
        poller = SnmpPoller(clock)
        polling = SnmpPolling(poller, pipeline, clock)
        stack.push_async_callback(polling.close)
        schedule = Scheduler(clock)
        shippers = ShipperGroup(_shippers(settings, environ, journal, clock, stack), clock)
        period_recorder = PeriodRecorder(pipeline, clock, ledger)
        self_metrics = SelfMetrics(
            pipeline,
            schedule,
            clock,
            prober,
            shippers,
            read_process_figures,
            clock_is_synchronised,
            lambda: dispatcher.oldest_due_s,
        )
        rollup_job, retention_job = (
            RollupJob(journal, ledger, clock),
            RetentionJob(journal, clock, shippers.raw_cursor, settings.journal),
        )
        alert_trigger = AlertTrigger(pipeline, notifier, dispatcher)
        executor = _thread("alerting", stack)
        actions = IncidentActions(
            ledger, clock, alerting_state, pipeline.open_incidents, executor, [alert_trigger]
        )
        await actions.restore()
        channel_tests = ChannelTests(ledger, clock, alerting_state, executor, dispatcher.wake)
        self_alerts = SelfAlerts(
            *(ledger, clock, alerting_state, executor, dispatcher.wake),
            lambda: pipeline.progress,
            lambda: retention_job.unshipped_share,
        )
        status = Status(
            pipeline,
            schedule,
            self_metrics,
            shippers,
            polling,
            clock,
            lambda: alerting_state.overlays(pipeline.open_incidents(), actions.now_s()),
            lambda: [
                *rollup_job.warnings(),
                *retention_job.warnings(),
                *dispatcher.warnings(),
                *integrations.warnings(),
            ],
        )
        integrations = Integrations(
            environ,
            dispatcher,
            actions.perform,
            lambda: status.healthy() and _is_well(pipeline, dispatcher),
            actions.now_s,
        )
        manager = SystemdNotifier(environ, os.getpid())
        daemon = Daemon(
            config_dir=settings.config_dir,
            environ=environ,
            schedule=schedule,
            pipeline=pipeline,
            rounds=PingRounds(prober, pipeline, clock),
            polling=polling,
            poller=poller,
            period_recorder=period_recorder,
            self_metrics=self_metrics,
            rollup_job=rollup_job,
            retention_job=retention_job,
            status=status,
            watching=Watchdog(
                manager,
                clock,
                ledger,
                asyncio.to_thread,
                status.healthy,
                dispatcher.workers_alive,
                channel_tests,
            ),
            alert_trigger=alert_trigger,
            notifier=notifier,
            integrations=integrations,
            alerting_state=alerting_state,
            ledger=ledger,
            self_alerts=self_alerts,
            settings=settings,
        )
        await daemon.apply(settings, integrations.prepare(settings))
        metrics = Metrics(
            pipeline,
            schedule,
            self_metrics,
            prober,
            shippers,
            ledger,
            alerting_state,
            clock,
            executor,
        )
        api_context = ApiContext(
            ledger, alerting_state, actions, channel_tests, executor, metrics.text, polling.router
        )
        api = ApiServer(
            settings.data_dir / SOCKET_NAME, status.document, status.healthy, api_context
        )
        await api.open()
        stack.push_async_callback(api.close)
        services = [pipeline.run(), schedule.guard()]
        services += [dispatcher.run(), integrations.run(), *shippers.services()]
        services.append(_reloads(daemon, hup))
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(service) for service in services]
            schedule.start()
            log.info("watching %d targets (process %d)", len(detector.healths), os.getpid())
            manager.ready()
            on_ready()
            await stop.wait()
            await _end(manager, schedule, period_recorder)
            for task in tasks:
                task.cancel()


async def _end(
    manager: SystemdNotifier, schedule: Scheduler, period_recorder: PeriodRecorder
) -> None:
    """Start nothing more, and leave what was measured behind."""
    log.info("ending")
    manager.stopping()
    schedule.close()
    period_recorder.finish()
    await period_recorder.record_alive()


def _alerting(
    settings: Settings, ledger: SqlLedger, clock: Clock, stack: AsyncExitStack
) -> tuple[AlertingState, Notifier, Dispatcher]:
    """Who is told and who sends; goes on where the last run stood."""
    key = load_or_create_key(settings.data_dir / LINK_KEY, LINK_KEY_MODE)
    alerting_state = AlertingState(settings.alerts, settings.network, settings.timezone, key)
    now_s = clock.steady_s()
    utc_s = clock.utc_s(now_s)
    book = restore_policy_state(read_policy_history(ledger, utc_s), now_s, utc_s)
    context = DeliveryContext(ledger, alerting_state, clock, _thread("outbox", stack))
    return (
        alerting_state,
        Notifier(book, alerting_state, office_of(settings)),
        Dispatcher(context, {}),
    )


def _is_well(pipeline: Pipeline, dispatcher: Dispatcher) -> bool:
    """On the network, writing down what is judged, and able to tell somebody."""
    on_network = pipeline.detector.monitor_incident is None
    writes = pipeline.progress.ledger.error is None
    return on_network and writes and dispatcher.has_working_channel()


def _thread(name: str, stack: AsyncExitStack) -> Executor:
    thread = WorkerThread(name)
    stack.callback(thread.close)
    return thread


def _when_signalled(*numbers: signal.Signals) -> asyncio.Event:
    event = asyncio.Event()
    for number in numbers:
        asyncio.get_running_loop().add_signal_handler(number, event.set)
    return event


async def _reloads(daemon: Daemon, hup: asyncio.Event) -> None:
    while True:
        await hup.wait()
        hup.clear()
        await daemon.reload()


def _stores(settings: Settings, stack: AsyncExitStack) -> tuple[SqlLedger, SqliteJournal]:
    ledger = SqlLedger.open(settings.data_dir / LEDGER)
    stack.callback(ledger.close)
    kept = settings.journal.evidence_days > 0
    journal = SqliteJournal(settings.data_dir / JOURNAL, evidence=kept)
    for problem in journal.problems:
        log.warning("journal: %s", problem)
    stack.callback(journal.close)
    return ledger, journal


def _shippers(
    settings: Settings,
    environ: Mapping[str, str],
    journal: SqliteJournal,
    clock: Clock,
    stack: AsyncExitStack,
) -> list[InfluxShipper]:
    """What follows the journal to InfluxDB: the raw rows first, then minutes and hours."""
    influxdb = settings.influxdb
    if influxdb is None:
        return []
    token = influxdb.token
    text = SecretStore(settings.config_dir, environ).get(token).reveal() if token else None
    # Imported only where it is used: the library costs 25 MB of memory.
    make: Callable[[InfluxSettings, str | None], SampleSink]
    make = import_module("monitor.adapters.influx").InfluxWriter
    logs: list[tuple[str, SampleLog]] = [
        ("", journal),
        ("_1m", journal.minutes),
        ("_1h", journal.hours),
    ]
    shippers: list[InfluxShipper] = []
    for suffix, samples in logs:
        sink = make(replace(influxdb, bucket=influxdb.bucket + suffix), text)
        stack.callback(sink.close)
        kept = DeadLetterFiles(settings.data_dir / (QUARANTINE + suffix))
        shippers.append(InfluxShipper(samples, sink, clock, kept, name=f"influxdb{suffix}"))
    return shippers
