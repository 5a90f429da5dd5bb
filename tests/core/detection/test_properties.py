"""Properties of the decisions for any evidence."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.core.detection.detector import Detector
from monitor.core.detection.replay import ReplayLine, read_evidence
from monitor.core.model import Decision, IncidentChange, Network, Transition
from tests.core.detection.scenario import network

NET = network({"a/utama": ("pop",), "b/utama": ("pop",), "c/utama": ()}, {"pop": ()}, anchors=1)
NAMES = [target.name for target in NET.targets()]
TIMEOUTS_S = {target.name: target.rules.timeout_s for target in NET.targets()}

Phases = list[tuple[int, list[float | str | None], float]]

ANSWERS = st.sampled_from([10.0, 10.0, 10.0, 120.0, None, None, "ENETUNREACH"])
PHASES = st.lists(
    st.tuples(
        st.integers(min_value=1, max_value=40),
        st.lists(ANSWERS, min_size=len(NAMES), max_size=len(NAMES)),
        st.sampled_from([0.2, 0.2, 1.0, 15.0]),
    ),
    min_size=1,
    max_size=6,
)


def lines_of(phases: Phases) -> list[ReplayLine]:
    """Every target is probed at every step of a phase, all at the same time."""
    lines: list[ReplayLine] = []
    t = 1_764_000_000.0
    for steps, answers, pause_s in phases:
        for _ in range(steps):
            for name, answer in zip(NAMES, answers, strict=True):
                if isinstance(answer, str):
                    lines.append(ReplayLine(t, name, error=answer))
                else:
                    lines.append(ReplayLine(t, name, answer))
            t = round(t + pause_s, 3)
    return lines


def decisions_of(lines: Sequence[ReplayLine], net: Network = NET) -> list[Decision]:
    return Detector(net).advance(read_evidence(lines, TIMEOUTS_S))


@settings(deadline=None)
@given(PHASES)
def test_the_decisions_of_a_prefix_are_a_prefix_of_the_decisions(phases: Phases) -> None:
    lines = lines_of(phases)
    whole = decisions_of(lines)
    for share in (0.2, 0.5, 0.8):
        some = lines[: int(len(lines) * share)]
        # A moment is decided when all of its lines are there.
        while some and len(some) < len(lines) and lines[len(some)].t == some[-1].t:
            some.append(lines[len(some)])
        part = decisions_of(some)
        assert part == whole[: len(part)]


@settings(deadline=None)
@given(PHASES, st.randoms())
def test_no_decision_depends_on_the_order_of_lines_with_equal_time(
    phases: Phases, random: Random
) -> None:
    lines = lines_of(phases)
    mixed = sorted(lines, key=lambda line: (line.t, random.random()))
    assert decisions_of(mixed) == decisions_of(lines)


@settings(deadline=None)
@given(PHASES)
def test_intervals_of_a_target_never_overlap_and_follow_one_another(phases: Phases) -> None:
    last: dict[str, Transition] = {}
    for decision in decisions_of(lines_of(phases)):
        if isinstance(decision, Transition):
            before = last.get(decision.target)
            if before is not None:
                assert decision.before is before.after
                assert decision.at_s >= before.at_s
                assert decision.detected_s >= before.detected_s
            assert decision.at_s <= decision.detected_s
            last[decision.target] = decision


@settings(deadline=None)
@given(PHASES)
def test_an_incident_is_opened_once_closed_at_most_once_and_ends_after_it_began(
    phases: Phases,
) -> None:
    opened: set[int] = set()
    closed: set[int] = set()
    for decision in decisions_of(lines_of(phases)):
        if isinstance(decision, IncidentChange):
            incident = decision.incident
            if decision.change.value == "opened":
                assert incident.id not in opened
                opened.add(incident.id)
            assert incident.id in opened
            assert incident.id not in closed
            if decision.change.value == "closed":
                closed.add(incident.id)
                assert incident.ended_s is not None
                assert incident.ended_s >= incident.started_s


def test_without_evidence_there_is_no_decision() -> None:
    assert decisions_of([]) == []
    detector = Detector(NET)
    detector.advance([])
    assert {health.state.value for health in detector.healths.values()} == {"unknown"}


@settings(deadline=None)
@given(PHASES)
def test_evidence_on_unknown_targets_changes_nothing(phases: Phases) -> None:
    lines = lines_of(phases)
    strangers = [ReplayLine(line.t, "nowhere/utama", None) for line in lines[:: len(NAMES)]]
    mixed = sorted([*lines, *strangers], key=lambda line: line.t)
    assert decisions_of(mixed) == decisions_of(lines)
