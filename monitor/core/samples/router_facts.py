"""Facts about one router besides its samples, as `GET /routers/<name>` shows them.

Texts come from the router itself: they are cut to a length here, and escaped where they are shown.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from monitor.core.documents import Document, rfc3339
from monitor.core.model import Device, Interface
from monitor.core.samples.rates import NoRate, PollRates
from monitor.core.samples.samples import InterfaceSample
from monitor.core.samples.snmp_poll import DevicePoll, InterfaceCounters, PollFailed

MAX_TEXT = 400
EXPECTED = frozenset({NoRate.FIRST, NoRate.TOO_SOON, NoRate.NOT_REPORTED})
"""Reasons that are no fault of the router: a start, our own pace, a counter that it lacks."""


@dataclass(frozen=True, slots=True)
class RouterFacts:
    """The polls since `since_s` (UTC, like all times here).

    poll, samples, polled_s: of the last poll that was answered. failed, failed_s: of the last one
    that was not; None when the newest was answered. dropped: readings that gave no rate, by
    reason; dropped_s: the last one of each.
    """

    since_s: float
    poll: DevicePoll | None = None
    polled_s: float | None = None
    samples: tuple[InterfaceSample, ...] = ()
    failed: PollFailed | None = None
    failed_s: float | None = None
    dropped: Mapping[NoRate, int] = field(default_factory=dict)
    dropped_s: Mapping[NoRate, float] = field(default_factory=dict)

    def after_poll(self, poll: DevicePoll, rates: PollRates, at_s: float) -> RouterFacts:
        """The facts after a poll that was answered."""
        counted = Counter(each.reason for each in rates.dropped if each.reason not in EXPECTED)
        return replace(
            self,
            poll=poll,
            polled_s=at_s,
            samples=rates.samples,
            failed=None,
            failed_s=None,
            dropped=Counter(self.dropped) + counted,
            dropped_s={**self.dropped_s, **dict.fromkeys(counted, at_s)},
        )

    def after_failure(self, failed: PollFailed, at_s: float) -> RouterFacts:
        """The facts after a poll that failed."""
        return replace(self, failed=failed, failed_s=at_s)


def router_document(device: Device, facts: RouterFacts | None) -> Document:
    """`GET /routers/<name>`. facts: None before the first poll."""
    known = RouterFacts(0.0) if facts is None else facts
    poll = known.poll
    device_sample = None if poll is None else poll.facts
    counters = {} if poll is None else {port.name: port for port in poll.interfaces}
    samples = {sample.ifname: sample for sample in known.samples}
    failed = known.failed
    return {
        "device": device.name,
        "address": device.address,
        "interval_s": device.interval_s,
        "since": None if facts is None else rfc3339(facts.since_s),
        "at": rfc3339(known.polled_s),
        "failed": None
        if failed is None
        else {
            "at": rfc3339(known.failed_s),
            "reason": failed.reason,
            "detail": failed.detail[:MAX_TEXT],
        },
        "sys_name": None if poll is None else _short(poll.sys_name),
        "description": None if poll is None else _short(poll.description),
        "uptime_s": None if device_sample is None else device_sample.uptime_s,
        "cpu": None if device_sample is None else device_sample.cpu,
        "memory": None if device_sample is None else device_sample.memory,
        "temperature_c": None if device_sample is None else device_sample.temperature_c,
        "voltage_v": None if device_sample is None else device_sample.voltage_v,
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
    return None if text is None else text[:MAX_TEXT]
