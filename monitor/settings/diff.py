"""What a configuration amounts to, in plain values, and how two of them differ.

The daemon keeps the fingerprint of what it works with in its data directory
(where.LOADED_CONFIG); `pantau check --diff` compares the files with it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace

from monitor.core.alerting.settings import (
    AlertSettings,
    ChannelSettings,
    RecurringWindow,
    Rota,
    Route,
)
from monitor.core.model import Device, Link, Node, Site, Target
from monitor.settings.model import Settings

__all__ = [
    "GENERAL",
    "SettingsDiff",
    "SettingsSnapshot",
    "Value",
    "diff_snapshots",
    "settings_snapshot",
]

GENERAL = "monitor.toml"
"""The name under which stands what belongs to no target."""


@dataclass(frozen=True, slots=True)
class SettingsDiff:
    """What a reload would change, by name; changed: name → key → (before, after)."""

    added: tuple[str, ...]
    removed: tuple[str, ...]
    changed: Mapping[str, Mapping[str, tuple[Value, Value]]]

    def __bool__(self) -> bool:
        return bool(self.added or self.removed or self.changed)


def settings_snapshot(settings: Settings) -> SettingsSnapshot:
    """Every target (`site/link`, a node's id, `anchor:<address>`) with its effective values.

    Sites stand beside them as `site:<id>`, routers as `snmp:<name>`, the rest as `monitor.toml`,
    what alerts.toml says as in settings.alertprints.
    """
    network = settings.network
    more: dict[str, Link | Node] = {link.name: link for link in network.links()}
    more |= {node.id: node for node in network.nodes}
    return (
        {GENERAL: _general(settings)}
        | {f"site:{site.id}": _site(site) for site in network.sites}
        | {target.name: _target(target, more.get(target.name)) for target in network.targets()}
        | {f"snmp:{device.name}": _device(device) for device in network.devices}
        | alert_snapshot(settings.alerts)
    )


def diff_snapshots(before: SettingsSnapshot, after: SettingsSnapshot) -> SettingsDiff:
    """What is new, gone, or other than before, in the order of `after`."""
    changed: dict[str, dict[str, tuple[Value, Value]]] = {}
    for name, values in after.items():
        old = before.get(name, values)
        keys = {
            key: (old.get(key), values.get(key))
            for key in {**values, **old}
            if old.get(key) != values.get(key)
        }
        if keys:
            changed[name] = keys
    return SettingsDiff(
        added=tuple(name for name in after if name not in before),
        removed=tuple(name for name in before if name not in after),
        changed=changed,
    )


def _general(settings: Settings) -> dict[str, Value]:
    page = settings.dashboard
    sections = {
        "storage.journal": asdict(settings.journal),
        "storage.influxdb": asdict(settings.influxdb) if settings.influxdb is not None else {},
        "dashboard": asdict(replace(page, proxy=None)),
        "dashboard.proxy": {} if page.proxy is None else asdict(page.proxy),
    }
    return {
        "organisation": settings.organisation,
        "timezone": settings.timezone.key,
        "data_dir": str(settings.data_dir),
        **{
            f"{section}.{key}": v
            for section, values in sections.items()
            for key, v in values.items()
            if (section, key) != ("dashboard", "proxy")
        },
    }


def _site(site: Site) -> dict[str, Value]:
    return {"name": site.name, "code": site.code, "lat": site.lat, "lon": site.lon}


def _target(target: Target, more: Link | Node | None) -> dict[str, Value]:
    values: dict[str, Value] = {
        "address": target.address,
        "role": target.role.value,
        "parents": list(target.parents),
        **asdict(target.rules),
    }
    if isinstance(more, Node):
        values |= {"name": more.name, "lat": more.lat, "lon": more.lon}
    elif more is not None:
        values |= {
            "kind": more.kind,
            "provider": more.provider,
            "capacity_mbps": more.capacity_mbps,
            "circuit": more.circuit,
            "contact": more.contact,
            "sla_pct": None if more.aim is None else round(more.aim.ratio * 100, 4),
        }
    return values


def _device(device: Device) -> dict[str, Value]:
    values: dict[str, Value] = asdict(device)
    values["interfaces"] = [
        f"{port.name} link={port.link} capacity_bps={port.capacity_bps}"
        for port in device.interfaces
    ]
    return values


Value = str | int | float | bool | None | list[str]
"""What stands behind a key; JSON can hold it."""


SettingsSnapshot = dict[str, dict[str, Value]]
"""Name → key → value."""


def alert_snapshot(alerts: AlertSettings) -> SettingsSnapshot:
    """`alerts.toml` for limits and hours, then `channel:`, `person:`, `rota:`, `route:`, `window:`.

    Secrets stand here by their names only.
    """
    return (
        {"alerts.toml": _alerts_general(alerts)}
        | {f"channel:{each.id}": _channel(each) for each in alerts.channels}
        | {f"person:{each.id}": _plain(asdict(each)) for each in alerts.people}
        | {f"rota:{each.name}": _rota(each) for each in alerts.rotas}
        | {f"route:{number}": _route(each) for number, each in enumerate(alerts.routes, start=1)}
        | {f"window:{each.key}": _window(each) for each in alerts.maintenance}
    )


def _alerts_general(alerts: AlertSettings) -> dict[str, Value]:
    week = alerts.week
    return {
        **{f"rules.{key}": value for key, value in asdict(alerts.rules).items()},
        "hours": [f"{each[0]} {each[1]}" if each is not None else "-" for each in week.hours],
        "hours.calendar": week.calendar,
        "hours.holidays": [str(day) for day in week.holidays],
        "hours.workdays": [str(day) for day in week.workdays],
        "heartbeat": alerts.heartbeat,
        "base_url": alerts.base_url,
        "test_at": str(alerts.test_at),
    }


def _channel(channel: ChannelSettings) -> dict[str, Value]:
    return _plain(asdict(channel))


def _rota(rota: Rota) -> dict[str, Value]:
    return {
        "people": list(rota.people),
        "start": str(rota.start),
        "turn_days": rota.turn_days,
        "overrides": [f"{each.person} {each.start} {each.end}" for each in rota.overrides],
    }


def _route(route: Route) -> dict[str, Value]:
    return {
        "match": [f"{key}={' '.join(accepted)}" for key, accepted in sorted(route.match.items())],
        "steps": [f"{step.after_s:g} {' '.join(step.to)}" for step in route.steps],
        "office_hours": route.office_hours,
    }


def _window(window: RecurringWindow) -> dict[str, Value]:
    return _plain(asdict(window))


def _plain(values: dict[str, object]) -> dict[str, Value]:
    """Lists of texts; days and times as texts."""
    return {
        key: [str(part) for part in value]
        if isinstance(value, tuple | list)
        else value
        if isinstance(value, str | int | float | None)
        else str(value)
        for key, value in values.items()
    }
