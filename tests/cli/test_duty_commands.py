"""Commands that act on incidents, messages and windows, with a real local API and ledger."""

from __future__ import annotations

import asyncio
import json
import shlex
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import Result

from monitor.adapters.ledger.writer import SqlLedger
from monitor.adapters.system.clock import SystemClock
from monitor.alerting.channel_test import ChannelTests
from monitor.alerting.monitor_messages import MonitorMessages
from monitor.cli.formatting import POLICY_REASON_NAMES
from monitor.cli.incident_actions import ack
from monitor.core.alerting.model import EventKind, OutboxRow, PolicyDecision
from monitor.core.alerting.reasons import Reason
from monitor.core.errors import ApiError, Conflict, InvalidRequest, NotFound, PantauError
from tests.api_rig import ApiRig, duty_settings, in_thread
from tests.cli.cli_fixtures import CliConfig, make_config

ALERTS = """
[[channels]]
id = "hook"
type = "webhook"
address = "http://127.0.0.1:9/"
[[people]]
id = "petugas-1"
name = "Petugas Satu"
channels = ["hook"]
phone = "0811"
[[people]]
id = "petugas-2"
channels = ["hook"]
[[rota]]
name = "jaga"
people = ["petugas-1", "petugas-2"]
start = 2025-11-24T07:30:00
"""
WINDOWS = """
[[windows]]
name = "rutin"
targets = ["pop-patrol"]
why = "perawatan penyedia"
start = 01:00:00
minutes = 30
"""


class Daemon(ApiRig[SqlLedger, SystemClock]):
    """The daemon's local API over a ledger, and the commands that use them."""

    def __init__(self, config: CliConfig) -> None:
        self.config = config
        super().__init__(SqlLedger.open(config.data / "ledger.db"), SystemClock(), duty_settings())

    async def run(self, *arguments: str) -> Result:
        """Run `pantau …` in a thread, while the API answers."""
        return await in_thread(lambda: self.config.run(*arguments))

    async def output(self, *arguments: str) -> str:
        """The output of a command that succeeds."""
        result = await self.run(*arguments)
        assert result.exit_code == 0, (result.output, result.exception)
        return result.output

    async def document(self, *arguments: str) -> Any:
        """The JSON output of a command that succeeds."""
        return json.loads(await self.output(*arguments, "--json"))


@pytest.fixture
def stopped_daemon(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Daemon]:
    monkeypatch.setenv("PANTAU_WHO", "petugas-1")
    daemon = Daemon(make_config(tmp_path, ALERTS, WINDOWS))
    yield daemon
    daemon.ledger.close()


@pytest.fixture
async def daemon(stopped_daemon: Daemon) -> AsyncIterator[Daemon]:
    async with stopped_daemon.serving(stopped_daemon.config.data):
        yield stopped_daemon


async def test_actions_are_shown_with_the_incident(daemon: Daemon) -> None:
    output = await daemon.output("ack", "2", "--until", "2h", "--why", "menuju lokasi")
    assert "Insiden 2 ditangani oleh petugas-1 sampai" in output
    assert "WIB" in output
    await daemon.output("note", "2", "14.32", "penyedia", "dihubungi")
    await daemon.output("ticket", "2", "INC-7")
    assert "listrik" in await daemon.output("cause", "2", "power", "--who", "petugas-2")
    shown = await daemon.output("incidents", "2")
    whole = await daemon.document("incidents", "2")
    for text in (
        "Insiden 2: anjatan/utama",
        "masih terbuka",
        "Tindakan: ",
        "Bukti: tidak menjawab",
        "ditangani petugas-1 sampai",
        "menuju lokasi",
        "petugas-1: 14.32 penyedia dihubungi",
        "tiket penyedia INC-7",
        "sebab: listrik",
        "sebab oleh petugas-2: listrik",
    ):
        assert text in shown, text
    assert [a["kind"] for a in whole["actions"]] == ["acknowledge", "note", "ticket", "cause"]
    assert whole["handling"]["ticket"] == "INC-7"
    listed = (await daemon.document("incidents", "--all"))["incidents"]
    identity = daemon.ledger.identity().value
    assert [each["uid"] for each in listed] == [f"{identity}-1", f"{identity}-2"]
    assert whole["incident"]["uid"] == f"{identity}-2"


