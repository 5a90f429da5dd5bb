"""The ways out of the configuration in force: channels, the heartbeat, buttons in the chat.

They are opened before a reload changes anything, so that one that cannot be used refuses it whole.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from monitor.adapters.notify import (
    ButtonPresses,
    Heartbeat,
    channels_of,
    heartbeat_of,
    pressers_of,
    secret_names,
)
from monitor.alerting.dispatcher import Dispatcher
from monitor.core.alerting.model import Channel, IncidentAction
from monitor.settings.model import Settings
from monitor.settings.secrets import SecretStore

log = logging.getLogger("monitor.alerting.integrations")


@dataclass(frozen=True, slots=True)
class IntegrationSet:
    """Opened, and not used yet."""

    channels: Mapping[str, Channel] = field(default_factory=dict)
    heartbeat: Heartbeat | None = None
    pressers: tuple[ButtonPresses, ...] = ()


class Integrations:
    """pressed: keeps what somebody pressed. healthy: may the heartbeat beat? utc_s: the time."""

    def __init__(
        self,
        environ: Mapping[str, str],
        dispatcher: Dispatcher,
        pressed: Callable[[IncidentAction], Awaitable[None]],
        healthy: Callable[[], bool],
        utc_s: Callable[[], float],
    ) -> None:
        self._environ = environ
        self._dispatcher = dispatcher
        self._pressed = pressed
        self._healthy = healthy
        self._utc_s = utc_s
        self._ways = IntegrationSet()
        self._changed = asyncio.Event()

    def open(self, settings: Settings) -> IntegrationSet:
        """What these settings name. Raises ConfigError for a secret or an address that is none."""
        alerts = settings.alerts
        store = SecretStore(settings.config_dir, self._environ)
        secrets = store.texts(sorted(secret_names(alerts)))
        return IntegrationSet(
            channels_of(alerts, secrets, settings.timezone),
            heartbeat_of(alerts, secrets, self._healthy),
            tuple(pressers_of(alerts, secrets, self._pressed, self._utc_s)),
        )

    def use(self, ways: IntegrationSet) -> None:
        """From now on these; what is under way on the others is finished first."""
        self._ways = ways
        self._dispatcher.reconfigure(ways.channels)
        self._changed.set()

    async def run(self) -> None:
        """For ever: the heartbeat and the buttons of the ways in use."""
        while True:
            self._changed.clear()
            ways = self._ways
            services = [asyncio.ensure_future(each.run()) for each in ways.pressers]
            if ways.heartbeat is not None:
                services.append(asyncio.ensure_future(ways.heartbeat.run()))
            try:
                await self._changed.wait()
            finally:
                for service in services:
                    service.cancel()
                if services:
                    await asyncio.wait(services)
                for presser in ways.pressers:
                    await presser.close()
                if ways.heartbeat is not None:
                    await ways.heartbeat.close()
