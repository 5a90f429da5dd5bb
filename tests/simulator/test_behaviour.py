"""The normal behaviour of each kind of link."""

from __future__ import annotations

import pytest

from monitor.simulator.behaviour import ReplyMode, usual_behaviour

LIMITS_MS = {"fibre": 50, "radio": 80, "lte": 150, "vsat": 800}


@pytest.mark.parametrize(
    ("kind", "low", "high"),
    [
        ("anchor", 0.2, 0.8),
        ("node", 1, 5),
        ("fibre", 2, 12),
        ("radio", 8, 25),
        ("lte", 35, 70),
        ("vsat", 560, 620),
    ],
)
def test_the_delay_of_a_kind_lies_in_its_range(kind: str, low: float, high: float) -> None:
    delays = [usual_behaviour(kind, f"situs-{n}/utama", 1).delay_ms for n in range(200)]
    assert low <= min(delays)
    assert max(delays) <= high
    assert max(delays) - min(delays) > 0.9 * (high - low)


@pytest.mark.parametrize("kind", LIMITS_MS)
def test_a_target_without_faults_stays_within_its_limits(kind: str) -> None:
    for n in range(200):
        behaviour = usual_behaviour(kind, f"situs-{n}/utama", 1)
        assert behaviour.highest_rtt_ms < LIMITS_MS[kind]
        assert behaviour.loss_ratio < 0.005
        assert behaviour.mode is ReplyMode.ANSWERED


def test_behaviour_depends_on_name_and_seed_only() -> None:
    first = usual_behaviour("fibre", "anjatan/utama", 1)
    assert usual_behaviour("fibre", "anjatan/utama", 1) == first
    assert usual_behaviour("fibre", "anjatan/utama", 2) != first
    assert usual_behaviour("fibre", "sukra/utama", 1) != first
