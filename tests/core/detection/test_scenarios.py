"""Scenarios whose truth is known, held against the incidents and states that they must give.

Times are seconds after the start of a scenario. A probed target is suspected and confirmed as by
the daemon, so a cut at 60 s is first lost at 60 to 61 s and known one time-out later.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import pairwise

import pytest

from monitor.core.model import Incident, Network, ProbeRules
from tests.core.detection.scenario import (
    Behaviour,
    Scenario,
    network,
    offset_s,
    silent_between,
    unsent_between,
)

A, B, ANCHOR, ANCHOR_2 = "a/utama", "b/utama", "anchor:10.79.0.1", "anchor:10.79.0.2"
Range = tuple[float, float]
FOR_EVER = 900.0


@dataclass(frozen=True)
class Expected:
    """One incident. start, end, earliest, ended_earliest: (lowest, highest).

    within: seconds from start to detection, at most; after: at least.
    """

    target: str
    state: str = "down"
    start: Range | None = None
    end: Range | None = None
    within: float = FOR_EVER
    after: float = 0.0
    reason: str | None = None
    end_reason: str | None = None
    affected: tuple[str, ...] | None = None
    earliest: Range | None = None
    ended_earliest: Range | None = None

    def check(self, found: Incident) -> None:
        assert (found.target, found.state.value) == (self.target, self.state)
        for limits, at_s in (
            (self.start, found.started_s),
            (self.end, found.ended_s),
            (self.earliest, found.started_earliest_s),
            (self.ended_earliest, found.ended_earliest_s),
        ):
            if limits is not None:
                assert at_s is not None
                assert limits[0] <= offset_s(at_s) <= limits[1]
        assert self.after <= found.detected_s - found.started_s <= self.within
        assert self.reason in (None, found.reason)
        assert self.end_reason in (None, found.end_reason)
        assert self.affected is None or self.affected == tuple(sorted(found.affected))


@dataclass(frozen=True)
class Case:
    """answers: by target, "*" for all that are not named. incidents: all, in order of their ids.

    paths: the states that a target goes through ("*": every target).
    """

    title: str
    net: Network
    answers: Mapping[str, Behaviour]
    until: float
    incidents: tuple[Expected, ...] = ()
    paths: Mapping[str, str] = field(default_factory=dict)
    stopped: Range | None = None


def many(count: int, **more: object) -> Network:
    """Links `s0/utama` and so on, on nothing."""
    return network({f"s{i}/utama": () for i in range(count)}, **more)  # type: ignore[arg-type]


def slow(start: float, end: float, rtt_ms: float = 120.0, *cuts: Range) -> Behaviour:
    silent = silent_between(*cuts)
    return lambda t: None if silent(t) is None else (rtt_ms if start <= t < end else 10.0)


def anchors_with(rules: ProbeRules, net: Network) -> Network:
    return replace(net, anchors=tuple(replace(anchor, rules=rules) for anchor in net.anchors))


def every(interval_s: float, net: Network) -> Network:
    """The anchors are probed every `interval_s`."""
    return anchors_with(ProbeRules(interval_s=interval_s), net)


def node_every(interval_s: float, net: Network) -> Network:
    """The first node is probed every `interval_s`."""
    return replace(net, nodes=(replace(net.nodes[0], rules=ProbeRules(interval_s=interval_s)),))


def first_link_every(interval_s: float, net: Network) -> Network:
    """The first link is probed every `interval_s`."""
    first = net.sites[0]
    link = replace(first.links[0], rules=ProbeRules(interval_s=interval_s))
    return replace(net, sites=(replace(first, links=(link, *first.links[1:])), *net.sites[1:]))


cut = silent_between
ONE = network({A: ()})
TWO = network({A: (), B: ()})
BEHIND = network({A: ("pop",), B: ()}, {"pop": ()})
POP_12 = network({f"s{i}/utama": ("pop",) for i in range(12)}, {"inti": (), "pop": ("inti",)}, 2)
POP_LINKS = tuple(sorted(link.name for link in POP_12.links()))
RING = network(
    {f"s{i}/utama": (f"pop{i % 3}",) for i in range(9)},
    {"inti": (), **{f"pop{i}": ("inti",) for i in range(3)}},
    anchors=1,
)
TWO_WAYS = network({A: ("p1", "p2")}, {"p1": (), "p2": ()})
DEEP = network({A: ("pop",), B: ()}, {"inti": (), "pop": ("inti",)})
MONITOR = "monitor"

# Rows: title, network, answers, until, incidents, paths, stopped.
# fmt: off
CASES = [
    # Confirming DOWN
    Case("a link that answers is up", ONE, {}, 30, (), {A: "up"}),
    *(Case(f"a cut at {at} s is down within 7 s and starts at the first lost request", ONE,
        {A: cut((at, 200))}, 120,
        (Expected(A, start=(at, at + 1.2), within=7.0, reason="silence"),),
        {A: "up down"}) for at in (60.0, 60.3, 60.71, 61.0)),
    *(Case(f"a silence of {length} s is no incident", ONE,
        {A: cut((100, 100 + length), (160, 160 + length))}, 300, (), {A: "up"}) for length in (1.0,
        2.0, 3.0, 4.0)),
    Case("a link that never answered is down from its first lost request", ONE,
        {A: lambda _: None}, 30, (Expected(A, start=(0, 0)),), {A: "down"}),
    Case("an outage ends at the first of three good replies", ONE, {A: cut((60, 90))}, 120,
        (Expected(A, end=(90, 91.2), end_reason="reply"),), {A: "up down up"}),
    Case("a single loss between good replies does not move the end", ONE,
        {A: cut((60, 90), (91.5, 92.5))}, 140, (Expected(A, end=(90, 91.2)),)),
    Case("two losses in a row during a recovery start it again", ONE,
        {A: cut((60, 90), (91.5, 94))}, 140, (Expected(A, end=(94, 95.2)),)),
    Case("a loss known after later replies starts no run",
        network({A: ()}, rules=ProbeRules(timeout_s=3.0)), {A: cut((60, 60.5))}, 200, (),
        {A: "up"}),
    Case("a flapping link has an incident for each outage", ONE,
        {A: cut(*((60 + 40 * i, 75 + 40 * i) for i in range(6)))}, 400, (Expected(A),) * 6),
    Case("31 sites down with anchors alive are 31 outages", many(31, anchors=1),
        {ANCHOR: cut(), "*": cut((60, 120))}, 180,
        tuple(Expected(f"s{i}/utama") for i in range(31))),
    # DEGRADED
    Case("slow replies are degraded until the median is under 80 % of the limit", ONE,
        {A: lambda t: 120.0 if 100 <= t < 200 else 45.0 if 200 <= t < 300 else 10.0}, 420,
        (Expected(A, "degraded", (100.1, 220), (300.1, 420), within=0.0, reason="rtt"),),
        {A: "up degraded up"}),
    Case("a link back from an outage is up, not degraded", ONE, {A: cut((60, 75))}, 200,
        (Expected(A),), {A: "up down up"}),
    Case("an outage closes a degraded incident; what came before it does not count afterwards",
        ONE, {A: slow(0, 200, 120.0, (200, 215))}, 300, (Expected(A, "degraded", end=(200, 201.2),
        end_reason="down"), Expected(A, start=(200, 201.2))), {A: "up degraded down up"}),
    Case("a link that is slow after an outage is degraded again", ONE,
        {A: slow(0, 900, 120.0, (200, 215))}, 330,
        (Expected(A, "degraded"), Expected(A), Expected(A, "degraded")),
        {A: "up degraded down up degraded"}),
    Case("a link with loss and slow replies is degraded by loss, and until both are gone", ONE,
        {A: lambda t: None if t < 100 and t % 5 < 1 else 120.0}, 220,
        (Expected(A, "degraded", reason="loss"),), {A: "up degraded"}),
    # Cause, not symptoms
    Case("a PoP that is down is one incident and makes its links unreachable", POP_12,
        {ANCHOR: cut(), ANCHOR_2: cut(), "inti": cut(), "*": cut((60, 120))}, 200,
        (Expected("pop", affected=POP_LINKS),), dict.fromkeys(POP_LINKS, "up unreachable up")),
    Case("a child that is still silent when its node is back has its own incident from then on",
        network({f"s{i}/utama": ("pop",) for i in range(4)}, {"pop": ()}),
        {"s2/utama": cut((60, 180)), "*": cut((60, 120))}, 240,
        (Expected("pop", end=(120, 121.2)), Expected("s2/utama", start=(120, 121.2))),
        {"s2/utama": "up unreachable down up"}),
    Case("the core down is one incident that lists all links through child nodes", RING,
        {ANCHOR: cut(), "*": cut((60, 100))}, 160,
        (Expected("inti", affected=tuple(sorted(link.name for link in RING.links()))),),
        {f"pop{i}": "up unreachable up" for i in range(3)}),
    Case("a link with two parents is down when one of them answers", TWO_WAYS,
        {"p2": cut(), "*": cut((60, 200))}, 100, (Expected("p1", affected=()), Expected(A)),
        {A: "up down"}),
    Case("a link with two parents is unreachable when both are down", TWO_WAYS,
        {"*": cut((60, 200))}, 100, (Expected("p1", affected=(A,)), Expected("p2", affected=(A,))),
        {A: "up unreachable"}),
    Case("a node that is back takes no evidence from a link with another parent", TWO_WAYS,
        {"p1": cut((30, 62)), A: cut((61, 100))}, 130,
        (Expected("p1"), Expected(A, start=(61, 61.9)))),
    Case("links that answer although their node does not are not affected",
        network({A: ("pop",), B: ("pop",)}, {"pop": ()}), {"pop": cut((60, 120))}, 100,
        (Expected("pop", affected=()),)),
    Case("links behind a child node that answers are not affected",
        network({A: ("pop",)}, {"inti": (), "pop": ("inti",)}),
        {"inti": cut((60, 120)), A: cut((60, 120))}, 100,
        (Expected("inti", affected=()), Expected(A))),
    Case("a link that falls silent later is added to the incident of the node far above it", DEEP,
        {"inti": cut((60, 150)), "pop": cut((60, 150)), A: cut((90, 150))}, 140,
        (Expected("inti", affected=(A,)),), {A: "up unreachable"}),
    Case("a link behind a node that is hidden itself is added to the incident above it", DEEP,
        {"pop": cut((60, 200)), "inti": cut((80, 200)), A: cut((100, 200))}, 150,
        (Expected("pop", affected=()), Expected("inti", affected=(A,)))),
    Case("a link that is slow before and after a blind interval has one degraded incident", ONE,
        {A: slow(0, 500)}, 240, (Expected(A, "degraded"),),
        {A: "up degraded unknown degraded"}, stopped=(150, 180)),
    Case("a degraded link whose node falls is unreachable and its incident ends", BEHIND,
        {"pop": cut((200, 240)), A: slow(0, 200, 120.0, (200, 240))}, 300,
        (Expected(A, "degraded", end_reason="parent_down"), Expected("pop")),
        {A: "up degraded unreachable up"}),
    Case("a link that answered since its node was back keeps its own evidence",
        network({A: ("pop",)}, {"pop": ()}, rules=ProbeRules(rise=10)),
        {"pop": cut((60, 100)), A: cut((60, 100), (106, 140))}, 180,
        (Expected("pop"), Expected(A, start=(106, 107.2)))),
    Case("a link waits for the reply of a node that answers slowly",
        network({A: ("pop",)}, {"pop": ()}), {A: cut((60, 100)), "pop": slow(62, FOR_EVER, 990.0)},
        80, (Expected(A),)),
    Case("a link waits 15 s at most for a node without evidence", node_every(60.0, BEHIND),
        {A: cut((70, 120))}, 110, (Expected(A, after=20.5, within=21.5),)),
    *(Case(f"a link suspected {when} its node came back starts a later outage at its own loss",
        first_link_every(4.0, BEHIND), {"pop": cut((60, back)), A: cut((79, 82), (200, 260))}, 280,
        (Expected("pop", affected=()), Expected(A, start=(200, 204.1)))) for when, back in
        (("since", 80.5), ("before", 81.5))),
    Case("failed sends behind a node that comes back are counted anew from then on",
        network({A: ("pop",), B: ()}, {"pop": ()}),
        {"pop": cut((60, 80)), A: lambda t: "EPERM" if t >= 79 else None if t >= 60 else 9.0}, 100,
        (Expected("pop"), Expected(A, "unknown", start=(82, 83.1), reason="not_measured"))),
    # The monitor itself
    Case("the monitor cut off is one incident of its own and no outage",
        many(10, nodes={"inti": ()}, anchors=2), {"*": cut((60, 120))}, 200,
        (Expected(MONITOR, "unknown", (60, 61.2), (120, 121.2), reason="silence"),),
        {"*": "up unknown up"}),
    Case("isolation is confirmed at its own deadline",
        anchors_with(ProbeRules(confirm_s=2.0), many(10, anchors=1)), {"*": cut((60, 120))}, 100,
        (Expected(MONITOR, "unknown", within=4.5),)),
    Case("two short silences of everything are no isolation", many(10, anchors=1),
        {"*": cut((60, 62), (100, 103))}, 130, (), {"*": "up"}),
    Case("fewer than five silent targets are no isolation", many(3, anchors=1),
        {"*": cut((60, 200))}, 150, tuple(Expected(f"s{i}/utama") for i in range(3))),
    Case("half of the targets silent with all anchors are no isolation", many(20, anchors=1),
        {name: cut((60, 500)) for name in (ANCHOR, *(f"s{i}/utama" for i in range(8)))}, 130,
        tuple(Expected(f"s{i}/utama") for i in range(8)), {ANCHOR: "up down"}),
    Case("nine silent targets of ten with all anchors are isolation", many(20, anchors=1),
        {"s7/utama": cut(), "*": cut((60, 100))}, 130, (Expected(MONITOR, "unknown"),)),
    Case("isolation starts after most targets answered for the last time", many(20, anchors=1),
        {"s3/utama": cut((60.1, 90)), "*": cut((60.5, 90))}, 120,
        (Expected(MONITOR, "unknown", (60.4, 60.6)),)),
    Case("isolation ends when most targets answer though no anchor does", many(10, anchors=1),
        {ANCHOR: cut((60, 500)), "*": cut((60, 100))}, 130,
        (Expected(MONITOR, "unknown", end=(100, 101.2)),), {"s0/utama": "up unknown up"}),
    Case("an outage found after isolation may have begun with it", many(10, anchors=1),
        {"s0/utama": cut((60, 140)), "*": cut((60, 100))}, 180, (Expected(MONITOR, "unknown",
        (60, 61.2)), Expected("s0/utama", start=(100, 101.2), earliest=(60, 61.2)))),
    Case("a link that falls just before everything is cut off is no outage", many(10, anchors=1),
        {"s0/utama": cut((60.2, 100)), "*": cut((61, 100))}, 130, (Expected(MONITOR, "unknown"),),
        {"*": "up unknown up"}),
    Case("a cut before the next request to a seldom probed anchor is no outage",
        every(6.0, many(10, anchors=1)), {"*": cut((60.2, 120))}, 160,
        (Expected(MONITOR, "unknown"),), {"*": "up unknown up"}),
    Case("an outage waits 15 s at most for a seldom probed anchor",
        every(60.0, network({A: (), B: ()}, anchors=1)), {A: cut((70.2, 110))}, 130,
        (Expected(A, after=21.0, within=22.0),)),
    *(Case(f"one of two anchors that answers is enough, the other {what}",
        network({A: (), B: (), "c/utama": ()}, anchors=2),
        {ANCHOR_2: behaviour, A: cut((100, 200))}, 130, (Expected(A, within=7.0),)) for what,
        behaviour in (("is silent", cut((20, 500))),
        ("cannot be sent to", unsent_between(20, 500)))),
    Case("an outage is decided as soon as a seldom probed anchor replies",
        every(10.0, network({A: (), B: ()}, anchors=1)), {A: cut((61, 200))}, 130,
        (Expected(A, after=8.0, within=11.0),)),
    Case("an anchor that cannot be measured delays no outage",
        network({A: (), B: (), "c/utama": ()}, anchors=1),
        {ANCHOR: unsent_between(20, 500, "EPERM"), A: cut((100, 200))}, 130,
        (Expected(A, within=7.0),), {ANCHOR: "up unknown"}),
    Case("a single dead anchor becomes down without an incident and hides no outage afterwards",
        many(10, anchors=1), {ANCHOR: cut((60, 500)), "s1/utama": cut((100, 200))}, 150,
        (Expected("s1/utama", within=7.0),), {ANCHOR: "up down"}),
    Case("links do not fall one by one when all is cut off and the anchor was dead before",
        many(20, anchors=1), {ANCHOR: cut((30, 140)), "*": cut((100, 140))}, 130,
        (Expected(MONITOR, "unknown"),), {f"s{i}/utama": "up unknown" for i in range(20)}),
    # Blind intervals
    Case("an outage that ended in a blind interval is not down again after a single loss", TWO,
        {A: cut((50, 100), (101, 102))}, 200, (Expected(A, end=(100, 101.1)),),
        {A: "up down unknown up"}, stopped=(70, 100)),
    Case("a blind interval is unknown and opens no incident", TWO, {}, 200, (),
        {A: "up unknown up", B: "up unknown up"}, stopped=(60, 100)),
    Case("a gap of eleven seconds is blind", TWO, {}, 90, (), {A: "up unknown up"},
        stopped=(60, 71.5)),
    Case("an outage across a blind interval keeps its incident", TWO, {A: cut((50, 150))}, 200,
        (Expected(A, start=(50, 51.1), end=(150, 151.2)),), {A: "up down unknown down up"},
        stopped=(70, 100)),
    Case("an outage that began in a blind interval has both bounds", TWO, {A: cut((80, 150))}, 200,
        (Expected(A, start=(100, 101.1), earliest=(68.9, 70)),), stopped=(70, 100)),
    Case("an outage suspected before a blind interval may have begun with the suspicion", TWO,
        {A: cut((67, 150))}, 200, (Expected(A, start=(100, 101.1), earliest=(67, 68)),),
        stopped=(70, 100)),
    Case("an outage that ended in a blind interval has both bounds", TWO, {A: cut((50, 80))}, 200,
        (Expected(A, end=(100, 101.1), ended_earliest=(68.9, 70)),), stopped=(70, 100)),
    Case("states of a node and its links follow one another through outages and a blind interval",
        network({f"s{i}/utama": ("pop",) for i in range(6)}, {"pop": ()}, anchors=1),
        {ANCHOR: cut(), "*": cut((60, 90), (95, 130), (133, 170))}, 300,
        (Expected("pop"), Expected("pop"), Expected("pop", end=(170, 171.2))), stopped=(140, 155)),
    Case("isolation is not confirmed by time without evidence", many(10, anchors=1),
        {"*": cut((60, 80))}, 160, (), {"*": "up unknown up"}, stopped=(63, 100)),
]
# fmt: on


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.title)
def test_a_scenario_gives_exactly_its_incidents_and_states(case: Case) -> None:
    scenario = Scenario(case.net)
    for target in case.net.targets():
        behaviour = case.answers.get(target.name) or case.answers.get("*")
        if behaviour is not None:
            scenario[target.name] = behaviour
    scenario.run(case.until, case.stopped)
    found = scenario.incidents()
    assert [i.target for i in found] == [expected.target for expected in case.incidents]
    for expected, incident in zip(case.incidents, found, strict=True):
        expected.check(incident)
    for name, path in case.paths.items():
        for each in [t.name for t in case.net.targets()] if name == "*" else [name]:
            assert scenario.path(each) == path.split()
    for transitions in (scenario.transitions(target.name) for target in case.net.targets()):
        times = [transition.at_s for transition in transitions]
        assert times == sorted(times), "no state begins before the one that it ends"
        assert all(then.before is before.after for before, then in pairwise(transitions))


def test_down_has_its_evidence_and_up_is_detected_with_the_third_reply() -> None:
    scenario = Scenario(ONE, {A: cut((60, 90))}).run(120)
    first, down, up = scenario.transitions(A)
    assert [t.reason for t in (first, down, up)] == ["first_reply", "silence", "reply"]
    assert down.evidence == scenario.incidents()[0].evidence
    assert down.evidence.lost_in_row is not None
    assert down.evidence.lost_in_row >= 20
    assert down.evidence.silence_s is not None
    assert down.evidence.silence_s >= 5.0
    assert down.evidence.loss_before == 0.0
    assert 1.9 <= up.detected_s - up.at_s <= 3.0
