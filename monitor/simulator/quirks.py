"""What a router's SNMP agent does wrong now, and which events make it so. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from monitor.core.model import Device
from monitor.simulator.events import AGENT_IS, Event, What
from monitor.simulator.scenario import Running
from monitor.simulator.world import SimulatedNetwork


@dataclass(frozen=True, slots=True)
class Quirks:
    """How an agent differs from an honest one.

    silent: it answers nobody. narrow: no 64-bit counters. most_varbinds: more objects in one
    message are tooBig (RFC 3416, 4.2.1; of a GETBULK it tells no more than so many).
    endless: after the last row of a column it tells the first one again.
    answers_from: the address that its answers come from, None: the one that was asked.
    """

    silent: bool = False
    narrow: bool = False
    most_varbinds: int | None = None
    endless: bool = False
    answers_from: str | None = None


HONEST = Quirks()
"""Nothing is wrong."""


def routers_of(world: SimulatedNetwork, event: Event, spared: Iterable[str]) -> tuple[Device, ...]:
    """The routers that an event names, less those all of whose targets are spared."""
    kept = set(spared)
    found = (world.device_of(where) for where in event.where)
    devices = {device.name: device for device in found if device is not None}
    return tuple(d for d in devices.values() if not kept.issuperset(world.select(d.name)))


def troubles_of(
    world: SimulatedNetwork, running: Sequence[Running], spared: Mapping[str, set[str]]
) -> dict[str, list[Event]]:
    """The events that change how an agent answers, by router."""
    found: dict[str, list[Event]] = {}
    for one in running:
        if one.event.what in AGENT_IS:
            for device in routers_of(world, one.event, spared.get(one.key, ())):
                found.setdefault(device.name, []).append(one.event)
    return found


def quirks_of(world: SimulatedNetwork, device: Device, events: Iterable[Event]) -> Quirks:
    """How the router's agent is when all these events are in force at once."""
    quirks = HONEST
    for event in events:
        if event.what is What.SNMP_SILENT:
            quirks = replace(quirks, silent=True)
        elif event.what is What.NARROW:
            quirks = replace(quirks, narrow=True)
        elif event.what is What.TOO_BIG:
            fewest = min(event.varbinds, quirks.most_varbinds or event.varbinds)
            quirks = replace(quirks, most_varbinds=fewest)
        elif event.what is What.ENDLESS_WALK:
            quirks = replace(quirks, endless=True)
        elif event.what is What.OTHER_SOURCE:
            quirks = replace(quirks, answers_from=_other_address(world, device, event))
    return quirks


def _other_address(world: SimulatedNetwork, device: Device, event: Event) -> str:
    """The address named by the event, or that of the router before."""
    if event.sender is not None:
        return world.places[event.sender].address
    return world.upstream_of(world.select(device.name)[0])
