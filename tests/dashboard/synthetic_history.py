"""A deterministic synthetic history: decisions, samples and state document of three days."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from math import pi, sin
from pathlib import Path
from zlib import crc32

from monitor.core.documents import Document, TargetStatus, rfc3339, status_document
from monitor.core.model import (
    ChangeKind,
    Decision,
    Incident,
    IncidentChange,
    IncidentEvidence,
    Link,
    Network,
    Scope,
    State,
    Transition,
)
from monitor.core.samples.samples import STATE_CODES, InterfaceSample, PingSample
from monitor.settings import load, require_valid

CONFIG = Path(__file__).parents[2] / "config"
HOUR_S = 3600.0
DAY_S = 86_400.0
BASE_MS = {"fibre": 4.0, "radio": 14.0, "lte": 42.0, "vsat": 610.0}
SILENT = (State.DOWN, State.UNREACHABLE, State.UNKNOWN)


def shipped_network() -> Network:
    """The 31 sites of the shipped configuration."""
    return require_valid(load(CONFIG, {}), strict=False).network


Faults = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class PastEvent:
    """An outage or degradation that began `ago_s` ago. lasted_s None: it is open."""

    target: str
    state: State
    ago_s: float
    lasted_s: float | None = None
    reason: str = "silence"
    proof: IncidentEvidence = field(
        default_factory=lambda: IncidentEvidence(lost_in_row=22, loss_before=0.004, silence_s=5.2)
    )


@dataclass(frozen=True)
class SyntheticHistory:
    """States and samples at `now_s` (Unix time) and before."""

    network: Network
    now_s: float
    events: tuple[PastEvent, ...] = ()
    maintenance: frozenset[str] = frozenset()
    watched_for_s: float = 3 * DAY_S
    warnings: tuple[str, ...] = ()

    def later(self, by_s: float, *events: PastEvent) -> SyntheticHistory:
        """The history moved forward by `by_s`, with further events."""
        moved = tuple(replace(event, ago_s=event.ago_s + by_s) for event in self.events)
        return replace(self, now_s=self.now_s + by_s, events=moved + events)

    @cached_property
    def links(self) -> dict[str, Link]:
        """Every link by its full name."""
        return {link.name: link for link in self.network.links()}

    @cached_property
    def hidden(self) -> dict[str, tuple[str, ...]]:
        """The links behind a single node, by its id."""
        return {
            node.id: tuple(link.name for link in self.network.links() if link.via == (node.id,))
            for node in self.network.nodes
        }

    @cached_property
    def outages(self) -> dict[str, list[tuple[float, float | None, State, str]]]:
        """When each target was not up: (from, to, state, reason), in order of time."""
        found: dict[str, list[tuple[float, float | None, State, str]]] = {}
        for event in sorted(self.events, key=lambda each: -each.ago_s):
            start_s = self.now_s - event.ago_s
            end_s = None if event.lasted_s is None else start_s + event.lasted_s
            found.setdefault(event.target, []).append((start_s, end_s, event.state, event.reason))
            for name in self.hidden.get(event.target, ()):
                found.setdefault(name, []).append(
                    (start_s, end_s, State.UNREACHABLE, "parent_down")
                )
        return found

    def state_at(self, target: str, at_s: float) -> tuple[State, float]:
        """The state, and since when."""
        since_s = self.now_s - self.watched_for_s
        for start_s, end_s, state, _ in self.outages.get(target, ()):
            if start_s <= at_s and (end_s is None or at_s < end_s):
                return state, start_s
            if end_s is not None and end_s <= at_s:
                since_s = end_s
        return State.UP, since_s

    def names(self) -> list[str]:
        """Every link and node."""
        return [each.name for each in self.network.links()] + [n.id for n in self.network.nodes]

    def decisions(self) -> list[Decision]:
        """Transitions and incident changes, as the detector would have made them."""
        first_s = self.now_s - self.watched_for_s
        told: list[Decision] = []
        for name in self.names():
            told.append(Transition(name, first_s, first_s, State.UNKNOWN, State.UP, "first_reply"))
            for start_s, end_s, state, reason in self.outages.get(name, ()):
                told.append(Transition(name, start_s, start_s + 6, State.UP, state, reason))
                if end_s is not None:
                    told.append(Transition(name, end_s, end_s + 2, state, State.UP, "reply"))
        for incident in self.incidents():
            still = replace(incident, ended_s=None, end_reason=None)
            told.append(IncidentChange(ChangeKind.OPENED, still, incident.detected_s))
            if incident.ended_s is not None:
                told.append(IncidentChange(ChangeKind.CLOSED, incident, incident.ended_s))
        return told

    def incidents(self) -> list[Incident]:
        """One incident per event, ordered by start."""
        nodes = {node.id for node in self.network.nodes}
        found = []
        for number, event in enumerate(sorted(self.events, key=lambda each: -each.ago_s), 1):
            start_s = self.now_s - event.ago_s
            scope = Scope.NODE if event.target in nodes else Scope.LINK
            if event.target == "monitor":
                scope = Scope.MONITOR
            found.append(
                Incident(
                    id=number,
                    scope=scope,
                    target=event.target,
                    state=event.state,
                    started_s=start_s,
                    detected_s=start_s + 6,
                    reason=event.reason,
                    evidence=event.proof,
                    ended_s=None if event.lasted_s is None else start_s + event.lasted_s,
                    end_reason=None if event.lasted_s is None else "reply",
                    affected=self.hidden.get(event.target, ()),
                )
            )
        return found

    def document(self) -> Document:
        """The document of `GET /state`."""
        return status_document(
            self.network,
            self.target_status,
            {"state": "up", "last_round": rfc3339(self.now_s), "warnings": list(self.warnings)},
            [incident for incident in self.incidents() if incident.ended_s is None],
            self.now_s,
            0.2,
            stale=False,
        )

    def target_status(self, target: str) -> TargetStatus:
        """Current status of a target."""
        state, since_s = self.state_at(target, self.now_s)
        rtt_ms = None if state in SILENT else self.rtt_ms(target, self.now_s)
        loss = 100.0 if state in SILENT else self.loss(target, self.now_s) * 100
        overlays = ("maintenance",) if target in self.maintenance else ()
        unknown = state is State.UNKNOWN
        return TargetStatus(state, since_s, rtt_ms, None if unknown else loss, overlays)

    def rtt_ms(self, target: str, at_s: float) -> float:
        """RTT with a daily curve, noise and occasional spikes."""
        link = self._link(target)
        base = BASE_MS.get(link.kind, 20.0) if link is not None else 1.5
        own = 0.75 + 0.75 * (crc32(target.encode()) % 97) / 97
        chance = random.Random(crc32(f"{target} {at_s // 10:.0f}".encode()))
        hour = (at_s / HOUR_S + 7) % 24
        swell = 1 + 0.25 * sin((hour - 8) / 24 * 2 * pi)
        spike = chance.uniform(1.3, 2.2) if chance.random() < 0.02 else 1.0
        found = base * own * swell * spike * chance.gauss(1, 0.03)
        if self._event_now(target, at_s, "rtt"):
            found = max(found * 2.4, (link.rules.rtt_ms if link is not None else 50.0) * 1.3)
        return max(found, 0.4)

    def loss(self, target: str, at_s: float) -> float:
        """Loss ratio, 0 to 1."""
        if self._event_now(target, at_s, "loss"):
            return 0.08
        return 0.0 if crc32(f"{target} {at_s // 60:.0f}".encode()) % 100 < 97 else 0.02

    def ping(self, target: str, at_s: float, over_s: float) -> PingSample:
        """The row of the period that ends at `at_s`."""
        link = self._link(target)
        state, _ = self.state_at(target, at_s - 1)
        sent = 0 if state is State.UNKNOWN else round(over_s)
        silent = state in SILENT
        chance = random.Random(crc32(f"{target} lost {at_s:.0f}".encode()))
        loss = self.loss(target, at_s)
        lost = sent if silent else round(loss * sent * chance.uniform(0.7, 1.4))
        rtt = self.rtt_ms(target, at_s)
        replied = sent - lost > 0
        return PingSample(
            at_s=at_s,
            target=target,
            site=None if link is None else link.site,
            link=None if link is None else link.id,
            node=target if link is None else None,
            kind=None if link is None else link.kind,
            provider=None if link is None else link.provider,
            sent=sent,
            received=sent - lost,
            not_measured=round(over_s) if state is State.UNKNOWN else 0,
            state=STATE_CODES[state],
            rtt_min=rtt * 0.82 if replied else None,
            rtt_avg=rtt * 1.03 if replied else None,
            rtt_p50=rtt if replied else None,
            rtt_p95=rtt * (1.15 + chance.random() * 0.5) if replied else None,
            rtt_max=rtt * 2.1 if replied else None,
            jitter=rtt * 0.08 if replied else None,
        )

    def pings(self, since_s: float, every_s: float, until_s: float = 0.0) -> Iterator[PingSample]:
        """Rows of all targets from `since_s` ago to `until_s` ago."""
        first = int((self.now_s - since_s) // every_s) + 1
        last = int((self.now_s - until_s) // every_s)
        for number in range(first, last + 1):
            for target in self.names():
                yield self.ping(target, number * every_s, every_s)

    def ports(
        self, since_s: float, every_s: float, until_s: float = 0.0
    ) -> Iterator[InterfaceSample]:
        """Traffic of every site's interfaces; none while the link is down."""
        first = int((self.now_s - since_s) // every_s) + 1
        last = int((self.now_s - until_s) // every_s)
        for number in range(first, last + 1):
            at_s = number * every_s
            for site in self.network.sites:
                for port in site.device.interfaces if site.device is not None else ():
                    if port.link is None or self.state_at(port.link, at_s)[0] in SILENT:
                        continue
                    yield self._port(site.id, port.name, port.link, port.capacity_bps, at_s)

    def _port(
        self, site: str, name: str, link: str, capacity: float | None, at_s: float
    ) -> InterfaceSample:
        hour = (at_s / HOUR_S + 7) % 24
        busy = 0.04 + 0.5 * max(0.0, sin((hour - 6.5) / 10 * pi)) if 6.5 < hour < 16.5 else 0.04
        chance = random.Random(f"{site} {name} {at_s:.0f}")
        full = capacity or 1e8
        inward = full * min(0.97, busy * chance.uniform(0.75, 1.25))
        outward = inward * chance.uniform(0.18, 0.3)
        return InterfaceSample(
            at_s, site, name, site, link, inward, outward, inward / full, outward / full,
            *self._faults(link, at_s, chance), 1, round(full),
        )  # fmt: skip

    def _faults(self, link: str, at_s: float, chance: random.Random) -> Faults:
        """Errors and discards per second, only while the link is degraded."""
        if self.state_at(link, at_s)[0] is not State.DEGRADED:
            return (0.0, 0.0, 0.0, 0.0)
        return (chance.uniform(0.1, 0.9), 0.0, 0.0, chance.choice((0.0, 0.05, 0.3)))

    def _event_now(self, target: str, at_s: float, reason: str) -> bool:
        return any(
            why == reason and start_s <= at_s and (end_s is None or at_s < end_s)
            for start_s, end_s, _, why in self.outages.get(target, ())
        )

    def _link(self, target: str) -> Link | None:
        return self.links.get(target)


def past(seed: int = 4) -> tuple[PastEvent, ...]:
    """Ended events of the last day."""
    chance = random.Random(seed)
    targets = (
        "bongas/utama", "losarang/utama", "lelea/utama", "tukdana/utama", "balongan/utama",
        "arahan/utama", "pasekan/utama", "sindang/utama", "widasari/utama", "patrol/utama",
        "kertasemaya/utama", "sliyeg/utama", "kroya/utama", "haurgeulis/cadangan", "lelea/utama",
    )  # fmt: skip
    found = []
    for target in targets:
        ago_s = chance.uniform(1.2 * HOUR_S, 23.5 * HOUR_S)
        lasted_s = min(chance.choice((180.0, 420.0, 1500.0, 3300.0)), ago_s - HOUR_S)
        if chance.random() < 0.5:
            found.append(PastEvent(target, State.DOWN, ago_s, lasted_s))
        else:
            proof = IncidentEvidence(loss_ratio=0.091, limit=0.05)
            found.append(PastEvent(target, State.DEGRADED, ago_s, lasted_s, "loss", proof))
    return tuple(found)


def quiet(network: Network, now_s: float) -> SyntheticHistory:
    """A day with few events, none of them open."""
    return SyntheticHistory(network, now_s, past()[:5])


def trouble(network: Network, now_s: float) -> SyntheticHistory:
    """One of each: node down, new outage, loss, latency, no data, maintenance."""
    loss = IncidentEvidence(loss_ratio=0.083, limit=0.05)
    slow = IncidentEvidence(rtt_ms=198.0, limit=150.0)
    unsent = IncidentEvidence(error="ENETUNREACH")
    events = (
        PastEvent("cikedung/utama", State.DOWN, 70),
        PastEvent("losarang/utama", State.DOWN, 26 * 60),
        PastEvent("pop-karangampel", State.DOWN, 35 * 60),
        PastEvent("gantar/utama", State.DOWN, 2.2 * HOUR_S),
        PastEvent("terisi/utama", State.DEGRADED, 71 * 60, None, "loss", loss),
        PastEvent("bangodua/utama", State.DEGRADED, 112 * 60, None, "rtt", slow),
        PastEvent("sukra/utama", State.UNKNOWN, 47 * 60, None, "not_measured", unsent),
        PastEvent("cantigi/utama", State.DOWN, 20 * 60),
    )
    busy = {event.target for event in events}
    before = tuple(event for event in past() if event.target not in busy)
    return SyntheticHistory(network, now_s, before + events, frozenset({"cantigi/utama"}))


def in_time_order(
    samples: Sequence[PingSample | InterfaceSample],
) -> list[PingSample | InterfaceSample]:
    """Sorted by time, as the daemon writes them."""
    return sorted(samples, key=lambda sample: sample.at_s)
