"""Channels, heartbeat and chat buttons of a configuration: prepared, then exchanged at a reload."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from monitor.adapters.system.clock import SystemClock
from monitor.alerting.delivery import DeliveryContext
from monitor.alerting.dispatcher import Dispatcher
from monitor.alerting.incident_actions import IncidentActions
from monitor.alerting.integrations import Integrations
from monitor.core.alerting.alerting_state import AlertingState
from monitor.core.alerting.model import ActionKind, EventKind, OutboxRow, Wording
from monitor.core.alerting.outbox import encode_body
from monitor.core.alerting.settings import AlertSettings, ChannelSettings
from monitor.core.alerting.unrecorded import UnrecordedMessages
from monitor.core.errors import ConfigError
from monitor.core.model import ChangeKind, Incident, IncidentChange, Network, Scope, State
from monitor.core.progress import WriterState
from monitor.settings.model import Settings
from tests.dispatcher_rig import run_inline
from tests.fakes.ledger import MemoryLedger
from tests.fakes.telegram import CHAT, TOKEN, BotApi
from tests.loopback_http import LoopbackHttpServer, answering
from tests.waiting import eventually_async

HOOK = ChannelSettings("hook", "webhook", secret="alamat")
ALERTS = AlertSettings(channels=(HOOK,), heartbeat="detak")


def settings_of(alerts: AlertSettings, folder: Path) -> Settings:
    return Settings("Uji", ZoneInfo("Asia/Jakarta"), folder, folder, Network(), alerts=alerts)


class IntegrationsRig:
    """A dispatcher and integrations on loopback."""

    def __init__(self, peer: LoopbackHttpServer, folder: Path) -> None:
        self.ledger = MemoryLedger()
        self.clock = SystemClock()
        self.healthy = True
        self.settings = settings_of(ALERTS, folder)
        self.alerting_state = AlertingState(ALERTS, Network())
        self.open = [Incident(2, Scope.LINK, "anjatan/utama", State.DOWN, 0.0, 1.0, "silence")]
        self.ledger.record([IncidentChange(ChangeKind.OPENED, self.open[0], 1.0)])
        self.actions = IncidentActions(
            self.ledger, self.clock, self.alerting_state, lambda: self.open, run_inline
        )
        self.dispatcher = Dispatcher(
            DeliveryContext(
                *(self.ledger, self.alerting_state, self.clock, run_inline),
                *(UnrecordedMessages(self.clock.steady_s, WriterState()), lambda _: None),
            ),
            {},
        )
        self.integrations = Integrations(
            {
                "PANTAU_SECRET_ALAMAT": f"{peer.url}/lama",
                "PANTAU_SECRET_BARU": f"{peer.url}/baru",
                "PANTAU_SECRET_DETAK": f"{peer.url}/detak",
                "PANTAU_SECRET_BOT": f"tgram://{TOKEN}/{CHAT}",
            },
            self.dispatcher,
            self.actions.perform,
            lambda: self.healthy,
            self.actions.now_s,
            self.alerting_state.ledger,
        )

    def put(self, incident: int) -> None:
        now_s = self.clock.utc_s(self.clock.steady_s())
        body = encode_body(Wording("t", "x"), [])
        row = OutboxRow(incident, 1, "hook", "channel:hook", EventKind.OPENED, body, now_s)
        self.ledger.record([], [row])
        self.dispatcher.wake()


@asynccontextmanager
async def running_integrations(
    folder: Path,
) -> AsyncIterator[tuple[IntegrationsRig, LoopbackHttpServer]]:
    async with LoopbackHttpServer(answering(200)) as peer:
        rig = IntegrationsRig(peer, folder)
        running = [
            asyncio.ensure_future(rig.dispatcher.run()),
            asyncio.ensure_future(rig.integrations.run()),
        ]
        yield rig, peer
        for task in running:
            task.cancel()
        await asyncio.wait(running)


def paths(peer: LoopbackHttpServer) -> list[str]:
    return [request.path for request in peer.requests]


async def test_messages_go_to_the_channels_in_force_and_heartbeats_are_sent(tmp_path: Path) -> None:
    async with running_integrations(tmp_path) as (rig, peer):
        rig.integrations.prepare(rig.settings)()
        rig.put(1)
        await eventually_async(lambda: {"/lama", "/detak"} <= set(paths(peer)))


async def test_after_a_reload_the_new_address_is_used_and_the_old_heartbeat_stops(
    tmp_path: Path,
) -> None:
    async with running_integrations(tmp_path) as (rig, peer):
        rig.integrations.prepare(rig.settings)()
        rig.put(1)
        await eventually_async(lambda: {"/lama", "/detak"} <= set(paths(peer)))
        changed = replace(ALERTS, channels=(replace(HOOK, secret="baru"),), heartbeat=None)
        rig.alerting_state.reconfigure(changed, Network(), rig.alerting_state.zone)
        rig.integrations.prepare(settings_of(changed, tmp_path))()
        rig.put(2)
        await eventually_async(lambda: "/baru" in paths(peer))
        assert paths(peer).count("/lama") == 1
        assert paths(peer).count("/detak") == 1


async def test_a_reload_to_another_heartbeat_sends_it_at_once(tmp_path: Path) -> None:
    async with running_integrations(tmp_path) as (rig, peer):
        rig.integrations.prepare(rig.settings)()
        await eventually_async(lambda: "/detak" in paths(peer))
        changed = replace(ALERTS, heartbeat="baru")
        rig.integrations.prepare(settings_of(changed, tmp_path))()
        await eventually_async(lambda: "/baru" in paths(peer))


async def test_a_heartbeat_is_sent_once_the_monitor_is_healthy(tmp_path: Path) -> None:
    async with running_integrations(tmp_path) as (rig, peer):
        rig.healthy = False
        rig.integrations.prepare(rig.settings)()
        rig.put(1)
        await eventually_async(lambda: "/lama" in paths(peer))
        rig.healthy = True
        await eventually_async(lambda: "/detak" in paths(peer))


async def test_an_unhealthy_monitor_sends_no_heartbeat(tmp_path: Path) -> None:
    async with running_integrations(tmp_path) as (rig, peer):
        rig.healthy = False
        rig.integrations.prepare(rig.settings)()
        rig.put(1)
        await eventually_async(lambda: "/lama" in paths(peer))
        assert "/detak" not in paths(peer)


@pytest.mark.parametrize(
    "alerts",
    [
        replace(ALERTS, heartbeat="tidak-ada"),
        replace(ALERTS, channels=(HOOK, ChannelSettings("dua", "webhook", secret="tidak-ada"))),
    ],
)
async def test_a_missing_secret_is_an_error_and_nothing_changes(
    tmp_path: Path, alerts: AlertSettings
) -> None:
    async with running_integrations(tmp_path) as (rig, peer):
        rig.integrations.prepare(rig.settings)()
        with pytest.raises(ConfigError, match="the secret tidak-ada is missing"):
            rig.integrations.prepare(settings_of(alerts, tmp_path))
        rig.put(1)
        await eventually_async(lambda: "/lama" in paths(peer))


def with_buttons(api: BotApi) -> AlertSettings:
    chat = ChannelSettings(
        "chat", "telegram", secret="bot", address=api.url, buttons=True, allowed_users=(4711,)
    )
    return AlertSettings(channels=(chat,))


async def test_a_pressed_button_acknowledges_the_incident(tmp_path: Path) -> None:
    async with BotApi() as api, running_integrations(tmp_path) as (rig, _):
        rig.integrations.prepare(settings_of(with_buttons(api), tmp_path))()
        api.press("ack:1,2", 4711)
        await eventually_async(lambda: len(api.answered) == 1)
        (action,) = rig.ledger.actions([1, 2])
    assert (action.incident, action.kind) == (2, ActionKind.ACKNOWLEDGE)
    assert action.who == "Budi (Telegram 4711)"
    assert "there is no incident 1" in api.answered[0]["text"]


async def test_chat_buttons_that_do_not_work_are_a_warning_until_they_do(tmp_path: Path) -> None:
    async with BotApi() as api, running_integrations(tmp_path) as (rig, _):
        refused = {"ok": False, "error_code": 429, "description": "x", "parameters": {}}
        refused["parameters"] = {"retry_after": 0.2}
        api.next = [(429, refused)]
        rig.integrations.prepare(settings_of(with_buttons(api), tmp_path))()
        await eventually_async(rig.integrations.warnings)
        (warning,) = rig.integrations.warnings()
        assert warning.text == "Telegram's buttons do not work: Telegram 429: x"
        api.press("ack:2", 4711)
        await eventually_async(lambda: not rig.integrations.warnings())
