"""Flatten settings to plain values, and compare two sets of them.

The daemon writes the snapshot of the settings that it uses to its data directory
(paths.LOADED_CONFIG_FILE); `pantau check --diff` compares the files with it. Secrets are in it by
name only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace

from monitor.core.alerting.settings import (
    AlertSettings,
    Rota,
    Route,
)
from monitor.core.model import Device, Link, Node, Site, Target
from monitor.settings.model import Settings

SnapshotValue = str | int | float | bool | None | list[str]
"""A value that JSON can hold."""

SettingsSnapshot = dict[str, dict[str, SnapshotValue]]
"""Name → key → value; see `settings_snapshot`."""

GENERAL = "monitor.toml"
"""The name for what belongs to no target."""


@dataclass(frozen=True, slots=True)
class SettingsDiff:
    """Names added and removed; changed: name → key → (before, after)."""

    added: tuple[str, ...]
    removed: tuple[str, ...]
    changed: Mapping[str, Mapping[str, tuple[SnapshotValue, SnapshotValue]]]

    def __bool__(self) -> bool:
        return bool(self.added or self.removed or self.changed)


def settings_snapshot(settings: Settings) -> SettingsSnapshot:
    """Every effective value, as JSON can hold it.

    Names: targets (`site/link`, a node's id, `anchor:<address>`), `site:<id>`, `snmp:<router>`,
    `channel:`, `person:`, `rota:`, `route:<number>`, `window:`, and for the rest of a file
    `monitor.toml` and `alerts.toml`.
    """
    network = settings.network
    details: dict[str, Link | Node] = {link.name: link for link in network.links()}
    details |= {node.id: node for node in network.nodes}
    return (
        {GENERAL: _general(settings)}
        | {f"site:{site.id}": _site(site) for site in network.sites}
        | {target.name: _target(target, details.get(target.name)) for target in network.targets()}
        | {f"snmp:{device.name}": _device(device) for device in network.devices}
        | _alerts(settings.alerts)
    )


def diff_snapshots(before: SettingsSnapshot, after: SettingsSnapshot) -> SettingsDiff:
    """Compare two snapshots; names in the order of `after`."""
    changed: dict[str, dict[str, tuple[SnapshotValue, SnapshotValue]]] = {}
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


def _general(settings: Settings) -> dict[str, SnapshotValue]:
    page = settings.dashboard
    sections = {
        "trace": asdict(settings.trace),
        "storage.journal": asdict(settings.journal),
        "storage.disk": asdict(settings.disk),
        "storage.influxdb": asdict(settings.influxdb) if settings.influxdb is not None else {},
        "dashboard": asdict(replace(page, proxy=None)),
        "dashboard.proxy": {} if page.proxy is None else asdict(page.proxy),
    }
    return {
        "organisation": settings.organisation,
        "timezone": settings.timezone.key,
        "data_dir": str(settings.data_dir),
        **{
            # As it comes back from a JSON file.
            f"{section}.{key}": list(v) if isinstance(v, tuple) else v
            for section, values in sections.items()
            for key, v in values.items()
            if (section, key) != ("dashboard", "proxy")
        },
    }


def _site(site: Site) -> dict[str, SnapshotValue]:
    return {"name": site.name, "code": site.code, "lat": site.lat, "lon": site.lon}


def _target(target: Target, details: Link | Node | None) -> dict[str, SnapshotValue]:
    values: dict[str, SnapshotValue] = {
        "address": target.address,
        "role": target.role.value,
        "parents": list(target.parents),
        **asdict(target.rules),
    }
    if isinstance(details, Node):
        values |= {"name": details.name, "lat": details.lat, "lon": details.lon}
    elif details is not None:
        values |= {
            "kind": details.kind,
            "provider": details.provider,
            "capacity_mbps": details.capacity_mbps,
            "circuit": details.circuit,
            "contact": details.contact,
            "sla_pct": None if details.aim is None else round(details.aim.ratio * 100, 4),
        }
    return values


def _device(device: Device) -> dict[str, SnapshotValue]:
    values: dict[str, SnapshotValue] = asdict(device)
    values["interfaces"] = [
        f"{port.name} link={port.link} capacity_bps={port.capacity_bps}"
        for port in device.interfaces
    ]
    return values


def _alerts(alerts: AlertSettings) -> SettingsSnapshot:
    return (
        {"alerts.toml": _alerts_general(alerts)}
        | {f"channel:{each.id}": _plain(asdict(each)) for each in alerts.channels}
        | {f"person:{each.id}": _plain(asdict(each)) for each in alerts.people}
        | {f"rota:{each.name}": _rota(each) for each in alerts.rotas}
        | {f"route:{number}": _route(each) for number, each in enumerate(alerts.routes, start=1)}
        | {f"window:{each.key}": _plain(asdict(each)) for each in alerts.maintenance}
    )


def _alerts_general(alerts: AlertSettings) -> dict[str, SnapshotValue]:
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


def _rota(rota: Rota) -> dict[str, SnapshotValue]:
    return {
        "people": list(rota.people),
        "start": str(rota.start),
        "turn_days": rota.turn_days,
        "overrides": [f"{each.person} {each.start} {each.end}" for each in rota.overrides],
    }


def _route(route: Route) -> dict[str, SnapshotValue]:
    return {
        "match": [f"{key}={' '.join(accepted)}" for key, accepted in sorted(route.match.items())],
        "steps": [f"{step.after_s:g} {' '.join(step.to)}" for step in route.steps],
        "office_hours": route.office_hours,
        "hold_s": route.hold_s,
    }


def _plain(values: dict[str, object]) -> dict[str, SnapshotValue]:
    """Dates and times become strings, tuples become lists of strings."""
    return {
        key: [str(part) for part in value]
        if isinstance(value, tuple | list)
        else value
        if isinstance(value, str | int | float | None)
        else str(value)
        for key, value in values.items()
    }
