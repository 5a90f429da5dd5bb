"""Where an outage begins and ends, to the request."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import pytest

from monitor.core.detection.detector import Detector
from monitor.core.model import Evidence, Lost, ProbeRules, Reply, State, Tick
from tests.core.detection.scenario import (
    T0,
    Scenario,
    network,
    silent_between,
    unsent_between,
)

LINK = "anjatan/utama"


def replies(times: Iterable[float], target: str = LINK) -> list[Evidence]:
    return [Reply(target, T0 + t, T0 + t + 0.01, 10.0) for t in times]


def losses(times: Iterable[float], timeout_s: float = 1.0, target: str = LINK) -> list[Evidence]:
    return [Lost(target, T0 + t, T0 + t + timeout_s) for t in times]


def scenario_of(
    evidence: Sequence[Evidence], links: Sequence[str] = (LINK,), rules: ProbeRules | None = None
) -> Scenario:
    """A scenario of exactly this evidence."""
    scenario = Scenario(network(dict.fromkeys(links, ()), rules=rules))
    for item in sorted(evidence, key=known_s):
        decisions = scenario.detector.advance([item])
        scenario.decisions.extend(decisions)
    return scenario


def known_s(item: Evidence) -> float:
    return item.at_s if isinstance(item, Tick) else item.known_s


@pytest.mark.parametrize("first", [60.02, 60.1, 60.21, 60.35])
def test_a_run_of_exactly_confirm_s_is_long_enough_despite_rounding(
    first: float,
) -> None:
    sent = [round(first + 0.2 * i, 3) for i in range(30)]
    assert sent[25] - sent[0] < 5.0
    evidence = [Reply(LINK, float(t), t + 0.01, 10.0) for t in range(60)]
    scenario = scenario_of([*evidence, *[Lost(LINK, t, t + 1.0) for t in sent]])
    (incident,) = scenario.incidents()
    assert incident.evidence.lost_in_row == 26
    assert incident.detected_s == pytest.approx(first + 6.0)


def test_half_a_window_is_enough_despite_rounding() -> None:
    """100 requests every 0.29 s are 28.999… s; the first one makes it up."""
    rules = ProbeRules(interval_s=0.29, window_s=58.0)
    slow = [Reply(LINK, T0 + 0.29 * i, T0 + 0.29 * i + 0.1, 100.0) for i in range(101)]
    scenario = scenario_of(slow, rules=rules)
    assert [i.state for i in scenario.incidents()] == [State.DEGRADED]


def test_a_gap_of_exactly_ten_seconds_is_not_blind() -> None:
    # As floats, the second is 10.0000002 s later.
    gap = [T0 + 60.3, T0 + 70.3 + 2.4e-7]
    assert gap[1] - gap[0] > 10.0
    scenario = scenario_of([Reply(LINK, at, at + 0.01, 10.0) for at in gap])
    assert scenario.path(LINK) == ["up"]


def recovery(*after_the_outage: Evidence) -> Scenario:
    outage = losses([60 + 0.2 * i for i in range(40)])
    return scenario_of([*replies(range(60)), *outage, *after_the_outage])


def test_two_single_losses_between_good_replies_move_no_end() -> None:
    scenario = recovery(
        *replies([68.0]), *losses([68.2]), *replies([69.4]), *losses([69.6]), *replies([70.8])
    )
    (incident,) = scenario.incidents()
    assert incident.ended_s == T0 + 68.0


def test_two_losses_in_a_row_begin_the_recovery_anew() -> None:
    scenario = recovery(
        *replies([68.0, 68.2]), *losses([68.4, 68.6]), *replies([69.8, 70.0]), *replies([70.2])
    )
    (incident,) = scenario.incidents()
    assert incident.ended_s == T0 + 69.8


def test_losses_known_after_a_later_reply_do_not_break_a_recovery() -> None:
    """Two in a row, but each is known only when a later request has been answered."""
    scenario = recovery(
        *replies([68.0]),
        *losses([68.1, 68.2], timeout_s=3.0),
        *replies([69.0, 71.9]),
        Tick(T0 + 80),
    )
    (incident,) = scenario.incidents()
    assert incident.ended_s == T0 + 68.0


def test_a_reply_known_late_does_not_date_the_end_before_the_losses() -> None:
    """An ICMP error is known at once, a slow reply to an earlier request after it."""
    late = Reply(LINK, T0 + 68.0, T0 + 68.9, 900.0)
    scenario = recovery(late, *losses([68.2, 68.4], timeout_s=0.01), *replies([69.0, 69.2, 69.4]))
    (incident,) = scenario.incidents()
    assert incident.ended_s == T0 + 69.0


def test_a_removed_link_never_ends_before_it_started() -> None:
    scenario = Scenario(network({LINK: (), "b/utama": ()}))
    scenario[LINK] = unsent_between(20.0, 90.0)
    scenario.run(40)
    scenario.detector.now_s = T0
    scenario.decisions += scenario.detector.reconfigure(network({}), T0)
    incident = scenario.incidents()[-1]
    assert incident.ended_s == incident.started_s


def test_after_isolation_links_wait_until_their_recovering_node_is_up() -> None:
    links = {f"s{i}/utama": ("pop",) for i in range(3)}
    others = {f"x{i}/utama": () for i in range(9)}
    scenario = Scenario(network({**links, **others}, {"pop": ()}, 1, ProbeRules(rise=10)))
    for target in scenario.net.targets():
        scenario[target.name] = silent_between((80.0, 100.0))
    scenario["pop"] = silent_between((60.0, 100.0))
    for link in links:
        scenario[link] = silent_between((60.0, 140.0))
    scenario.run(180)
    up = scenario.transitions("pop")[-1]
    assert up.detected_s - up.at_s >= 8.9
    own = [i for i in scenario.incidents() if i.target in links]
    assert sorted(i.target for i in own) == list(links)
    assert {i.started_s for i in own} == {up.at_s}
    assert min(i.detected_s for i in own) >= up.detected_s


@pytest.mark.parametrize("rise", [3, 8])
def test_links_of_a_recovering_node_stay_unreachable_until_it_is_up(rise: int) -> None:
    rules = ProbeRules(rise=rise)
    links = {f"s{i}/utama": ("pop",) for i in range(3)}
    scenario = Scenario(network(links, {"pop": ()}, rules=rules))
    scenario["pop"] = silent_between((60.0, 100.0))
    for link in links:
        scenario[link] = silent_between((62.0, 140.0))
    scenario.run(180)
    pop, *own = scenario.incidents()
    assert pop.ended_s is not None
    up = scenario.transitions("pop")[-1]
    assert up.detected_s - pop.ended_s >= rise - 1 - 0.1
    assert [i.target for i in own] == list(links)
    for incident in own:
        assert incident.started_s == pop.ended_s
        assert incident.detected_s >= up.detected_s
    for link in links:
        assert scenario.path(link) == ["up", "unreachable", "down", "up"]


def test_a_recovery_goes_on_after_a_reload() -> None:
    scenario = recovery(*replies([68.0, 68.2]))
    detector = scenario.detector
    decisions = detector.reconfigure(scenario.net, T0 + 68.3)
    assert decisions == []
    decisions = detector.advance(replies([68.4]))
    scenario.decisions.extend(decisions)
    (incident,) = scenario.incidents()
    assert incident.ended_s == T0 + 68.0


def test_a_detector_without_targets_decides_nothing() -> None:
    detector = Detector(network({}))
    assert detector.advance([Tick(T0), *replies([1.0]), Tick(T0 + 100)]) == []
