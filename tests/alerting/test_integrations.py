"""The ways out of a configuration: opened before they are used, exchanged at a reload."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from monitor.adapters.system.clock import SystemClock
from monitor.alerting.dispatcher import DeliveryContext, Dispatcher
from monitor.alerting.integrations import Integrations
from monitor.core.alerting.alerting_state import AlertingState
from monitor.core.alerting.model import EventKind, IncidentAction, OutboxRow, Wording
from monitor.core.alerting.outbox import encode_body
from monitor.core.alerting.settings import AlertSettings, ChannelSettings
from monitor.core.errors import ConfigError
from monitor.core.model import Network
from monitor.settings.model import Settings
from tests.dispatcher_fixtures import at_once
from tests.fakes.ledger import MemoryLedger
from tests.http_peer import HttpPeer, answering
from tests.waiting import eventually_async

HOOK = ChannelSettings("hook", "webhook", secret="alamat")
ALERTS = AlertSettings(channels=(HOOK,), heartbeat="detak")


def settings_of(alerts: AlertSettings, folder: Path) -> Settings:
    return Settings("Uji", ZoneInfo("Asia/Jakarta"), folder, folder, Network(), alerts=alerts)


class Ways:
    """A dispatcher and the ways out, on loopback."""

    def __init__(self, peer: HttpPeer, folder: Path) -> None:
        self.ledger = MemoryLedger()
        self.clock = SystemClock()
        self.healthy = True
        self.settings = settings_of(ALERTS, folder)
        self.alerting_state = AlertingState(ALERTS, Network())
        self.dispatcher = Dispatcher(
            DeliveryContext(self.ledger, self.alerting_state, self.clock, at_once), {}
        )
        self.integrations = Integrations(
            {
                "PANTAU_SECRET_ALAMAT": f"{peer.url}/lama",
                "PANTAU_SECRET_BARU": f"{peer.url}/baru",
                "PANTAU_SECRET_DETAK": f"{peer.url}/detak",
            },
            self.dispatcher,
            self._pressed,
            lambda: self.healthy,
            lambda: 0.0,
        )

    async def _pressed(self, action: IncidentAction) -> None:
        raise AssertionError(f"nobody pressed anything: {action}")

    def put(self, incident: int) -> None:
        now_s = self.clock.utc_s(self.clock.steady_s())
        body = encode_body(Wording("t", "x"), [])
        row = OutboxRow(incident, 1, "hook", "channel:hook", EventKind.OPENED, body, now_s)
        self.ledger.record([], [row])
        self.dispatcher.wake()


@asynccontextmanager
async def ways_out(folder: Path) -> AsyncIterator[tuple[Ways, HttpPeer]]:
    async with HttpPeer(answering(200)) as peer:
        ways = Ways(peer, folder)
        running = [
            asyncio.ensure_future(ways.dispatcher.run()),
            asyncio.ensure_future(ways.integrations.run()),
        ]
        yield ways, peer
        for task in running:
            task.cancel()
        await asyncio.wait(running)


def paths(peer: HttpPeer) -> list[str]:
    return [asked.path for asked in peer.asked]


async def test_messages_go_out_by_the_ways_in_use_and_the_heart_beats(tmp_path: Path) -> None:
    async with ways_out(tmp_path) as (ways, peer):
        ways.integrations.prepare(ways.settings)()
        ways.put(1)
        await eventually_async(lambda: {"/lama", "/detak"} <= set(paths(peer)))


async def test_after_a_reload_the_new_address_is_told_and_the_heart_of_old_has_stopped(
    tmp_path: Path,
) -> None:
    async with ways_out(tmp_path) as (ways, peer):
        ways.integrations.prepare(ways.settings)()
        ways.put(1)
        await eventually_async(lambda: {"/lama", "/detak"} <= set(paths(peer)))
        changed = replace(ALERTS, channels=(replace(HOOK, secret="baru"),), heartbeat=None)
        ways.alerting_state.reconfigure(changed, Network(), ways.alerting_state.zone)
        ways.integrations.prepare(settings_of(changed, tmp_path))()
        ways.put(2)
        await eventually_async(lambda: "/baru" in paths(peer))
        assert paths(peer).count("/lama") == 1
        assert paths(peer).count("/detak") == 1


async def test_a_monitor_that_is_not_well_has_no_heartbeat(tmp_path: Path) -> None:
    async with ways_out(tmp_path) as (ways, peer):
        ways.healthy = False
        ways.integrations.prepare(ways.settings)()
        ways.put(1)
        await eventually_async(lambda: "/lama" in paths(peer))
        assert "/detak" not in paths(peer)


@pytest.mark.parametrize(
    "alerts",
    [
        replace(ALERTS, heartbeat="tidak-ada"),
        replace(ALERTS, channels=(HOOK, ChannelSettings("dua", "webhook", secret="tidak-ada"))),
    ],
)
async def test_a_secret_that_is_missing_is_said_before_anything_changes(
    tmp_path: Path, alerts: AlertSettings
) -> None:
    async with ways_out(tmp_path) as (ways, peer):
        ways.integrations.prepare(ways.settings)()
        with pytest.raises(ConfigError, match="the secret tidak-ada is missing"):
            ways.integrations.prepare(settings_of(alerts, tmp_path))
        ways.put(1)
        await eventually_async(lambda: "/lama" in paths(peer))
