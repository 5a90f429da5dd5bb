"""The monitor's own self_alerts: told once at their beginning, once at their end."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace

import pytest

from monitor.alerting.monitor_messages import MonitorMessages
from monitor.alerting.self_alerts import INTERVAL_S, SelfAlerts
from monitor.core.alerting.alerting_state import AlertingState
from monitor.core.alerting.model import EventKind, OutboxRow
from monitor.core.alerting.self_checks import (
    OUTBOX_INCIDENT,
    CheckKey,
    SelfCheck,
    SelfCheckReport,
)
from monitor.core.alerting.settings import AlertSettings
from monitor.core.alerting.unrecorded import UnrecordedMessages
from monitor.core.errors import LedgerError
from monitor.core.progress import DaemonProgress
from tests.core.alerting.scenario import ALERTS, NET
from tests.dispatcher_rig import run_inline
from tests.fakes.clock import ManualClock
from tests.fakes.ledger import MemoryLedger

FULL = "the disk of the journal is full"


class SelfAlertsRig:
    """A check keeper on a ledger in memory; `looks` lets time pass."""

    def __init__(self, alerts: AlertSettings = ALERTS) -> None:
        self.clock = ManualClock()
        self.ledger = MemoryLedger()
        self.progress = DaemonProgress()
        self.share = 0.0
        self.others: list[SelfCheckReport] = []
        self.unrecorded = UnrecordedMessages(self.clock.steady_s, self.progress.ledger)
        self.queued = 0
        self.waiting: list[OutboxRow] = []
        self.alerting_state = AlertingState(alerts, NET)
        self.restart()

    def restart(self) -> None:
        self.self_alerts = SelfAlerts(
            MonitorMessages(
                *(self.ledger, self.clock, self.alerting_state, run_inline),
                *(lambda: None, self._put),
            ),
            lambda: self.progress,
            lambda: self.share,
            self.unrecorded,
            lambda _: self.others,
        )

    def _put(self, rows: Sequence[OutboxRow]) -> None:
        """As the pipeline: recorded at once, or when the ledger can be written again."""
        self.queued += 1
        self.waiting += rows
        self.unrecorded.add(rows)
        self.record()

    def record(self) -> None:
        if self.ledger.trouble is None:
            self.ledger.record([], self.waiting)
            self.waiting = []

    async def looks(self, for_s: float) -> None:
        for _ in range(int(for_s / INTERVAL_S)):
            self.clock.advance(INTERVAL_S)
            await self.self_alerts.check()

    def rows(self, check: SelfCheck = SelfCheck.JOURNAL) -> list[OutboxRow]:
        return self.ledger.outbox(incident=OUTBOX_INCIDENT[check])

    def messages(self, check: SelfCheck = SelfCheck.JOURNAL) -> list[tuple[str, EventKind]]:
        return [(row.recipient, row.event) for row in self.rows(check)]

    def titles(self, check: SelfCheck = SelfCheck.JOURNAL) -> list[str]:
        return [json.loads(row.body)["title"].partition(",")[0] for row in self.rows(check)]


BOTH = [("ani", EventKind.OPENED), ("channel:hook", EventKind.OPENED)]
BOTH_OVER = [("ani", EventKind.RESOLVED), ("channel:hook", EventKind.RESOLVED)]


async def test_a_failing_journal_is_notified_once_and_its_end_once() -> None:
    rig = SelfAlertsRig()
    await rig.looks(60)
    rig.progress.journal.error, rig.progress.journal.is_full = FULL, True
    await rig.looks(110)
    assert rig.messages() == BOTH
    await rig.looks(3600)
    assert rig.messages() == BOTH, "once"
    rig.progress.journal.error = None
    await rig.looks(120)
    assert rig.messages() == BOTH + BOTH_OVER
    await rig.looks(600)
    assert rig.messages() == BOTH + BOTH_OVER
    assert rig.titles() == [
        *["DISK PEMANTAU PENUH: sampel tidak disimpan"] * 2,
        *["PULIH: pemantau menyimpan sampel lagi"] * 2,
    ]
    assert rig.queued == 2


async def test_a_short_failure_is_not_notified() -> None:
    rig = SelfAlertsRig()
    rig.progress.journal.error = "locked"
    await rig.looks(20)
    rig.progress.journal.error = None
    await rig.looks(600)
    assert rig.messages() == []


async def test_a_journal_that_fails_on_and_off_is_one_failure() -> None:
    rig = SelfAlertsRig()
    for _ in range(10):
        rig.progress.journal.error = "the disk is odd"
        await rig.looks(50)
        rig.progress.journal.error = None
        await rig.looks(30)
    assert rig.messages() == BOTH


async def test_the_quota_is_notified_once_at_80_percent_with_hysteresis() -> None:
    rig = SelfAlertsRig()
    for share in (0.5, 0.79, 0.81, 0.79, 0.82, 0.78, 0.9):
        rig.share = share
        await rig.looks(60)
    assert rig.messages(SelfCheck.QUOTA) == BOTH
    assert rig.titles(SelfCheck.QUOTA)[0].startswith("PENYIMPANAN PEMANTAU 81 % PENUH")
    rig.share = 0.7
    await rig.looks(60)
    assert rig.messages(SelfCheck.QUOTA) == BOTH + BOTH_OVER
    assert rig.messages(SelfCheck.JOURNAL) == []


async def test_a_restart_repeats_nothing_and_the_end_is_still_notified() -> None:
    rig = SelfAlertsRig()
    rig.progress.journal.error = FULL
    await rig.looks(60)
    rig.restart()
    await rig.looks(600)
    assert rig.messages() == BOTH
    rig.restart()
    rig.progress.journal.error = None
    await rig.looks(120)
    assert rig.messages() == BOTH + BOTH_OVER
    rig.restart()
    await rig.looks(120)
    assert rig.messages() == BOTH + BOTH_OVER


async def test_messages_are_queued_although_the_ledger_can_be_neither_read_nor_written() -> None:
    rig = SelfAlertsRig()
    rig.progress.journal.error = FULL
    rig.ledger.trouble = LedgerError("the disk is full")
    await rig.looks(120)
    assert [(row.recipient, row.event) for row in rig.waiting] == BOTH
    rig.progress.journal.error = None
    await rig.looks(120)
    assert [(row.recipient, row.event) for row in rig.waiting] == BOTH + BOTH_OVER
    rig.ledger.trouble = None
    rig.record()
    await rig.looks(60)
    assert rig.messages() == BOTH + BOTH_OVER


async def test_a_ledger_that_cannot_be_written_is_notified_from_memory() -> None:
    rig = SelfAlertsRig()
    rig.progress.ledger.error, rig.progress.ledger.is_full = FULL, True
    rig.ledger.trouble = LedgerError(FULL)
    await rig.looks(30)
    assert [(row.recipient, row.event) for row in rig.waiting] == BOTH
    text = json.loads(rig.waiting[0].body)["text"]
    assert text.startswith("DISK PEMANTAU PENUH: gangguan tidak dapat dicatat, sejak")
    assert "tetap dikabarkan dari memori" in text


async def test_trouble_of_the_ledger_is_known_while_fresh_or_once_a_channel_took_the_message() -> (
    None
):
    rig = SelfAlertsRig()
    assert rig.self_alerts.is_ledger_trouble_known()
    rig.progress.ledger.error = FULL
    rig.progress.ledger.error_since_s = rig.clock.steady_s()
    rig.ledger.trouble = LedgerError(FULL)
    await rig.looks(110)
    assert rig.self_alerts.is_ledger_trouble_known()
    await rig.looks(20)
    assert not rig.self_alerts.is_ledger_trouble_known()
    rig.unrecorded.note_accepted(rig.waiting[0])
    assert rig.self_alerts.is_ledger_trouble_known()
    await rig.looks(7200)
    assert rig.self_alerts.is_ledger_trouble_known()


async def test_a_dead_channel_is_told_by_the_others_and_its_end_too() -> None:
    rig = SelfAlertsRig()
    rig.others = [SelfCheckReport(SelfCheck.CHANNEL, 0.0, why="HTTP 503", subject="chat")]
    await rig.looks(60)
    key = CheckKey(SelfCheck.CHANNEL, "chat")
    rows = rig.ledger.outbox(incident=key.outbox_number)
    assert [(row.recipient, row.channel) for row in rows] == [
        ("ani", "mail"),
        ("channel:hook", "hook"),
    ]
    assert json.loads(rows[0].body)["title"].startswith("SALURAN chat MATI")
    assert "HTTP 503" in json.loads(rows[0].body)["text"]
    rig.restart()
    rig.others = []
    await rig.looks(60)
    rows = rig.ledger.outbox(incident=key.outbox_number)
    assert [row.event for row in rows] == [EventKind.OPENED] * 2 + [EventKind.RESOLVED] * 2
    assert json.loads(rows[2].body)["title"].startswith("PULIH: saluran chat mengirim lagi")


async def test_two_dead_channels_are_two_failures() -> None:
    rig = SelfAlertsRig()
    rig.others = [
        SelfCheckReport(SelfCheck.CHANNEL, 0.0, subject=name) for name in ("chat", "hook")
    ]
    await rig.looks(60)
    assert rig.queued == 2
    hook = rig.ledger.outbox(incident=CheckKey(SelfCheck.CHANNEL, "hook").outbox_number)
    assert [(row.recipient, row.channel) for row in hook] == [("ani", "chat")]


@pytest.mark.parametrize(
    ("report", "beginning", "parts"),
    [
        (
            SelfCheckReport(SelfCheck.RELOAD, 0.0, why="sites/a.toml:3: x\nsites/b.toml:4: y"),
            "KONFIGURASI BARU DITOLAK",
            ["sites/a.toml:3: x\nsites/b.toml:4: y", "pantau check"],
        ),
        (
            SelfCheckReport(SelfCheck.BACKUP, 0.0, why="no room at the NAS"),
            "BACKUP DATA PEMANTAU GAGAL",
            ["no room at the NAS"],
        ),
        (
            SelfCheckReport(SelfCheck.DISK, 0.0, free_bytes=412_000_000),
            "DISK PEMANTAU HAMPIR PENUH: tersisa 412 MB",
            ["Beri ruang"],
        ),
        (
            SelfCheckReport(SelfCheck.DISK, 0.0, free_bytes=3_000_000_000, full_in_s=3000.0),
            "DISK PEMANTAU AKAN PENUH DALAM 50 mnt: tersisa 3000 MB",
            ["Beri ruang"],
        ),
        (
            SelfCheckReport(SelfCheck.DISK, 0.0, free_bytes=9_000_000_000, free_inodes=120),
            "DISK PEMANTAU HAMPIR PENUH: tersisa 120 berkas (inode)",
            ["Beri ruang"],
        ),
    ],
    ids=lambda value: value.check.value if isinstance(value, SelfCheckReport) else None,
)
async def test_each_failure_is_told_once_with_its_reason_and_its_end(
    report: SelfCheckReport, beginning: str, parts: list[str]
) -> None:
    rig = SelfAlertsRig()
    rig.others = [report]
    await rig.looks(600)
    assert rig.messages(report.check) == BOTH
    body = json.loads(rig.rows(report.check)[0].body)
    assert body["title"].startswith(beginning)
    assert all(part in body["text"] for part in parts), body["text"]
    rig.others = []
    await rig.looks(120)
    assert rig.messages(report.check) == BOTH + BOTH_OVER
    assert json.loads(rig.rows(report.check)[-1].body)["title"].startswith("PULIH: ")


async def test_without_a_route_nobody_is_notified_and_one_line_is_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    rig = SelfAlertsRig(replace(ALERTS, routes=()))
    rig.progress.journal.error = FULL
    await rig.looks(600)
    rig.progress.journal.error = None
    await rig.looks(600)
    assert rig.messages() == []
    assert ["no route" in line for line in caplog.messages] == [True]


async def test_the_message_is_in_the_language_of_the_recipient() -> None:
    rig = SelfAlertsRig(replace(ALERTS, people=(replace(ALERTS.people[0], language="en"),)))
    rig.progress.journal.error = "the journal is damaged"
    await rig.looks(60)
    text = json.loads(rig.rows()[0].body)["text"]
    assert text.startswith("THE MONITOR CANNOT KEEP SAMPLES, since")
    assert "outages are still told" in text
    assert "the journal is damaged" in text