async def test_an_incident_shows_who_was_notified_and_why_not(daemon: Daemon) -> None:
    now_s = daemon.now_s()
    daemon.ledger.record(
        [],
        [OutboxRow(2, 1, "hook", "petugas-1", EventKind.OPENED, "{}", now_s)],
        [
            PolicyDecision(2, now_s - 30, EventKind.OPENED, False, Reason.WITHIN_HOLD),
            PolicyDecision(2, now_s - 20, EventKind.RESOLVED, False, Reason.WITHIN_HOLD),
            PolicyDecision(
                *(2, now_s, EventKind.OPENED, True, Reason.FIRST_NOTICE),
                *("petugas-1", "hook", 2, 1, 0),
            ),
        ],
    )
    daemon.ledger.mark_sent(1, (), now_s + 1)
    shown = await daemon.output("incidents", "2")
    no = shown.index("mulai: TIDAK diberitahukan (masih dalam masa tunggu, pesan hanya dikirim")
    assert "selesai: TIDAK diberitahukan (selesai dalam masa tunggu, jadi tidak ada" in shown
    yes = shown.index("mulai: diberitahukan ke petugas-1 lewat hook (pemberitahuan pertama)")
    assert no < yes < shown.index("diterima hook → petugas-1")


def test_every_policy_reason_has_a_name() -> None:
    assert set(POLICY_REASON_NAMES) == set(Reason)


async def test_a_snoozed_incident_can_be_released_once(daemon: Daemon) -> None:
    assert "ditunda" in await daemon.output("snooze", "2", "1h")
    assert "dilepas" in await daemon.output("release", "2")
    again = await daemon.run("release", "2")
    assert isinstance(again.exception, Conflict)


@pytest.mark.parametrize(
    ("command", "refusal", "message"),
    [
        ("ack 99", NotFound, "no incident 99"),
        ("ack 1", Conflict, "over already"),
        ("ack 2 --until 9h", InvalidRequest, "8 h at most"),
        ("snooze 2 2020-01-01T00:00", InvalidRequest, "past"),
        ("incidents 99", NotFound, "no incident 99"),
        ("maintenance add sini --to 1h --why x", InvalidRequest, "sini: no site"),
        ("maintenance end 'a/../../b ?'", NotFound, "no maintenance window"),
        ("outbox retry 5", NotFound, "no message 5"),
        ("alert-test telegram", NotFound, "it has hook"),
    ],
)
async def test_a_refusal_of_the_daemon_is_one_error_message(
    daemon: Daemon, command: str, refusal: type[PantauError], message: str
) -> None:
    result = await daemon.run(*shlex.split(command))
    assert isinstance(result.exception, refusal), result.output
    assert message in str(result.exception)


@pytest.mark.parametrize(
    "command",
    [
        *("ack x", "ack -1", "ack 2 --until besok", "ack 2 --until 25:00", "note 2"),
        *("cause 2 tikus", "maintenance add anjatan --why x", "handover --since kemarin"),
    ],
)
async def test_invalid_arguments_are_wrong_usage(daemon: Daemon, command: str) -> None:
    assert (await daemon.run(*command.split())).exit_code == 2


async def test_maintenance_windows_are_added_listed_and_ended(daemon: Daemon) -> None:
    output = await daemon.output(
        *("maintenance", "add", "anjatan/utama", "pop-patrol"),
        *("--to", "2h", "--why", "ganti radio"),
    )
    assert "Pemeliharaan 1: anjatan/utama, pop-patrol" in output
    listed = (await daemon.document("maintenance", "list"))["maintenance"]
    assert (listed[0]["id"], listed[0]["state"]) == (1, "now") or listed[1]["id"] == 1
    assert {window["recurring"] for window in listed} == {None, "rutin"}
    table = await daemon.output("maintenance", "list")
    assert "ganti radio" in table
    assert "perawatan penyedia" in table
    assert "diakhiri oleh petugas-1" in await daemon.output("maintenance", "end", "1")
    left = (await daemon.document("maintenance", "list"))["maintenance"]
    assert {window["recurring"] for window in left} == {"rutin"}


async def test_a_dead_message_of_the_outbox_is_sent_again(daemon: Daemon) -> None:
    now_s = daemon.now_s()
    rows = [
        OutboxRow(2, 1, "hook", "petugas-1", EventKind.OPENED, "{}", now_s),
        OutboxRow(2, 2, "hook", "channel:hook", EventKind.REMINDER, "{}", now_s),
    ]
    daemon.ledger.record([], rows)
    daemon.ledger.mark_dead([1], "403 Forbidden")
    assert "403 Forbidden" in await daemon.output("outbox")
    assert "saluran hook" in await daemon.output("outbox")
    dead = (await daemon.document("outbox", "--dead"))["outbox"]
    assert [(row["id"], row["last_error"]) for row in dead] == [(1, "403 Forbidden")]
    assert "dikirim lagi lewat hook" in await daemon.output("outbox", "retry", "1")
    assert "Tidak ada pesan" in await daemon.output("outbox", "--dead")


