"""Router documents of a synthetic history, as the daemon's API returns them."""

from __future__ import annotations

import random

from monitor.core.documents import Document
from monitor.core.errors import NotFound
from monitor.core.model import Device
from monitor.core.samples.rates import DroppedRate, NoRate, PollRates, RateBaselines
from monitor.core.samples.router_facts import RouterFacts, router_document
from monitor.core.samples.samples import DeviceSample, InterfaceSample
from monitor.core.samples.snmp_poll import DevicePoll, InterfaceCounters, PollFailed
from tests.dashboard.synthetic_history import DAY_S, SyntheticHistory

SILENT = "losarang"
"""Has not responded to SNMP for 15 minutes."""

ODD = "terisi"
"""Lacks a configured interface, and its counters jumped."""


def router_document_of(history: SyntheticHistory, name: str) -> Document:
    """`GET /routers/<name>`. Raises NotFound."""
    device = next((each for each in history.network.devices if each.name == name), None)
    if device is None:
        raise NotFound(f"no router named {name} is watched")
    samples = [each for each in history.ports(120.0, 60.0, 60.0) if each.device == name]
    return router_document(device, _told(device, history.now_s, tuple(samples)))


def _told(device: Device, now_s: float, samples: tuple[InterfaceSample, ...]) -> RouterFacts:
    chance = random.Random(device.name)
    at_s = now_s - chance.uniform(5, 55)
    ports = device.interfaces[:1] if device.name == ODD else device.interfaces
    poll = DevicePoll(
        device=device.name,
        at_s=at_s,
        uptime_ticks=100,
        interfaces=tuple(
            InterfaceCounters(
                *(each.name, place, 1, 1, True),
                oper=1,
                speed_bps=10**9,
                alias=f"ke {each.link or 'kantor'}",
            )
            for place, each in enumerate(ports, 1)
        ),
        facts=DeviceSample(
            *(at_s, device.name, device.site),
            uptime_s=chance.uniform(2, 200) * DAY_S,
            cpu=chance.uniform(0.04, 0.4),
            memory=chance.uniform(0.2, 0.5),
            temperature_c=chance.uniform(36, 52),
            voltage_v=chance.choice((12.1, 24.2, 48.3)),
        ),
        sys_name=f"r-{device.name}",
        description=chance.choice(("RouterOS RB4011iGS+", "RouterOS RB3011UiAS")),
        missing=tuple(each.name for each in device.interfaces if each not in ports),
    )
    odd = device.name == ODD
    dropped = (DroppedRate("ether1", "in_bps", NoRate.TOO_FAST),) * 2 if odd else ()
    told = RouterFacts(now_s - 3 * DAY_S).after_poll(
        poll, PollRates(RateBaselines(), samples, dropped), at_s
    )
    if device.name == SILENT:
        told = RouterFacts(now_s - 3 * DAY_S).after_poll(
            poll, PollRates(RateBaselines(), samples, ()), now_s - 900
        )
        return told.after_failure(PollFailed(device.name, now_s - 20, "timeout"), now_s - 20)
    return told
