"""Scenarios for the detector: what each target answers and when, probed as the daemon probes.

A scenario knows when each cut began, so decisions can be held against the truth. A target is
probed at its steady rate, and at its confirm rate while it is suspected.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from heapq import heappop, heappush

from monitor.core.detection.detector import Detector
from monitor.core.model import (
    ChangeKind,
    Decision,
    Evidence,
    Incident,
    IncidentChange,
    Link,
    Lost,
    Network,
    Node,
    NotMeasured,
    ProbeRules,
    Reply,
    Site,
    Target,
    TargetRole,
    Tick,
    Transition,
)

Answer = float | None | str
"""RTT in ms, None for silence, or an errno name for a request that could not be sent."""
Behaviour = Callable[[float], Answer]

T0 = 1_764_000_000.0


def steady(rtt_ms: float = 10.0) -> Behaviour:
    return lambda _: rtt_ms


def silent_between(*spans: tuple[float, float], rtt_ms: float = 10.0) -> Behaviour:
    """Silent in each [start, end) (seconds after T0)."""
    return lambda t: None if any(a <= t < b for a, b in spans) else rtt_ms


def unsent_between(start: float, end: float, errno: str = "ENETUNREACH") -> Behaviour:
    return lambda t: errno if start <= t < end else 10.0


def network(
    links: Mapping[str, tuple[str, ...]],
    nodes: Mapping[str, tuple[str, ...]] | None = None,
    anchors: int = 0,
    rules: ProbeRules | None = None,
) -> Network:
    """Links (`site/link`) and nodes with what they hang on."""
    rules = rules or ProbeRules()
    sites: dict[str, list[Link]] = {}
    for i, (name, via) in enumerate(links.items()):
        site, link = name.split("/")
        sites.setdefault(site, []).append(
            Link(link, name, site, f"10.77.{i // 250}.{i % 250 + 1}", "fibre", rules, via)
        )
    return Network(
        sites=tuple(Site(s, s.title(), "32.12.01", tuple(ls)) for s, ls in sites.items()),
        nodes=tuple(
            Node(n, n, f"10.78.0.{i + 1}", rules, parents)
            for i, (n, parents) in enumerate((nodes or {}).items())
        ),
        anchors=tuple(
            Target(f"anchor:10.79.0.{i + 1}", f"10.79.0.{i + 1}", TargetRole.ANCHOR, rules)
            for i in range(anchors)
        ),
    )


@dataclass
class Scenario:
    """Runs a network from T0 on. Times are seconds after T0."""

    net: Network
    behaviours: dict[str, Behaviour] = field(default_factory=dict)
    detector: Detector = field(init=False)
    decisions: list[Decision] = field(default_factory=list)
    lines: list[tuple[float, str, Answer]] = field(default_factory=list)
    on_evidence: Callable[[Evidence], None] | None = None
    now: float = 0.0

    def __post_init__(self) -> None:
        self.detector = Detector(self.net)
        self._queue: list[tuple[float, str]] = []
        self._due: list[tuple[float, int, Evidence]] = []
        self._count = 0
        targets = self.net.targets()
        self._targets = {t.name: t for t in targets}
        for i, target in enumerate(targets):
            heappush(self._queue, (i / len(targets) * target.rules.interval_s, target.name))

    def __setitem__(self, target: str, behaviour: Behaviour) -> None:
        self.behaviours[target] = behaviour

    def run(self, until: float, stopped: tuple[float, float] | None = None) -> Scenario:
        """Probe until `until`; nothing is sent in `stopped` (the daemon does not run)."""
        while self._queue and self._queue[0][0] < until:
            at, name = heappop(self._queue)
            self._advance_to(at)
            target = self._targets[name]
            if stopped and stopped[0] <= at < stopped[1]:
                heappush(self._queue, (stopped[1] + (at - stopped[0]) % 1.0, name))
                continue
            self._send(target, at)
            rules = target.rules
            fast = name in self.detector.suspected
            pause = rules.confirm_interval_s if fast else rules.interval_s
            heappush(self._queue, (round(at + pause, 6), name))
        self._advance_to(until)
        self.now = until
        return self

    def _send(self, target: Target, at: float) -> None:
        answer = self.behaviours.get(target.name, steady())(at)
        sent = T0 + at
        self.lines.append((sent, target.name, answer))
        item: Evidence
        if isinstance(answer, str):
            item = NotMeasured(target.name, sent, sent, answer)
        elif answer is None or answer > target.rules.timeout_s * 1000:
            item = Lost(target.name, sent, sent + target.rules.timeout_s)
        else:
            item = Reply(target.name, sent, sent + answer / 1000, answer)
        known = item.known_s
        self._count += 1
        heappush(self._due, (known, self._count, item))

    def _advance_to(self, at: float) -> None:
        while self._due and self._due[0][0] <= T0 + at:
            item = heappop(self._due)[2]
            if self.on_evidence is not None:
                self.on_evidence(item)
            self.decisions += self.detector.advance([item])
        self.decisions += self.detector.advance([Tick(T0 + at)])

    def incidents(self) -> list[Incident]:
        """Every incident in its last form, by id."""
        last: dict[int, Incident] = {}
        for decision in self.decisions:
            if isinstance(decision, IncidentChange):
                last[decision.incident.id] = decision.incident
        return [last[i] for i in sorted(last)]

    def opened(self) -> list[Incident]:
        return [
            d.incident
            for d in self.decisions
            if isinstance(d, IncidentChange) and d.change is ChangeKind.OPENED
        ]

    def transitions(self, target: str | None = None) -> list[Transition]:
        return [
            d
            for d in self.decisions
            if isinstance(d, Transition) and (target is None or d.target == target)
        ]

    def path(self, target: str) -> list[str]:
        """The states that a target went through."""
        return [t.after.value for t in self.transitions(target)]


def offset_s(moment_s: float) -> float:
    """A steady time as seconds after T0."""
    return moment_s - T0
