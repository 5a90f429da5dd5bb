"""Alerting state, incident actions and local API on a real Unix socket."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Generic, TypeVar
from zoneinfo import ZoneInfo

from monitor.adapters.system.local_api_client import SOCKET_NAME, LocalApiClient
from monitor.adapters.system.sign_outs_file import SignOutsFile
from monitor.adapters.system.users_file import UsersFile
from monitor.alerting.channel_test import ChannelTests
from monitor.alerting.incident_actions import IncidentActions
from monitor.alerting.monitor_messages import MonitorMessages
from monitor.api import Accounts, ApiContext, ApiServer, PeerCheck
from monitor.api.connections import ConnectionLimits
from monitor.core.alerting.alerting_state import AlertingState
from monitor.core.alerting.model import IncidentAction, MaintenanceWindow
from monitor.core.alerting.ports import AlertLedger
from monitor.core.alerting.settings import (
    AlertSettings,
    ChannelSettings,
    Person,
    RecurringWindow,
    Rota,
)
from monitor.core.documents import Document
from monitor.core.errors import NotFound
from monitor.core.model import ChangeKind, Incident, IncidentChange, Scope, State
from monitor.core.ports import Clock
from tests.core.detection.scenario import network
from tests.fakes.clock import ManualClock
from tests.fakes.ledger import MemoryLedger

T = TypeVar("T")
L = TypeVar("L", bound=AlertLedger)
C = TypeVar("C", bound=Clock)

LINK = "anjatan/utama"
OTHER = "bongas/utama"
NET = network({LINK: ("pop-patrol",), OTHER: ()}, {"pop-patrol": ()}, anchors=1)
WIB = ZoneInfo("Asia/Jakarta")
ROTA_START = datetime.fromisoformat("2025-11-24T07:30")


@dataclass
class RecordingListener:
    """`ActionListener` that records its calls."""

    actions: list[IncidentAction] = field(default_factory=list)
    windows: list[MaintenanceWindow] = field(default_factory=list)
    queued_times: int = 0

    def on_action(self, action: IncidentAction) -> None:
        self.actions.append(action)

    def on_maintenance(self, window: MaintenanceWindow) -> None:
        self.windows.append(window)

    def on_queued(self) -> None:
        self.queued_times += 1


class ApiRig(Generic[L, C]):
    """One link is down (incident 2), an earlier outage is over (incident 1)."""

    def __init__(self, ledger: L, clock: C, alerts: AlertSettings | None = None) -> None:
        self.clock = clock
        self.ledger = ledger
        self.listener = RecordingListener()
        self.alerting_state = AlertingState(alerts or AlertSettings(), NET, WIB)
        now_s = clock.utc_s(clock.steady_s())
        over = Incident(1, Scope.LINK, OTHER, State.DOWN, now_s - 900, now_s - 890, "silence")
        self.down_incident = Incident(
            2, Scope.LINK, LINK, State.DOWN, now_s - 60, now_s - 54, "silence"
        )
        self.open = [self.down_incident]
        self.ledger.record(
            [
                IncidentChange(ChangeKind.OPENED, over, now_s - 890),
                IncidentChange(ChangeKind.CLOSED, replace(over, ended_s=now_s - 600), now_s - 600),
                IncidentChange(ChangeKind.OPENED, self.down_incident, now_s - 54),
            ]
        )
        executor = asyncio.to_thread
        self.actions = IncidentActions(
            ledger, clock, self.alerting_state, lambda: tuple(self.open), executor, [self.listener]
        )
        self.channel_tests = ChannelTests(
            MonitorMessages(
                *(ledger, clock, self.alerting_state, executor, self.listener.on_queued),
                lambda rows: ledger.record([], rows),
            )
        )
        self.routers: dict[str, Document] = {}
        self.resent: list[tuple[float, float, str | None]] = []
        self.page_uid: int | None = None
        self.connection_limits = ConnectionLimits()

    def now_s(self) -> float:
        return self.actions.now_s()

    def open_another(self, number: int, target: str) -> Incident:
        """One more outage of a link."""
        incident = replace(self.down_incident, id=number, target=target)
        change = IncidentChange(ChangeKind.OPENED, incident, incident.detected_s)
        self.ledger.record([change])
        self.open.append(incident)
        return incident

    async def state(self) -> Document:
        return {"sites": []}

    async def metrics(self) -> bytes:
        return b"pantau_targets 3\n"

    async def resend(self, since_s: float, until_s: float, measurement: str | None) -> int:
        self.resent.append((since_s, until_s, measurement))
        return 17

    def router(self, name: str) -> Document:
        if name not in self.routers:
            raise NotFound(f"no router named {name} is watched")
        return self.routers[name]

    @asynccontextmanager
    async def serving(
        self, directory: Path, metrics: Callable[[], Awaitable[bytes]] | None = None
    ) -> AsyncIterator[LocalApiClient]:
        """The client of a real server on a socket in `directory`."""
        executor = asyncio.to_thread
        parts = (self.ledger, self.alerting_state, self.actions, self.channel_tests)
        context = ApiContext(
            *parts,
            executor,
            metrics or self.metrics,
            self.router,
            self.resend,
            PeerCheck(lambda: self.page_uid),
            Accounts(UsersFile(directory), SignOutsFile(directory)),
        )
        api = ApiServer(
            directory / SOCKET_NAME, self.state, lambda: True, context, self.connection_limits
        )
        await api.open()
        try:
            yield LocalApiClient(directory, timeout_s=5.0)
        finally:
            await api.close()


class MemoryApiRig(ApiRig[MemoryLedger, ManualClock]):
    """On a ledger in memory and a clock that stands still at 23:00 in Jakarta."""

    def __init__(
        self, alerts: AlertSettings | None = None, ledger: MemoryLedger | None = None
    ) -> None:
        super().__init__(ledger or MemoryLedger(), ManualClock(), alerts)


async def in_thread(what: Callable[[], T]) -> T:
    """Run a blocking client call in a thread of its own, while the event loop goes on."""
    with ThreadPoolExecutor(1) as thread:
        return await asyncio.wrap_future(thread.submit(what))


def channel(name: str, *, daily_test: bool = False) -> ChannelSettings:
    return ChannelSettings(name, "webhook", address="http://127.0.0.1:9/", daily_test=daily_test)


def duty_settings(*, recurring: tuple[RecurringWindow, ...] = ()) -> AlertSettings:
    """Two people take turns; three channels, two of which are tested daily."""
    return AlertSettings(
        channels=(channel("hook", daily_test=True), channel("sms", daily_test=True), channel("x")),
        people=(
            Person("petugas-1", "Petugas Satu", ("hook",), phone="0811"),
            Person("petugas-2", "Petugas Dua", ("sms",)),
        ),
        rotas=(Rota("jaga", ("petugas-1", "petugas-2"), ROTA_START),),
        maintenance=recurring,
    )
