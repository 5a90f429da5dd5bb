"""Thousands of links that fall silent after their node: the cost of adding each to its incident."""

from __future__ import annotations

import time

import pytest

from monitor.core.detection.detector import Detector
from monitor.core.model import ChangeKind, IncidentChange, Lost, Reply
from tests.core.detection.scenario import T0, network

pytestmark = pytest.mark.bench

NODE_FELL_S, LINKS_FELL_S, END_S = 2.0, 12.0, 20.0


def evidence(names: list[str]) -> list[Lost | Reply]:
    """All answer; the node falls, then the links behind it, each probed at a moment of its own."""
    items: list[Lost | Reply] = []
    for number, name in enumerate(["pop", "x/utama", *names]):
        fell_s = {"pop": NODE_FELL_S, "x/utama": END_S}.get(name, LINKS_FELL_S)
        at_s = number / (len(names) + 2)
        while at_s < END_S:
            if at_s < fell_s:
                items.append(Reply(name, T0 + at_s, T0 + at_s + 0.01, 9.0))
            else:
                items.append(Lost(name, T0 + at_s, T0 + at_s + 1.0))
            at_s += 1.0 if at_s < fell_s else 0.2
    return sorted(items, key=lambda item: item.known_s)


def cpu_s(count: int) -> float:
    """CPU seconds, the least of three."""
    names = [f"s{i:04}/utama" for i in range(count)]
    net = network({**dict.fromkeys(names, ("pop",)), "x/utama": ()}, {"pop": ()})
    known = evidence(names)
    took_s: list[float] = []
    for _ in range(3):
        detector = Detector(net)
        began_s = time.process_time()
        decisions = detector.advance(known)
        took_s.append(time.process_time() - began_s)
        changes = [d for d in decisions if isinstance(d, IncidentChange)]
        assert [c.change for c in changes] == [ChangeKind.OPENED, ChangeKind.UPDATED]
        assert changes[-1].incident.affected == tuple(names)
    return min(took_s)


@pytest.mark.timeout(300)
def test_the_cost_of_links_behind_a_fallen_node_grows_with_their_number_not_its_square(
    capsys: pytest.CaptureFixture[str],
) -> None:
    few_s, many_s, most_s = (cpu_s(count) for count in (1_000, 4_000, 8_000))
    with capsys.disabled():
        print(
            f"\nlinks added to one incident, CPU: 1,000 in {few_s:.3f} s, 4,000 in {many_s:.3f} s "
            f"({many_s / few_s:.1f} times as long), 8,000 in {most_s:.3f} s "
            f"({most_s / many_s:.1f} times as long as 4,000)"
        )
    assert many_s < 6.5 * few_s
    assert most_s < 3.0 * many_s