async def test_a_message_behind_a_failing_one_is_shown_as_waiting(daemon: Daemon) -> None:
    long_ago_s = daemon.now_s() - 3600
    every = [
        OutboxRow(2, part, channel, "petugas-1", EventKind.OPENED, "{}", long_ago_s)
        for part, channel in ((1, "hook"), (2, "hook"), (1, "mail"))
    ]
    daemon.ledger.record([], every)
    daemon.ledger.lease("hook", daemon.now_s(), 60, 1)
    daemon.ledger.reschedule([1], "no answer", daemon.now_s() + 600)
    (waits,) = [line for line in (await daemon.output("outbox")).splitlines() if "giliran" in line]
    (late,) = [line for line in (await daemon.output("outbox")).splitlines() if "belum di" in line]
    assert waits.split()[0] == "2"
    assert late.split()[0] == "3"


async def test_alert_test_fails_if_the_channel_does_not_deliver_in_time(daemon: Daemon) -> None:
    result = await daemon.run("alert-test", "hook", "--wait", "0")
    assert isinstance(result.exception, PantauError)
    assert "not delivered within 0 s: hook" in str(result.exception)

    def deliver() -> None:
        daemon.listener.queued_times += 1
        for row in daemon.ledger.outbox(incident=0):
            daemon.ledger.mark_sent(row.id, (), daemon.now_s())

    daemon.channel_tests = ChannelTests(
        MonitorMessages(
            *(daemon.ledger, daemon.clock, daemon.alerting_state),
            *(asyncio.to_thread, deliver, lambda rows: daemon.ledger.record([], rows)),
        )
    )
    async with daemon.serving(daemon.config.data):
        assert "terkirim" in await daemon.output("alert-test", "hook")


async def test_oncall_shows_persons_with_their_telephone(daemon: Daemon) -> None:
    table = await daemon.output("oncall")
    (rota,) = (await daemon.document("oncall"))["oncall"]
    assert "0811" in table
    assert {rota["now"]["person"], rota["next"]["person"]} == {"petugas-1", "petugas-2"}


async def test_handover_shows_open_and_ended_incidents_and_windows(daemon: Daemon) -> None:
    assert "belum ada yang menangani" in await daemon.output("handover")
    await daemon.output("ack", "2")
    await daemon.output("note", "2", "teknisi berangkat")
    shown = await daemon.output("handover")
    document = await daemon.document("handover", "--since", "1d")
    short = await daemon.document("handover", "--since", "5m")
    for text in ("Terbuka: 1", "Selesai: 1", "ditangani petugas-1", "teknisi berangkat", "Piket"):
        assert text in shown
    assert [incident["id"] for incident in document["open"]] == [2]
    assert [incident["id"] for incident in document["over"]] == [1]
    assert short["over"] == []
    assert document["maintenance"][0]["recurring"] == "rutin"


async def test_without_a_daemon_queries_work_and_actions_fail(stopped_daemon: Daemon) -> None:
    for command in ("incidents", "incidents 2", "outbox", "oncall", "handover", "maintenance list"):
        assert await stopped_daemon.output(*command.split())
    result = await stopped_daemon.run("ack", "2")
    assert isinstance(result.exception, ApiError)
    assert "pantau run" in str(result.exception)


async def test_control_characters_in_notes_are_not_printed(daemon: Daemon) -> None:
    await daemon.output("note", "2", "\x1b[2Jhalo\x07")
    for command in (("incidents", "2"), ("handover",)):
        shown = await daemon.output(*command)
        assert "halo" in shown
        assert "\x1b[2J" not in shown


def test_who_defaults_to_the_login_name(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PANTAU_WHO", "SUDO_USER"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LOGNAME", "budi")
    context = click.Context(ack)
    option = next(parameter for parameter in ack.params if parameter.name == "who")
    assert option.process_value(context, None) == "budi"
    monkeypatch.setenv("SUDO_USER", "siti")
    assert option.process_value(context, None) == "siti"
