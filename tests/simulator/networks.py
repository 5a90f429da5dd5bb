"""A small network for these tests."""

from __future__ import annotations

from monitor.core.model import (
    Device,
    Interface,
    Link,
    Network,
    Node,
    ProbeRules,
    Site,
    Target,
    TargetRole,
)

COMMUNITY = "rahasia"
COMMUNITIES = {"router-ro": COMMUNITY}
ROUTER = "10.77.23.1"

_RULES = ProbeRules()


def link(site: str, name: str, address: str, kind: str, *via: str) -> Link:
    """A link of 100 Mbit/s."""
    return Link(name, f"{site}/{name}", site, address, kind, _RULES, via, capacity_mbps=100.0)


def small_network() -> Network:
    """Two sites, one with two links and a router; three nodes; one anchor; one link by IPv6.

    inti ← pop-patrol ← anjatan/utama; anjatan/cadangan hangs on pop-patrol and pop-haurgeulis;
    sukra/utama on pop-patrol. The router of pop-patrol has an address of its own.
    """
    router = Device(
        "anjatan",
        ROUTER,
        "2c",
        "router-ro",
        (Interface("ether1", "anjatan/utama"), Interface("ether2", "anjatan/cadangan")),
        site="anjatan",
    )
    anjatan = Site(
        "anjatan",
        "Anjatan",
        "32.12.23",
        (
            link("anjatan", "utama", "10.77.23.1", "fibre", "pop-patrol"),
            link("anjatan", "cadangan", "10.77.23.2", "lte", "pop-patrol", "pop-haurgeulis"),
        ),
        device=router,
    )
    sukra = Site(
        "sukra",
        "Sukra",
        "32.12.24",
        (
            link("sukra", "utama", "10.77.24.1", "radio", "pop-patrol"),
            link("sukra", "enam", "fd77::24:1", "fibre"),
        ),
    )
    return Network(
        sites=(anjatan, sukra),
        nodes=(
            Node("inti", "Inti", "10.77.0.10", _RULES),
            Node("pop-patrol", "PoP Patrol", "10.77.0.14", _RULES, ("inti",)),
            Node("pop-haurgeulis", "PoP Haurgeulis", "10.77.0.15", _RULES, ("inti",)),
        ),
        anchors=(Target("anchor:10.77.0.1", "10.77.0.1", TargetRole.ANCHOR, _RULES),),
        devices=(
            router,
            Device("pop-patrol", "10.77.1.14", "2c", "router-ro", (Interface("ge0", None, 1e9),)),
        ),
    )
