"""Channels, heartbeat and chat buttons of the configuration in force.

A reload prepares them before it changes anything: one that cannot be used refuses the reload.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import partial

from monitor.adapters.notify import (
    ButtonPoller,
    Heartbeat,
    open_button_pollers,
    open_channels,
    open_heartbeat,
    secret_names,
)
from monitor.alerting.dispatcher import Dispatcher
from monitor.core.alerting.model import Channel, IncidentAction
from monitor.core.ledger_identity import LedgerIdentity
from monitor.core.ports import Commit
from monitor.core.warning import MonitorWarning
from monitor.settings.model import Settings
from monitor.settings.secrets import SecretStore

log = logging.getLogger("monitor.alerting.integrations")


@dataclass(frozen=True, slots=True)
class _IntegrationSet:
    """The integrations of one configuration."""

    channels: Mapping[str, Channel] = field(default_factory=dict)
    heartbeat: Heartbeat | None = None
    button_pollers: tuple[ButtonPoller, ...] = ()


class Integrations:
    """Runs the heartbeat and the button pollers; gives the channels to the dispatcher.

    on_press: records what somebody pressed. healthy: whether the heartbeat may be sent.
    utc_s: the present time (Unix seconds). ledger: whose incidents the buttons are about.
    """

    def __init__(
        self,
        environ: Mapping[str, str],
        dispatcher: Dispatcher,
        on_press: Callable[[IncidentAction], Awaitable[object]],
        healthy: Callable[[], bool],
        utc_s: Callable[[], float],
        ledger: LedgerIdentity,
    ) -> None:
        self._environ = environ
        self._dispatcher = dispatcher
        self._on_press = on_press
        self._healthy = healthy
        self._utc_s = utc_s
        self._ledger = ledger
        self._current = _IntegrationSet()
        self._changed = asyncio.Event()

    def prepare(self, settings: Settings) -> Commit:
        """Open what these settings name; nothing changes yet.

        Raises ConfigError for a missing secret or an address that cannot be used. The returned
        function puts it in force: it cannot fail and does not await.
        """
        alerts = settings.alerts
        store = SecretStore(settings.config_dir, self._environ)
        secrets = store.reveal_all(sorted(secret_names(alerts)))
        prepared = _IntegrationSet(
            open_channels(alerts, secrets, settings.timezone),
            open_heartbeat(alerts, secrets, self._healthy),
            tuple(open_button_pollers(alerts, secrets, self._on_press, self._utc_s, self._ledger)),
        )
        return partial(self._commit, prepared)

    def _commit(self, prepared: _IntegrationSet) -> None:
        self._current = prepared
        self._dispatcher.reconfigure(prepared.channels)
        self._changed.set()

    def warnings(self) -> list[MonitorWarning]:
        """Chat buttons that do not work at present."""
        found = []
        for poller in self._current.button_pollers:
            if poller.error is not None:
                text = f"Telegram's buttons do not work: {poller.error}"
                found.append(MonitorWarning(text, "buttons", {"why": poller.error}))
        return found

    async def run(self) -> None:
        """Run the heartbeat and the button pollers of the configuration in force, for ever."""
        while True:
            self._changed.clear()
            current = self._current
            services = [asyncio.ensure_future(each.run()) for each in current.button_pollers]
            if current.heartbeat is not None:
                services.append(asyncio.ensure_future(current.heartbeat.run()))
            try:
                await self._changed.wait()
            finally:
                for service in services:
                    service.cancel()
                if services:
                    await asyncio.wait(services)
                for poller in current.button_pollers:
                    await poller.close()
                if current.heartbeat is not None:
                    await current.heartbeat.close()
