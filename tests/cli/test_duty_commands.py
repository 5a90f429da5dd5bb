"""The commands of people on duty, against a real local API over a real ledger."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import click
import pytest
from click.testing import Result

from monitor.adapters.ledger.writer import SqlLedger
from monitor.adapters.system.clock import SystemClock
from monitor.alerting.channel_test import ChannelTests
from monitor.alerting.monitor_messages import MonitorMessages
from monitor.cli import formatting
from monitor.cli.incident_actions import ack
from monitor.core.alerting.model import EventKind, OutboxRow, PolicyDecision
from monitor.core.alerting.reasons import Reason
from monitor.core.errors import ApiError, Conflict, InvalidRequest, NotFound, PantauError
from tests.api_fixtures import Desks, ask, on_duty
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
WORK = """
[[windows]]
name = "rutin"
targets = ["pop-patrol"]
why = "perawatan penyedia"
start = 01:00:00
minutes = 30
"""


class Running(Desks[SqlLedger, SystemClock]):
    """The daemon's side, with the commands' place beside it."""

    def __init__(self, at: CliConfig) -> None:
        self.at = at
        super().__init__(SqlLedger.open(at.data / "ledger.db"), SystemClock(), on_duty())

    async def run(self, *words: str) -> Result:
        """`pantau …`, while the daemon goes on."""
        return await ask(lambda: self.at.run(*words))

    async def says(self, *words: str) -> str:
        """The output of a command that succeeds."""
        result = await self.run(*words)
        assert result.exit_code == 0, (result.output, result.exception)
        return result.output


@asynccontextmanager
async def running(directory: Path) -> AsyncIterator[Running]:
    at = make_config(directory)
    (directory / "alerts.toml").write_text(ALERTS)
    (directory / "maintenance.toml").write_text(WORK)
    daemon = Running(at)
    async with daemon.serving(at.data):
        yield daemon
    daemon.ledger.close()


@pytest.fixture(autouse=True)
def named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PANTAU_WHO", "petugas-1")


async def test_ack_note_ticket_and_cause_are_read_back_with_the_incident(tmp_path: Path) -> None:
    async with running(tmp_path) as daemon:
        output = await daemon.says("ack", "2", "--until", "2h", "--why", "menuju lokasi")
        assert "Insiden 2 ditangani oleh petugas-1 sampai" in output
        assert "WIB" in output
        await daemon.says("note", "2", "14.32", "penyedia", "dihubungi")
        await daemon.says("ticket", "2", "INC-7")
        assert "listrik" in await daemon.says("cause", "2", "power", "--who", "petugas-2")
        shown = await daemon.says("incidents", "2")
        whole = json.loads(await daemon.says("incidents", "2", "--json"))
    for words in (
        "Insiden 2: anjatan/utama",
        "masih terbuka",
        "Bukti: tidak menjawab",
        "ditangani petugas-1 sampai",
        "menuju lokasi",
        "petugas-1: 14.32 penyedia dihubungi",
        "tiket penyedia INC-7",
        "sebab: listrik",
        "sebab oleh petugas-2: listrik",
    ):
        assert words in shown, words
    assert [a["kind"] for a in whole["actions"]] == ["acknowledge", "note", "ticket", "cause"]
    assert whole["handling"]["ticket"] == "INC-7"


async def test_why_it_did_and_did_not_page_is_told(tmp_path: Path) -> None:
    async with running(tmp_path) as daemon:
        now_s = daemon.now_s()
        daemon.ledger.record(
            [],
            [OutboxRow(2, 1, "hook", "petugas-1", EventKind.OPENED, "{}", now_s)],
            [
                PolicyDecision(2, now_s - 30, EventKind.OPENED, False, Reason.WITHIN_HOLD),
                PolicyDecision(
                    *(2, now_s, EventKind.OPENED, True, Reason.FIRST_NOTICE),
                    *("petugas-1", "hook", 2, 1, 0),
                ),
            ],
        )
        daemon.ledger.mark_sent(1, (), now_s + 1)
        shown = await daemon.says("incidents", "2")
    no = shown.index("mulai: TIDAK diberitahukan (baru saja mulai: ditunggu sebentar)")
    yes = shown.index("mulai: diberitahukan ke petugas-1 lewat hook (pemberitahuan pertama)")
    assert no < yes < shown.index("diterima hook → petugas-1")


def test_every_reason_has_words() -> None:
    assert set(formatting.POLICY_REASON_NAMES) == set(Reason)


async def test_release_and_snooze(tmp_path: Path) -> None:
    async with running(tmp_path) as daemon:
        assert "ditunda" in await daemon.says("snooze", "2", "1h")
        assert "dilepas" in await daemon.says("release", "2")
        again = await daemon.run("release", "2")
        assert isinstance(again.exception, Conflict)


@pytest.mark.parametrize(
    ("words", "refusal", "sentence"),
    [
        (("ack", "99"), NotFound, "no incident 99"),
        (("ack", "1"), Conflict, "over already"),
        (("ack", "2", "--until", "9h"), InvalidRequest, "8 h at most"),
        (("snooze", "2", "2020-01-01T00:00"), InvalidRequest, "past"),
        (("incidents", "99"), NotFound, "no incident 99"),
        (
            ("maintenance", "add", "sini", "--to", "1h", "--why", "x"),
            InvalidRequest,
            "sini: no site",
        ),
        (("maintenance", "end", "a/../../b ?"), NotFound, "no maintenance window"),
        (("outbox", "retry", "5"), NotFound, "no message 5"),
        (("alert-test", "telegram"), NotFound, "it has hook"),
    ],
)
async def test_what_the_daemon_refuses_is_one_sentence(
    tmp_path: Path, words: tuple[str, ...], refusal: type[PantauError], sentence: str
) -> None:
    async with running(tmp_path) as daemon:
        result = await daemon.run(*words)
    assert isinstance(result.exception, refusal), result.output
    assert sentence in str(result.exception)


@pytest.mark.parametrize(
    "words",
    [
        ("ack", "x"),
        ("ack", "-1"),
        ("ack", "2", "--until", "besok"),
        ("ack", "2", "--until", "25:00"),
        ("note", "2"),
        ("cause", "2", "tikus"),
        ("maintenance", "add", "anjatan", "--why", "x"),
        ("handover", "--since", "kemarin"),
    ],
)
async def test_what_is_typed_wrong_is_wrong_usage(tmp_path: Path, words: tuple[str, ...]) -> None:
    async with running(tmp_path) as daemon:
        assert (await daemon.run(*words)).exit_code == 2


async def test_maintenance_is_added_listed_with_what_recurs_and_ended(tmp_path: Path) -> None:
    async with running(tmp_path) as daemon:
        output = await daemon.says(
            *("maintenance", "add", "anjatan/utama", "pop-patrol"),
            *("--to", "2h", "--why", "ganti radio"),
        )
        assert "Pemeliharaan 1: anjatan/utama, pop-patrol" in output
        listed = json.loads(await daemon.says("maintenance", "list", "--json"))["maintenance"]
        assert (listed[0]["id"], listed[0]["state"]) == (1, "now") or listed[1]["id"] == 1
        assert {window["recurring"] for window in listed} == {None, "rutin"}
        table = await daemon.says("maintenance", "list")
        assert "ganti radio" in table
        assert "perawatan penyedia" in table
        assert "diakhiri oleh petugas-1" in await daemon.says("maintenance", "end", "1")
        left = json.loads(await daemon.says("maintenance", "list", "--json"))["maintenance"]
    assert {window["recurring"] for window in left} == {"rutin"}


async def test_the_outbox_is_listed_and_a_dead_message_sent_again(tmp_path: Path) -> None:
    async with running(tmp_path) as daemon:
        now_s = daemon.now_s()
        rows = [
            OutboxRow(2, 1, "hook", "petugas-1", EventKind.OPENED, "{}", now_s),
            OutboxRow(2, 2, "hook", "channel:hook", EventKind.REMINDER, "{}", now_s),
        ]
        daemon.ledger.record([], rows)
        daemon.ledger.mark_dead([1], "403 Forbidden")
        assert "403 Forbidden" in await daemon.says("outbox")
        assert "saluran hook" in await daemon.says("outbox")
        dead = json.loads(await daemon.says("outbox", "--dead", "--json"))["outbox"]
        assert [(row["id"], row["last_error"]) for row in dead] == [(1, "403 Forbidden")]
        assert "dikirim lagi lewat hook" in await daemon.says("outbox", "retry", "1")
        assert "Tidak ada pesan" in await daemon.says("outbox", "--dead")


async def test_a_message_behind_one_that_fails_is_said_to_wait_its_turn(tmp_path: Path) -> None:
    async with running(tmp_path) as daemon:
        long_ago_s = daemon.now_s() - 3600
        every = [
            OutboxRow(2, make_config, channel, "petugas-1", EventKind.OPENED, "{}", long_ago_s)
            for make_config, channel in ((1, "hook"), (2, "hook"), (1, "mail"))
        ]
        daemon.ledger.record([], every)
        daemon.ledger.lease("hook", daemon.now_s(), 60, 1)
        daemon.ledger.reschedule([1], "no answer", daemon.now_s() + 600)
        (waits,) = [
            line for line in (await daemon.says("outbox")).splitlines() if "giliran" in line
        ]
        (late,) = [
            line for line in (await daemon.says("outbox")).splitlines() if "belum di" in line
        ]
    assert waits.split()[0] == "2"
    assert late.split()[0] == "3"


async def test_alert_test_waits_for_the_channel_and_says_when_it_did_not_take_it(
    tmp_path: Path,
) -> None:
    async with running(tmp_path) as daemon:
        result = await daemon.run("alert-test", "hook", "--wait", "0")
        assert isinstance(result.exception, PantauError)
        assert "not delivered within 0 s: hook" in str(result.exception)

        def deliver() -> None:
            daemon.heard.queued_times += 1
            for row in daemon.ledger.outbox(incident=0):
                daemon.ledger.mark_sent(row.id, (), daemon.now_s())

        daemon.channel_tests = ChannelTests(
            MonitorMessages(
                *(daemon.ledger, daemon.clock, daemon.alerting_state),
                *(asyncio.to_thread, deliver),
            )
        )
        async with daemon.serving(tmp_path / "data"):
            assert "terkirim" in await daemon.says("alert-test", "hook")


async def test_who_is_on_call_is_shown_with_the_telephone(tmp_path: Path) -> None:
    async with running(tmp_path) as daemon:
        table = await daemon.says("oncall")
        (rota,) = json.loads(await daemon.says("oncall", "--json"))["oncall"]
    assert "0811" in table
    assert {rota["now"]["person"], rota["next"]["person"]} == {"petugas-1", "petugas-2"}


async def test_the_shift_is_handed_over_with_all_that_is_known(tmp_path: Path) -> None:
    async with running(tmp_path) as daemon:
        assert "belum ada yang menangani" in await daemon.says("handover")
        await daemon.says("ack", "2")
        await daemon.says("note", "2", "teknisi berangkat")
        shown = await daemon.says("handover")
        document = json.loads(await daemon.says("handover", "--since", "1d", "--json"))
        short = json.loads(await daemon.says("handover", "--since", "5m", "--json"))
    for words in ("Terbuka: 1", "Selesai: 1", "ditangani petugas-1", "teknisi berangkat", "Piket"):
        assert words in shown
    assert [incident["id"] for incident in document["open"]] == [2]
    assert [incident["id"] for incident in document["over"]] == [1]
    assert short["over"] == []
    assert document["maintenance"][0]["recurring"] == "rutin"


async def test_questions_are_answered_while_the_daemon_is_away_and_actions_say_so(
    tmp_path: Path,
) -> None:
    async with running(tmp_path) as daemon:
        pass
    for question in ("incidents", "outbox", "oncall", "handover"):
        assert await daemon.says(question)
    assert await daemon.says("incidents", "2")
    assert await daemon.says("maintenance", "list")
    result = await daemon.run("ack", "2")
    assert isinstance(result.exception, ApiError)
    assert "pantau run" in str(result.exception)


async def test_control_characters_in_notes_do_not_reach_the_terminal(tmp_path: Path) -> None:
    async with running(tmp_path) as daemon:
        await daemon.says("note", "2", "\x1b[2Jhalo\x07")
        for words in (("incidents", "2"), ("handover",)):
            shown = await daemon.says(*words)
            assert "halo" in shown
            assert "\x1b[2J" not in shown


def test_who_is_the_login_name_where_nothing_else_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("PANTAU_WHO", "SUDO_USER"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LOGNAME", "budi")
    asked = click.Context(ack)
    option = next(parameter for parameter in ack.params if parameter.name == "who")
    assert option.process_value(asked, None) == "budi"
    monkeypatch.setenv("SUDO_USER", "siti")
    assert option.process_value(asked, None) == "siti"
