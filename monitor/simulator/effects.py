"""Which events concern which target now, and what they make of its behaviour. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from monitor.simulator.behaviour import Behaviour, Fate
from monitor.simulator.events import AGENT_IS, BEFALLS, Event, What
from monitor.simulator.scenario import Running
from monitor.simulator.world import SimulatedNetwork

_SILENCING = (What.CUT, What.FLAP, What.REBOOT, What.POP_DOWN, What.UPLINK_CUT)
_NO_ADDRESS = (What.NO_ROUTE, *AGENT_IS, *BEFALLS)
TAKES_ALL_BEHIND = (What.POP_DOWN, What.REBOOT)
"""Events that, on a node, also cut everything that is behind it."""


def effects_on(
    world: SimulatedNetwork,
    running: Sequence[Running],
    elapsed_s: float,
    spared: Mapping[str, set[str]],
) -> dict[str, list[Event]]:
    """The events in force on each place that any concerns.

    elapsed_s: seconds after the start of the scenario. spared: by a running event's key, the
    places that were restored from it.
    """
    fallen = {
        one.key: world.behind(_nodes(world, one), spared.get(one.key, set()))
        for one in running
        if one.event.what in TAKES_ALL_BEHIND
    }
    # What hangs on two nodes is cut only when both are down: then both events are to blame.
    each = frozenset[str]().union(*fallen.values())
    jointly = world.behind(each, set().union(*spared.values())) - each
    effects: dict[str, list[Event]] = {}
    for one in running:
        names = _named(world, one.event, elapsed_s - one.since_s)
        if fallen.get(one.key):
            names |= fallen[one.key] | jointly
        for name in names - spared.get(one.key, set()):
            effects.setdefault(name, []).append(one.event)
    for place in world.places.values():
        carriers = [effects.get(name, []) for name in place.follows]
        if carriers and all(any(e.what in _SILENCING for e in events) for events in carriers):
            effects.setdefault(place.name, []).extend(carriers[0])
    return effects


def combined(usual: Behaviour, events: Iterable[Event], sender: str | None) -> Behaviour:
    """The behaviour when all these events are in force at once.

    Losses are independent, delays and jitters add up, silence outdoes an ICMP error.
    sender: address of the router that sends the ICMP error, where one of the events asks for it.
    """
    behaviour = usual
    for event in events:
        kept = (1.0 - behaviour.loss_ratio) * (1.0 - event.loss_ratio)
        behaviour = replace(
            behaviour,
            loss_ratio=1.0 - kept if event.loss_ratio else behaviour.loss_ratio,
            delay_ms=behaviour.delay_ms + event.delay_ms,
            jitter_ms=behaviour.jitter_ms + event.jitter_ms,
        )
        if event.what in _SILENCING:
            behaviour = replace(behaviour, fate=Fate.SILENT)
        elif event.what is What.DUPLICATE:
            behaviour = replace(behaviour, duplicate_ratio=event.share_ratio)
        elif event.what is What.UNREACHABLE and behaviour.fate is not Fate.SILENT:
            behaviour = replace(
                behaviour,
                fate=Fate.UNREACHABLE,
                unreachable_from=sender,
                unreachable_code=event.code,
                quote_bytes=event.quote_bytes,
            )
    return behaviour


def _nodes(world: SimulatedNetwork, one: Running) -> set[str]:
    return {name for name in one.event.where if name in world.nodes}


def _named(world: SimulatedNetwork, event: Event, since_s: float) -> set[str]:
    """The places that the event itself names, as far as it does anything at the moment."""
    if event.what in _NO_ADDRESS or (event.what is What.FLAP and not event.cut_at(since_s)):
        return set()
    names = {name for where in event.where for name in world.select(where)}
    if event.what is What.REBOOT:
        devices = [world.device_of(where) for where in event.where]
        names.update(name for d in devices if d is not None for name in world.select(d.name))
    return names
