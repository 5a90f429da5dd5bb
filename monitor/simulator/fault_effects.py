"""Compute which faults are active on which target, and the resulting behaviour. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from monitor.core.model import Device
from monitor.simulator.behaviour import Behaviour, ReplyMode
from monitor.simulator.network import SimulatedNetwork
from monitor.simulator.scenario import AGENT_FAULTS, INSTANT_FAULTS, ActiveFault, Fault, FaultKind


@dataclass(frozen=True, slots=True)
class AgentDefects:
    """How an SNMP agent differs from a correct one.

    silent: no response. narrow: no 64-bit counters. max_varbinds: more objects in one message
    are tooBig (RFC 3416, 4.2.1); a GETBULK response is cut to so many.
    endless: after the last row of a column the first one follows again.
    huge: every response has 63 kB and 4,500 varbinds.
    source_address: where responses come from; None: the address that was queried.
    """

    silent: bool = False
    narrow: bool = False
    max_varbinds: int | None = None
    endless: bool = False
    huge: bool = False
    source_address: str | None = None


NO_DEFECTS = AgentDefects()


def affected_routers(
    net: SimulatedNetwork, fault: Fault, restored: Iterable[str]
) -> tuple[Device, ...]:
    """The routers that a fault names, without those all of whose targets are restored."""
    excluded = set(restored)
    found = (net.device_of(where) for where in fault.where)
    devices = {device.name: device for device in found if device is not None}
    return tuple(d for d in devices.values() if not excluded.issuperset(net.select(d.name)))


def agent_faults_by_router(
    net: SimulatedNetwork, active: Sequence[ActiveFault], restored: Mapping[str, set[str]]
) -> dict[str, list[Fault]]:
    """The active faults of SNMP agents, by router."""
    found: dict[str, list[Fault]] = {}
    for one in active:
        if one.fault.kind in AGENT_FAULTS:
            for device in affected_routers(net, one.fault, restored.get(one.key, ())):
                found.setdefault(device.name, []).append(one.fault)
    return found


def agent_defects(net: SimulatedNetwork, device: Device, faults: Iterable[Fault]) -> AgentDefects:
    """The defects of a router's agent when all these faults are active."""
    defects = NO_DEFECTS
    for fault in faults:
        if fault.kind is FaultKind.SNMP_SILENT:
            defects = replace(defects, silent=True)
        elif fault.kind is FaultKind.NARROW:
            defects = replace(defects, narrow=True)
        elif fault.kind is FaultKind.TOO_BIG:
            fewest = min(fault.varbinds, defects.max_varbinds or fault.varbinds)
            defects = replace(defects, max_varbinds=fewest)
        elif fault.kind is FaultKind.ENDLESS_WALK:
            defects = replace(defects, endless=True)
        elif fault.kind is FaultKind.HUGE_ANSWER:
            defects = replace(defects, huge=True)
        elif fault.kind is FaultKind.OTHER_SOURCE:
            defects = replace(defects, source_address=_other_address(net, device, fault))
    return defects


def _other_address(net: SimulatedNetwork, device: Device, fault: Fault) -> str:
    """The address named by the fault, or that of the router before."""
    if fault.sender is not None:
        return net.addresses[fault.sender].address
    return net.upstream_of(net.select(device.name)[0])


_SILENCING = (
    FaultKind.CUT,
    FaultKind.FLAP,
    FaultKind.REBOOT,
    FaultKind.POP_DOWN,
    FaultKind.UPLINK_CUT,
)
_NO_ADDRESS = (FaultKind.NO_ROUTE, *AGENT_FAULTS, *INSTANT_FAULTS)
CASCADING_FAULTS = (FaultKind.POP_DOWN, FaultKind.REBOOT)
"""Faults of a node that also cut every address behind it."""


def faults_by_address(
    net: SimulatedNetwork,
    active: Sequence[ActiveFault],
    elapsed_s: float,
    restored: Mapping[str, set[str]],
) -> dict[str, list[Fault]]:
    """The active faults of each address that has any.

    elapsed_s: seconds after the start of the scenario. restored: by a fault's key, the addresses
    that were restored from it.
    """
    cut_off = {
        one.key: net.behind(_nodes(net, one), restored.get(one.key, set()))
        for one in active
        if one.fault.kind in CASCADING_FAULTS
    }
    # An address behind two nodes is cut only when both are down: both faults are the cause.
    nodes_down = frozenset[str]().union(*cut_off.values())
    cut_by_both = net.behind(nodes_down, set().union(*restored.values())) - nodes_down
    found: dict[str, list[Fault]] = {}
    for one in active:
        names = _named(net, one.fault, elapsed_s - one.since_s)
        if cut_off.get(one.key):
            names |= cut_off[one.key] | cut_by_both
        for name in names - restored.get(one.key, set()):
            found.setdefault(name, []).append(one.fault)
    for each in net.addresses.values():
        carriers = [found.get(name, []) for name in each.depends_on]
        if carriers and all(
            any(fault.kind in _SILENCING for fault in faults) for faults in carriers
        ):
            found.setdefault(each.name, []).extend(carriers[0])
    return found


def combined_behaviour(usual: Behaviour, faults: Iterable[Fault], sender: str | None) -> Behaviour:
    """The behaviour when all these faults are active.

    Losses are independent, delays and jitters add up, silence overrides an ICMP error.
    sender: address of the router that sends the ICMP error, for an unreachable fault.
    """
    behaviour = usual
    for fault in faults:
        received = (1.0 - behaviour.loss_ratio) * (1.0 - fault.loss_ratio)
        behaviour = replace(
            behaviour,
            loss_ratio=1.0 - received if fault.loss_ratio else behaviour.loss_ratio,
            delay_ms=behaviour.delay_ms + fault.delay_ms,
            jitter_ms=behaviour.jitter_ms + fault.jitter_ms,
        )
        if fault.kind in _SILENCING:
            behaviour = replace(behaviour, mode=ReplyMode.SILENT)
        elif fault.kind is FaultKind.TTL_SILENT:
            behaviour = replace(behaviour, ttl_silent=True)
        elif fault.kind is FaultKind.TTL_LIMITED:
            behaviour = replace(behaviour, ttl_per_s=fault.per_s)
        elif fault.kind is FaultKind.DUPLICATE:
            behaviour = replace(behaviour, duplicate_ratio=fault.share_ratio)
        elif fault.kind is FaultKind.UNREACHABLE and behaviour.mode is not ReplyMode.SILENT:
            behaviour = replace(
                behaviour,
                mode=ReplyMode.UNREACHABLE,
                unreachable_from=sender,
                unreachable_code=fault.code,
                quote_bytes=fault.quote_bytes,
            )
    return behaviour


def _nodes(net: SimulatedNetwork, one: ActiveFault) -> set[str]:
    return {name for name in one.fault.where if name in net.nodes}


def _named(net: SimulatedNetwork, fault: Fault, since_s: float) -> set[str]:
    """The addresses that the fault names, empty while it has no effect."""
    if fault.kind in _NO_ADDRESS or (fault.kind is FaultKind.FLAP and not fault.cut_at(since_s)):
        return set()
    names = {name for where in fault.where for name in net.select(where)}
    if fault.kind is FaultKind.REBOOT:
        devices = [net.device_of(where) for where in fault.where]
        names.update(name for d in devices if d is not None for name in net.select(d.name))
    return names
