"""Short silences are no reason for DEGRADED; loss that comes at random is, and reads true."""

from __future__ import annotations

import random
from statistics import fmean

import pytest

from monitor.core.detection.loss_windows import LossWindow
from monitor.core.detection.target_health import TargetHealth
from monitor.core.model import ProbeRules, State, Target, TargetRole
from monitor.core.samples.recent_probes import RecentProbes
from tests.core.detection.scenario import T0, Behaviour, Scenario, network, silent_between

LINK = "a/utama"
LINKS = 40
KNOWN_LATE = ProbeRules(timeout_s=1.02)
"""A loss is known only after the next steady request was sent: as in the daemon."""


def one(rules: ProbeRules, behaviour: Behaviour) -> Scenario:
    scenario = Scenario(network({LINK: ()}, rules=rules))
    scenario[LINK] = behaviour
    return scenario


def lossy(seed: int, share: float) -> Behaviour:
    chance = random.Random(seed)
    return lambda _: None if chance.random() < share else 12.0


@pytest.mark.parametrize("rules", [ProbeRules(), KNOWN_LATE], ids=["known at once", "known late"])
def test_two_silences_of_two_seconds_within_a_minute_are_no_incident(rules: ProbeRules) -> None:
    """At every phase of both, those included where only two requests are lost."""
    for first in range(0, 100, 7):
        for apart in range(1000, 5500, 271):
            starts = [100 + first / 100, 100 + (first + apart) / 100]
            scenario = one(rules, silent_between(*((start, start + 2.0) for start in starts)))
            scenario.run(175)
            assert scenario.incidents() == [], starts


def test_from_the_third_silence_on_all_of_them_count() -> None:
    starts = (100.05, 115.05, 130.05)
    scenario = one(KNOWN_LATE, silent_between(*((start, start + 2.0) for start in starts)))
    (incident,) = scenario.run(300).incidents()
    assert (incident.state, incident.reason) == (State.DEGRADED, "loss")
    assert 132.0 <= incident.started_s - T0 <= 134.0
    assert incident.evidence.loss_ratio == pytest.approx(6 / 60, abs=0.01)
    assert incident.ended_s is not None


def window_of(text: str, slow_ms: float = 12.0) -> LossWindow:
    """A request a second: `.` answered, `x` lost; `o` and `c` the same at the confirm rate."""
    window = LossWindow(60.0, 50.0)
    for second, sign in enumerate(text):
        window.add(float(second), None if sign in "xc" else slow_ms, sign in ".x")
    return window


@pytest.mark.parametrize(
    ("text", "counted"),
    [
        ("..x..x..", 2 / 8),
        (".xx..xxx..", 0.0),
        (".xx..xx..x", 1 / 6),
        (".xx..xx..xx..", 6 / 13),
        # A loss and another one at the confirm rate are two in a row; of regular requests, one.
        (".xc..", 0.0),
        (".xo.x...", 2 / 7),
        ("xx", 0.0),
    ],
)
def test_at_most_two_blips_are_left_out(text: str, counted: float) -> None:
    assert window_of(text).loss_ratio_without_blips() == pytest.approx(counted)


def test_a_blip_is_found_in_the_order_of_sending() -> None:
    """Of two requests lost in a row, one may be known only after a later reply."""
    window = LossWindow(60.0, 50.0)
    for sent_s, rtt_ms in ((0.0, 9.0), (1.0, None), (3.0, 9.0), (2.0, None), (4.0, 9.0)):
        window.add(sent_s, rtt_ms)
    assert window.loss_ratio_without_blips() == 0.0
    assert window.loss_ratio() == 2 / 5


def test_requests_at_the_confirm_rate_count_for_no_limit() -> None:
    window = window_of(".o" * 20 + "c", slow_ms=120.0)
    assert (len(window), window.loss_ratio()) == (20, 0.0)
    for second in range(60, 90):
        window.add(float(second), 10.0)
    assert not window.median_over()
    assert window.median_cleared()
    tie = window_of(".", slow_ms=60.0)
    tie.add(1.0, 10.0)
    tie.add(1.2, 120.0, is_regular=False)
    assert tie.median_ms() == 35.0
    assert not tie.median_over()


def test_blips_are_left_out_of_what_ends_degraded_too() -> None:
    rules = ProbeRules(loss_pct=10.0)
    found = TargetHealth(Target(LINK, "10.77.0.1", TargetRole.LINK, rules), State.DEGRADED)
    found.exceeded = frozenset({"loss"})
    for second in range(60):
        found.window.add(float(second), None if second in (5, 20, 21, 35, 50) else 10.0)
    assert found.window.loss_ratio() > 0.08
    assert found.limits_exceeded() == frozenset()


@pytest.mark.parametrize("percent", [5, 20, 50])
def test_random_loss_reads_as_it_is_and_opens_degraded(percent: int) -> None:
    """40 links, 20 min each, read every 5 s: the shown loss has what the decision leaves out."""
    status_pct: list[float] = []
    detector_pct: list[float] = []
    opened_after_s: list[float] = []
    for seed in range(LINKS):
        scenario = one(KNOWN_LATE, lossy(seed, percent / 100))
        recent = RecentProbes()
        scenario.on_evidence = lambda item, recent=recent: recent.add([item])
        for now in range(60, 1200, 5):
            scenario.run(now)
            figures = recent.of(LINK, T0 + now)
            assert figures.loss_pct is not None
            status_pct.append(figures.loss_pct)
            window = scenario.detector.healths[LINK].window
            detector_pct.append(100 * window.loss_ratio())
        opened_after_s += [i.started_s - T0 for i in scenario.opened()][:1]
        assert all(i.state is State.DEGRADED for i in scenario.opened())
    assert fmean(status_pct) == pytest.approx(percent, abs=1.0)
    assert fmean(detector_pct) == pytest.approx(percent, abs=1.0)
    if percent > 5:
        assert len(opened_after_s) == LINKS
        assert max(opened_after_s) <= 120
