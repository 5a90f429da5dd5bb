"""What is known of one router besides its samples: for the people who look after it. Pure.

A router tells its texts itself, so they are cut short here; whoever shows them makes them safe.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from monitor.core.documents import Document, rfc3339
from monitor.core.model import Device, Interface
from monitor.core.samples.rates import NoRate, Rates
from monitor.core.samples.samples import InterfaceSample
from monitor.core.samples.snmp_poll import DevicePoll, InterfaceCounters, PollFailed

LONGEST = 400
EXPECTED = frozenset({NoRate.FIRST, NoRate.TOO_SOON, NoRate.NOT_TOLD})
"""Reasons that say nothing of the router: of a start, of our own pace, of what it never had."""


@dataclass(frozen=True, slots=True)
class RouterFacts:
    """Of all polls since `since_s` (UTC, like all times here).

    poll, rates, told_s: of the last one that brought something. failed, failed_s: of the last one
    that brought nothing; None when the newest brought something. dropped: readings that gave no
    rate, by reason; dropped_s: the last one of them.
    """

    since_s: float
    poll: DevicePoll | None = None
    told_s: float | None = None
    samples: tuple[InterfaceSample, ...] = ()
    failed: PollFailed | None = None
    failed_s: float | None = None
    dropped: Mapping[NoRate, int] = field(default_factory=dict)
    dropped_s: Mapping[NoRate, float] = field(default_factory=dict)

    def told(self, poll: DevicePoll, rates: Rates, at_s: float) -> RouterFacts:
        """After a poll that brought something."""
        counted = Counter(each.reason for each in rates.dropped if each.reason not in EXPECTED)
        return replace(
            self,
            poll=poll,
            told_s=at_s,
            samples=rates.samples,
            failed=None,
            failed_s=None,
            dropped=Counter(self.dropped) + counted,
            dropped_s={**self.dropped_s, **dict.fromkeys(counted, at_s)},
        )

    def silent(self, failed: PollFailed, at_s: float) -> RouterFacts:
        """After a poll that brought nothing."""
        return replace(self, failed=failed, failed_s=at_s)


def router_document(device: Device, told: RouterFacts | None) -> Document:
    """`GET /routers/<name>`. told: None when it was not asked yet."""
    known = RouterFacts(0.0) if told is None else told
    poll = known.poll
    facts = None if poll is None else poll.facts
    counters = {} if poll is None else {port.name: port for port in poll.interfaces}
    samples = {sample.ifname: sample for sample in known.samples}
    failed = known.failed
    return {
        "device": device.name,
        "address": device.address,
        "interval_s": device.interval_s,
        "since": None if told is None else rfc3339(told.since_s),
        "at": rfc3339(known.told_s),
        "failed": None
        if failed is None
        else {
            "at": rfc3339(known.failed_s),
            "reason": failed.reason,
            "detail": failed.detail[:LONGEST],
        },
        "sys_name": None if poll is None else _short(poll.sys_name),
        "description": None if poll is None else _short(poll.description),
        "uptime_s": None if facts is None else facts.uptime_s,
        "cpu": None if facts is None else facts.cpu,
        "memory": None if facts is None else facts.memory,
        "temperature_c": None if facts is None else facts.temperature_c,
        "voltage_v": None if facts is None else facts.voltage_v,
        "ports": [
            _port(each, counters.get(each.name), samples.get(each.name))
            for each in device.interfaces
        ],
        "missing": [] if poll is None else list(poll.missing),
        "dropped": {
            str(reason): {"readings": count, "last": rfc3339(known.dropped_s.get(reason))}
            for reason, count in sorted(known.dropped.items())
        },
    }


def _port(
    interface: Interface, counters: InterfaceCounters | None, sample: InterfaceSample | None
) -> Document:
    return {
        "name": interface.name,
        "link": interface.link,
        "alias": None if counters is None else _short(counters.alias),
        "oper": None if counters is None else counters.oper,
        "speed_bps": None if counters is None else counters.speed_bps,
        "capacity_bps": interface.capacity_bps,
        "in_bps": None if sample is None else sample.in_bps,
        "out_bps": None if sample is None else sample.out_bps,
    }


def _short(text: str | None) -> str | None:
    return None if text is None else text[:LONGEST]
