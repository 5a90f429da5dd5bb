"""What a configuration amounts to, in plain values, and how two of them differ.

The daemon keeps the fingerprint of what it works with in its data directory
(where.LOADED_CONFIG); `pantau check --diff` compares the files with it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace

from monitor.core.model import Device, Link, Node, Site, Target
from monitor.settings.alertprints import Fingerprint, Value, alerting
from monitor.settings.model import Settings

__all__ = ["GENERAL", "Difference", "Fingerprint", "Value", "difference", "fingerprint"]

GENERAL = "monitor.toml"
"""The name under which stands what belongs to no target."""


@dataclass(frozen=True, slots=True)
class Difference:
    """What a reload would change, by name; changed: name → key → (before, after)."""

    added: tuple[str, ...]
    removed: tuple[str, ...]
    changed: Mapping[str, Mapping[str, tuple[Value, Value]]]

    def __bool__(self) -> bool:
        return bool(self.added or self.removed or self.changed)


def fingerprint(settings: Settings) -> Fingerprint:
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
        | alerting(settings.alerts)
    )


def difference(before: Fingerprint, after: Fingerprint) -> Difference:
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
    return Difference(
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
