"""What the composition root calls: settings and secrets → channels, button presses, heartbeat."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import tzinfo
from importlib import import_module

from monitor.adapters.notify.command import CommandChannel
from monitor.adapters.notify.exchange import Bounds
from monitor.adapters.notify.heartbeat import Heartbeat
from monitor.adapters.notify.redaction import Redaction
from monitor.adapters.notify.telegram import TelegramAddress, TelegramChannel, telegram_address
from monitor.adapters.notify.telegram_bot import TelegramBot
from monitor.adapters.notify.telegram_buttons import ButtonPoller, ButtonSettings
from monitor.adapters.notify.webhook import WebhookChannel
from monitor.core.alerting.model import Channel, IncidentAction
from monitor.core.alerting.settings import AlertSettings, ChannelSettings
from monitor.core.errors import ConfigError

Secrets = Mapping[str, str]


def secret_names(alerts: AlertSettings) -> set[str]:
    """The names of all secrets that these channels and the heartbeat need."""
    named = {channel.secret for channel in alerts.channels} | {alerts.heartbeat}
    return {name for name in named if name is not None}


def open_channels(
    alerts: AlertSettings, secrets: Secrets, zone: tzinfo, bounds: Bounds | None = None
) -> dict[str, Channel]:
    """Every configured channel by its id. secrets: their texts by name (see `secret_names`).

    Raises ConfigError, without the secret, for one that cannot be used.
    """
    return {
        settings.id: _channel(settings, secrets, zone, bounds or Bounds())
        for settings in alerts.channels
    }


def open_button_pollers(
    alerts: AlertSettings,
    secrets: Secrets,
    on_action: Callable[[IncidentAction], Awaitable[object]],
    utc_s: Callable[[], float],
) -> list[ButtonPoller]:
    """One for each bot that has buttons: its updates go to one asker only."""
    of_bots: dict[tuple[str | None, str], list[ChannelSettings]] = {}
    for settings in alerts.channels:
        address = _telegram(settings, secrets)
        if settings.buttons and address is not None:
            of_bots.setdefault((settings.address, address.token), []).append(settings)
    return [
        ButtonPoller(
            TelegramBot(token, Redaction(token), api),
            ButtonSettings(
                allowed=frozenset(user for each in channels for user in each.allowed_users),
                on_action=on_action,
                utc_s=utc_s,
                longest_ack_s=alerts.rules.longest_ack_s,
                language=channels[0].language,
            ),
        )
        for (api, token), channels in of_bots.items()
    ]


def open_heartbeat(
    alerts: AlertSettings, secrets: Secrets, healthy: Callable[[], bool]
) -> Heartbeat | None:
    """The dead-man's switch; None: nobody configured one. Raises ConfigError."""
    if alerts.heartbeat is None:
        return None
    url = secrets[alerts.heartbeat].strip()
    return Heartbeat(_http(url, "the heartbeat"), healthy)


def _channel(settings: ChannelSettings, secrets: Secrets, zone: tzinfo, bounds: Bounds) -> Channel:
    secret = secrets[settings.secret].strip() if settings.secret is not None else None
    redact = Redaction(secret) if secret is not None else Redaction()
    if settings.type == "command":
        return CommandChannel(settings.command, redact, bounds.whole_s)
    if settings.type == "webhook":
        url = settings.address or secret or ""
        return WebhookChannel(_http(url, f"the channel {settings.id}"), redact, bounds)
    telegram = _telegram(settings, secrets)
    if telegram is not None:
        return TelegramChannel(
            TelegramBot(telegram.token, redact, settings.address, bounds),
            telegram.chat,
            telegram.topic,
            settings.buttons,
            settings.language,
        )
    if settings.type == "telegram" or settings.buttons:
        raise ConfigError(
            f"the secret of the channel {settings.id} is no Telegram address: "
            "write tgram://<token>/<chat id> into it"
        )
    # Only where it is configured: a daemon without it starts sooner and carries less.
    room = import_module("monitor.adapters.notify.apprise_channel")
    channel: Channel = room.open_apprise(settings.id, secret or "", redact, zone, bounds)
    return channel


def _telegram(settings: ChannelSettings, secrets: Secrets) -> TelegramAddress | None:
    """A plain tgram:// address is ours, since Apprise cannot tell 429 from 403."""
    if settings.type not in ("telegram", "apprise") or settings.secret is None:
        return None
    return telegram_address(secrets[settings.secret])


def _http(url: str, whose: str) -> str:
    if not url.startswith(("http://", "https://")) or not url.isprintable() or " " in url:
        raise ConfigError(f"the secret of {whose} is no address that begins with https://")
    return url
