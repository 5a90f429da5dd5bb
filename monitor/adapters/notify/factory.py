"""Opens channels, chat-button pollers and the heartbeat from settings and secrets."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import tzinfo
from importlib import import_module

from monitor.adapters.notify.command import CommandChannel
from monitor.adapters.notify.heartbeat import Heartbeat
from monitor.adapters.notify.http_client import Timeouts
from monitor.adapters.notify.redaction import Redaction
from monitor.adapters.notify.telegram import (
    TelegramAddress,
    TelegramBot,
    TelegramChannel,
    parse_telegram_address,
)
from monitor.adapters.notify.telegram_buttons import ButtonPoller, ButtonSettings
from monitor.adapters.notify.webhook import WebhookChannel
from monitor.core.alerting.model import Channel, IncidentAction
from monitor.core.alerting.settings import (
    LEAST_SIGNING_KEY_CHARACTERS,
    AlertSettings,
    ChannelSettings,
)
from monitor.core.errors import ConfigError
from monitor.core.ledger_identity import LedgerIdentity

Secrets = Mapping[str, str]


def secret_names(alerts: AlertSettings) -> set[str]:
    """Names of all secrets that the channels and the heartbeat need."""
    named = {name for each in alerts.channels for name in (each.secret, each.signing_key)}
    named.add(alerts.heartbeat)
    return {name for name in named if name is not None}


def open_channels(
    alerts: AlertSettings, secrets: Secrets, zone: tzinfo, timeouts: Timeouts | None = None
) -> dict[str, Channel]:
    """Open every configured channel, by id. secrets: texts by name (see `secret_names`).

    Raises ConfigError, without the secret, for one that cannot be used.
    """
    return {
        settings.id: _channel(settings, secrets, zone, timeouts or Timeouts())
        for settings in alerts.channels
    }


def open_button_pollers(
    alerts: AlertSettings,
    secrets: Secrets,
    on_action: Callable[[IncidentAction], Awaitable[object]],
    utc_s: Callable[[], float],
    ledger: LedgerIdentity,
) -> list[ButtonPoller]:
    """One poller for each bot with buttons: Telegram gives its updates to one client only."""
    of_bots: dict[tuple[str | None, str], list[ChannelSettings]] = {}
    for settings in alerts.channels:
        address = _telegram_address(settings, secrets)
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
                ledger=ledger,
            ),
        )
        for (api, token), channels in of_bots.items()
    ]


def open_heartbeat(
    alerts: AlertSettings, secrets: Secrets, healthy: Callable[[], bool]
) -> Heartbeat | None:
    """The heartbeat; None: not configured. Raises ConfigError."""
    if alerts.heartbeat is None:
        return None
    url = secrets[alerts.heartbeat].strip()
    return Heartbeat(_checked_http_url(url, "the heartbeat"), healthy)


def _channel(
    settings: ChannelSettings, secrets: Secrets, zone: tzinfo, timeouts: Timeouts
) -> Channel:
    secret = secrets[settings.secret].strip() if settings.secret is not None else None
    redact = Redaction(secret) if secret is not None else Redaction()
    if settings.type == "command":
        return CommandChannel(settings.command, redact, timeouts.total_s)
    if settings.type == "webhook":
        url = settings.address or secret or ""
        whose = f"the channel {settings.id}"
        key = None
        if settings.signing_key is not None:
            key = _checked_signing_key(secrets[settings.signing_key].strip(), whose)
        return WebhookChannel(_checked_http_url(url, whose), redact, timeouts, key)
    telegram = _telegram_address(settings, secrets)
    if telegram is not None:
        return TelegramChannel(
            TelegramBot(telegram.token, redact, settings.address, timeouts),
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
    # Loaded only when configured: without it the daemon starts faster and needs less memory.
    module = import_module("monitor.adapters.notify.apprise_channel")
    channel: Channel = module.open_apprise(settings.id, secret or "", redact, zone, timeouts)
    return channel


def _telegram_address(settings: ChannelSettings, secrets: Secrets) -> TelegramAddress | None:
    """A plain tgram:// address is served by us: Apprise cannot distinguish 429 from 403."""
    if settings.type not in ("telegram", "apprise") or settings.secret is None:
        return None
    return parse_telegram_address(secrets[settings.secret])


def _checked_signing_key(key: str, whose: str) -> str:
    if len(key) < LEAST_SIGNING_KEY_CHARACTERS:
        least = LEAST_SIGNING_KEY_CHARACTERS
        raise ConfigError(
            f"the signing key of {whose} is shorter than {least} characters: "
            "make one with `openssl rand -hex 32`"
        )
    return key


def _checked_http_url(url: str, whose: str) -> str:
    if not url.startswith(("http://", "https://")) or not url.isprintable() or " " in url:
        raise ConfigError(f"the secret of {whose} is no address that begins with https://")
    return url
