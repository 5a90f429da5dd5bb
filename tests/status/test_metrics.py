"""`/metrics`, parsed by the Prometheus client library."""

from __future__ import annotations

import asyncio
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from monitor.core.alerting.model import (
    ActionKind,
    EventKind,
    IncidentAction,
    MaintenanceWindow,
    OutboxRow,
)
from monitor.core.disk_space import DiskState
from monitor.core.errors import LedgerError
from monitor.core.model import Lost, Reply
from monitor.status.metrics import Metrics
from tests.api.raw_http import raw_get
from tests.api_rig import MemoryApiRig, duty_settings
from tests.core.detection.scenario import network
from tests.daemon_on_fakes import DaemonOnFakes

NET = network({"anjatan/utama": (), "bongas/utama": ()}, {"pop": ()}, anchors=1)
MetricValues = dict[tuple[str, tuple[tuple[str, str], ...]], float]


def metric_values(text: bytes) -> MetricValues:
    """Every sample by its name and labels."""
    families = list(text_string_to_metric_families(text.decode()))
    names = [family.name for family in families]
    assert len(names) == len(set(names))
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in families
        for sample in family.samples
    }


def one(found: MetricValues, name: str, **labels: str) -> float:
    return found[name, tuple(sorted(labels.items()))]


class Measured:
    """A daemon on fakes that has watched for a minute; one link is down."""

    def __init__(self) -> None:
        self.fakes = DaemonOnFakes(NET)
        self.rig = MemoryApiRig(duty_settings())
        self.disk = DiskState(412_000_000, 90_000, 3600.0, is_low=True)
        self.metrics = Metrics(
            self.fakes.pipeline,
            self.fakes.schedule,
            self.fakes.self_metrics,
            self.fakes.prober,
            None,
            self.rig.ledger,
            self.rig.alerting_state,
            self.fakes.clock,
            asyncio.to_thread,
            lambda: self.disk,
            lambda: True,
        )

    def seconds(self, count: int, silent: str = "") -> None:
        for _ in range(count):
            self.fakes.clock.advance(1.0)
            now_s = self.fakes.clock.steady_s()
            self.fakes.pipeline.take(
                [
                    Lost(name, now_s - 1.0, now_s)
                    if name == silent
                    else Reply(name, now_s - 0.01, now_s, 10.0)
                    for name in self.fakes.pipeline.detector.healths
                ]
            )

    async def read(self) -> MetricValues:
        return metric_values(await self.metrics.text())


async def test_targets_by_state_and_incidents_by_acknowledgement_are_counted() -> None:
    daemon = Measured()
    daemon.seconds(30)
    daemon.seconds(40, silent="anjatan/utama")
    found = await daemon.read()
    assert one(found, "pantau_targets", state="up") == 3
    assert one(found, "pantau_targets", state="down") == 1
    assert one(found, "pantau_target_state", target="anjatan/utama") == 3
    assert one(found, "pantau_target_state", target="anchor:10.79.0.1") == 1
    assert one(found, "pantau_open_incidents", state="down", acknowledged="no") == 1
    (incident,) = daemon.fakes.pipeline.open_incidents()
    now_s = daemon.fakes.clock.steady_s()
    daemon.rig.alerting_state.add_action(
        IncidentAction(incident.id, ActionKind.ACKNOWLEDGE, "p", now_s, until_s=now_s + 60)
    )
    found = await daemon.read()
    assert one(found, "pantau_open_incidents", state="down", acknowledged="no") == 0
    assert one(found, "pantau_open_incidents", state="down", acknowledged="yes") == 1
    assert one(found, "pantau_isolated") == 0


async def test_rounds_outcomes_lags_and_stores() -> None:
    daemon = Measured()
    daemon.fakes.pipeline.progress.last_round_s = daemon.fakes.clock.steady_s()
    daemon.fakes.pipeline.progress.missed_rounds = 4
    daemon.fakes.pipeline.progress.ledger.error = "the disk is full"
    daemon.fakes.schedule.counters.stalls = 2
    daemon.fakes.schedule.counters.loop_lag_s = 0.25
    await daemon.fakes.measure_self()
    daemon.fakes.clock.advance(7)
    found = await daemon.read()
    assert one(found, "pantau_last_round_age_seconds") == 7
    assert one(found, "pantau_missed_rounds_total") == 4
    assert one(found, "pantau_stalls_total") == 2
    assert one(found, "pantau_loop_lag_seconds") == 0.25
    assert one(found, "pantau_resident_memory_bytes") == 80_000_000
    assert one(found, "pantau_store_trouble", store="ledger") == 1
    assert one(found, "pantau_store_trouble", store="journal") == 0
    assert one(found, "pantau_disk_free_bytes") == 412_000_000
    assert one(found, "pantau_disk_full_in_seconds") == 3600
    assert one(found, "pantau_disk_low") == 1
    assert one(found, "pantau_backup_failed") == 1
    for outcome in ("received", "lost", "not_measured"):
        assert one(found, "pantau_requests_total", outcome=outcome) == 0
    # The journal has not been written yet: what is not known is absent.
    assert ("pantau_journal_age_seconds", ()) not in found


async def test_undelivered_messages_are_counted_by_channel_with_the_oldest_due() -> None:
    daemon = Measured()
    now_s = daemon.fakes.clock.steady_s()
    rows = [OutboxRow(2, n, "hook", "p", EventKind.OPENED, "{}", now_s - 30 * n) for n in (1, 2, 3)]
    daemon.rig.ledger.record([], rows)
    daemon.rig.ledger.mark_dead([1], "403")
    daemon.rig.ledger.mark_sent(2, (), now_s)
    found = await daemon.read()
    assert one(found, "pantau_outbox_messages", channel="hook", status="pending") == 1
    assert one(found, "pantau_outbox_messages", channel="hook", status="dead") == 1
    assert one(found, "pantau_outbox_messages", channel="sms", status="dead") == 0
    assert one(found, "pantau_outbox_oldest_due_seconds", channel="hook") == 90
    assert one(found, "pantau_outbox_oldest_due_seconds", channel="sms") == 0


async def test_targets_under_maintenance_are_counted() -> None:
    daemon = Measured()
    now_s = daemon.fakes.clock.steady_s()
    window = MaintenanceWindow(("pop-patrol",), now_s - 1, now_s + 60, "p", "x", id=1)
    daemon.rig.alerting_state.add_window(window, now_s)
    assert one(await daemon.read(), "pantau_maintenance_targets") == 2


async def test_a_failing_ledger_leaves_out_only_its_own_metrics() -> None:
    daemon = Measured()
    daemon.rig.ledger.trouble = LedgerError("the disk is full")
    found = await daemon.read()
    assert not any(name.startswith("pantau_outbox") for name, _ in found)
    assert one(found, "pantau_targets", state="unknown") == 4


async def test_metrics_are_served_with_the_content_type_of_their_format(tmp_path: Path) -> None:
    daemon = Measured()
    async with daemon.rig.serving(tmp_path, metrics=daemon.metrics.text):
        status, headers, body = await raw_get(tmp_path / "pantau.sock", "/metrics")
    assert status == 200
    assert headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert one(metric_values(body), "pantau_targets", state="unknown") == 4
